"""The ratio is zero for the source itself, one for another source, and ordered in between."""

import numpy as np
import pytest

from tfsepgan.errors import ShapeError
from tfsepgan.metrics.spectra import band_centres_hz, band_levels_db
from tfsepgan.metrics.transfer import band_distance_db, relative_spectral_distance

RATE, TIME = 16000, 4096


def tones(count):
    """Sounds of one band each, far apart in pitch: any two have the same distance."""
    time = np.arange(TIME) / RATE
    return np.stack(
        [np.sin(2 * np.pi * hz * time) for hz in band_centres_hz(RATE)[5 :: 35 // count][:count]]
    )


def noises(count, seed, slope=1.0):
    """A class of sounds: noise with a falling spectrum and an individual rhythm."""
    random = np.random.default_rng(seed)
    spectrum = np.fft.rfft(random.standard_normal((count, TIME)))
    falling = np.fft.irfft(spectrum * np.maximum(np.arange(spectrum.shape[1]), 1.0) ** -slope)
    return falling * np.repeat(10 ** random.uniform(-2, 0, (count, 8)), TIME // 8, axis=1)


def test_the_source_at_any_volume_has_no_distance():
    sources = noises(6, 0)
    assert relative_spectral_distance(sources, sources, RATE) == pytest.approx(0.0, abs=1e-12)
    volume = np.array([[0.01], [0.3], [1.0], [3.0], [-1.0], [20.0]])
    assert relative_spectral_distance(volume * sources, sources, RATE) == pytest.approx(
        0.0, abs=1e-6
    )


def test_another_source_of_the_class_scores_one():
    """Any two of the six sounds have the same distance, also estimate and source."""
    sources = tones(6)
    for shift in (1, 2, 5):
        ratios = relative_spectral_distance(np.roll(sources, shift, axis=0), sources, RATE)
        assert ratios == pytest.approx(1.0, abs=0.05)


def test_sounds_that_share_only_the_class_with_their_source_score_about_one():
    ratios = relative_spectral_distance(noises(24, 1), noises(24, 2), RATE)
    assert np.median(ratios) == pytest.approx(1.0, abs=0.05)
    assert ratios.min() > 0.3  # no estimate resembles its own source


def test_the_score_falls_with_the_share_of_the_source():
    sources, others = noises(12, 3), noises(12, 4)
    medians = [
        np.median(relative_spectral_distance(share * sources + (1 - share) * others, sources, RATE))
        for share in (1.0, 0.9, 0.7, 0.5, 0.3, 0.0)
    ]
    assert medians[0] == pytest.approx(0.0, abs=1e-12)
    assert all(less < more for less, more in zip(medians, medians[1:], strict=False))
    assert medians[-1] == pytest.approx(1.0, abs=0.1)


def test_the_ratio_equals_that_of_the_equation():
    estimates, sources = noises(5, 5), noises(5, 6)
    made, true = band_levels_db(estimates, RATE), band_levels_db(sources, RATE)
    for index, ratio in enumerate(relative_spectral_distance(estimates, sources, RATE)):
        distances = []
        for levels in true:
            frames = [
                np.sqrt(np.mean((a - b) ** 2)) for a, b in zip(made[index], levels, strict=True)
            ]
            distances.append(sum(frames) / len(frames))
        others = sorted(distance for j, distance in enumerate(distances) if j != index)
        assert ratio == pytest.approx(distances[index] / ((others[1] + others[2]) / 2), rel=1e-9)


def test_the_distance_is_the_mean_over_frames_of_the_root_mean_square_over_bands():
    levels = np.random.default_rng(0).standard_normal((2, 3, 4))
    assert band_distance_db(levels, levels + 3.0) == pytest.approx(3.0)
    one_band = levels + np.array([6.0, 0, 0, 0])  # 6 dB in one of four bands
    assert band_distance_db(levels, one_band) == pytest.approx(3.0)
    one_frame = levels + np.array([[6.0], [0], [0]])  # in all bands of one of three frames
    assert band_distance_db(levels, one_frame) == pytest.approx(2.0)
    assert band_distance_db(levels[0], levels).shape == (2,)


@pytest.mark.parametrize(
    ("estimates", "sources", "words"),
    [
        (noises(3, 0), noises(4, 0), "wanted the same .count, time."),
        (noises(1, 0), noises(1, 1), "a count of at least 2"),
        (noises(3, 0)[0], noises(3, 0)[0], r"shape \[4096\]"),
        (
            np.stack([noises(1, 0)[0], np.zeros(TIME)]),
            noises(2, 0),
            "estimates: sound 1 of 2 is silent",
        ),
        (
            noises(2, 0),
            np.stack([noises(1, 0)[0], np.zeros(TIME)]),
            "sources: sound 1 of 2 is silent",
        ),
        (np.tile(noises(1, 0), (4, 1)), np.tile(noises(1, 0), (4, 1)), "they are the same sound"),
    ],
)
def test_invalid_sounds_are_refused(estimates, sources, words):
    with pytest.raises(ShapeError, match=words):
        relative_spectral_distance(estimates, sources, RATE)
