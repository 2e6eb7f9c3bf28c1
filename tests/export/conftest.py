"""Small models with random weights, and real music to compare their exports on."""

import numpy as np
import pytest
from bundles_for_tests import random_bundle

RATE = 8000
FILTERBANK = {"channels": 32, "blocks": 4, "frame": 256, "hop": 64}
SETTINGS = {
    "resnet": {"channels": 16, "blocks": 2},
    "filterbank": FILTERBANK,
    "filterbank with frequencies": {
        **FILTERBANK,
        "kind": "filterbank",
        "features": "instantaneous_frequency",
    },
    "tfc_tdf": {**FILTERBANK, "channels": 16, "blocks": 2, "levels": 2, "dilations": (1, 3)},
    "band_split turning": {
        **FILTERBANK,
        "kind": "band_split",
        "features": "complex",
        "mask": "complex",
        "channels": 16,
        "bands": 5,
    },
}


def small_bundle_of(kind, sources=("piano", "voice")):
    trained = {
        "steps": 7,
        "data": "the demo set, CC0 | rendered",
        "scores": {"demo test": {"si_sdr_db": 4.25}},
    }
    # in half precision, as in an export, so that it can be compared with one
    facts = {"rate_hz": RATE, "sources": sources, "name": "run", "trained": trained}
    return random_bundle(half_precision=True, **facts, **{"kind": kind, **SETTINGS[kind]})


@pytest.fixture(scope="session")
def small_bundle():
    """`small_bundle_of`."""
    return small_bundle_of


@pytest.fixture(scope="session", params=sorted(SETTINGS))
def bundle(request):
    return small_bundle_of(request.param)


@pytest.fixture(scope="session")
def one_bundle():
    return small_bundle_of("filterbank")


@pytest.fixture(scope="session")
def music():
    """Two seconds of packaged recordings, an instrument in each channel: `[time, 2]` at 8 kHz."""
    from tfsepgan.audio.decoding import decode
    from tfsepgan.data.recordings.demo import demo_directory

    files = sorted((demo_directory() / "test").rglob("*.*"))
    channels = [decode(path, RATE)[: 2 * RATE + 77, 0] for path in (files[0], files[-1])]
    return np.stack(channels, axis=1)


@pytest.fixture(scope="session")
def exported(bundle, music, tmp_path_factory):
    """Folder and parity figures of an export of each kind of generator."""
    from tfsepgan.export.exporter import export_bundle

    output = tmp_path_factory.mktemp("exported") / bundle.manifest.network
    return output, export_bundle(bundle, output, music)
