"""The NumPy masker on a stream equals one pass, and waits for exactly its latency."""

import numpy as np
import pytest
from maskers_for_tests import random_masker

from tfsepgan.errors import CheckpointError, ShapeError
from tfsepgan.separation.numpy_stream import NumpyBlocks, NumpyStream

LIVE = {"synthesis_frame": 32, "look_ahead_frames": 0, "level_frames": 5}
SETTINGS = {
    "centred": {},
    "centred at one level": {"level_frames": 4},
    "live": LIVE,
    "a little ahead": {**LIVE, "look_ahead_frames": 3},
    "half overlap": {**LIVE, "hop": 32, "synthesis_frame": 64, "look_ahead_frames": 1},
    "long frames": {**LIVE, "frame": 128, "synthesis_frame": 48},
}
LATENCY = {  # samples: the synthesis frame, and hops ahead
    "centred": 64 + 16 * (1 + 3 + 1),
    "centred at one level": 64 + 16 * (1 + 3 + 1 + 4),
    "live": 32,
    "a little ahead": 32 + 16 * 3,
    "half overlap": 64 + 32,
    "long frames": 48,
}


def noise(*shape, seed=0):
    return np.random.default_rng(seed).normal(0, 0.1, shape).astype(np.float32)


def one_pass(masker, signal):
    """Return the estimates `[sources, time]` of a signal `[time]`."""
    return masker.separate(signal[None, :, None])[0, :, :, 0]


@pytest.mark.parametrize("kind", SETTINGS)
def test_pieces_of_any_length_equal_one_pass(kind):
    masker, manifest = random_masker(("piano", "voice"), **SETTINGS[kind])
    for length, hops in ((1, 1), (16, 1), (33, 3), (1000, 1), (1024, 2)):
        signal = noise(length, 2, seed=length)
        stream = NumpyStream(masker, manifest, channels=2, hops=hops)
        pieces, first = [], 0
        for size in (7, 200, 16, 0, 1000):
            pieces.append(stream.push(signal[first : first + size]))
            first += size
        pieces.append(stream.finish())
        stems = {name: np.concatenate([one[name] for one in pieces]) for name in stream.stems}
        expected = np.stack([one_pass(masker, signal[:, channel]) for channel in (0, 1)], axis=-1)
        for name, one in zip(("piano", "voice"), expected, strict=True):
            np.testing.assert_allclose(stems[name], one, rtol=0, atol=1e-6)
        np.testing.assert_allclose(sum(stems.values()), signal, rtol=0, atol=1e-6)


@pytest.mark.parametrize("kind", SETTINGS)
def test_an_estimate_depends_on_nothing_after_the_latency(kind):
    masker, manifest = random_masker(**SETTINGS[kind])
    latency = NumpyStream(masker, manifest).latency_samples
    assert latency == LATENCY[kind]
    hop, signal = manifest.hop, noise(1500)
    first_heard = []
    for struck in range(800, 800 + hop):  # every position in a hop
        changed = signal.copy()
        changed[struck] += 1.0
        moved = np.flatnonzero(one_pass(masker, changed)[0] != one_pass(masker, signal)[0])
        first_heard.append(struck - moved[0])
    assert max(first_heard) < latency
    assert max(first_heard) >= latency - 6  # the first samples under a window are nearly zero


def test_the_stream_gives_a_sample_when_the_latency_has_passed():
    masker, manifest = random_masker(**SETTINGS["a little ahead"])
    stream, signal = NumpyStream(masker, manifest), noise(640)
    given = 0
    for first in range(0, 640, 16):
        given += len(stream.push(signal[first : first + 16])["piano"])
        assert given == max(0, first + 16 - stream.latency_samples + stream.block_samples)


def test_masks_of_one_give_the_mixture_back():
    masker, manifest = random_masker(**SETTINGS["long frames"])
    kernel, bias = masker._masks
    masker._masks = np.zeros_like(kernel), np.full_like(bias, 60)
    stream, signal = NumpyStream(masker, manifest), noise(700)
    estimate = np.concatenate([stream.push(signal)["piano"], stream.finish()["piano"]])
    np.testing.assert_allclose(estimate, signal, rtol=0, atol=1e-6)


