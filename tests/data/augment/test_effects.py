"""Equaliser, band limits, codec, noise and polarity against their closed forms."""

import numpy as np
import pytest
from augment_for_tests import RATE_HZ, changed, with_
from scipy.signal import butter, sosfreqz

from tfsepgan.data.augment.augmenter import Augmenter
from tfsepgan.data.augment.effects import band_edge, equaliser, filtered, through_codec
from tfsepgan.data.batches.mixing_laws import root_mean_square


def test_equaliser_filters_as_its_sections_say_and_keeps_to_its_range(music):
    sections = equaliser(np.random.default_rng(3), (-6.0, 6.0), RATE_HZ)
    impulse = np.zeros(8192, np.float32)
    impulse[0] = 1
    response = np.abs(np.fft.rfft(filtered(impulse, sections)))
    _, expected = sosfreqz(np.vstack(sections), worN=np.linspace(0, np.pi, 4097))
    np.testing.assert_allclose(response, np.abs(expected), atol=2e-3)
    for seed in range(40):
        gains = np.abs(
            np.fft.rfft(
                filtered(impulse, equaliser(np.random.default_rng(seed), (-6.0, 6.0), RATE_HZ))
            )
        )
        assert np.all(np.abs(20 * np.log10(gains)) < 3 * 6.1)


def test_band_limits_take_off_what_lies_beyond(music):
    after = changed(
        music, band_limit=1.0, low_pass_hz=(1000.0, 1000.1), high_pass_hz=(200.0, 200.1)
    )
    power = np.abs(np.fft.rfft(after)) ** 2 / np.abs(np.fft.rfft(music)) ** 2
    hertz = np.fft.rfftfreq(len(music), 1 / RATE_HZ)
    inside, above, below = (
        np.median(power[(hertz > a) & (hertz < b)]) for a, b in ((350, 700), (2200, 3500), (5, 60))
    )
    assert 10 * np.log10(inside) > -1 and 10 * np.log10(above) < -25 and 10 * np.log10(below) < -18


def test_a_codec_that_rounds_nothing_gives_the_signal_back(music, monkeypatch):
    """The lapped transform and its inverse; a step of next to nothing, and no limit to the band."""
    monkeypatch.setattr("tfsepgan.data.augment.effects.CODEC_DB", (120.0, 120.0))
    monkeypatch.setattr("tfsepgan.data.augment.effects.CODEC_HZ", (1e6, 1e6))
    for length in (1, 777, 4096, len(music)):
        np.testing.assert_allclose(
            through_codec(music[:length], 0.0, RATE_HZ), music[:length], atol=3e-6
        )


@pytest.mark.parametrize(("quality", "noise_db"), [(0.0, 4.0), (0.5, 12.0), (1.0, 20.0)])
def test_a_codec_loses_so_much_in_every_band_and_all_above_its_limit(quality, noise_db):
    rate_hz = 44100
    noise = 0.1 * np.random.default_rng(0).standard_normal(4 * rate_hz).astype(np.float32)
    lost = np.abs(np.fft.rfft(through_codec(noise, quality, rate_hz) - noise)) ** 2
    power = np.abs(np.fft.rfft(noise)) ** 2
    hertz = np.fft.rfftfreq(len(noise), 1 / rate_hz)
    limit = 5000 * (16000 / 5000) ** quality
    for low, high in ((600, 1200), (1200, 2400), (2400, 4500)):
        inside = (hertz > low) & (hertz < high)
        # A step wider than most coefficients rounds them to zero, and then loses no more than there
        # is.
        assert 10 * np.log10(power[inside].sum() / lost[inside].sum()) == pytest.approx(
            noise_db, abs=2.0
        )
    above = hertz > 1.02 * limit
    assert lost[above].sum() == pytest.approx(power[above].sum(), rel=0.01)


def test_noise_has_its_level_under_the_mixture(music):
    for level_db in (-40.0, -10.0):
        augmenter = Augmenter(with_(noise=1.0, noise_db=(level_db, level_db)))
        for seed in range(8):
            noise = augmenter.noise(music, np.random.default_rng(seed))
            assert 20 * np.log10(
                root_mean_square(noise) / root_mean_square(music)
            ) == pytest.approx(level_db, abs=0.01)
            assert abs(np.vdot(noise, music)) < 0.05 * np.linalg.norm(noise) * np.linalg.norm(music)
    assert Augmenter(with_(noise=0.0)).noise(music, np.random.default_rng(0)) is None


def test_polarity_inverts_windows_with_its_probability(music):
    over = [
        np.array_equal(changed(music[:64], seed=seed, polarity=0.25), -music[:64])
        for seed in range(400)
    ]
    assert np.mean(over) == pytest.approx(0.25, abs=0.07)


@pytest.mark.parametrize(("kind", "order"), [("lowpass", 4), ("highpass", 2)])
@pytest.mark.parametrize("frequency_hz", [40.0, 5000.0, 16000.0])
def test_band_edges_are_butterworth_filters(kind, order, frequency_hz):
    _, ours = sosfreqz(np.vstack(band_edge(kind, frequency_hz, 44100)), 4096)
    _, theirs = sosfreqz(butter(order, frequency_hz, kind, fs=44100, output="sos"), 4096)
    np.testing.assert_allclose(ours, theirs, atol=1e-9)
