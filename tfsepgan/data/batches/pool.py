"""The unpacked recordings of one split, arranged for drawing windows."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tfsepgan.config import MIXTURE, Balance
from tfsepgan.data.batches.unpacked import Recording, envelope_hop

if TYPE_CHECKING:  # this module reads audio; drawing does not
    from tfsepgan.data.recordings.catalogue import Catalogue

OTHER = -1  # stands for the others, where wanted sources have an index


class Pool:
    """The unpacked recordings of one split, arranged for drawing.

    Args:
      recordings: all recordings that may be drawn.
      sample_rate_hz: their rate.
      groups: lists of indices into `recordings`: one for each wanted source, then one for each
        instrument folder of others. Within a group, recordings are drawn in proportion to length.
      sources: how many of the groups are wanted sources.
      tracks: the multitrack songs that have a wanted source. Each is a list of pairs: index of the
        source (or OTHER), and recording.
      folders: the folder number of each recording, if all folders are to be equally likely.
      track_folders: the folder number of each song; default: that of its first recording.
      joined: whether there are songs among unpaired recordings.
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
        self.recordings, self.groups, self.tracks = tuple(recordings), tuple(groups), tuple(tracks)
        self.sources, self.joined = sources, joined
        self.frames = np.array([recording.frames for recording in recordings], np.int64)
        self._order = np.array([index for group in groups for index in group], np.int64)
        weights = [_shares(self.frames[list(group)], _of(folders, group)) for group in groups]
        self._reach = np.concatenate([[0], np.cumsum(np.concatenate(weights))])
        lengths = np.array(
            [max(self.frames[recording] for _, recording in track) for track in tracks], np.int64
        )
        self.track_frames = lengths
        if track_folders is None:
            track_folders = _of(folders, [track[0][1] for track in tracks])
        self.track_reach = np.cumsum(_shares(lengths, track_folders))
        self._group_ends = np.cumsum([len(group) for group in groups])
        self._hop = envelope_hop(sample_rate_hz)
        energies = [self._cumulative_energy(recording) for recording in recordings]
        self._first_hop = np.cumsum([0] + [len(energy) for energy in energies])[:-1]
        # [_first_hop[r] + k]: energy of the first k hops of recording r
        self._energy = np.concatenate(energies)

    def _cumulative_energy(self, recording: Recording) -> np.ndarray:
        starts = self._hop * np.arange(len(recording.envelope))
        lengths = np.minimum(self._hop, recording.frames - starts)
        return np.concatenate([[0.0], np.cumsum(recording.envelope.astype(np.float64) * lengths)])

    def choose(self, group: np.ndarray, chance: np.ndarray) -> np.ndarray:
        """Draw a recording from each group, in proportion to length (and balanced over folders).

        Args:
          group: group numbers, `[n]`.
          chance: uniform in [0, 1), `[n]`.
        Returns: recordings, `[n]`.
        """
        end = self._group_ends[group]
        start = np.where(group > 0, self._group_ends[group - 1], 0)
        low, high = self._reach[start], self._reach[end]
        found = np.searchsorted(self._reach, low + chance * (high - low), side="right") - 1
        return self._order[np.clip(found, start, end - 1)]

    def level_db(self, recording: np.ndarray, start: np.ndarray, count: np.ndarray) -> np.ndarray:
        """Level of windows in dB relative to full scale, from all envelope hops in them."""
        first, last = start // self._hop, -(-(start + count) // self._hop)
        base = self._first_hop[recording]
        energy = self._energy[base + last] - self._energy[base + first]
        samples = np.minimum(last * self._hop, self.frames[recording]) - first * self._hop
        return 10 * np.log10(np.maximum(energy, 0) / np.maximum(samples, 1) + 1e-20)


def arrangement(
    catalogue: "Catalogue",
    split: str,
    sources: Sequence[str],
    unpacked: dict[str, tuple[Recording, ...]],
    sample_rate_hz: int,
    only: frozenset[str] | None = None,
    balance: Balance = "length",
) -> dict[str, Any]:
    """Group the unpacked files of a split by source, instrument folder and track.

    Args:
      catalogue: the recordings.
      split: the split to draw from.
      sources: the wanted sources. All other recordings are others, except recordings of mixtures.
      unpacked: recordings of each file, from `cache.unpack`.
      sample_rate_hz: their rate.
      only: names of the files that may be drawn; default: all. The numbers of the recordings do
        not depend on it.
      balance: 'folders' makes all folders equally likely, see `draws`.
    Returns: the arguments of `Pool`.
    """
    recordings, numbers, balance_groups = [], {}, []
    targets, folders = {source: [] for source in sources}, {}
    for source, files in catalogue.splits[split].items():
        for file in files:
            versions = unpacked[file.name]
            numbers[file.name] = list(range(len(recordings), len(recordings) + len(versions)))
            recordings += versions
            balance_groups += [catalogue.balance_group(file)] * len(versions)
            if file.name in only if only is not None else source != MIXTURE:
                group = (
                    targets[source] if source in targets else folders.setdefault(file.folder, [])
                )
                group += numbers[file.name]
    tracks, track_sets = _tracks(catalogue, split, sources, numbers, only)
    balanced = balance == "folders"
    return {
        "recordings": tuple(recordings),
        "sample_rate_hz": sample_rate_hz,
        "groups": tuple(
            map(tuple, (*targets.values(), *(folders[name] for name in sorted(folders))))
        ),
        "sources": len(targets),
        "tracks": tracks,
        "folders": np.unique(balance_groups, return_inverse=True)[1] if balanced else None,
        "track_folders": np.array(track_sets, np.int64) if balanced else None,
        "joined": catalogue.mixes_songs,
    }


def _tracks(
    catalogue: "Catalogue",
    split: str,
    sources: Sequence[str],
    numbers: dict[str, list[int]],
    only: frozenset[str] | None,
) -> tuple[tuple[tuple[tuple[int, int], ...], ...], list[int]]:
    """The songs of a split, once for each variant, and the number of the set of each."""
    tracks, track_sets = [], []
    for stems in catalogue.tracks(split).values():
        names = {file.name for file in stems.values()}
        if not stems.keys() & set(sources) or (only is not None and not names <= only):
            continue
        parts = [
            (list(sources).index(source) if source in sources else OTHER, numbers[file.name])
            for source, file in sorted(stems.items())
        ]
        variants = len(parts[0][1])
        tracks += [
            tuple((part, version[variant]) for part, version in parts)
            for variant in range(variants)
        ]
        track_sets += [next(iter(stems.values())).set_number] * variants
    return tuple(tracks), track_sets


def _of(folders: Sequence[int] | None, recordings: Sequence[int]) -> np.ndarray | None:
    return None if folders is None else np.asarray(folders, np.int64)[list(recordings)]


def _shares(lengths: np.ndarray, folders: np.ndarray | None) -> np.ndarray:
    """How likely each recording or song is: its length, or its share of its folder's length."""
    if folders is None:
        return lengths
    totals = np.bincount(folders, weights=lengths)
    return lengths / totals[folders]
