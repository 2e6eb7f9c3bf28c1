"""Package definition: TensorFlow by Python version, the commands, the data in the wheel."""

import ast
import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
VERSION = re.search(r'__version__ = "([^"]+)"', (HERE / "tfsepgan/__init__.py").read_text()).group(
    1
)

REPOSITORY = "https://github.com/tfsepgan/tfsepgan"
COMMANDS = ast.literal_eval(
    (HERE / "tfsepgan/cli/command_list.py").read_text().partition("COMMANDS = ")[2]
)

# The compiled operators of tensorflow-io load on TensorFlow 2.16 only, and 2.16 has no wheels for
# Python 3.13. Every version below the caps passes the tests.
TENSORFLOW_2_16 = "python_version < '3.13'"
TENSORFLOW_NEWEST = "python_version >= '3.13'"
# LiteRT has no current wheels for Macs with an Intel processor; NumPy and TensorFlow remain there.
HAS_LITERT = "sys_platform != 'darwin' or platform_machine != 'x86_64'"

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
    f"tensorflow-serving-api>=2.21,<2.22; {TENSORFLOW_NEWEST}",
]
SEPARATE = [  # all that tfsepgan-separate loads when NumPy or LiteRT runs the model
    "numpy>=1.26",
    "soundfile>=0.12",
    "soxr>=0.4",
    "msgspec>=0.19",  # JSON files, checked against dataclasses
    "av>=13",  # formats that libsndfile does not read: M4A, MP4 and other video, WMA
    "rich>=13",
    "tyro>=1.0",
    "docstring-parser>=0.16",
    "h5py>=3.10",  # weights, when NumPy runs the model
    "threadpoolctl>=3.1",
    "filelock>=3.13",  # one process writes to the results of a job, or to a run
    f"ai-edge-litert>=1.0; {HAS_LITERT}",
]


def readme_with_whole_links() -> str:
    """The README with links that also work outside the repository, as on PyPI."""
    text = (HERE / "README.md").read_text(encoding="utf-8")
    text = re.sub(r"(!\[[^\]]*\]\()(?=docs/)", rf"\1{REPOSITORY}/raw/main/", text)
    return re.sub(r"(\]\()(?![a-z]+:|#)", rf"\1{REPOSITORY}/blob/main/", text)


setup(
    name="tfsepgan",
    version=VERSION,
    description="Adversarial music source separation on the waveform, in Keras",
    long_description=readme_with_whole_links(),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    url=REPOSITORY,
    project_urls={
        "Documentation": f"{REPOSITORY}/blob/main/docs/index.md",
        "Source": REPOSITORY,
        "Issues": f"{REPOSITORY}/issues",
        "Changelog": f"{REPOSITORY}/blob/main/CHANGELOG.md",
    },
    keywords="music source separation, piano, stems, GAN, audio, TensorFlow, Keras, LiteRT",
    classifiers=[
        "Development Status :: 4 - Beta",
        "Environment :: Console",
        "Intended Audience :: Developers",
        "Intended Audience :: Science/Research",
        "Operating System :: OS Independent",
        "Programming Language :: Python :: 3",
        *(f"Programming Language :: Python :: 3.{minor}" for minor in (10, 11, 12, 13)),
        "Topic :: Multimedia :: Sound/Audio :: Analysis",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
        "Typing :: Typed",
    ],
    python_requires=">=3.10,<3.14",
    packages=[*find_packages(include=["tfsepgan", "tfsepgan.*"]), *MODELS],
    package_dir=dict.fromkeys(MODELS, "exported_models"),
    package_data={
        "tfsepgan": ["py.typed"],
        "tfsepgan.data": ["demo/README.md", "demo/**/*.ogg"],
        "tfsepgan.web": ["prebuilt/**/*"],
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
        f"tensorflow>=2.21,<2.22; {TENSORFLOW_NEWEST}",
        # other versions read files that a weights file names (CVE-2026-1669)
        "keras>=3.12.1,!=3.13.0,!=3.13.1,<4",
        *SEPARATE,
        "scipy>=1.11",
        "scikit-learn>=1.4",
        "fsspec>=2024.2",  # shards of recordings on object storage
        "museval>=0.4.1",
        "tensorboard>=2.16",
        "keras-tuner>=1.4.7",
        "matplotlib>=3.8",
        "pyyaml>=6",
    ],
    extras_require={
        "test": [
            *("pytest>=8", "pytest-xdist>=3.2", "ruff>=0.6"),
            *("nbclient>=0.10", "ipykernel>=6"),  # the tests run the notebooks
            "playwright>=1.50",  # the tests open the page in Chromium, where that is installed
            *RENDER,
            *SERVING,
        ],
        "docs": ["mkdocs>=1.6,<2", "mkdocs-material>=9.5,<10", "mkdocstrings[python]>=0.27,<2"],
        "render": RENDER,
        "singers": SINGERS,
        "datasets": [],  # kept from earlier versions; PyAV is now always installed
        "serving": SERVING,
        "cloud": ["s3fs>=2024.2", "gcsfs>=2024.2"],  # recordings at s3:// and gs://
        "beam": ["apache-beam>=2.60"],  # tfsepgan-separate --runner
        "hub": ["huggingface_hub>=0.23"],  # models on the Hugging Face Hub, hf://user/name
        "gpu": [
            f"tensorflow[and-cuda]>=2.16.2,<2.17; {TENSORFLOW_2_16}",
            f"tensorflow[and-cuda]>=2.21,<2.22; {TENSORFLOW_NEWEST}",
        ],
        "live": ["sounddevice>=0.4.6"],  # sound devices for tfsepgan-live
        "tools": ["mido>=1.3", "psutil>=5.9"],
    },
    entry_points={
        "console_scripts": [
            "tfsepgan = tfsepgan.cli.main:main",
            *(f"tfsepgan-{name} = tfsepgan.cli.{name}:main" for name in COMMANDS),
        ]
    },
)
