"""The two bounds: the ideal ratio mask and the mixture itself."""

import numpy as np
import pytest
from mixtures_for_tests import mixture_of

from tfsepgan.errors import ConfigError, ShapeError
from tfsepgan.evaluation.ideal_mask import mixture_bound, ratio_mask_bound
from tfsepgan.metrics.waveform import si_sdr


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_ideal_mask_scores_above_the_mixture(seed, channels):
    track = mixture_of("track", seed=seed, channels=channels)
    masked = ratio_mask_bound(track.sources, track.mixture)
    for name, reference in track.sources.items():
        assert si_sdr(reference, masked[name]) > si_sdr(reference, track.mixture) + 5


@pytest.mark.parametrize("time", [1, 100, 2048, 16001])
def test_ideal_mask_estimates_keep_the_shape_and_sum_to_the_mixture(time):
    random = np.random.default_rng(0)
    sources = {name: random.standard_normal((time, 2)).astype(np.float32) for name in "abc"}
    mixture = sum(sources.values())
    masked = ratio_mask_bound(sources, mixture)
    assert all(
        estimate.shape == (time, 2) and estimate.dtype == np.float32 for estimate in masked.values()
    )
    np.testing.assert_allclose(sum(masked.values()), mixture, atol=1e-5)


def test_sources_that_do_not_overlap_are_separated_without_loss():
    time = np.arange(16000) / 8000
    low, high = (
        np.sin(2 * np.pi * hertz * time)[:, None].astype(np.float32) for hertz in (300, 2000)
    )
    masked = ratio_mask_bound({"low": low, "high": high}, low + high)
    assert si_sdr(low, masked["low"]) > 40


def test_a_mixture_without_channels_equals_one_channel():
    track = mixture_of("track")
    flat = {name: audio[:, 0] for name, audio in track.sources.items()}
    masked = ratio_mask_bound(flat, track.mixture[:, 0])
    np.testing.assert_array_equal(
        masked["piano"], ratio_mask_bound(track.sources, track.mixture)["piano"][:, 0]
    )


def test_silence_stays_silence():
    zeros = np.zeros((4096, 1), np.float32)
    assert not ratio_mask_bound({"a": zeros, "b": zeros}, zeros)["a"].any()


def test_the_mixture_bound_is_the_mixture():
    track = mixture_of("track")
    for estimate in mixture_bound(track.sources, track.mixture).values():
        np.testing.assert_array_equal(estimate, track.mixture)


def test_references_of_another_shape_are_refused():
    with pytest.raises(ShapeError, match=r"'a' of shape \[9, 1\] .* \[10, 1\]"):
        ratio_mask_bound({"a": np.ones((9, 1))}, np.ones((10, 1)))


@pytest.mark.parametrize("hop", [0, 1025, 4096])
def test_a_hop_out_of_range_is_refused(hop):
    with pytest.raises(ConfigError, match="wanted 1 to 1024"):
        ratio_mask_bound({"a": np.ones((10, 1))}, np.ones((10, 1)), frame=2048, hop=hop)
