"""Variants stay in their ranges and follow their seed; the filters have the right gain."""

import numpy as np
import pytest
from scipy.signal import sosfreqz

from tfsepgan.data.augment.effects import equaliser_section, room_response
from tfsepgan.data.augment.variants import SEMITONES, draw_speed, vary


def gain_db(section: np.ndarray, frequency_hz: float, rate_hz: int) -> float:
    _, response = sosfreqz(section, worN=[frequency_hz], fs=rate_hz)
    return float(20 * np.log10(np.abs(response[0])))


@pytest.mark.parametrize("wanted_db", [-8.0, 5.0])
def test_a_peak_raises_its_centre_and_nothing_far_away(wanted_db):
    section = equaliser_section("peak", 1000.0, wanted_db, 0.9, 44100)
    assert gain_db(section, 1000.0, 44100) == pytest.approx(wanted_db, abs=1e-6)
    assert gain_db(section, 1.0, 44100) == pytest.approx(0.0, abs=0.01)


@pytest.mark.parametrize(
    ("kind", "raised_hz", "kept_hz"), [("low", 1.0, 22000.0), ("high", 22000.0, 1.0)]
)
def test_a_shelf_raises_its_side_only(kind, raised_hz, kept_hz):
    section = equaliser_section(kind, 1000.0, 6.0, 0.7, 44100)
    assert gain_db(section, raised_hz, 44100) == pytest.approx(6.0, abs=0.01)
    assert gain_db(section, kept_hz, 44100) == pytest.approx(0.0, abs=0.01)
    assert gain_db(section, 1000.0, 44100) == pytest.approx(3.0, abs=0.01)


def test_the_recording_itself_keeps_its_speed():
    assert draw_speed(7, "a.wav", 0) == 1.0


def test_speeds_fill_the_range_and_stay_in_it():
    semitones = 12 * np.log2([draw_speed(seed, "a.wav", 1) for seed in range(300)])
    assert np.abs(semitones).max() <= SEMITONES
    assert semitones.min() < -0.9 * SEMITONES
    assert semitones.max() > 0.9 * SEMITONES


def test_a_variant_is_a_function_of_seed_name_and_number():
    samples = np.random.default_rng(0).normal(size=4000).astype(np.float32)
    first = vary(samples, 16000, 1, "a.wav", 1)
    np.testing.assert_array_equal(first, vary(samples, 16000, 1, "a.wav", 1))
    for other in (
        vary(samples, 16000, 2, "a.wav", 1),
        vary(samples, 16000, 1, "b.wav", 1),
        vary(samples, 16000, 1, "a.wav", 2),
    ):
        assert not np.array_equal(first, other)


@pytest.mark.parametrize("rate_hz", [8000, 16000, 44100, 96000])
def test_variants_are_gentle_and_finite(rate_hz):
    samples = np.random.default_rng(0).normal(size=rate_hz).astype(np.float32)
    for number in range(1, 20):
        out = vary(samples, rate_hz, 0, "a.wav", number)
        assert out.shape == samples.shape
        assert out.dtype == np.float32
        change_db = 20 * np.log10(out.std() / samples.std())
        assert -20 < change_db < 20


@pytest.mark.parametrize("level_db", [-18.0, -3.0])
def test_a_room_answers_at_its_level_and_dies_away(level_db):
    room = room_response(0.5, level_db, 16000, np.random.default_rng(0))
    assert room[0] == 1.0
    assert 10 * np.log10(np.sum(room[1:] ** 2.0)) == pytest.approx(level_db, abs=0.01)
    early, late = np.mean(room[1:800] ** 2), np.mean(room[-800:] ** 2)
    assert 10 * np.log10(early / late) == pytest.approx(60 * 0.45 / 0.5, abs=2)
