"""Which windows the next batch is made of: a pure function of (seed, step).

The rules:
  - a source's file is chosen in proportion to its length, and the window starts anywhere in it with equal
    probability, the last sample included; a file shorter than the window lies at a random place in zeros;
  - an "other" is chosen from an instrument folder, each folder being as likely as the next, so that rare
    instruments are heard as often as common ones; in the folder again in proportion to length;
  - with `balance` 'folders', length counts only within a folder: each folder below a wanted source, and each of several joined
    sets that hold the same folder, is as likely as the next;
  - a window below the silence threshold (its mean square, from the 0.25 s hops of the envelope that it
    touches) is drawn again, file and place, up to REDRAWS times; the last draw stands;
  - in a multitrack set all sources come from one place in one track (drawn again while all wanted sources are
    silent there) and the others keep their mutual levels; with probability `remix` they are drawn apart, as
    above. Where songs are joined with unpaired recordings, `songs` is the share of mixtures that come from one place in a song;
  - with probability `rests` the wanted sources are left out of a mixture that holds others.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tfsepgan.config import MIXTURE, Balance, DataConfig
from tfsepgan.data.mixing import OTHERS_SPREAD_DB
from tfsepgan.data.unpacked import Recording, envelope_hop

if TYPE_CHECKING:  # it reads recordings, which drawing does not
    from tfsepgan.data.catalogue import Catalogue

REDRAWS = 16  # a source that is silent nine times in ten is still heard in four windows of five
OTHER = -1  # the part of a window that is not a wanted source
LABELLED, SOLOS, UNLABELLED = range(3)  # the streams of `streams`, whose draws do not depend on each other


class Pool:
    """The unpacked recordings of one split, arranged for drawing.

    `groups` holds what is drawn among in proportion to length: one group of recordings a wanted source, then one
    an instrument folder. `tracks` holds the multitrack songs that have a wanted source, as pairs of part (index
    of the source, or OTHER) and recording; `joined` says that they lie among unpaired recordings.
    """

    def __init__(
        self,
        recordings: Sequence[Recording],
        *,
        sample_rate_hz: int,
        groups: Sequence[Sequence[int]],
        sources: int,
        tracks: Sequence[Sequence[tuple[int, int]]] = (),
        folders: Sequence[int] | None = None,
        track_folders: Sequence[int] | None = None,
        joined: bool = False,
    ):
        """Arrange.

        Args:
          recordings: all that may be drawn.
          sample_rate_hz: their rate.
          groups: indices into `recordings`, see above.
          sources: how many of the groups are wanted sources.
          tracks: see above.
          folders: which folder each recording is in, where each folder is to be heard as often as the next.
          track_folders: the same of each song; by default the folder of its first recording.
          joined: whether songs lie among unpaired recordings.
        """
        self.recordings, self.groups, self.tracks = tuple(recordings), tuple(groups), tuple(tracks)
        self.sources, self.joined = sources, joined
        self.frames = np.array([recording.frames for recording in recordings], np.int64)
        self._order = np.array([index for group in groups for index in group], np.int64)
        weights = [_shares(self.frames[list(group)], _of(folders, group)) for group in groups]
        self._reach = np.concatenate([[0], np.cumsum(np.concatenate(weights))])
        lengths = np.array([max(self.frames[recording] for _, recording in track) for track in tracks], np.int64)
        self.track_frames = lengths
        if track_folders is None:
            track_folders = _of(folders, [track[0][1] for track in tracks])
        self.track_reach = np.cumsum(_shares(lengths, track_folders))
        self._group_ends = np.cumsum([len(group) for group in groups])
        self._hop = envelope_hop(sample_rate_hz)
        energies = [self._energy_so_far(recording) for recording in recordings]
        self._first_hop = np.cumsum([0] + [len(energy) for energy in energies])[:-1]
        self._energy = np.concatenate(energies)  # [_first_hop[r] + k]: energy of the first k hops of recording r

    def _energy_so_far(self, recording: Recording) -> np.ndarray:
        starts = self._hop * np.arange(len(recording.envelope))
        lengths = np.minimum(self._hop, recording.frames - starts)
        return np.concatenate([[0.0], np.cumsum(recording.envelope.astype(np.float64) * lengths)])

    def choose(self, group: np.ndarray, chance: np.ndarray) -> np.ndarray:
        """Recordings, one for each group number, in proportion to length, in balanced folders; `chance` is uniform in [0, 1)."""
        end = self._group_ends[group]
        start = np.where(group > 0, self._group_ends[group - 1], 0)
        low, high = self._reach[start], self._reach[end]
        found = np.searchsorted(self._reach, low + chance * (high - low), side="right") - 1
        return self._order[np.clip(found, start, end - 1)]

    def level_db(self, recording: np.ndarray, start: np.ndarray, count: np.ndarray) -> np.ndarray:
        """Level of windows in dB below full scale, over the hops of the envelope that each touches."""
        first, last = start // self._hop, -(-(start + count) // self._hop)
        base = self._first_hop[recording]
        energy = self._energy[base + last] - self._energy[base + first]
        heard = np.minimum(last * self._hop, self.frames[recording]) - first * self._hop
        return 10 * np.log10(np.maximum(energy, 0) / np.maximum(heard, 1) + 1e-20)


class Draws(NamedTuple):
    """Windows to be read, in the order in which they are mixed; integers `[draws]`."""

    item: np.ndarray  # which mixture of the batch
    part: np.ndarray  # index of the wanted source, or OTHER
    recording: np.ndarray  # index into Pool.recordings
    start: np.ndarray  # first sample read
    count: np.ndarray  # samples read, at most the window
    offset: np.ndarray  # zeros before them


class Plan(NamedTuple):
    """All that is random about one batch."""

    draws: Draws
    together: np.ndarray  # [batch] bool: the others come from one song and keep their mutual levels
    weights: np.ndarray  # [batch, sources + 1], law 'paper'
    snr_db: np.ndarray  # [batch, sources], law 'snr'
    spread_db: np.ndarray  # [draws], law 'snr'
    gain_db: np.ndarray  # [batch]
    ahead: np.ndarray  # [draws] samples that are read before the window begins, see `reading_on`
    room: np.ndarray  # [draws] samples that are there, of a song's longest part, from the first that is read


def build_pool(
    catalogue: "Catalogue",
    split: str,
    sources: Sequence[str],
    unpacked: dict[str, tuple[Recording, ...]],
    sample_rate_hz: int,
    only: frozenset[str] | None = None,
    balance: Balance = "length",
) -> Pool:
    """Arrange the unpacked files of a split by source, instrument folder and track: a pool of `arrangement`."""
    return Pool(**arrangement(catalogue, split, sources, unpacked, sample_rate_hz, only, balance))


def arrangement(
    catalogue: "Catalogue",
    split: str,
    sources: Sequence[str],
    unpacked: dict[str, tuple[Recording, ...]],
    sample_rate_hz: int,
    only: frozenset[str] | None = None,
    balance: Balance = "length",
) -> dict[str, Any]:
    """What a `Pool` of the unpacked files of a split is made of.

    Args:
      catalogue: what there is.
      split: which part of it.
      sources: the wanted sources; every other one is an "other", but for recordings of mixtures.
      unpacked: recordings of each file, from `cache.unpack`.
      sample_rate_hz: their rate.
      only: names of the files that may be drawn; all by default. The numbers of the recordings do not depend on it.
      balance: see above.
    Returns: the arguments of `Pool`.
    """
    recordings, numbers, places = [], {}, []
    targets, folders = {source: [] for source in sources}, {}
    for source, files in catalogue.splits[split].items():
        for file in files:
            numbers[file.name] = list(range(len(recordings), len(recordings) + len(unpacked[file.name])))
            recordings += unpacked[file.name]
            places += [catalogue.place(file)] * len(unpacked[file.name])
            if (only is None and source != MIXTURE) or (only is not None and file.name in only):
                group = targets[source] if source in targets else folders.setdefault(catalogue.folder(file), [])
                group += numbers[file.name]
    tracks, track_sets = [], []
    for stems in catalogue.tracks(split).values():
        if targets.keys() & stems.keys() and (only is None or all(file.name in only for file in stems.values())):
            parts = [
                (list(sources).index(s) if s in targets else OTHER, numbers[f.name]) for s, f in sorted(stems.items())
            ]
            tracks += [tuple((part, version[v]) for part, version in parts) for v in range(len(parts[0][1]))]
            track_sets += [catalogue.set_number(next(iter(stems.values())))] * len(parts[0][1])
    balanced = balance == "folders"
    return {
        "recordings": tuple(recordings),
        "sample_rate_hz": sample_rate_hz,
        "groups": tuple(map(tuple, (*targets.values(), *(folders[name] for name in sorted(folders))))),
        "sources": len(targets),
        "tracks": tuple(tracks),
        "folders": np.unique(places, return_inverse=True)[1] if balanced else None,
        "track_folders": np.array(track_sets, np.int64) if balanced else None,
        "joined": bool(catalogue.song_sets),
    }


def draw_plan(pool: Pool, config: DataConfig, step: int, stream: int = LABELLED) -> Plan:
    """Draw the batch of one step; the same seed, step and stream draw the same batch, whatever came before."""
    rng = np.random.default_rng([config.seed, step, stream] if stream else [config.seed, step])
    batch, sources = config.batch, pool.sources
    apart_share = 1 - config.songs if pool.joined else config.remix
    together = rng.random(batch) >= apart_share if pool.tracks else np.zeros(batch, bool)
    low, high = (1, 1) if config.law == "paper" else config.others
    counts = rng.integers(low, high + 1, batch) if len(pool.groups) > sources else np.zeros(batch, np.int64)
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
    if len(pool.groups) == sources:  # recorded mixtures, or nothing beside the sources: no weight for others
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


def _without_sources(draws: Draws, rests: np.ndarray) -> Draws:
    """The draws without the wanted sources of the mixtures in which they rest; a mixture of nothing else keeps them."""
    with_others = np.isin(draws.item, draws.item[draws.part == OTHER])
    left_out = rests[draws.item] & with_others & (draws.part != OTHER)
    return Draws(*(column[~left_out] for column in draws))


def reading_on(pool: Pool, plan: Plan, window: int, read: int) -> Plan:
    """The same draws, read further than the window, as much as a recording has, for what plays faster.

    Near the end of a recording that is long enough, reading begins before the window, and of a song with all its parts: `ahead` says
    by how much. `begin` finds where what plays at a speed begins, the window itself unless there is too little after it.

    Args:
      window, read: samples of a window, and to be read.
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
    """The sample, of those that are read for a row of the plan, where a window that needs so many begins."""
    return int(min(plan.ahead[row], max(0, plan.room[row] - needed)))


