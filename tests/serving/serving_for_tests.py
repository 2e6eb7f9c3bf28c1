"""What the tests of serving share: tools as modules, WAV files as bytes, stems that must be alike."""

import importlib
import io
import sys
from pathlib import Path

import numpy as np
import soundfile

TOOLS = Path(__file__).parents[2] / "tools"
RATE, SOURCES = 8000, ("piano", "voice")
REQUEST_SECONDS = 30.0


def from_tools(name):
    """A tool as a module; tools are no package and stand beside each other."""
    sys.path.insert(0, str(TOOLS))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(TOOLS))


def wav(samples, subtype="FLOAT", rate=RATE, container="WAV"):
    """Bytes of a file of `[time, channels]`."""
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=container, subtype=subtype)
    return file.getvalue()


def read_wav(content):
    """`[time, channels]` float32."""
    samples, rate = soundfile.read(io.BytesIO(content), dtype="float32", always_2d=True)
    assert rate == RATE
    return samples


def strings(*values):
    """An array of strings of any length."""
    array = np.empty(len(values), object)
    array[:] = values
    return array


def assert_close(stems, expected, limit=1e-4):
    assert set(stems) == set(expected)
    peak = max(np.abs(stem).max() for stem in expected.values())
    for name, stem in expected.items():
        assert stems[name].shape == stem.shape
        np.testing.assert_allclose(stems[name], stem, rtol=0, atol=limit * peak)
