"""The streams of a batch: labelled mixtures, solos and unlabelled mixtures, drawn independently."""

import functools
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tfsepgan.config import MIXTURE, DataConfig, nearest
from tfsepgan.data.batches.cache import default_cache_directory, unpack
from tfsepgan.data.batches.draws import (
    LABELLED,
    SOLOS,
    UNLABELLED,
    Plan,
    draw_plan,
    reading_on,
)
from tfsepgan.data.batches.pool import Pool, arrangement
from tfsepgan.data.batches.unpacked import Recording
from tfsepgan.data.recordings.catalogue import Catalogue
from tfsepgan.errors import ConfigError, DataError

PAIRED = ("mixture", "sources")
BATCH_KEYS = (*PAIRED, "solo", "unlabelled")


def open_pool(
    catalogue: Catalogue,
    config: DataConfig,
    *,
    split: str = "train",
    cache_dir: str | os.PathLike | None = None,
) -> Pool:
    """Unpack a split and arrange all of it for drawing.

    Raises: DataError, see `pipeline.training_batches`.
    """
    return _pool(catalogue, config, split, _unpack(catalogue, config, split, cache_dir))


def _pool(
    catalogue: Catalogue,
    config: DataConfig,
    split: str,
    unpacked: dict[str, tuple[Recording, ...]],
    *,
    only: frozenset[str] | None = None,
    sources: Sequence[str] | None = None,
) -> Pool:
    sources, rate_hz = sources or config.sources, config.sample_rate_hz
    return Pool(**arrangement(catalogue, split, sources, unpacked, rate_hz, only, config.balance))


def _unpack(
    catalogue: Catalogue, config: DataConfig, split: str, cache_dir: str | os.PathLike | None
) -> dict[str, tuple[Recording, ...]]:
    catalogue.require(split, config.sources)
    _refuse_all_short(catalogue, config, split)
    return unpack(
        [file for files in catalogue.splits[split].values() for file in files],
        sample_rate_hz=config.sample_rate_hz,
        cache_dir=Path(cache_dir or config.cache or default_cache_directory()),
        variants=config.variants if split == "train" else 0,
        seed=config.seed,
        speed_group=lambda file: file.unit,
    )


class Stream(NamedTuple):
    """One independent series of mixtures, and the batch keys made from it."""

    pool: Pool
    number: int  # LABELLED, SOLOS or UNLABELLED
    keys: tuple[str, ...]

    def plan(self, config: DataConfig, step: int, read: int) -> Plan:
        """The plan of one step, with `read` samples of each window to be read."""
        plan = draw_plan(self.pool, config, step, self.number)
        return plan if read == config.window else reading_on(self.pool, plan, config.window, read)

    def made(
        self, mixtures: np.ndarray, sources: np.ndarray, residuals: np.ndarray
    ) -> dict[str, np.ndarray]:
        if self.keys == ("solo",):
            return {"solo": np.concatenate([sources, residuals[:, None]], axis=1)}
        values = {"mixture": mixtures, "sources": sources, "unlabelled": mixtures}
        return {key: values[key] for key in self.keys}


def open_streams(
    catalogue: Catalogue,
    config: DataConfig,
    batch_keys: Sequence[str],
    split: str,
    cache_dir: str | os.PathLike | None,
) -> list[Stream]:
    """The streams for the keys of a batch, see `pipeline.training_batches`.

    Raises: ConfigError for an unknown key; DataError when the recordings are not sufficient.
    """
    unknown = [key for key in batch_keys if key not in BATCH_KEYS]
    if unknown or not batch_keys:
        raise ConfigError(
            f"A batch cannot hold {list(batch_keys)};"
            f" {nearest(unknown[0] if unknown else '', BATCH_KEYS)}"
        )
    unpacked = _unpack(catalogue, config, split, cache_dir)
    pool = functools.partial(_pool, catalogue, config, split, unpacked)
    labelled, unlabelled = None, None
    if config.labelled < 1:
        both_needed = not set(batch_keys) <= set(PAIRED)
        labelled, unlabelled = share_out(catalogue, config, split, both_needed=both_needed)
    streams = []
    paired = tuple(key for key in batch_keys if key in PAIRED)
    if paired:
        streams.append(Stream(pool(only=labelled), LABELLED, paired))
    if "solo" in batch_keys:
        streams.append(Stream(pool(only=unlabelled), SOLOS, ("solo",)))
    if "unlabelled" in batch_keys:
        recorded = catalogue.splits[split].get(MIXTURE) if catalogue.layout == "unpaired" else None
        if recorded:
            names = frozenset(file.name for file in recorded)
            mixtures = pool(only=names, sources=(MIXTURE,))
        else:
            mixtures = pool(only=unlabelled)
        streams.append(Stream(mixtures, UNLABELLED, ("unlabelled",)))
    return streams


