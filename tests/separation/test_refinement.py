from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from tfsepgan.dsp.low_rank import LowRank
from tfsepgan.errors import ConfigError
from tfsepgan.separation.refinement import BLOCK, GROUP, OVERLAP, REACH, Refinement
from tfsepgan.separation.separator import Separator

RATE_HZ = 8000
HOP = 1024  # of the transform at this rate
STEP = GROUP * HOP  # samples of a group


class Estimates:
    """An engine that gives `function(mixture)`, in blocks of half a second."""

    def __init__(self, function):
        self._function, self._held = function, np.zeros((0, 2), np.float32)

    def push(self, samples):
        self._held = np.concatenate([self._held, samples])
        count = len(self._held) // 4000 * 4000
        block, self._held = self._held[:count], self._held[count:]
        return [self._function(block)[None]] if count else []

    def finish(self):
        return [self._function(self._held)[None]] if len(self._held) else []


def scaled(mixture):
    """Different in both channels, so that the filter changes it."""
    return mixture * np.float32([0.8, 0.3])


WAYS = {
    "both channels": {"together": True, "low_rank": None},
    "a few spectra": {"together": False, "low_rank": LowRank(rank=4, iterations=3)},
    "both": {"together": True, "low_rank": LowRank(rank=4, iterations=3, sharpness=1.5)},
}


def refinement(engine, way, **more):
    facts = {"sources": 1, "channels": 2, "sample_rate_hz": RATE_HZ}
    return Refinement(engine, **facts, **WAYS[way], **more)


def refine(mixture, function=scaled, lengths=None, way="both"):
    engine = refinement(Estimates(function), way)
    ready, first = [], 0
    for length in lengths or [len(mixture)]:
        ready += engine.push(mixture[first : first + length])
        first += length
    ready += engine.finish()
    return np.concatenate(ready, axis=1)[0]


@pytest.fixture(params=WAYS)
def way(request):
    return request.param


@pytest.fixture(scope="module")
def mixture():
    return (
        np.random.default_rng(1)
        .normal(size=((BLOCK + REACH + 5) * STEP + 333, 2))
        .astype(np.float32)
    )


def test_sources_at_different_places_are_told_apart():
    """Estimates with a third of the other source in them, as any mask lets through."""
    draw = np.random.default_rng(2)
    left, right = draw.laplace(size=(2, 6 * STEP, 1)).astype(np.float32) ** 3
    piano, others = left * np.float32([1, 0.2]), right * np.float32([0.1, 1])
    mixture = piano + others
    estimate = 0.75 * piano + 0.25 * others

    class Given(Estimates):
        def __init__(self):
            self.first = 0

        def push(self, samples):
            self.first += len(samples)
            return [estimate[None, self.first - len(samples) : self.first]]

        def finish(self):
            return []

    engine = refinement(Given(), "both channels")
    together = np.concatenate(engine.push(mixture) + engine.finish(), axis=1)[0]

    def error_db(signal):
        return 10 * np.log10(np.mean((signal - piano) ** 2) / np.mean(piano**2))

    assert error_db(together) < error_db(estimate) - 3


