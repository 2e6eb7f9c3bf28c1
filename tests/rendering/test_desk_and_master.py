"""Mixing and mastering in closed form: sums of stems, the ceiling, and the power of panning."""

import numpy as np
import pytest

from tfsepgan.rendering.arranging.desk import (
    Hall,
    active_rms,
    balanced,
    decaying,
    draw_hall,
    draw_strip,
    mixed,
    narrowed,
    panned,
)
from tfsepgan.rendering.arranging.master import (
    Master,
    compressor_gain,
    draw_master,
    limiter_gain,
    mastered,
)

RATE_HZ = 8000
MASTER = Master(0.0, 4.0, 0.01, 0.1, -14.0, -1.0, 0.005)


def noise(seed, seconds=2.0, level=0.1):
    return (
        level * np.random.default_rng(seed).standard_normal((round(seconds * RATE_HZ), 2))
    ).astype(np.float32)


def rms(sound):
    return float(np.sqrt(np.mean(np.square(sound, dtype=np.float64))))


@pytest.mark.parametrize("pan", [-1.0, -0.3, 0.0, 0.7, 1.0])
def test_panning_keeps_power_and_moves_the_middle(pan):
    sound = noise(0)
    assert rms(panned(sound, pan)) == pytest.approx(rms(sound), rel=1e-6)
    middle = panned(np.ones((4, 2), np.float32), pan)
    angle = np.arctan2(middle[0, 1], middle[0, 0])
    # 0 is left alone, a quarter turn right alone
    assert angle == pytest.approx((1 + pan) * np.pi / 4, abs=1e-6)


def test_width_scales_what_differs_and_leaves_the_middle():
    sound = noise(1)
    half = narrowed(sound, 0.5)
    np.testing.assert_allclose(half.mean(axis=1), sound.mean(axis=1), atol=1e-7)
    np.testing.assert_allclose(
        half[:, 0] - half[:, 1], 0.5 * (sound[:, 0] - sound[:, 1]), atol=1e-7
    )
    assert np.ptp(narrowed(sound, 0.0), axis=1).max() < 1e-7


def test_a_hall_falls_by_60_db_in_its_time():
    tail = decaying(1.0, 0.05, RATE_HZ, np.random.default_rng(2))
    assert not tail[: round(0.05 * RATE_HZ)].any()
    np.testing.assert_allclose(np.sum(np.square(tail), axis=0), 1, rtol=1e-4)
    early, late = tail[400:1200], tail[4400:5200]  # half a second apart
    assert 20 * np.log10(rms(early) / rms(late)) == pytest.approx(30, abs=4)


def test_level_is_that_of_what_sounds():
    sound = np.concatenate([noise(3), np.zeros((6 * RATE_HZ, 2), np.float32)])
    assert active_rms(sound, RATE_HZ) == pytest.approx(rms(sound[: 2 * RATE_HZ]), rel=1e-3)
    assert active_rms(np.zeros((RATE_HZ, 2)), RATE_HZ) == 0.0


def test_a_strip_is_linear_and_reaches_its_level():
    rng = np.random.default_rng(4)
    strip, hall = draw_strip("chords", rng), draw_hall(rng)
    one = mixed(noise(5), "chords", strip, hall, RATE_HZ)
    louder = mixed(3 * noise(5), "chords", strip, hall, RATE_HZ)
    # its level is the strip's, however loud it came
    np.testing.assert_allclose(one, louder, atol=1e-5)
    assert active_rms(one, RATE_HZ) == pytest.approx(10 ** (strip.level_db / 20), rel=1e-3)


def test_a_stem_dies_away_and_then_is_silent():
    sound = np.zeros((5 * RATE_HZ, 2), np.float32)
    sound[:RATE_HZ] = noise(6, 1.0)
    strip = draw_strip("piano", np.random.default_rng(7))
    wet = mixed(sound, "piano", strip, Hall(1.5, 0.02, (1, 2)), RATE_HZ)
    assert rms(wet[RATE_HZ : round(1.2 * RATE_HZ)]) > 1e-3
    assert np.abs(wet[round(2.6 * RATE_HZ) :]).max() < 0.5 / 32768