def place(frames: np.ndarray, window: int, chance: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where windows lie: start in the file, samples read, and zeros before them.

    Args:
      frames: lengths of the files.
      window: length of the window.
      chance: uniform in [0, 1).
    Returns: start, count and offset; every start that keeps the window inside the file is equally likely.
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


def _draw_tracks(pool: Pool, items: np.ndarray, config: DataConfig, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    lengths, reach = pool.track_frames, pool.track_reach
    rows = []
    for item in items:
        for _ in range(1 + REDRAWS):
            chance = rng.random(2)
            track = min(int(np.searchsorted(reach, chance[0] * reach[-1], side="right")), len(reach) - 1)
            start, _, offset = (int(value) for value in place(lengths[track], config.window, chance[1]))
            stems = [
                (
                    item,
                    part,
                    recording,
                    start,
                    min(config.window - offset, int(pool.frames[recording]) - start),
                    offset,
                )
                for part, recording in pool.tracks[track]
            ]
            stems = [stem for stem in stems if stem[4] > 0]  # a stem may end before the song does
            heard = np.array([stem for stem in stems if stem[1] != OTHER], np.int64).reshape(-1, 6)
            if np.any(pool.level_db(heard[:, 2], heard[:, 3], heard[:, 4]) >= config.silence_db):
                break
        rows += stems
    return tuple(np.array(rows, np.int64).reshape(-1, 6).T)


def _of(folders: Sequence[int] | None, recordings: Sequence[int]) -> np.ndarray | None:
    return None if folders is None else np.asarray(folders, np.int64)[list(recordings)]


def _shares(lengths: np.ndarray, folders: np.ndarray | None) -> np.ndarray:
    """How often each of some recordings or songs is drawn: its length, or its share of its folder's length."""
    if folders is None:
        return lengths
    totals = np.bincount(folders, weights=lengths)
    return lengths / totals[folders]


def _uniform(rng: np.random.Generator, bounds: tuple[float, float], shape) -> np.ndarray:
    return bounds[0] + (bounds[1] - bounds[0]) * rng.random(shape)
