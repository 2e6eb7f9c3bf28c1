"""Fixed mixtures: what models are validated and scored on, the same on every machine.

They are made from the recordings themselves, not from the training cache, and hold no variants.
Whatever the law of training, the wanted sources stand against the others at levels uniform in
`snr_db`, the first source as loud as recorded.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from tfsepgan.audio.recording import AudioFile
from tfsepgan.config import NO_OTHERS, DataConfig
from tfsepgan.data.batches.draws import REDRAWS, place
from tfsepgan.data.batches.mixing_laws import OTHERS_SPREAD_DB, finish, root_mean_square, snr_law
from tfsepgan.data.recordings.catalogue import Catalogue
from tfsepgan.errors import DataError

RESIDUAL = "residual"
DEFAULT_COUNT = 12
DEFAULT_SECONDS = 6.0
_FILES_KEPT = 8  # decoded ones, so that a long target is not decoded for each of its mixtures


@dataclass(frozen=True, kw_only=True)
class Mixture:
    """A mixture with the truth about it."""

    name: str
    mixture: np.ndarray
    """Float32 `[time, channels]`; exactly the sum of `sources` in their order, in float32."""
    sources: dict[str, np.ndarray]
    """The wanted sources by name, then `residual` (everything else) where there are others; each
    `[time, channels]`."""
    sample_rate_hz: int
    target_file: str = ""
    """Recording that the first source is of, as its `AudioFile.name` (a song's: SPLIT/SONG):
    mixtures of one are not independent."""

    @property
    def scored(self) -> tuple[str, ...]:
        """Parts that an estimate can be compared with: those that sound, and none where only one
        does, which then is the mixture."""
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
    """Make the mixtures that a split is judged on.

    Unpaired sets: `count` mixtures of `seconds`. The first source walks over the split's files
    evenly, so that all are heard when `count` allows; places are random, silent ones (below
    `config.silence_db`) drawn again. Others are drawn as in training; a recording shorter than
    `seconds` is followed by further ones of its instrument folder. Multitrack sets: the songs as
    they are, whole or their first `seconds`, `count` of them spread over the split (all by
    default). A mixture that holds nothing but wanted sources has no `residual`.

    Args:
      catalogue, config: what there is and which sources are wanted, at which rate.
      split: 'valid' or 'test'.
      count: how many; default DEFAULT_COUNT for unpaired sets, every song for multitrack ones.
      seconds: length of each; default DEFAULT_SECONDS for unpaired sets, the whole song for
        multitrack ones.
      seed: same seed, same mixtures.
      mono: False keeps the channels of multitrack songs; mixtures of unpaired sets are always mono.
    Raises: DataError when the split lacks a source or a file cannot be decoded.
    """
    catalogue.require(split, config.sources)
    if catalogue.layout == "multitrack":
        return _songs(catalogue, config, split, count, seconds, mono=mono)
    count = DEFAULT_COUNT if count is None else count
    maker = _Maker(
        catalogue, config, split, round((seconds or DEFAULT_SECONDS) * config.sample_rate_hz)
    )
    with ThreadPoolExecutor(max_workers=2) as pool:
        return list(pool.map(lambda number: maker.make(number, count, seed), range(count)))


class _Maker:
    """Makes the mixtures of one unpaired split."""

    def __init__(self, catalogue: Catalogue, config: DataConfig, split: str, time: int):
        self.config, self.time = config, time
        self.targets = {source: catalogue.splits[split][source] for source in config.sources}
        folders: dict[str, list[AudioFile]] = {}
        for source in catalogue.others(split, config.sources) if config.others != NO_OTHERS else ():
            for file in catalogue.splits[split][source]:
                folders.setdefault(catalogue.folder(file), []).append(file)
        self.folders = [folders[name] for name in sorted(folders)]
        self.decode = lru_cache(maxsize=_FILES_KEPT)(self._decode)

    def _decode(self, file: AudioFile) -> np.ndarray:
        return file.decode(self.config.sample_rate_hz)[:, 0]

    def make(self, number: int, count: int, seed: int) -> Mixture:
        """The mixture of one number; it does not depend on the others."""
        rng = np.random.default_rng([seed, number])
        targets = []
        for position, files in enumerate(self.targets.values()):
            files = [_walk_over(files, number, count)] if position == 0 else files
            targets.append(self._excerpt(files, rng, further=files if position else ()))
        others = self._others(rng)
        low, high = self.config.snr_db
        parts = snr_law(
            np.stack(targets),
            others,
            snr_db=low + (high - low) * rng.random(len(targets)),
            spread_db=OTHERS_SPREAD_DB * (2 * rng.random(len(others)) - 1),
            silence_db=self.config.silence_db,
        )
        first = _walk_over(next(iter(self.targets.values())), number, count)
        told = {"target_file": first.name, "has_others": bool(self.folders)}
        return _mixture(f"{number:03d}_{first.path.stem}", *parts, self.config, **told)

    def _others(self, rng: np.random.Generator) -> np.ndarray:
        """Excerpts `[n, time]`, each of an instrument folder, the folders being equally likely."""
        if not self.folders:
            return np.zeros((0, self.time), np.float32)
        low, high = self.config.others
        others = []
        for _ in range(int(rng.integers(low, high + 1))):
            folder = self.folders[int(rng.integers(0, len(self.folders)))]
            others.append(self._excerpt(folder, rng, further=folder))
        return np.stack(others)

    def _excerpt(
        self, files: Sequence[AudioFile], rng: np.random.Generator, *, further: Sequence[AudioFile]
    ) -> np.ndarray:
        """A stretch of one recording that is not silent; `further` recordings fill a short one up."""
        for _ in range(1 + REDRAWS):
            pieces = [self._piece(files, rng, self.time)]
            while further and (missing := self.time - sum(map(len, pieces))) > 0:
                pieces.append(self._piece(further, rng, missing))
            samples = np.concatenate(pieces)
            if 20 * np.log10(root_mean_square(samples) + 1e-10) >= self.config.silence_db:
                break
        return np.pad(samples, (0, self.time - len(samples)))

    def _piece(self, files: Sequence[AudioFile], rng: np.random.Generator, time: int) -> np.ndarray:
        reach = np.cumsum([file.seconds for file in files])
        chosen = int(np.searchsorted(reach, rng.random() * reach[-1], side="right"))
        samples = self.decode(files[min(chosen, len(files) - 1)])
        start, count, _ = (
            int(value) for value in place(np.int64(len(samples)), time, rng.random())
        )
        return samples[start : start + count]


def _walk_over(files: Sequence[AudioFile], number: int, count: int) -> AudioFile:
    """The file of one mixture of `count`: round and round, or evenly spread over more files than
    mixtures."""
    return (
        files[number % len(files)] if count >= len(files) else files[number * len(files) // count]
    )


def _songs(
    catalogue: Catalogue,
    config: DataConfig,
    split: str,
    count: int | None,
    seconds: float | None,
    *,
    mono: bool,
) -> list[Mixture]:
    songs = {
        name: stems
        for name, stems in catalogue.tracks(split).items()
        if stems.keys() & set(config.sources)
    }
    names = list(songs)
    if count is not None and count < len(names):
        names = [names[number * len(names) // count] for number in range(count)]
    return [_song(name, songs[name], config, seconds, mono=mono) for name in names]


def _song(
    name: str, stems: dict[str, AudioFile], config: DataConfig, seconds: float | None, *, mono: bool
) -> Mixture:
    decoded = {
        source: file.decode(config.sample_rate_hz, mono=mono) for source, file in stems.items()
    }
    channels = {samples.shape[1] for samples in decoded.values()} - {1}
    if len(channels) > 1:
        raise DataError(
            f"The sources of {name} have {sorted(channels)} channels; one count, or mono, was"
            " expected."
        )
    longest = max(map(len, decoded.values()))
    time = min(longest, round(seconds * config.sample_rate_hz)) if seconds else longest
    shape = (time, *channels) if channels else (time, 1)
    parts = {source: np.zeros(shape, np.float32) for source in (*config.sources, RESIDUAL)}
    for source, samples in decoded.items():
        part = parts[source if source in config.sources else RESIDUAL]
        part[: len(samples)] += samples[:time]
    sources = np.stack([parts[source].ravel() for source in config.sources])
    told = {
        "target_file": next(iter(stems.values())).name.rpartition("/")[0],
        "has_others": not decoded.keys() <= set(config.sources),
    }
    return _mixture(name, sources, parts[RESIDUAL].ravel(), config, channels=shape[1], **told)


def _mixture(
    name: str,
    sources: np.ndarray,
    residual: np.ndarray,
    config: DataConfig,
    *,
    target_file: str,
    has_others: bool,
    channels: int = 1,
) -> Mixture:
    mixed = finish(sources, residual)
    parts = dict(zip(config.sources, mixed.sources, strict=True))
    if has_others:
        parts[RESIDUAL] = mixed.residual
    return Mixture(
        name=name,
        mixture=mixed.mixture.reshape(-1, channels),
        sources={source: samples.reshape(-1, channels) for source, samples in parts.items()},
        sample_rate_hz=config.sample_rate_hz,
        target_file=target_file,
    )