def test_one_stem_is_brought_to_a_level_against_the_others():
    stems = {"piano": noise(8), "bass": noise(9, level=0.4), "drums": noise(10)}
    moved = balanced(stems, "piano", -7.0, RATE_HZ)
    ratio = active_rms(moved["piano"], RATE_HZ) / active_rms(
        moved["bass"] + moved["drums"], RATE_HZ
    )
    assert 20 * np.log10(ratio) == pytest.approx(-7, abs=0.01)
    np.testing.assert_array_equal(moved["bass"], stems["bass"])
    assert balanced({"piano": stems["piano"]}, "piano", -7.0, RATE_HZ)["piano"] is stems["piano"]


@pytest.mark.parametrize("seed", range(8))
def test_mastered_stems_are_the_stems_times_one_gain_below_the_ceiling(seed):
    rng = np.random.default_rng(seed)
    stems = [noise(seed * 3 + number, level=rng.uniform(0.01, 2)) for number in range(3)]
    stems[0][3000:3010] *= 40  # clicks that a limiter must catch
    stems[2] = -0.97 * stems[1] + 0.1 * stems[2]  # stems may be louder than their sum
    master = draw_master(rng)
    made = mastered(stems, master, RATE_HZ)
    gains = [
        (after / np.where(before == 0, 1, before))
        for before, after in zip(stems, made, strict=True)
    ]
    for gain in gains:
        np.testing.assert_allclose(gain[:, 0], gains[0][:, 0], rtol=1e-5)
    assert (gains[0] > 0).all()
    ceiling = 10 ** (master.ceiling_db / 20)
    assert np.abs(np.sum(made, axis=0)).max() <= ceiling
    assert max(np.abs(stem).max() for stem in made) <= ceiling


def test_the_limiter_leaves_alone_what_is_below_and_meets_the_ceiling_at_a_peak():
    peaks = np.full(8000, 0.5)
    peaks[4000] = 2.0
    gain = limiter_gain(peaks, MASTER, RATE_HZ)
    ceiling = 10 ** (-1 / 20)
    assert (peaks * gain).max() <= ceiling
    assert peaks[4000] * gain[4000] == pytest.approx(ceiling, rel=1e-5)
    reach = 2 * round(MASTER.lookahead_seconds * RATE_HZ)
    assert (gain[: 4000 - reach] == 1).all()
    assert (gain[4000 + reach + 1 :] == 1).all()
    assert np.abs(np.diff(gain)).max() < 0.02  # no click


@pytest.mark.parametrize(("level_db", "ratio"), [(12.0, 4.0), (20.0, 2.0), (-10.0, 4.0)])
def test_the_compressor_turns_down_by_its_static_curve(level_db, ratio):
    sound = np.full((2 * RATE_HZ, 2), 10 ** (level_db / 20), np.float32)
    gain = compressor_gain(sound, MASTER._replace(ratio=ratio), RATE_HZ)
    wanted = min(0.0, -level_db * (1 - 1 / ratio))
    assert 20 * np.log10(gain[-100]) == pytest.approx(wanted, abs=0.01)
    assert gain.max() <= 1


def test_the_compressor_attacks_and_releases_in_its_times():
    sound = np.full((3 * RATE_HZ, 2), 0.01, np.float32)
    sound[RATE_HZ : 2 * RATE_HZ] = 10.0
    gain_db = 20 * np.log10(compressor_gain(sound, MASTER, RATE_HZ))
    down = RATE_HZ + round(MASTER.attack_seconds * RATE_HZ)
    up = 2 * RATE_HZ + round(MASTER.release_seconds * RATE_HZ)
    full = gain_db[2 * RATE_HZ - 100]
    assert gain_db[down] / full == pytest.approx(1 - np.exp(-1), abs=0.25)
    assert gain_db[up] / full == pytest.approx(np.exp(-1), abs=0.05)


def test_silence_stays_silence():
    (made,) = mastered([np.zeros((100, 2), np.float32)], MASTER, RATE_HZ)
    assert not made.any()
