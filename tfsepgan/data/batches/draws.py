"""The draw of a batch: which windows it is made of, as a pure function of (seed, step).

The rules:
- For a wanted source, a file is drawn in proportion to its length, and every start of the window in
  it is equally likely, the last one included. A file shorter than the window is placed at a random
  position in zeros.
- An "other" is drawn from an instrument folder. All folders are equally likely, so rare instruments
  are as frequent as common ones. Within the folder, files are drawn in proportion to length.
- With `balance` 'folders', length counts only within a folder: all folders below a wanted source
  are equally likely, and so are joined sets that hold the same folder.
- A window below the silence threshold is drawn again, file and start, up to REDRAWS times; the last
  draw is used. Its level is the mean square of the 0.25 s envelope hops that it overlaps.
- In a multitrack set, all sources come from one position of one track, and the others keep their
  relative levels. The position is drawn again while all wanted sources are silent there. With
  probability `remix`, sources are drawn independently as above. If songs are joined with unpaired
  recordings, `songs` is the share of mixtures that come from one position of a song.
- With probability `rests`, the wanted sources are left out of a mixture that has others.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tfsepgan.config import DataConfig
from tfsepgan.data.batches.mixing_laws import OTHERS_SPREAD_DB
from tfsepgan.data.batches.pool import OTHER, Pool

REDRAWS = 16  # a source that is silent 90 % of the time is then present in 4 of 5 windows
# the streams of `streams`; their draws are independent
LABELLED, SOLOS, UNLABELLED = range(3)


class Draws(NamedTuple):
    """Windows to read, in the order in which they are mixed; integers `[draws]`."""

    item: np.ndarray  # which mixture of the batch
    part: np.ndarray  # index of the wanted source, or OTHER
    recording: np.ndarray  # index into Pool.recordings
    start: np.ndarray  # first sample read
    count: np.ndarray  # samples read, at most the window
    offset: np.ndarray  # zeros before them


class Plan(NamedTuple):
    """All random numbers of one batch."""

    draws: Draws
    together: np.ndarray  # [batch] bool: others are from one song and keep their mutual levels
    weights: np.ndarray  # [batch, sources + 1], law 'paper'
    snr_db: np.ndarray  # [batch, sources], law 'snr'
    spread_db: np.ndarray  # [draws], law 'snr'
    gain_db: np.ndarray  # [batch]
    ahead: np.ndarray  # [draws] samples read before the window begins, see `reading_on`
    # [draws] samples available from the first that is read; in a song, those of its longest stem
    room: np.ndarray


def draw_plan(pool: Pool, config: DataConfig, step: int, stream: int = LABELLED) -> Plan:
    """Draw the batch of one step.

    It depends only on seed, step and stream, and not on earlier draws.
    """
    rng = np.random.default_rng([config.seed, step, stream] if stream else [config.seed, step])
    batch, sources = config.batch, pool.sources
    apart_share = 1 - config.songs if pool.joined else config.remix
    together = rng.random(batch) >= apart_share if pool.tracks else np.zeros(batch, bool)
    low, high = (1, 1) if config.law == "paper" else config.others
    has_others = len(pool.groups) > sources
    counts = rng.integers(low, high + 1, batch) if has_others else np.zeros(batch, np.int64)
    counts = np.where(together, 0, counts)
    apart = np.flatnonzero(~together)
    item = np.concatenate([np.repeat(apart, sources), np.repeat(np.arange(batch), counts)])
    part = np.concatenate([np.tile(np.arange(sources), len(apart)), np.full(counts.sum(), OTHER)])
    folder = sources + rng.integers(0, max(1, len(pool.groups) - sources), len(part))
    group = np.where(part == OTHER, folder, part)
    draws = Draws(item, part, *_draw_windows(pool, group, config, rng))
    if together.any():
        songs = _draw_tracks(pool, np.flatnonzero(together), config, rng)
        draws = Draws(*(np.concatenate(columns) for columns in zip(draws, songs, strict=True)))
    if config.rests and stream != SOLOS:
        draws = _without_sources(draws, rng.random(batch) < config.rests)
    weights = -np.log(1 - rng.random((batch, sources + 1)))
    if not has_others:  # also in recorded mixtures
        weights[:, -1] = 0
    return Plan(
        draws=draws,
        together=together,
        weights=weights / weights.sum(axis=1, keepdims=True),
        snr_db=_uniform(rng, config.snr_db, (batch, sources)),
        spread_db=_uniform(rng, (-OTHERS_SPREAD_DB, OTHERS_SPREAD_DB), len(draws.item)),
        gain_db=_uniform(rng, config.gain_db, batch),
        ahead=np.zeros(len(draws.item), np.int64),
        room=draws.offset + draws.count,
    )


def rows_of(draws: Draws, rows: Sequence[int] | None) -> Draws:
    """The draws for some mixtures of the batch; None: for all."""
    if rows is None:
        return draws
    own = np.isin(draws.item, rows)
    return Draws(*(column[own] for column in draws))


def _without_sources(draws: Draws, rests: np.ndarray) -> Draws:
    """Remove the wanted sources from the mixtures drawn by `rests`, if the mixture has others."""
    with_others = np.isin(draws.item, draws.item[draws.part == OTHER])
    left_out = rests[draws.item] & with_others & (draws.part != OTHER)
    return Draws(*(column[~left_out] for column in draws))


def reading_on(pool: Pool, plan: Plan, window: int, read: int) -> Plan:
    """The same draws with more samples read, for windows at a higher speed.

    Where too few samples follow the window, reading begins `ahead` samples before it, if the
    recording is long enough (in a song, for all its stems). `begin` then computes where the window
    begins at a given speed: at its original position unless too few samples follow.

    Args:
      pool, plan: from `streams.open_pool` and `draw_plan`.
      window: samples of a window.
      read: samples to read.
    """
    draws = plan.draws
    frames, whole = pool.frames[draws.recording], np.zeros(len(plan.together), np.int64)
    np.maximum.at(whole, draws.item, frames)
    whole = np.where(plan.together[draws.item], whole[draws.item], frames)
    latest = np.where(whole < window, draws.start, np.maximum(whole - read, 0))
    start = np.minimum(draws.start, latest)
    moved = draws._replace(start=start, count=np.minimum(frames - start, read - draws.offset))
    room = np.minimum(whole - start + draws.offset, read)
    return plan._replace(draws=moved, ahead=draws.start - start, room=room)


def begin(plan: Plan, row: int, needed: int) -> int:
    """Where a window of `needed` samples begins, in the samples read for a row of the plan."""
    return int(min(plan.ahead[row], max(0, plan.room[row] - needed)))


def place(
    frames: np.ndarray, window: int, chance: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where windows are: start in the file, samples read, and zeros before them.

    Args:
      frames: lengths of the files.
      window: length of the window.
      chance: uniform in [0, 1).
    Returns: start, count and offset. Every start that keeps the window inside the file is equally
      likely.
    """
    room = np.maximum(frames - window, 0)
    spare = np.maximum(window - frames, 0)
    start = np.floor(chance * (room + 1)).astype(np.int64)
    offset = np.where(spare > 0, np.floor(chance * (spare + 1)).astype(np.int64), 0)
    return start, np.minimum(frames, window), offset


