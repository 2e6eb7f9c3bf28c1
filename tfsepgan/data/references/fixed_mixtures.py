"""Fixed mixtures for validation and scoring, the same on every machine.

They are made from the recordings themselves, not from the training cache, and contain no variants.
Whatever the mixing law of training, the levels of the wanted sources against the others are uniform
in `snr_db`, and the first source keeps its recorded level.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

import numpy as np

from tfsepgan.config import NO_OTHERS, DataConfig
from tfsepgan.data.batches.draws import REDRAWS, place
from tfsepgan.data.batches.mixing_laws import OTHERS_SPREAD_DB, Mixed, finish, level_db, snr_law
from tfsepgan.data.layouts.source_file import SourceFile
from tfsepgan.data.recordings.catalogue import Catalogue
from tfsepgan.errors import DataError

RESIDUAL = "residual"
DEFAULT_COUNT = 12
DEFAULT_SECONDS = 6.0
_Item = TypeVar("_Item")
_FILES_KEPT = 8  # decoded, so that a long target is not decoded again for each of its mixtures


@dataclass(frozen=True, kw_only=True)
class Mixture:
    """A mixture with its true sources."""

    name: str
    mixture: np.ndarray
    """Float32 `[time, channels]`; exactly the sum of `sources` in their order, in float32."""
    sources: dict[str, np.ndarray]
    """The wanted sources by name, then `residual` if there are others; each `[time, channels]`."""
    sample_rate_hz: int
    target_file: str = ""
    """Name of the recording of the first source (for a song: SPLIT/SONG).

    Mixtures with the same target file are not independent.
    """

    @property
    def scored(self) -> tuple[str, ...]:
        """The parts to score an estimate against: those that are not silent.

        Empty if only one part is not silent, because it equals the mixture.
        """
        sounding = tuple(name for name, part in self.sources.items() if np.any(part))
        return sounding if len(sounding) > 1 else ()


def fixed_mixtures(
    catalogue: Catalogue,
    config: DataConfig,
    *,
    split: str,
    count: int | None = None,
    seconds: float | None = None,
    seed: int = 0,
    mono: bool = True,
) -> list[Mixture]:
    """Make the mixtures of a split for validation or scoring.

    Unpaired sets: `count` mixtures of `seconds`. The first source cycles through the split's files
    evenly, so all files are used if `count` allows. Positions are random; silent ones (below
    `config.silence_db`) are drawn again. Others are drawn as in training; a recording shorter than
    `seconds` is followed by others from its instrument folder.

    Multitrack sets: the songs themselves, complete or their first `seconds`; `count` of them spread
    over the split (default: all).

    A mixture without others has no `residual`.

    Args:
      catalogue, config: the recordings, the wanted sources and the sample rate.
      split: 'valid' or 'test'.
      count: how many; default DEFAULT_COUNT for unpaired sets, all songs for multitrack sets.
      seconds: length of each; default DEFAULT_SECONDS for unpaired sets, the whole song for
        multitrack sets.
      seed: same seed, same mixtures.
      mono: False keeps the channels of multitrack songs; mixtures of unpaired sets are always mono.
    Raises: DataError when the split lacks a source or a file cannot be decoded.
    """
    catalogue.require(split, config.sources)
    if catalogue.layout == "multitrack":
        wanted = set(config.sources)
        songs = [song for song in catalogue.tracks(split).items() if wanted & song[1].keys()]
        if count is not None and count < len(songs):
            songs = [_walk_over(songs, number, count) for number in range(count)]
        return [_song(name, stems, config, seconds, mono=mono) for name, stems in songs]
    count = DEFAULT_COUNT if count is None else count
    time = round((seconds or DEFAULT_SECONDS) * config.sample_rate_hz)
    maker = _Maker(catalogue, config, split, time)
    with ThreadPoolExecutor(max_workers=2) as pool:
        return list(pool.map(lambda number: maker.make(number, count, seed), range(count)))


class _Maker:
    """Makes the mixtures of one unpaired split."""

    def __init__(self, catalogue: Catalogue, config: DataConfig, split: str, time: int):
        self.config, self.time = config, time
        self.targets = [catalogue.splits[split][source] for source in config.sources]
        folders: dict[str, list[SourceFile]] = {}
        for source in catalogue.others(split, config.sources) if config.others != NO_OTHERS else ():
            for file in catalogue.splits[split][source]:
                folders.setdefault(file.folder, []).append(file)
        self.folders = [folders[name] for name in sorted(folders)]
        self.decode = lru_cache(_FILES_KEPT)(lambda file: file.decode(config.sample_rate_hz)[:, 0])

    def make(self, number: int, count: int, seed: int) -> Mixture:
        """The mixture with this number; it is independent of the other mixtures."""
        rng = np.random.default_rng([seed, number])
        first = _walk_over(self.targets[0], number, count)
        targets = [self._excerpt([first], rng, extended=False)]
        targets += [self._excerpt(files, rng) for files in self.targets[1:]]
        others = self._others(rng)
        low, high = self.config.snr_db
        parts = snr_law(
            np.stack(targets),
            others,
            snr_db=low + (high - low) * rng.random(len(targets)),
            spread_db=OTHERS_SPREAD_DB * (2 * rng.random(len(others)) - 1),
            silence_db=self.config.silence_db,
        )
        mixed = finish(*(part[..., None] for part in parts))
        name, has_others = f"{number:03d}_{first.path.stem}", bool(self.folders)
        return _mixture(name, mixed, self.config, target_file=first.name, has_others=has_others)

    def _others(self, rng: np.random.Generator) -> np.ndarray:
        """Excerpts `[n, time]`, each from an instrument folder; all folders are equally likely."""
        if not self.folders:
            return np.zeros((0, self.time), np.float32)
        low, high = self.config.others
        others = []
        for _ in range(int(rng.integers(low, high + 1))):
            folder = self.folders[int(rng.integers(0, len(self.folders)))]
            others.append(self._excerpt(folder, rng))
        return np.stack(others)

    def _excerpt(
        self, files: Sequence[SourceFile], rng: np.random.Generator, *, extended: bool = True
    ) -> np.ndarray:
        """A crop of a recording that is not silent; a short one is extended by more recordings."""
        for _ in range(1 + REDRAWS):
            pieces = [self._piece(files, rng, self.time)]
            while extended and (missing := self.time - sum(map(len, pieces))) > 0:
                pieces.append(self._piece(files, rng, missing))
            samples = np.concatenate(pieces)
            if level_db(samples) >= self.config.silence_db:
                break
        return np.pad(samples, (0, self.time - len(samples)))

    def _piece(
        self, files: Sequence[SourceFile], rng: np.random.Generator, time: int
    ) -> np.ndarray:
        reach = np.cumsum([file.seconds for file in files])
        chosen = int(np.searchsorted(reach, rng.random() * reach[-1], side="right"))
        samples = self.decode(files[min(chosen, len(files) - 1)])
        start, count, _ = map(int, place(np.int64(len(samples)), time, rng.random()))
        return samples[start : start + count]


def _walk_over(items: Sequence[_Item], number: int, count: int) -> _Item:
    """The item of one of `count` mixtures: in cycles, or evenly spread if there are more items."""
    return items[number % len(items) if count >= len(items) else number * len(items) // count]


def _song(
    name: str,
    stems: dict[str, SourceFile],
    config: DataConfig,
    seconds: float | None,
    *,
    mono: bool,
) -> Mixture:
    decoded = {
        source: file.decode(config.sample_rate_hz, mono=mono) for source, file in stems.items()
    }
    channels = {samples.shape[1] for samples in decoded.values()} - {1}
    if len(channels) > 1:
        raise DataError(
            f"The sources of {name} have different channel counts, {sorted(channels)}; one count,"
            " or mono, was expected."
        )
    longest = max(map(len, decoded.values()))
    time = min(longest, round(seconds * config.sample_rate_hz)) if seconds else longest
    shape = (time, *channels) if channels else (time, 1)
    parts = {source: np.zeros(shape, np.float32) for source in (*config.sources, RESIDUAL)}
    for source, samples in decoded.items():
        part = parts[source if source in config.sources else RESIDUAL]
        part[: len(samples)] += samples[:time]
    mixed = finish(np.stack([parts[source] for source in config.sources]), parts[RESIDUAL])
    unit, has_others = next(iter(stems.values())).unit, not decoded.keys() <= set(config.sources)
    return _mixture(name, mixed, config, target_file=unit, has_others=has_others)


def _mixture(
    name: str, mixed: Mixed, config: DataConfig, *, target_file: str, has_others: bool
) -> Mixture:
    parts = dict(zip(config.sources, mixed.sources, strict=True))
    if has_others:
        parts[RESIDUAL] = mixed.residual
    return Mixture(
        name=name,
        mixture=mixed.mixture,
        sources=parts,
        sample_rate_hz=config.sample_rate_hz,
        target_file=target_file,
    )
