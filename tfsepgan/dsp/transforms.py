"""Fourier transforms of real frames, by SciPy's compiled code where SciPy is installed.

SciPy transforms several float32 frames at once. NumPy transforms one after the other (NumPy 1 in
float64), which takes two to ten times as long. `import scipy.fft` takes a quarter of a second,
because it loads the special functions, too. So the compiled module is loaded without its packages.
Where it is not found, NumPy computes.
"""

import importlib.util
import sys
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType

import numpy as np

MODULE = "scipy.fft._pocketfft.pypocketfft"
OVER_LENGTH = 2  # the norm of pypocketfft that divides by the length


def _compiled() -> ModuleType | None:
    """SciPy's compiled transforms; None where they are not installed or are called otherwise."""
    if MODULE in sys.modules:
        return sys.modules[MODULE]
    scipy = importlib.util.find_spec("scipy")
    if scipy is None or not scipy.submodule_search_locations:
        return None
    folders = [str(Path(at, "fft", "_pocketfft")) for at in scipy.submodule_search_locations]
    found = PathFinder.find_spec("pypocketfft", folders)
    if found is None or found.origin is None:
        return None
    spec = importlib.util.spec_from_file_location(MODULE, found.origin)
    try:
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        spectrum = module.r2c(np.zeros(4, np.float32), (-1,), True, 0, None, 1)
        module.c2r(spectrum, (-1,), 4, False, OVER_LENGTH, None, 1)
    except (AttributeError, ImportError, TypeError):  # of another version of SciPy
        return None
    sys.modules[MODULE] = module  # so that a later `import scipy.fft` does not load it twice
    return module


_POCKETFFT = _compiled()


def rfft(frames: np.ndarray) -> np.ndarray:
    """Transform real frames, `[..., length]`.

    Returns: `[..., length // 2 + 1]`, of the type `COMPLEX` when the frames are of the type `REAL`.
    """
    if _POCKETFFT is None:
        return np.fft.rfft(frames)
    return _POCKETFFT.r2c(frames, (-1,), True, 0, None, 1)


def irfft(spectra: np.ndarray, length: int) -> np.ndarray:
    """Transform back spectra `[..., length // 2 + 1]` of real frames; returns `[..., length]`."""
    if _POCKETFFT is None:
        return np.fft.irfft(spectra, length)
    return _POCKETFFT.c2r(spectra, (-1,), length, False, OVER_LENGTH, None, 1)


# what it is best to transform: float32, but float64 with NumPy 1 alone
COMPLEX = rfft(np.zeros(2, np.float32)).dtype
REAL = np.zeros(0, COMPLEX).real.dtype
