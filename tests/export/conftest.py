"""Small models with random weights, and real music to compare their exports on."""

from contextlib import nullcontext

import numpy as np
import pytest
from exports_for_tests import RATE, SETTINGS, small_bundle_of
from processes_for_tests import in_processes


@pytest.fixture(scope="session")
def small_bundle():
    """`small_bundle_of`."""
    return small_bundle_of


@pytest.fixture(scope="session", params=sorted(SETTINGS))
def kind(request):
    """Each kind of generator."""
    return request.param


@pytest.fixture(scope="session")
def bundle(kind):
    return small_bundle_of(kind)


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
def exports(music, tmp_path_factory):
    """Folder and parity figures of an export, by kind of generator; made when a test asks.

    The first kind is converted in a process of its own, as the package does, the others here.
    """
    from tfsepgan.export.exporter import export_bundle

    class Exports(dict):
        def __missing__(self, kind):
            bundle = small_bundle_of(kind)
            output = tmp_path_factory.mktemp("exported") / bundle.manifest.network
            with in_processes() if kind == min(SETTINGS) else nullcontext():
                self[kind] = output, export_bundle(bundle, output, music)
            return self[kind]

    return Exports()


@pytest.fixture(scope="session")
def exported(kind, exports):
    """Folder and parity figures of an export of each kind of generator."""
    return exports[kind]
