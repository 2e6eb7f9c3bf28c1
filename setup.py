"""Package definition: TensorFlow by Python version, the commands, the data in the wheel."""

import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
VERSION = re.search(r'__version__ = "([^"]+)"', (HERE / "tfsepgan/__init__.py").read_text()).group(
    1
)

# The compiled operators of tensorflow-io load on TensorFlow 2.16 only, and 2.16 has no wheels for
# Python 3.13.
TENSORFLOW_2_16 = "python_version < '3.13'"
TENSORFLOW_NEWEST = "python_version >= '3.13'"

# The models in exported_models/ are installed as tfsepgan/exported_models.
MODELS = (
    ["tfsepgan.exported_models"] if any((HERE / "exported_models").glob("*/manifest.json")) else []
)

RENDER = [
    "mido>=1.3",
    "music21>=9",
]  # scores to stems; also needs a synthesizer: a program, or tinysoundfont
SINGERS = ["pyworld>=0.3.4"]  # singers made from speech, for tfsepgan-data songs; built from source
SERVING = [  # protocol buffers of TF Serving, for the same TensorFlow
    f"tensorflow-serving-api>=2.16.1,<2.17; {TENSORFLOW_2_16}",
    f"tensorflow-serving-api>=2.20; {TENSORFLOW_NEWEST}",
]

setup(
    name="tfsepgan",
    version=VERSION,
    description="Adversarial music source separation on the waveform, in Keras",
    long_description=(HERE / "README.md").read_text(),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.10",
    packages=[*find_packages(include=["tfsepgan", "tfsepgan.*"]), *MODELS],
    package_dir=dict.fromkeys(MODELS, "exported_models"),
    package_data={
        "tfsepgan.data": ["demo/README.md", "demo/**/*.ogg"],
        "tfsepgan.exported_models": [
            "*/manifest.json",
            "*/model.keras",
            "*/card.md",
            "*/*.tflite",
            "*/1/**/*",
        ],
    },
    install_requires=[
        f"tensorflow>=2.16.2,<2.17; {TENSORFLOW_2_16}",
        f"tensorflow-io==0.37.1; {TENSORFLOW_2_16} and platform_machine == 'x86_64'",
        f"tensorflow>=2.20; {TENSORFLOW_NEWEST}",
        "keras>=3.10",
        "numpy>=1.26",
        "scipy>=1.11",
        "scikit-learn>=1.4",
        "soundfile>=0.12",
        "soxr>=0.4",
        "av>=13",  # formats that libsndfile does not read: M4A, MP4 and other video, WMA
        "museval>=0.4.1",
        "tensorboard>=2.16",
        "keras-tuner>=1.4.7",
        "ai-edge-litert>=1.0",
        "matplotlib>=3.8",
        "rich>=13",
        "tyro>=0.9",
        "pyyaml>=6",
    ],
    extras_require={
        "test": ["pytest>=8", "pytest-xdist>=3", "ruff>=0.6", *RENDER, *SERVING],
        "render": RENDER,
        "singers": SINGERS,
        "datasets": [],  # kept from earlier versions; PyAV is now always installed
        "serving": SERVING,
        "hub": ["huggingface_hub>=0.23"],  # models on the Hugging Face Hub, hf://user/name
        "gpu": [
            f"tensorflow[and-cuda]>=2.16.2,<2.17; {TENSORFLOW_2_16}",
            f"tensorflow[and-cuda]>=2.20; {TENSORFLOW_NEWEST}",
        ],
        "tools": ["mido>=1.3", "psutil>=5.9"],
    },
    entry_points={
        "console_scripts": [
            "tfsepgan = tfsepgan.cli.main:main",
            *(
                f"tfsepgan-{name} = tfsepgan.cli.{name}:main"
                for name in (
                    "train",
                    "separate",
                    "evaluate",
                    "export",
                    "data",
                    "generate",
                    "tune",
                    "refine",
                )
            ),
        ]
    },
)