def test_notes_that_repeat_are_told_apart():
    """Two notes of their own spectrum and rhythm; the masks are wrong by chance in every frame."""
    draw = np.random.default_rng(6)
    time = np.arange(40 * STEP) / RATE_HZ
    played = np.repeat(draw.random((2, 40 * 4)) < 0.5, STEP // 4, axis=1)
    notes = [sum(np.sin(2 * np.pi * f * k * time) for k in (1, 2, 3)) for f in (220, 311)]
    piano, others = (played * notes).astype(np.float32)[..., None].repeat(2, axis=2)
    share = np.repeat(draw.uniform(0.6, 1, 40 * 16), STEP // 16)[:, None].astype(np.float32)
    estimate = share * piano + (1 - share) * others

    class Given(Estimates):
        def __init__(self):
            pass

        def push(self, samples):
            return [estimate[None]]

        def finish(self):
            return []

    def error_db(signal):
        return 10 * np.log10(np.mean((signal - piano) ** 2) / np.mean(piano**2))

    engine = refinement(Given(), "a few spectra")
    found = np.concatenate(engine.push(piano + others) + engine.finish(), axis=1)[0]
    assert error_db(found) < error_db(estimate) - 2


def test_equal_channels_give_what_one_gives_alone(mixture):
    def mask(signals):
        return signals * np.float32(0.3)

    mono = mixture[:, :1].repeat(2, axis=1)
    both, alone = (refine(mono, mask, way=way) for way in ("both", "a few spectra"))
    expected = refine(mono, mask, way="both channels")
    np.testing.assert_allclose(expected, 0.3 * mono, rtol=0, atol=2e-6)
    np.testing.assert_allclose(both[:, 0], both[:, 1], rtol=0, atol=1e-6)
    np.testing.assert_allclose(alone[:, 0], alone[:, 1], rtol=0, atol=1e-6)


def test_bins_above_the_cutoff_need_no_work(way):
    """The estimates have nothing there, so without a cutoff the stems are nearly the same."""
    draw = np.random.default_rng(8)
    others, piano = draw.normal(size=(2, 6 * STEP, 2)).astype(np.float32)
    spectrum = np.fft.rfft(piano, axis=0)
    spectrum[round(2500 / RATE_HZ * len(piano)) :] = 0
    piano = np.fft.irfft(spectrum, axis=0).astype(np.float32)

    def stem(**cutoff):
        given = SimpleNamespace(push=lambda _: [0.8 * piano[None]], finish=list)
        engine = refinement(given, way, **cutoff)
        return np.concatenate(engine.push(piano + others) + engine.finish(), axis=1)[0]

    def difference_db(cutoff_hz):
        whole = stem()
        return 10 * np.log10(np.mean((stem(cutoff_hz=cutoff_hz) - whole) ** 2 / np.mean(whole**2)))

    assert difference_db(2500) < -35
    assert difference_db(2200) > -15


def test_an_estimate_of_everything_is_the_mixture(mixture, way):
    refined = refine(mixture, lambda x: x, way=way)
    np.testing.assert_allclose(refined, mixture, rtol=0, atol=1e-5)


def test_pieces_of_any_length_give_the_same_bits(mixture, way):
    whole = refine(mixture, way=way)
    assert whole.shape == mixture.shape
    lengths = [*np.random.default_rng(3).integers(0, 20000, 60), len(mixture)]
    np.testing.assert_array_equal(refine(mixture, lengths=lengths, way=way), whole)


@pytest.mark.parametrize("samples", [1, HOP - 1, HOP, STEP - 1, STEP, STEP + HOP, STEP + HOP + 1])
def test_recordings_of_any_length_keep_it(mixture, samples, way):
    refined = refine(mixture[:samples], lambda x: x, way=way)
    np.testing.assert_allclose(refined, mixture[:samples], rtol=0, atol=1e-5)


def test_the_stems_are_the_same_at_any_level(mixture, way):
    expected = refine(mixture, way=way)
    for gain in (1e-3, 10):
        quiet = refine(np.float32(gain) * mixture, way=way) / np.float32(gain)
        np.testing.assert_allclose(quiet, expected, rtol=0, atol=1e-5)


def test_a_shift_by_whole_groups_shifts_the_stems(mixture):
    later = np.concatenate([np.zeros((2 * STEP, 2), np.float32), mixture])
    shifted = refine(later, way="both channels")[2 * STEP :]
    np.testing.assert_allclose(shifted, refine(mixture, way="both channels"), rtol=0, atol=1e-6)


@pytest.mark.parametrize(("way", "block"), [("both channels", 1), ("both", BLOCK)])
def test_the_context_is_finite(way, block):
    draw = np.random.default_rng(4)
    end = (block + REACH + 1) * STEP
    music = draw.normal(size=(end + 2 * STEP, 2)).astype(np.float32)
    other = music.copy()
    other[end:] = 0
    before, after = refine(music, way=way), refine(other, way=way)
    same = block * STEP - (OVERLAP - 1) * HOP
    np.testing.assert_array_equal(before[:same], after[:same])
    assert np.abs(before - after)[:end].max() > 1e-3  # and it is used


def test_silence_stays_silent(way):
    assert not refine(np.zeros((2 * STEP, 2), np.float32), way=way).any()


def test_only_stereo_is_refined_unless_the_model_asks_for_more(two_sources, noise):
    options = ({}, {"stereo": "apart"}, {"stereo": "apart", "low_rank": "on"})
    together, apart, few = (Separator(two_sources, block_seconds=0.7, **one) for one in options)
    for channels, same in ((1, True), (2, False), (3, True)):
        mixture = noise(20000, channels)
        stems = [one.separate(mixture, 8000)["piano"] for one in (together, apart, few)]
        assert np.array_equal(*stems[:2]) == same
        assert not np.allclose(stems[1], stems[2], atol=1e-3)
        alone = few.separate(mixture[:, 0], 8000)["piano"]
        np.testing.assert_allclose(stems[2][:, 0], alone, rtol=0, atol=1e-5)


def test_unknown_ways_are_refused(two_sources):
    with pytest.raises(ConfigError, match="together, apart"):
        Separator(two_sources, stereo="both")
    with pytest.raises(ConfigError, match="auto, on, off"):
        Separator(two_sources, low_rank="yes")


def test_a_manifest_decides(two_sources, noise):
    asks = SimpleNamespace(
        manifest=replace(two_sources.manifest, low_rank=LowRank(rank=3)),
        separate_function=two_sources.separate_function,
    )
    mixture = noise(20000, 1)
    plain, few, off = (
        Separator(bundle, **options).separate(mixture, 8000)["piano"]
        for bundle, options in ((two_sources, {}), (asks, {}), (asks, {"low_rank": "off"}))
    )
    assert np.array_equal(plain, off) and not np.allclose(plain, few, atol=1e-3)
