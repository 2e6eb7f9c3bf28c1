"""A bad request to a signature gets INVALID_ARGUMENT and a message that says what to send."""

import numpy as np
import pytest
from serving_for_tests import RATE, strings, wav
from tools_for_tests import from_tools

from tfsepgan.errors import ConfigError
from tfsepgan.export.savedmodel.signatures import RequestLimits

SessionError = from_tools("c_session").SessionError
INVALID_ARGUMENT = 3


def zeros(*shape, kind=np.float32):
    return np.zeros(shape, kind)


def block(samples, context=None, final=False):
    return {
        "block": samples,
        "context": zeros(1, 0, 1) if context is None else context,
        "final": np.array(final),
    }


NAN, INF = np.float32("nan"), np.float32("inf")
WHOLE = wav(np.full((100, 1), 0.1))
BAD = [
    (
        "separate",
        {"mixture": zeros(5, 5)},
        "[2] [; send `mixture` as float32 [batch, time, channels]",
    ),
    (
        "separate",
        {"mixture": zeros(5, 5, 1, 1)},
        "[4] [; send `mixture` as float32 [batch, time, channels]",
    ),
    ("separate", {"mixture": np.float32(1)}, "[0] [; send `mixture`"),
    ("separate", {"mixture": zeros(1, 5, 1, kind=np.float64)}, "to be float but double"),
    ("separate", {"mixture": zeros(1, 5, 1, kind=np.int32)}, "to be float but int32"),
    ("separate", {"mixture": strings(b"x")}, "to be float but string"),
    (
        "separate",
        {"mixture": zeros(1, 0, 1)},
        "is empty, its shape is] [1 0 1] [; send at least one sample",
    ),
    ("separate", {"mixture": zeros(0)}, "send at least one sample"),
    (
        "separate",
        {"mixture": np.full((1, 5, 1), NAN)},
        "NaN or infinite values; send finite samples",
    ),
    (
        "separate",
        {"mixture": np.full((1, 5, 1), INF)},
        "NaN or infinite values; send finite samples",
    ),
    (
        "separate",
        {"mixture": zeros(1, 7200 * RATE, 1)},
        "[57600000] [; send at most 240000, 30 s of one channel",
    ),
    ("separate", {"mixture": zeros(240, 1000, 2)}, "send at most 240000"),
    (
        "separate",
        {"mixture": zeros(300, 1, 1)},
        "holds this many channels:] [300] [; send at most 256",
    ),
    (
        "separate",
        {"mixture": zeros(100, 5, 3)},
        "holds this many channels:] [300] [; send at most 256",
    ),
    ("separate_wav", {"wav": strings(*[WHOLE] * 257)}, "[257] [; send at most 256"),
    ("separate_wav", {"wav": strings(wav(zeros(3, 300)))}, "[300] [; send at most 256"),
    ("describe", {"question": strings(*[b"?"] * 300)}, "[300] [; send at most 256"),
    ("serving_default", {"mixture": zeros(5, 5)}, "send `mixture` as float32"),
    ("separate_wav", {"wav": strings(b"hello")}, "not a WAV file; send the bytes of one"),
    ("separate_wav", {"wav": strings(b"")}, "not a WAV file"),
    ("separate_wav", {"wav": strings(b"RIFF")}, "not a WAV file"),
    (
        "separate_wav",
        {"wav": strings(wav(zeros(99, 1), "PCM_16", container="FLAC"))},
        "not a WAV file",
    ),
    ("separate_wav", {"wav": strings(WHOLE[:-1])}, "cut short, bytes promised and present:"),
    ("separate_wav", {"wav": strings(WHOLE[:30])}, "no format or no samples"),
    (
        "separate_wav",
        {"wav": strings(WHOLE[:12] + b"junk\0\0\0\0" * 9999)},
        "no format or no samples",
    ),
    (
        "separate_wav",
        {"wav": strings(wav(zeros(99, 1), rate=44100))},
        "sample rate of] [44100] [Hz; send 8000 Hz",
    ),
    (
        "separate_wav",
        {"wav": strings(wav(zeros(99, 1), "PCM_U8"))},
        "send PCM of 16, 24 or 32 bits or 32-bit float",
    ),
    ("separate_wav", {"wav": strings(wav(zeros(99, 1), "DOUBLE"))}, "[3] [64] [; send PCM"),
    ("separate_wav", {"wav": strings(wav(np.full((9, 1), NAN)))}, "NaN or infinite"),
    ("separate_wav", {"wav": strings(wav(zeros(0, 1)))}, "send at least one"),
    (
        "separate_wav",
        {"wav": strings(wav(zeros(31 * RATE, 1), "PCM_16"))},
        "[248000] [; send at most 240000",
    ),
    (
        "separate_wav",
        {"wav": strings(*[wav(zeros(30 * RATE, 1))] * 3)},
        "this many bytes:] [2880240] [; send at most",
    ),
    ("separate_wav", {"wav": strings()}, "send the bytes of at least one WAV file"),
    ("separate_wav", {"wav": strings(WHOLE).reshape(1, 1)}, "send one string, or a list of them"),
    ("separate_wav", {"wav": strings(WHOLE, b"x")}, "not a WAV file"),
    ("separate_wav", {"wav": zeros(1, 5, 1)}, "to be string but float"),
    ("stream", block(zeros(1, 0, 1), final=True), "send at least one sample of the recording"),
    (
        "stream",
        block(zeros(1, 9, 1), zeros(1, 2624, 1)),
        "[2624] [; send the `context` of the last reply",
    ),
    (
        "stream",
        block(zeros(2, 9, 1), zeros(1, 9, 1)),
        "differ in batch or channels:] [1 9 1] [2 9 1]",
    ),
    ("stream", block(zeros(1, 9, 2), zeros(1, 9, 1)), "differ in batch or channels"),
    ("stream", block(np.full((1, 9, 1), NAN)), "NaN or infinite"),
    ("stream", block(zeros(9, 9)), "[2] [; send `block`"),
    ("stream", block(zeros(1, 9, 1), zeros(9, 9)), "[2] [; send `context`"),
    ("stream", block(zeros(1, 240001, 1)), "send at most 240000"),
    ("stream", {"block": zeros(1, 9, 1)}, "send ['block', 'context', 'final']"),
]


@pytest.mark.parametrize(
    ("signature", "inputs", "words"), BAD, ids=[f"{one[0]}: {one[2][:40]}" for one in BAD]
)
def test_a_bad_request_gets_an_error_that_says_what_to_send(session, signature, inputs, words):
    with pytest.raises(SessionError) as caught:
        session.run(signature, inputs)
    assert caught.value.code == INVALID_ARGUMENT
    assert words in str(caught.value)


@pytest.mark.parametrize("seconds", [0.1, float("nan"), 1e9, -1.0])
def test_impossible_limits_are_refused(bundle, seconds):
    with pytest.raises(ConfigError, match="max_request_seconds"):
        RequestLimits(max_request_seconds=seconds).samples(bundle.manifest)
