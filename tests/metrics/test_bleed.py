"""Bleedless and fullness: closed forms, and the published formula written with SciPy and loops."""

import math

import numpy as np
import pytest
import scipy.signal

from tfsepgan.errors import ConfigError, ShapeError
from tfsepgan.metrics.bleed import BANDS, _mel_filters, bleed_fullness

RATE = 44100


def noise(seed=0, samples=RATE, channels=1):
    return 0.1 * np.random.default_rng(seed).standard_normal((samples, channels))


def slaney_hz(mel):
    """3 mels for each 200 Hz below 1 kHz; above, 27 mels for each factor of 6.4."""
    return 200 * mel / 3 if mel < 15 else 1000 * 6.4 ** ((mel - 15) / 27)


def twin_filters(rate):
    highest = 15 + 27 * math.log(rate / 2000) / math.log(6.4)
    edges = [slaney_hz(highest * k / 513) for k in range(514)]
    hertz = np.arange(2049) * rate / 4096
    bands = [
        np.interp(hertz, edges[k : k + 3], [0, 2 / (edges[k + 2] - edges[k]), 0], left=0, right=0)
        for k in range(512)
    ]
    return np.array(bands)


def twin(reference, estimate, rate):
    def levels(signal):
        _, _, spectrum = scipy.signal.stft(
            signal.T, window="hann", nperseg=4096, noverlap=3072, boundary="zeros", padded=False
        )
        magnitude = np.abs(spectrum) * np.sum(scipy.signal.get_window("hann", 4096))
        decibels = 20 * np.log10(np.maximum(twin_filters(rate) @ magnitude, 1e-10))
        return np.clip(decibels, decibels.max() - 80, None)

    difference = (levels(estimate) - levels(reference)).ravel().tolist()
    more = [value for value in difference if value > 0] or [0.0]
    less = [value for value in difference if value < 0] or [0.0]
    return 100 / (1 + sum(more) / len(more)), 100 / (1 + abs(sum(less) / len(less)))


@pytest.mark.parametrize(
    ("rate", "channels", "samples"), [(44100, 1, 44100), (44100, 2, 30001), (16000, 1, 16000)]
)
def test_scores_equal_those_of_the_formula(rate, channels, samples):
    reference = noise(0, samples, channels)
    reference[samples // 2 :] *= 1e-3  # some levels are below the range of 80 dB
    estimate = 0.8 * reference + 0.03 * noise(1, samples, channels)
    estimate[: samples // 4, -1] = 0
    assert bleed_fullness(reference, estimate, rate) == pytest.approx(
        twin(reference, estimate, rate), rel=1e-9
    )


def test_the_source_itself_has_both_full_scores():
    assert bleed_fullness(noise(), noise(), RATE) == (100.0, 100.0)


@pytest.mark.parametrize(
    ("gain", "bleedless", "fullness"),
    [(2.0, 100 / (1 + 20 * math.log10(2)), 100.0), (0.1, 100.0, 100 / 21)],
)
def test_a_gain_lowers_one_score_by_its_decibels(gain, bleedless, fullness):
    scores = bleed_fullness(noise(), gain * noise(), RATE)
    assert scores == pytest.approx(
        (bleedless, fullness), rel=1e-3
    )  # empty bands stay at the floor, which follows the gain


def test_silence_has_full_bleedless_and_almost_no_fullness():
    scores = bleed_fullness(noise(), np.zeros((RATE, 1)), RATE)
    assert scores.bleedless == 100.0 and 0 < scores.fullness < 1.0


def test_sound_in_pauses_of_the_source_lowers_bleedless_only():
    time = np.arange(2 * RATE) / RATE
    source = np.where(time < 1, np.sin(2 * np.pi * 1000 * time), 0.0)[:, None]
    bled = source + np.where(time > 1.2, np.sin(2 * np.pi * 3000 * time), 0.0)[:, None]
    scores = bleed_fullness(source, bled, RATE)
    assert scores.bleedless < 10 and scores.fullness == 100.0
    other_way = bleed_fullness(bled, source, RATE)
    assert other_way.bleedless == 100.0 and other_way.fullness < 10


def test_filters_have_an_area_of_one_where_bins_are_dense():
    filters = _mel_filters(float(RATE)).toarray()
    assert filters.shape == (BANDS, 2049)
    assert np.mean(filters[300:].sum(axis=1)) * RATE / 4096 == pytest.approx(1.0, rel=0.01)


def test_invalid_signals_are_refused():
    with pytest.raises(ShapeError, match="is silent"):
        bleed_fullness(np.zeros(100), np.ones(100), RATE)
    with pytest.raises(ShapeError, match="differ"):
        bleed_fullness(np.ones(100), np.ones(99), RATE)
    with pytest.raises(ConfigError, match="sample_rate_hz is 0"):
        bleed_fullness(np.ones(100), np.ones(100), 0)


def test_a_signal_shorter_than_a_frame_has_scores():
    assert bleed_fullness(noise(samples=100), noise(samples=100), RATE) == (100.0, 100.0)
