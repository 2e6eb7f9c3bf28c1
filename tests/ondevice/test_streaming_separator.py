"""A recording in pieces through a TFLite file equals one pass of Keras, and can be resumed."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import tfsepgan
from tfsepgan.errors import CheckpointError, ShapeError, TfsepganError
from tfsepgan.ondevice import StreamingSeparator

DELAY = (7 + 3) * 64  # look-ahead of the convolutions, and overlap of frames, in hops of 64
BLOCK = 256


def joined(pieces):
    return {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}


def pushed(separator, mixture, lengths):
    """The stems of a mixture that is pushed in pieces of cycling lengths."""
    pieces, first, number = [], 0, 0
    while first < len(mixture):
        length = lengths[number % len(lengths)]
        pieces.append(separator.push(mixture[first : first + length]))
        first, number = first + length, number + 1
    return joined([*pieces, separator.finish()])


def assert_same(stems, expected):
    assert set(stems) == set(expected)
    for name, one in stems.items():
        assert one.dtype == np.float32
        np.testing.assert_allclose(one, expected[name], rtol=0, atol=1e-5)


@pytest.mark.parametrize("lengths", [(1024,), (16384,), (1, 0, 255, 257, 4000), (BLOCK,)])
def test_pieces_of_any_length_equal_one_pass(model, one_pass, noise, lengths):
    mixture = noise(20_011, channels=2)
    separator = StreamingSeparator(model, channels=2)
    stems = pushed(separator, mixture, lengths)
    assert_same(stems, one_pass(mixture))
    np.testing.assert_allclose(sum(stems.values()), mixture, rtol=0, atol=1e-6)


@pytest.mark.parametrize("time", [1, 63, 64, BLOCK - 1, BLOCK, BLOCK + 1])
def test_short_recordings_are_complete(model, one_pass, noise, time):
    mixture = noise(time)
    separator = StreamingSeparator(model)
    stems = joined([separator.push(mixture[:, 0]), separator.finish()])
    assert_same({name: one[:, None] for name, one in stems.items()}, one_pass(mixture))


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_a_file_for_the_web_separates_any_number_of_channels(web_model, one_pass, noise, channels):
    mixture = noise(3001, channels=channels)
    separator = StreamingSeparator(web_model, channels=channels)
    first, state = separator.push(mixture[:1700]), separator.state()
    resumed = StreamingSeparator(web_model, channels=channels)
    resumed.restore(state)
    assert_same(joined([first, resumed.push(mixture[1700:]), resumed.finish()]), one_pass(mixture))


def test_a_recording_without_samples_gives_none(model):
    stems = StreamingSeparator(model, channels=2).finish()
    assert {name: one.shape for name, one in stems.items()} == dict.fromkeys(
        ("piano", "voice", "residual"), (0, 2)
    )


@pytest.mark.parametrize("place", [0, 100, BLOCK - DELAY % BLOCK, BLOCK + 1])
def test_an_impulse_comes_out_within_the_stated_latency(model, place):
    separator = StreamingSeparator(model)
    assert separator.latency_samples == DELAY + BLOCK
    assert separator.latency_ms == pytest.approx(1000 * (DELAY + BLOCK) / 8000)
    signal = np.zeros(place + separator.latency_samples + BLOCK, np.float32)
    signal[place] = 1.0
    out, when = [], None
    for number, sample in enumerate(signal):
        out.append(sum(separator.push(np.array([sample])).values()))
        if when is None and sum(len(one) for one in out) > place:
            when = number + 1 - place
    assert when <= separator.latency_samples
    if place == BLOCK - DELAY % BLOCK:  # first in a block of the output: the longest wait
        assert when == separator.latency_samples
    total = np.concatenate([*out, sum(separator.finish().values())])
    np.testing.assert_allclose(total, signal, rtol=0, atol=1e-6)


def test_a_stream_resumes_from_a_state_on_disk(model, one_pass, noise, tmp_path):
    mixture = noise(9000, channels=2)
    separator = StreamingSeparator(model, channels=2)
    first = separator.push(mixture[:5001])
    np.savez(tmp_path / "state.npz", **separator.state())
    # the separator continues, which must not change the saved state
    separator.push(noise(700, channels=2, seed=9))
    later = StreamingSeparator(model, channels=2)
    with np.load(tmp_path / "state.npz") as state:
        later.restore(dict(state))
    assert_same(joined([first, later.push(mixture[5001:]), later.finish()]), one_pass(mixture))


def test_streams_are_independent_and_reset_starts_a_new_one(model, one_pass, noise):
    signals = noise(3000, seed=1), noise(3000, seed=2)
    separators = [StreamingSeparator(model) for _ in signals]
    pieces = ([], [])
    for first in range(0, 3000, 500):
        for separator, signal, taken in zip(separators, signals, pieces, strict=True):
            taken.append(separator.push(signal[first : first + 500]))
    for separator, signal, taken in zip(separators, signals, pieces, strict=True):
        assert_same(joined([*taken, separator.finish()]), one_pass(signal))
    separators[0].reset()
    assert_same(pushed(separators[0], signals[1], (999,)), one_pass(signals[1]))


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (np.zeros((10, 2), np.float32), r"shape \(10, 2\)"),
        (np.zeros((1, 10, 1), np.float32), "wanted floating point"),
        (np.zeros(10, np.int16), "int16"),
        (np.array([0.1, np.nan]), "not finite"),
    ],
)
def test_unusable_samples_are_refused_and_do_not_change_the_stream(
    model, one_pass, noise, samples, message
):
    mixture = noise(2000)
    separator = StreamingSeparator(model)
    first = separator.push(mixture[:1000])
    with pytest.raises(ShapeError, match=message):
        separator.push(samples)
    assert_same(
        joined([first, separator.push(mixture[1000:]), separator.finish()]), one_pass(mixture)
    )


def test_a_finished_stream_needs_a_reset(model, noise):
    separator = StreamingSeparator(model)
    separator.finish()
    for again in (separator.finish, lambda: separator.push(noise(10))):
        with pytest.raises(TfsepganError, match="call reset"):
            again()


def test_states_and_files_of_another_model_are_refused(model, tmp_path):
    separator = StreamingSeparator(model)
    state = separator.state()
    with pytest.raises(CheckpointError, match="another model or number of channels"):
        StreamingSeparator(model, channels=2).restore(state)
    with pytest.raises(CheckpointError, match="another model"):
        separator.restore({**state, "model": np.array("of another file")})
    with pytest.raises(CheckpointError, match="not the state of a stream"):
        separator.restore({"states": state["states"]})
    with pytest.raises(ShapeError, match="at least 1"):
        StreamingSeparator(model, channels=0)
    with pytest.raises(CheckpointError, match="cannot read"):
        StreamingSeparator(tmp_path / "missing.tflite")


PROGRAM = """
import sys, numpy
from tfsepgan.ondevice import StreamingSeparator
separator = StreamingSeparator(sys.argv[1])
first = separator.push(numpy.zeros(1000, numpy.float32))
assert len(first["piano"]) + len(separator.finish()["piano"]) == 1000
loaded = {name.split(".")[0] for name in sys.modules}
print(sorted(loaded & {"tensorflow", "keras", "soundfile", "scipy"}))
"""


def test_streaming_needs_no_tensorflow(model):
    environment = {**os.environ, "PYTHONPATH": str(Path(tfsepgan.__file__).parent.parent)}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(model)],
        capture_output=True,
        text=True,
        env=environment,
        check=True,
    )
    assert done.stdout.strip() == "[]"
