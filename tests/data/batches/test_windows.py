"""The draw of windows: everything can be drawn, in the right proportions, from seed and step."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tfsepgan.config import DataConfig
from tfsepgan.data.batches.cache import Recording, envelope_hop
from tfsepgan.data.batches.draws import (
    REDRAWS,
    SOLOS,
    begin,
    draw_plan,
    place,
    reading_on,
)
from tfsepgan.data.batches.pool import OTHER, Pool

RATE_HZ = 400
CONFIG = DataConfig(sample_rate_hz=RATE_HZ, window=100, batch=16, law="snr", seed=3)


def recording(frames: int, *, level: float = 0.1, silent: slice = slice(0, 0)) -> Recording:
    envelope = np.full(-(-frames // envelope_hop(RATE_HZ)), level**2, np.float32)
    envelope[silent] = 0
    return Recording(
        name="", variant=0, path=Path("none.wav"), frames=frames, scale=2.0**-15, envelope=envelope
    )


def pool_of(*groups, sources: int = 1, tracks=(), folders=None, joined: bool = False) -> Pool:
    recordings, numbers = [], []
    for group in groups:
        numbers.append(tuple(range(len(recordings), len(recordings) + len(group))))
        recordings += group
    return Pool(
        recordings,
        sample_rate_hz=RATE_HZ,
        groups=numbers,
        sources=sources,
        tracks=tracks,
        folders=folders,
        joined=joined,
    )


def many(pool: Pool, config: DataConfig = CONFIG, steps: int = 300):
    plans = [draw_plan(pool, config, step) for step in range(steps)]
    return [
        np.concatenate([getattr(plan.draws, name) for plan in plans])
        for name in plans[0].draws._fields
    ]


POOL = pool_of(
    [recording(500), recording(1500)], [recording(4000)], [recording(200), recording(600)]
)


def test_the_same_seed_and_step_draw_the_same_batch():
    for one, two in zip(draw_plan(POOL, CONFIG, 7), draw_plan(POOL, CONFIG, 7), strict=True):
        np.testing.assert_array_equal(
            np.concatenate(one) if isinstance(one, tuple) else one,
            np.concatenate(two) if isinstance(two, tuple) else two,
        )


def test_reading_on_moves_only_windows_that_need_more():
    pool = pool_of([recording(400)], [recording(4000)])
    config = replace(CONFIG, window=300)
    for step in range(20):
        drawn = draw_plan(pool, config, step)
        plan = reading_on(pool, drawn, 300, 378)
        for row, first in enumerate(drawn.draws.start):
            frames, start, count = (
                pool.frames[plan.draws.recording[row]],
                plan.draws.start[row],
                plan.draws.count[row],
            )
            assert start + begin(plan, row, 300) == first
            assert begin(plan, row, 250) == begin(plan, row, 300)
            assert start + begin(plan, row, 378) == min(first, frames - 378)
            assert begin(plan, row, 378) + 378 <= count


def test_parts_of_a_song_that_is_read_on_begin_together():
    pool = pool_of([recording(400)], [recording(350)], tracks=[((0, 0), (OTHER, 1))])
    config = replace(CONFIG, window=300, remix=0.0)
    for step in range(20):
        plan = reading_on(pool, draw_plan(pool, config, step), 300, 378)
        for needed in (280, 300, 350, 378):
            places = {item: set() for item in plan.draws.item}
            for row, item in enumerate(plan.draws.item):
                places[item].add(plan.draws.start[row] + begin(plan, row, needed))
            assert all(len(found) == 1 for found in places.values())


def test_another_step_or_seed_draws_another_batch():
    first = draw_plan(POOL, CONFIG, 7).snr_db
    assert not np.array_equal(first, draw_plan(POOL, CONFIG, 8).snr_db)
    assert not np.array_equal(first, draw_plan(POOL, replace(CONFIG, seed=4), 7).snr_db)


def test_every_part_of_a_file_is_reached_up_to_the_last_sample():
    pool = pool_of([recording(150)], [recording(1000)])
    _, part, _, start, count, _ = many(pool)
    starts = start[part == 0]
    assert starts.min() == 0
    assert (starts + count[part == 0]).max() == 150
    assert len(set(starts)) == 51


def test_starts_are_uniform():
    pool = pool_of([recording(1099)], [recording(1000)])
    _, part, _, start, _, _ = many(pool, steps=600)
    counts = np.bincount(start[part == 0] // 100, minlength=10)[:10]
    assert np.all(np.abs(counts - counts.mean()) < 5 * np.sqrt(counts.mean()))


def test_a_short_file_lies_anywhere_in_the_window():
    pool = pool_of([recording(40)], [recording(1000)])
    _, part, _, start, count, offset = many(pool)
    mine = part == 0
    assert set(start[mine]) == {0}
    assert set(count[mine]) == {40}
    assert set(offset[mine]) == set(range(61))
    assert set(offset[~mine]) == {0}


def test_a_file_as_long_as_the_window_fills_it():
    start, count, offset = place(np.array([100]), 100, np.array([0.999]))
    assert (start[0], count[0], offset[0]) == (0, 100, 0)


def test_files_of_a_source_are_drawn_in_proportion_to_length():
    _, part, number, *_ = many(POOL)
    share = np.mean(number[part == 0] == 1)
    assert share == pytest.approx(0.75, abs=0.03)


def test_instrument_folders_are_equally_likely_however_long():
    _, part, number, *_ = many(POOL)
    others = number[part == OTHER]
    assert np.mean(others == 2) == pytest.approx(0.5, abs=0.03)
    assert np.mean(others[others > 2] == 4) == pytest.approx(0.75, abs=0.03)


def test_the_number_of_others_keeps_to_its_range():
    plan = draw_plan(POOL, replace(CONFIG, batch=500, others=(2, 4)), 0)
    counts = np.bincount(plan.draws.item[plan.draws.part == OTHER], minlength=500)
    assert set(counts) == {2, 3, 4}
    paper = draw_plan(POOL, replace(CONFIG, law="paper"), 0)
    assert set(np.bincount(paper.draws.item[paper.draws.part == OTHER])) == {1}


def test_levels_keep_to_their_ranges():
    plan = draw_plan(POOL, replace(CONFIG, batch=2000, snr_db=(-3, 9), gain_db=(-20, -10)), 0)
    assert -3 <= plan.snr_db.min() < -2.8 and 8.8 < plan.snr_db.max() <= 9
    assert -20 <= plan.gain_db.min() < -19.8 and -10.2 < plan.gain_db.max() <= -10
    np.testing.assert_allclose(plan.weights.sum(axis=1), 1)
    np.testing.assert_allclose(
        np.sort(plan.weights[:, 1])[::200], np.linspace(0, 1, 11)[:-1], atol=0.05
    )


def test_silent_windows_are_drawn_again():
    pool = pool_of([recording(2000, silent=slice(0, 10))], [recording(1000)])
    _, part, _, start, count, _ = many(pool)
    assert np.all((start + count)[part == 0] > 1000)


def test_a_file_that_is_all_silence_is_used_after_all_redraws():
    pool = pool_of([recording(2000, level=0.0)], [recording(1000)])
    _, part, *_ = many(pool, steps=3)
    assert np.sum(part == 0) == 3 * CONFIG.batch
    assert REDRAWS == 16


def test_silence_is_measured_over_the_hops_that_a_window_touches():
    pool = pool_of([recording(400, level=0.1, silent=slice(2, 4))], [recording(1000)])
    levels = pool.level_db(np.zeros(3, int), np.array([0, 150, 250]), np.array([100, 100, 100]))
    np.testing.assert_allclose(levels, [-20, -20 - 10 * np.log10(2), -200], atol=1e-4)


def test_sources_of_a_song_come_from_one_place():
    tracks = [((0, 0), (OTHER, 1), (OTHER, 2)), ((0, 3), (OTHER, 4))]
    pool = pool_of(
        [recording(900)],
        [recording(900)],
        [recording(900)],
        [recording(500)],
        [recording(500)],
        tracks=tracks,
    )
    plan = draw_plan(pool, CONFIG, 0)
    assert plan.together.all()
    for item in range(CONFIG.batch):
        rows = plan.draws.item == item
        assert len(set(plan.draws.start[rows])) == 1
        assert set(plan.draws.recording[rows]) in ({0, 1, 2}, {3, 4})


def test_remix_draws_songs_apart():
    tracks = [((0, 0), (OTHER, 1))]
    pool = pool_of([recording(900)], [recording(900)], tracks=tracks)
    shares = [
        draw_plan(pool, replace(CONFIG, batch=400, remix=remix), 0).together.mean()
        for remix in (0.0, 0.3, 1.0)
    ]
    assert shares[0] == 1 and shares[2] == 0
    assert shares[1] == pytest.approx(0.7, abs=0.08)


def test_a_song_whose_source_ends_early_gives_what_there_is():
    tracks = [((0, 0), (OTHER, 1))]
    pool = pool_of([recording(120)], [recording(1000)], tracks=tracks)
    for step in range(20):
        draws = draw_plan(pool, CONFIG, step).draws
        assert np.all(draws.count > 0)
        assert np.all(draws.start + draws.count <= pool.frames[draws.recording])


def test_balanced_folders_are_equally_likely_and_their_recordings_by_length():
    groups = (
        [recording(500), recording(1500), recording(80_000)],
        [recording(4000), recording(40_000)],
    )
    _, part, drawn, *_ = many(pool_of(*groups, folders=[0, 0, 1, 1, 0]))
    source, other = (
        np.bincount(drawn[part == number], minlength=5) / np.sum(part == number)
        for number in (0, OTHER)
    )
    np.testing.assert_allclose(source[:3], [0.125, 0.375, 0.5], atol=0.03)
    np.testing.assert_allclose(other[3:], [0.5, 0.5], atol=0.03)
    # by length: one in 164 of 4800
    assert np.bincount(many(pool_of(*groups))[2], minlength=5)[0] < 100


def test_songs_of_balanced_sets_are_equally_likely():
    stems = [
        recording(1000),
        recording(1000),
        recording(9000),
        recording(9000),
        recording(1000),
        recording(1000),
    ]
    songs = [((0, 0), (OTHER, 1)), ((0, 2), (OTHER, 3)), ((0, 4), (OTHER, 5))]
    pool = pool_of(stems, sources=1, tracks=songs, folders=[0, 0, 1, 1, 0, 0])
    _, part, drawn, *_ = many(pool, replace(CONFIG, remix=0.0))
    share = np.bincount(drawn[part == 0], minlength=6) / np.sum(part == 0)
    np.testing.assert_allclose(share[[0, 2, 4]], [0.25, 0.5, 0.25], atol=0.03)


def test_songs_among_recordings_are_heard_as_often_as_asked_for():
    tracks = [((0, 0), (OTHER, 1))]
    pool = pool_of([recording(900)], [recording(900)], tracks=tracks, joined=True)
    shares = [
        draw_plan(pool, replace(CONFIG, batch=400, songs=songs), 0).together.mean()
        for songs in (0.0, 0.3, 1.0)
    ]
    assert shares[0] == 0 and shares[2] == 1
    assert shares[1] == pytest.approx(0.3, abs=0.08)


@pytest.mark.parametrize("tracks", [(), [((0, 0), (OTHER, 2))]], ids=["recordings", "songs"])
def test_a_source_rests_with_its_probability_and_the_others_stay(tracks):
    pool = pool_of([recording(900), recording(900)], [recording(900)], tracks=tracks)
    playing = draw_plan(pool, replace(CONFIG, batch=400), 5)
    resting = draw_plan(pool, replace(CONFIG, batch=400, rests=0.25), 5)
    with_source = np.unique(resting.draws.item[resting.draws.part == 0])
    assert len(with_source) / 400 == pytest.approx(0.75, abs=0.07)
    for name in ("item", "recording", "start"):
        before, after = (
            getattr(plan.draws, name)[plan.draws.part == OTHER] for plan in (playing, resting)
        )
        np.testing.assert_array_equal(before, after)
    solos = draw_plan(pool, replace(CONFIG, batch=400, rests=0.25), 5, SOLOS)
    assert set(solos.draws.item[solos.draws.part == 0]) == set(range(400))


def test_a_source_without_others_does_not_rest():
    pool = pool_of([recording(900)], [recording(900)], tracks=[((0, 0),), ((0, 0), (OTHER, 1))])
    draws = draw_plan(pool, replace(CONFIG, batch=200, rests=0.9), 0).draws
    alone = set(range(200)) - set(draws.item[draws.part == OTHER])
    assert alone and alone <= set(draws.item[draws.part == 0])