def share_out(
    catalogue: Catalogue, config: DataConfig, split: str, *, both_needed: bool = True
) -> tuple[frozenset[str], frozenset[str]]:
    """Divide the recordings of a split into labelled and unlabelled ones.

    `config.labelled` is the labelled share of each folder, or of the songs with the same wanted
    sources.

    Returns: the names of the labelled files, and of the unlabelled files.
    Raises: DataError when both are needed and no recording of a wanted source, or of others, is
      left for the unlabelled ones.
    """
    groups = _equal_units(catalogue, config, split)
    rng = np.random.default_rng(config.seed)
    labelled, unlabelled = set(), set()
    for name in sorted(groups):
        members = [groups[name][index] for index in rng.permutation(len(groups[name]))]
        count = max(1, round(config.labelled * len(members)))
        labelled.update(*members[:count])
        unlabelled.update(*members[count:])
    for source in config.sources if both_needed else ():
        files = catalogue.splits[split][source]
        if not any(file.name in unlabelled for file in files):
            raise DataError(
                f"labelled is {config.labelled}, which makes all {len(files)} recordings of"
                f" {source!r} in {catalogue.directory / split} labelled; none is left for the"
                " unlabelled mixtures. Decrease it, or add recordings."
            )
    if both_needed and catalogue.layout != "multitrack":
        files_of, others = catalogue.splits[split], catalogue.others(split, config.sources)
        names = {file.name for source in others for file in files_of[source]}
        if names and not unlabelled & names:
            raise DataError(
                f"labelled is {config.labelled}, and each instrument folder in"
                f" {catalogue.directory / split} holds one recording, which is labelled; no others"
                " are left for the unlabelled mixtures. Add recordings, or split long ones."
            )
    return frozenset(labelled), frozenset(unlabelled)


def _equal_units(
    catalogue: Catalogue, config: DataConfig, split: str
) -> dict[str, list[tuple[str, ...]]]:
    """Names of the files of each song or recording, grouped by wanted sources or by folder."""
    groups: dict[str, list[tuple[str, ...]]] = {}
    for stems in catalogue.tracks(split).values():
        wanted = " ".join(source for source in config.sources if source in stems)
        groups.setdefault(wanted, []).append(tuple(file.name for file in stems.values()))
    for source, files in catalogue.splits[split].items():
        for file in files if source != MIXTURE else ():
            if file.track is None:
                groups.setdefault(file.folder, []).append((file.name,))
    return groups


def _refuse_all_short(catalogue: Catalogue, config: DataConfig, split: str) -> None:
    seconds = config.window / config.sample_rate_hz
    for source in config.sources:
        files = catalogue.splits[split][source]
        longest = max(files, key=lambda file: file.seconds)
        if longest.seconds < seconds:
            folder = "*" if catalogue.layout == "multitrack" else source
            count = f"{len(files)} file{'s' if len(files) > 1 else ''}"
            # the largest power of two that is not longer than the longest file
            shorter = 2 ** int(np.log2(max(1, longest.seconds * config.sample_rate_hz)))
            raise DataError(
                f"{catalogue.directory / split / folder} holds {count} but none is longer than the"
                f" window ({seconds:.2f} s at {config.sample_rate_hz} Hz);\nthe longest is"
                f" {longest.path.name}, {longest.seconds:.2f} s. Use --window {shorter} or longer"
                " recordings."
            )