def test_a_reset_starts_a_new_recording():
    masker, manifest = random_masker(**LIVE)
    stream, signal = NumpyStream(masker, manifest), noise(320)
    first = stream.push(signal)["piano"]
    assert np.abs(stream.push(signal)["piano"][-200:] - first[-200:]).max() > 1e-4
    stream.reset()
    np.testing.assert_array_equal(stream.push(signal)["piano"], first)


def test_no_channels_and_no_hops_are_refused():
    masker, manifest = random_masker()
    for wrong in ({"channels": 0}, {"hops": 0}):
        with pytest.raises(ShapeError, match="wanted at least 1 of each"):
            NumpyStream(masker, manifest, **wrong)


def blocks_of(masker, manifest, channels):
    """Return an engine with blocks of 20 hops."""
    facts = {"hop": manifest.hop, "context": manifest.context, "block": 20 * manifest.hop}
    return NumpyBlocks(
        masker, manifest, masker.separate, channels=channels, sources=masker.sources, **facts
    )


@pytest.mark.parametrize("kind", SETTINGS)
@pytest.mark.parametrize("length", [1, 319, 320, 321, 640, 1995])
def test_long_mixtures_equal_one_pass(kind, length):
    masker, manifest = random_masker(("piano", "voice"), **SETTINGS[kind])
    signal = noise(length, 3, seed=length)
    expected = np.stack([one_pass(masker, channel) for channel in signal.T], axis=-1)
    for sizes in ((length,), (7, 300, 16, 0, 1000, 400, 2000)):
        engine, pieces, first = blocks_of(masker, manifest, 3), [], 0
        for size in sizes:
            pieces += engine.push(signal[first : first + size])
            first += size
        pieces += engine.finish()
        assert all(piece.shape[1] for piece in pieces)
        found = np.concatenate(pieces, axis=1)
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("piece", [7, 250, 330, 3200])
def test_blocks_come_one_by_one_and_in_time(piece):
    masker, manifest = random_masker(**SETTINGS["centred"])
    engine, signal = blocks_of(masker, manifest, 1), noise(3300, 1)
    block, delay, given = 320, LATENCY["centred"] - manifest.hop, 0
    for first in range(0, 3200, piece):
        ready = engine.push(signal[first : first + piece])
        given += sum(one.shape[1] for one in ready)
        assert all(one.shape[1] <= block for one in ready)
        assert first + piece - given < block + delay


def arrays_in(part):
    """Yield the arrays that an object of `numpy_stream` holds, and those behind their views."""
    if isinstance(part, np.ndarray):
        yield part if part.base is None else part.base
    elif isinstance(part, dict | list):
        for one in part.values() if isinstance(part, dict) else part:
            yield from arrays_in(one)
    elif type(part).__module__ == NumpyBlocks.__module__:
        yield from arrays_in(vars(part))


def test_what_is_kept_between_blocks_does_not_grow_with_their_length():
    masker, manifest = random_masker(**SETTINGS["centred at one level"])
    sizes = []
    for hops in (100, 1000):
        facts = {"hop": manifest.hop, "context": manifest.context, "block": hops * manifest.hop}
        engine = NumpyBlocks(masker, manifest, masker.separate, channels=2, sources=1, **facts)
        engine.push(noise(2 * hops * manifest.hop, 2))
        sizes.append(sum(one.nbytes for one in arrays_in(engine)))
    assert sizes[0] == sizes[1] > 0


def test_each_frame_is_computed_once(monkeypatch):
    masker, manifest = random_masker(**SETTINGS["centred"])
    frames, masks = [], masker.masks

    def counted(spectrum, edges, **more):
        frames.append(len(spectrum))
        return masks(spectrum, edges, **more)

    monkeypatch.setattr(masker, "masks", counted)
    engine = blocks_of(masker, manifest, 1)
    engine.push(noise(3200, 1))
    engine.finish()
    overlapping = masker.frame // masker.hop - 1  # frames that also see what is behind the end
    assert sum(frames) == 3200 // masker.hop + overlapping


def test_broken_weights_are_told_in_the_first_block():
    masker, manifest = random_masker()
    kernel, bias = masker._masks
    masker._masks = kernel, np.full_like(bias, np.nan)
    with pytest.raises(CheckpointError, match="not finite"):
        blocks_of(masker, manifest, 1).push(noise(1600, 1))
