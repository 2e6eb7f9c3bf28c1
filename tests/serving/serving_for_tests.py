"""Helpers of the serving tests: WAV files as bytes, and comparison of stems."""

import io

import numpy as np
import soundfile

RATE, SOURCES = 8000, ("piano", "voice")
REQUEST_SECONDS = 30.0


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


def address(server, rest):
    """HOST:PORT of a server's REST or gRPC interface."""
    return f"127.0.0.1:{server.rest_port if rest else server.port}"
