"""A small exported model, servers for it, and the expected stems: one pass of the Keras model."""

import numpy as np
import pytest
from bundles_for_tests import random_bundle
from serving_for_tests import RATE, REQUEST_SECONDS, SOURCES
from tools_for_tests import from_tools


@pytest.fixture(scope="session")
def bundle():
    settings = {"channels": 32, "blocks": 2, "frame": 256, "hop": 64}
    facts = {"rate_hz": RATE, "sources": SOURCES, "trained": {"licence": "CC0"}}
    return random_bundle("filterbank", **facts, **settings)


@pytest.fixture(scope="session")
def model(bundle, tmp_path_factory):
    """A folder as TF Serving mounts it."""
    from tfsepgan.export.savedmodel.signatures import RequestLimits
    from tfsepgan.export.savedmodel.writer import write_saved_model
    from tfsepgan.models.bundle import save_bundle

    folder = tmp_path_factory.mktemp("models") / "small"
    save_bundle(folder, *bundle)
    write_saved_model(bundle, folder / "1", RequestLimits(max_request_seconds=REQUEST_SECONDS))
    return folder


@pytest.fixture(scope="session")
def music():
    """Packaged demo recordings, `[8, time, 1]` at 8 kHz."""
    from tfsepgan.audio.decoding import decode
    from tfsepgan.data.recordings.demo import demo_directory

    files = sorted((demo_directory() / "test").rglob("*.ogg"))[:8]
    return np.stack([decode(path, RATE)[RATE : 3 * RATE + 77, :1] for path in files])


@pytest.fixture(scope="session")
def one_pass(bundle):
    """Stems of `[batch, time, channels]` by the Keras model."""
    from tfsepgan.export.savedmodel.signatures import separation_function

    separate = separation_function(bundle.generator, SOURCES)
    return lambda mixture: {name: np.asarray(stem) for name, stem in separate(mixture).items()}


@pytest.fixture(scope="session")
def session(model):
    """TensorFlow's C++ session of the SavedModel, through its C API."""
    loaded = from_tools("c_session").Session(model / "1", threads=1)
    yield loaded
    loaded.close()


BINARY = from_tools("loopback_process").BINARY


@pytest.fixture(scope="session", params=["loopback", BINARY])
def server(request, model):
    """The loopback server, and also TF Serving itself where it is on the PATH."""
    pytest.importorskip("tensorflow_serving.apis", reason="tensorflow-serving-api is not installed")
    process = from_tools("loopback_process")
    if request.param == BINARY and not process.has_binary():
        pytest.skip(f"{BINARY} is not on the PATH")
    with process.ServerProcess("small", model, binary=request.param == BINARY) as running:
        yield running