def _draw_windows(
    pool: Pool, group: np.ndarray, config: DataConfig, rng: np.random.Generator
) -> tuple[np.ndarray, ...]:
    drawn = [np.zeros(len(group), np.int64) for _ in range(4)]
    open_ = np.arange(len(group))
    for _ in range(1 + REDRAWS):
        chance = rng.random((2, len(open_)))
        recording = pool.choose(group[open_], chance[0])
        start, count, offset = place(pool.frames[recording], config.window, chance[1])
        for column, values in zip(drawn, (recording, start, count, offset), strict=True):
            column[open_] = values
        open_ = open_[pool.level_db(recording, start, count) < config.silence_db]
        if not len(open_):
            break
    return tuple(drawn)


def _draw_tracks(
    pool: Pool, items: np.ndarray, config: DataConfig, rng: np.random.Generator
) -> tuple[np.ndarray, ...]:
    reach, rows = pool.track_reach, []
    for item in items:
        for _ in range(1 + REDRAWS):
            chance = rng.random(2)
            found = int(np.searchsorted(reach, chance[0] * reach[-1], side="right"))
            track = min(found, len(reach) - 1)
            start, _, offset = map(int, place(pool.track_frames[track], config.window, chance[1]))
            stems = []
            for part, recording in pool.tracks[track]:
                count = min(config.window - offset, int(pool.frames[recording]) - start)
                if count > 0:  # a stem may end before the song does
                    stems.append((item, part, recording, start, count, offset))
            wanted = np.array([stem for stem in stems if stem[1] != OTHER], np.int64).reshape(-1, 6)
            if np.any(pool.level_db(*wanted[:, 2:5].T) >= config.silence_db):
                break
        rows += stems
    return tuple(np.array(rows, np.int64).reshape(-1, 6).T)


def _uniform(rng: np.random.Generator, bounds: tuple[float, float], shape) -> np.ndarray:
    return bounds[0] + (bounds[1] - bounds[0]) * rng.random(shape)
