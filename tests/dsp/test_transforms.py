"""Transforms of frames: those of NumPy, in float32, without the import of scipy.fft."""

import subprocess
import sys

import numpy as np
import pytest

from tfsepgan.dsp import transforms

FRAMES = np.random.default_rng(0).normal(size=(3, 2, 64)).astype(np.float32)


@pytest.fixture(params=["compiled", "NumPy"])
def either(request, monkeypatch):
    if request.param == "NumPy":
        monkeypatch.setattr(transforms, "_POCKETFFT", None)
    assert (transforms._POCKETFFT is None) == (request.param == "NumPy")


def test_transforms_are_those_of_numpy_and_invert_each_other(either):
    spectra = transforms.rfft(FRAMES)
    np.testing.assert_allclose(spectra, np.fft.rfft(FRAMES.astype(float)), atol=1e-5)
    np.testing.assert_allclose(transforms.irfft(spectra, 64), FRAMES, atol=1e-6)


def test_single_precision_stays_single():
    spectra = transforms.rfft(FRAMES)
    assert spectra.dtype == transforms.COMPLEX == np.complex64
    assert transforms.irfft(spectra, 64).dtype == transforms.REAL == np.float32


def test_scipy_is_not_imported_and_can_be_later():
    code = (
        "import sys; from tfsepgan.dsp import transforms;"
        "print('scipy.special' in sys.modules, 'scipy' in sys.modules);"
        "import scipy.fft, numpy;"
        "print(numpy.allclose(scipy.fft.rfft(numpy.ones(8)), transforms.rfft(numpy.ones(8))))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.split() == ["False", "False", "True"], done.stderr


def test_another_version_of_the_compiled_module_is_left_alone(monkeypatch):
    monkeypatch.delitem(sys.modules, transforms.MODULE)
    monkeypatch.setattr(transforms, "PathFinder", _FindsAnotherModule)
    assert transforms._compiled() is None
    assert transforms.MODULE not in sys.modules


class _FindsAnotherModule:
    """Finds a module without these transforms in place of SciPy's."""

    @staticmethod
    def find_spec(name, path):
        return transforms.importlib.util.find_spec("msgspec._core")
