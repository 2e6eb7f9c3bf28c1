"""A small streaming model as a TFLite file, made once."""

import numpy as np
import pytest
from bundles_for_tests import random_bundle

RATE, BLOCK = 8000, 256


@pytest.fixture(scope="session")
def bundle():
    settings = {"channels": 16, "blocks": 3, "frame": 256, "hop": 64, "dilations": (1, 2, 4)}
    facts = {"rate_hz": RATE, "sources": ("piano", "voice"), "trained": {"licence": "CC0"}}
    return random_bundle("filterbank", half_precision=True, **facts, **settings)


@pytest.fixture(scope="session")
def folder(bundle, tmp_path_factory):
    """Folder of `small.stream.tflite` and `small.web.float32.tflite`, as an export makes them."""
    from tfsepgan.export.tflite.files import OnDevice, make_variants

    folder = tmp_path_factory.mktemp("ondevice")
    audio = np.random.default_rng(1).uniform(-0.5, 0.5, (3000, 1)).astype(np.float32)
    wanted = OnDevice(variants=("stream", "web.float32"), block=BLOCK)
    make_variants(bundle, folder, folder, wanted, audio, lambda step: None)
    return folder


@pytest.fixture(scope="session")
def model(folder):
    """Path of the file for one channel in a call."""
    return folder / "small.stream.tflite"


@pytest.fixture(scope="session")
def web_model(folder):
    """Path of the file for two channels in a call."""
    return folder / "small.web.float32.tflite"


@pytest.fixture(scope="session")
def one_pass(bundle):
    """Stems of `[time, channels]` by the Keras model."""
    from tfsepgan.export.parity import keras_stems

    return lambda mixture: keras_stems(bundle, mixture)


@pytest.fixture
def noise():
    def make(time, channels=1, seed=0):
        return np.random.default_rng(seed).uniform(-0.5, 0.5, (time, channels)).astype(np.float32)

    return make
