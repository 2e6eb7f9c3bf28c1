import numpy as np
import pytest

from tfsepgan.errors import ConfigError
from tfsepgan.separation.separator import Separator
from tfsepgan.separation.spatial import DIFFUSE, GROUP, REACH, SpatialFilter, refined, spreads_of

RATE_HZ = 8000
STEP = GROUP * 512  # samples of a group at this rate


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


def refine(mixture, function=scaled, lengths=None):
    spatial = SpatialFilter(Estimates(function), sources=1, sample_rate_hz=RATE_HZ)
    ready, first = [], 0
    for length in lengths or [len(mixture)]:
        ready += spatial.push(mixture[first : first + length])
        first += length
    ready += spatial.finish()
    return np.concatenate(ready, axis=1)[0]


@pytest.fixture(scope="module")
def mixture():
    return np.random.default_rng(1).normal(size=(9 * STEP + 333, 2)).astype(np.float32)


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

    spatial = SpatialFilter(Given(), sources=1, sample_rate_hz=RATE_HZ)
    together = np.concatenate(spatial.push(mixture) + spatial.finish(), axis=1)[0]

    def error_db(signal):
        return 10 * np.log10(np.mean((signal - piano) ** 2) / np.mean(piano**2))

    assert error_db(together) < error_db(estimate) - 3


def test_equal_channels_give_what_one_gives_alone(mixture):
    mono = mixture[:, :1].repeat(2, axis=1)
    np.testing.assert_allclose(refine(mono, lambda x: 0.3 * x), 0.3 * mono, rtol=0, atol=2e-6)


def test_an_estimate_of_everything_is_the_mixture(mixture):
    np.testing.assert_allclose(refine(mixture, lambda x: x), mixture, rtol=0, atol=1e-5)


def test_pieces_of_any_length_give_the_same_bits(mixture):
    whole = refine(mixture)
    assert whole.shape == mixture.shape
    lengths = list(np.random.default_rng(3).integers(0, 9000, 60))
    np.testing.assert_array_equal(refine(mixture, lengths=[*lengths, len(mixture)]), whole)


@pytest.mark.parametrize("samples", [1, 511, 512, STEP - 1, STEP, STEP + 512, STEP + 513])
def test_recordings_of_any_length_keep_it(mixture, samples):
    refined_ = refine(mixture[:samples], lambda x: x)
    np.testing.assert_allclose(refined_, mixture[:samples], rtol=0, atol=1e-5)


def test_the_stems_are_the_same_at_any_level(mixture):
    expected = refine(mixture)
    for gain in (1e-3, 10):
        quiet = refine(np.float32(gain) * mixture) / np.float32(gain)
        np.testing.assert_allclose(quiet, expected, rtol=0, atol=1e-5)


def test_a_shift_by_whole_groups_shifts_the_stems(mixture):
    later = np.concatenate([np.zeros((2 * STEP, 2), np.float32), mixture])
    np.testing.assert_allclose(refine(later)[2 * STEP :], refine(mixture), rtol=0, atol=1e-6)


def test_the_context_is_finite():
    draw = np.random.default_rng(4)
    music = draw.normal(size=((REACH + 4) * STEP, 2)).astype(np.float32)
    other = music.copy()
    other[(REACH + 2) * STEP :] = 0
    before, after = refine(music), refine(other)
    np.testing.assert_array_equal(before[: STEP - 512], after[: STEP - 512])
    assert np.abs(before - after)[: (REACH + 2) * STEP].max() > 1e-3  # and it is used


def test_silence_stays_silent():
    assert not refine(np.zeros((2 * STEP, 2), np.float32)).any()


def test_it_is_the_wiener_filter_of_the_shares():
    """Bin by bin with matrices: share_j R_j (sum of share_k R_k)^-1 x."""
    draw = np.random.default_rng(5)
    parts = (draw.normal(size=(3, 2, 4, 9)) + 1j * draw.normal(size=(3, 2, 4, 9))).astype("c8")
    spreads = spreads_of(parts)
    result = refined(parts, spreads)
    wide = np.pad(spreads, [(0, 0), (0, 0), (2, 2)], mode="edge")
    for frame in range(4):
        for place in range(9):
            ll, rr, real, imaginary = wide[:, :, place : place + 5].sum(axis=-1)
            matrices = np.array([[ll, real + 1j * imaginary], [real - 1j * imaginary, rr]])
            matrices = np.moveaxis(matrices, 2, 0) / ((ll + rr) / 2)[:, None, None]
            matrices = matrices + DIFFUSE * np.eye(2)
            shares = np.abs(parts[:, :, frame, place]).sum(axis=1)
            weighted = (shares / shares.sum())[:, None, None] * matrices
            mixture = parts[:, :, frame, place].sum(axis=0)
            expected = weighted[:-1] @ np.linalg.inv(weighted.sum(axis=0)) @ mixture
            np.testing.assert_allclose(result[:, :, frame, place], expected, rtol=0, atol=1e-4)


def test_only_stereo_is_refined(two_sources, noise):
    together = Separator(two_sources, block_seconds=0.7)
    apart = Separator(two_sources, block_seconds=0.7, stereo="apart")
    for channels, same in ((1, True), (2, False), (3, True)):
        mixture = noise(20000, channels)
        stems = [one.separate(mixture, 8000)["piano"] for one in (together, apart)]
        assert np.array_equal(*stems) == same
    with pytest.raises(ConfigError, match="together, apart"):
        Separator(two_sources, stereo="both")
