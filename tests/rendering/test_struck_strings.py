"""Synthetic pianos: stretched partials, decay, harder strikes that are brighter, one seed each."""

from dataclasses import replace

import numpy as np
import pytest
from rendering_for_tests import from_recipes

struck = from_recipes("struck_strings")


@pytest.fixture
def piano():
    """A piano in tune, with one string a note."""
    drawn = struck.draw_piano(np.random.default_rng(3))
    return replace(
        drawn, stretch_cents=0.0, out_of_tune_cents=0.0, unison_cents=0.0, knock_db=-80.0
    )


def spectrum(sound):
    """Magnitudes of the first second, and their frequencies in Hz."""
    second = sound[: struck.RATE_HZ] * np.hanning(min(len(sound), struck.RATE_HZ))
    return np.abs(np.fft.rfft(second)), np.fft.rfftfreq(len(second), 1 / struck.RATE_HZ)


@pytest.mark.parametrize("key", [33, 45, 57])
def test_partials_lie_where_a_stiff_string_has_them(piano, key):
    magnitude, hertz = spectrum(struck.note(key, 80, piano, np.random.default_rng(0)))
    base_hz = 440 * 2 ** ((key - 69) / 12)
    for number in (1, 2, 3, 4):
        stiff = np.sqrt(1 + struck.inharmonicity(key, piano) * number**2)
        expected = number * base_hz * stiff
        near = np.abs(hertz - expected) < 0.3 * base_hz
        assert hertz[near][np.argmax(magnitude[near])] == pytest.approx(expected, abs=2.0)


def test_a_note_decays(piano):
    sound = struck.note(57, 80, piano, np.random.default_rng(0))
    early, late = sound[:8000], sound[-16000:-8000]
    assert np.mean(late**2) < 0.1 * np.mean(early**2)


def test_a_harder_strike_is_brighter(piano):
    def centroid(velocity):
        magnitude, hertz = spectrum(struck.note(57, velocity, piano, np.random.default_rng(0)))
        return np.sum(hertz * magnitude**2) / np.sum(magnitude**2)

    assert centroid(110) > 1.1 * centroid(20)


def test_a_number_is_always_the_same_piano_and_another_is_another():
    first, again, other = (next(struck.struck_zones(struck.Struck(number=n))) for n in (0, 0, 1))
    np.testing.assert_array_equal(first.samples, again.samples)
    assert len(first.samples) != len(other.samples) or np.any(first.samples != other.samples)


def test_every_key_has_a_sample_at_every_velocity(monkeypatch):
    monkeypatch.setattr(struck, "note", lambda *_: np.ones(struck.RATE_HZ, np.float32))
    sounding = np.zeros((128, 128), int)  # keys, velocities
    for zone in struck.struck_zones(struck.Struck(number=0)):
        (low, high), (soft, hard) = zone.keys, zone.velocities
        sounding[low : high + 1, soft : hard + 1] += 1
    assert np.all(sounding == 1)
