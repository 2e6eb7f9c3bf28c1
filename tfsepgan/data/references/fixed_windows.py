"""Fixed windows of single recordings, to compare with sounds that have no reference of their own.

They are the same on every machine, and made from the recordings themselves, not from the training
cache.
"""

from collections.abc import Sequence

import numpy as np

from tfsepgan.audio.recording import AudioFile
from tfsepgan.config import MIXTURE
from tfsepgan.data.batches.draws import REDRAWS, place
from tfsepgan.data.batches.mixing_laws import level_db
from tfsepgan.data.layouts.source_file import SourceFile
from tfsepgan.data.recordings.catalogue import Catalogue
from tfsepgan.errors import DataError


def fixed_windows(
    files: Sequence[AudioFile],
    *,
    window: int,
    count: int,
    sample_rate_hz: int,
    seed: int,
    silence_db: float,
) -> np.ndarray:
    """Windows of recordings at random positions; each recording gets a share by its length.

    A window quieter than `silence_db` is drawn again at another position. One file is decoded at a
    time.

    Args:
      files: at least one.
      window: samples; shorter recordings are left out.
      count: how many windows.
      sample_rate_hz: their rate.
      seed: same seed, same windows.
      silence_db: RMS in dB relative to full scale.
    Returns: float32 `[count, window]`.
    Raises: DataError when no file is as long as a window, all are silent, or one cannot be decoded.
    """
    usable = [file for file in files if file.seconds * sample_rate_hz >= window]
    if not usable:
        raise DataError(
            f"None of {len(files)} recordings ({files[0].path} ...) is as long as a window of "
            f"{window / sample_rate_hz:.2f} s. Use longer recordings or a shorter window."
        )
    rng = np.random.default_rng(seed)
    reach = np.cumsum([file.seconds for file in usable])
    chosen = np.searchsorted(reach, (np.arange(count) + 0.5) / count * reach[-1], side="right")
    drawn = []
    for index in np.unique(chosen):
        samples = usable[index].decode(sample_rate_hz)[:, 0]
        # resampling may shorten it by a sample
        samples = np.pad(samples, (0, max(0, window - len(samples))))
        for _ in range(int(np.sum(chosen == index))):
            drawn.append(_audible(samples, window, rng, silence_db))
    audible = [one for one in drawn if one is not None]
    if not audible:
        raise DataError(
            f"{usable[0].path} and {len(usable) - 1} more are silent at every position that was"
            " drawn."
        )
    return np.stack(
        [one if one is not None else audible[k % len(audible)] for k, one in enumerate(drawn)]
    )


def _audible(
    samples: np.ndarray, window: int, rng: np.random.Generator, silence_db: float
) -> np.ndarray | None:
    """A window of a recording that is not silent; None if none was found."""
    for _ in range(1 + REDRAWS):
        start = int(place(np.int64(len(samples)), window, rng.random())[0])
        one = samples[start : start + window]
        if level_db(one) >= silence_db:
            return one
    return None


def solo_groups(catalogue: Catalogue, split: str, source: str) -> dict[str, list[SourceFile]]:
    """The recordings of a split by group: one source first, then every other instrument folder.

    Empty if there is no such split. Recordings of mixtures are left out.
    """
    folders: dict[str, list[SourceFile]] = {source: []}
    for name, files in catalogue.splits.get(split, {}).items():
        for file in files if name != MIXTURE else ():
            folders.setdefault(source if name == source else file.folder, []).append(file)
    return {name: files for name, files in folders.items() if files}
