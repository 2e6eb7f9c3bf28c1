"""The catalogue: which recordings a data folder holds, for which source, in which split.

Two layouts are read:

  unpaired    DIR/<split>/<source>/**/*.{wav,flac,ogg,mp3}
              windows of sources are drawn apart and mixed on the fly; folders below a source are for order
  multitrack  DIR/<split>/<track>/<source>.*
              songs whose sources lie in time with each other

The splits are `train`, `valid` and `test`. Hidden files and files that are not audio are left out and listed
in `Catalogue.ignored`, as are `mixture.*` and `mix.*` of a multitrack song, which are made from its sources.
The order of the files is that of their names, on every machine.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import soundfile

from tfsepgan.data.decoding import SUFFIXES, probe
from tfsepgan.errors import DataError

SPLITS = ("train", "valid", "test")
Layout = Literal["unpaired", "multitrack"]
MIXTURE = "mixture"
_MIXTURES = (MIXTURE, "mix")
_LAYOUTS = "DIR/<split>/<source>/*.wav or DIR/<split>/<track>/<source>.wav with split one of train, valid, test"
_FINGERPRINT_SECONDS = 5.0  # from the middle, where recordings are seldom silent
_FINGERPRINT_SAMPLES = 256  # two recordings of equal length that agree in so many are one
_SAME = 2.0**-13  # within the rounding and dither of 16 bits


@dataclass(frozen=True, kw_only=True)
class AudioFile:
    """One recording of one source."""

    path: Path
    name: str
    """Path inside the data folder, with forward slashes: the same on every machine."""
    frames: int
    sample_rate_hz: int
    channels: int

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return self.frames / self.sample_rate_hz


class SummaryRow(NamedTuple):
    """What one split holds of one source."""

    split: str
    source: str
    files: int
    minutes: float
    rates_hz: tuple[int, ...]
    channels: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """The recordings of a data folder."""

    directory: Path
    layout: Layout
    splits: dict[str, dict[str, tuple[AudioFile, ...]]]
    """Split, then source, then its files in the order of their names."""
    ignored: tuple[str, ...] = ()
    """Names of the files that were left out: hidden, not audio, or mixtures of a song."""

    def summary(self) -> list[SummaryRow]:
        """How many files and minutes each split holds of each source, at which rates and channel counts."""
        return [
            SummaryRow(
                split,
                source,
                len(files),
                sum(file.seconds for file in files) / 60,
                tuple(sorted({file.sample_rate_hz for file in files})),
                tuple(sorted({file.channels for file in files})),
            )
            for split, sources in self.splits.items()
            for source, files in sources.items()
        ]

    def folder(self, file: AudioFile) -> str:
        """The instrument folder of a file: the first folder below its source, or else the source itself.

        In a multitrack set it is the name of the source.
        """
        parts = file.name.split("/")
        if self.layout == "multitrack":
            return parts[2].rpartition(".")[0]
        return "/".join(parts[1:3]) if len(parts) > 3 else parts[1]

    def tracks(self, split: str) -> dict[str, dict[str, AudioFile]]:
        """The songs of a multitrack split: track, then source, then its file. Empty for an unpaired set."""
        songs: dict[str, dict[str, AudioFile]] = {}
        if self.layout == "multitrack":
            for source, files in self.splits.get(split, {}).items():
                for file in files:
                    songs.setdefault(file.name.split("/")[1], {})[source] = file
        return dict(sorted(songs.items()))

    def require(self, split: str, sources: Sequence[str]) -> None:
        """Make sure that a split is there and holds every source asked for.

        Raises: DataError that says what is there instead, or that nothing is there to mix it with.
        """
        if split not in self.splits:
            raise DataError(
                f"{self.directory} has no {split} split; it has {', '.join(self.splits)}. "
                f"Put recordings into {self.directory / split}."
            )
        there = self.splits[split]
        for source in sources:
            if source not in there:
                raise DataError(
                    f"{self.directory / split} ({self.layout}) holds no recording of {source!r}; it holds "
                    f"{', '.join(there)}. Name one of these as the source, or add {source!r}."
                )
        if len(sources) == 1 and there.keys() <= {*sources, MIXTURE}:
            raise DataError(
                f"{self.directory / split} holds {sources[0]} and nothing else, so nothing is there to mix it with. "
                f"Add recordings of others, as {self.directory / split / 'others'}/*.wav."
            )


def scan(directory: str | os.PathLike, *, sources: Sequence[str] | None = None) -> Catalogue:
    """Look through a data folder, reading the head of every file.

    Args:
      directory: the data folder, in either layout.
      sources: the sources that will be separated, which tell the layouts apart where the names alone do not.
    Returns: the catalogue.
    Raises: DataError for a folder that is missing, empty, or could be read in both ways; for a file that is
      not what its name says; and for a recording that stands in two splits.
    """
    directory = Path(directory)
    if not directory.is_dir():
        kind = "is a file" if directory.exists() else "does not exist"
        raise DataError(f"The data folder {directory} {kind}; a folder was expected: {_LAYOUTS}.")
    splits = [split for split in SPLITS if (directory / split).is_dir()]
    if not splits:
        there = ", ".join(sorted(entry.name for entry in directory.iterdir())[:8]) or "nothing"
        raise DataError(f"{directory} has no train, valid or test folder; it holds {there}. Wanted: {_LAYOUTS}.")
    audio, ignored = {}, [entry.name for entry in sorted(directory.iterdir()) if entry.name not in splits]
    for split in splits:
        names = [f"{split}/{name}" for name in _walk(directory / split)]
        audio[split] = [name for name in names if _is_audio(name) and name.count("/") >= 2]
        ignored += [name for name in names if not (_is_audio(name) and name.count("/") >= 2)]
    audio = {split: names for split, names in audio.items() if names}
    if not audio:
        raise DataError(f"{directory} holds no recordings ({len(ignored)} other files). Wanted: {_LAYOUTS}.")
    layout = _layout(directory, audio, sources)
    if layout == "multitrack":
        ignored += [name for names in audio.values() for name in names if _stem(name) in _MIXTURES]
    grouped = {split: _group(directory, names, layout) for split, names in audio.items()}
    catalogue = Catalogue(directory=directory, layout=layout, splits=grouped, ignored=tuple(ignored))
    _refuse_shared_recordings(catalogue)
    return catalogue


def _walk(folder: Path, prefix: str = "", above: tuple[str, ...] = ()) -> Iterator[str]:
    """Files below a folder in the order of their names; links are followed, but never in a circle."""
    above = (*above, os.path.realpath(folder))
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise DataError(f"{folder} cannot be read ({error.strerror}). Check its permissions.") from error
    for entry in entries:
        if entry.name.startswith(".") or not entry.is_dir():
            yield prefix + entry.name
        elif os.path.realpath(entry.path) not in above:
            yield from _walk(Path(entry.path), f"{prefix}{entry.name}/", above)


def _is_audio(name: str) -> bool:
    base = name.rpartition("/")[2]
    return not base.startswith(".") and base.lower().endswith(SUFFIXES)


def _stem(name: str) -> str:
    return name.rpartition("/")[2].rpartition(".")[0]


def _layout(directory: Path, audio: dict[str, list[str]], sources: Sequence[str] | None) -> Layout:
    """Tell the layouts apart: by the sources where they are known, else by what the folders share."""
    if sources:
        unpaired = any(name.split("/")[1] in sources for names in audio.values() for name in names)
        multitrack = any(_is_stem_of(name, sources) for names in audio.values() for name in names)
    else:
        folders = [_folders(names) for names in audio.values()]
        unpaired = any(set(one) & set(two) for i, one in enumerate(folders) for two in folders[:i])
        songs = [stems for split in folders for stems in split.values()]
        multitrack = len(songs) > 1 and None not in songs and len(set.intersection(*songs)) > 1
    if unpaired and multitrack:
        wanted = f" of {', '.join(sources)}" if sources else " (say which sources are wanted, or rename files)"
        raise DataError(
            f"{directory} can be read in two ways{wanted}: folders named as sources, and songs holding files "
            f"named as sources. Keep one layout: {_LAYOUTS}."
        )
    return "multitrack" if multitrack else "unpaired"


def _is_stem_of(name: str, sources: Sequence[str]) -> bool:
    return name.count("/") == 2 and name.split("/")[1] not in sources and _stem(name) in sources


def _folders(names: list[str]) -> dict[str, set[str] | None]:
    """Folders of a split with the stems in them; None for one that has folders inside and so is no song."""
    folders: dict[str, set[str] | None] = {}
    for name in names:
        folder = name.split("/")[1]
        stems = folders.setdefault(folder, set())
        if name.count("/") > 2:
            folders[folder] = None
        elif stems is not None:
            stems.add(_stem(name))
    return folders


def _group(directory: Path, names: list[str], layout: Layout) -> dict[str, tuple[AudioFile, ...]]:
    sources: dict[str, list[AudioFile]] = {}
    seen: dict[tuple[str, str], str] = {}
    for name in names:
        source = name.split("/")[1]
        if layout == "multitrack":
            if name.count("/") > 2:
                raise DataError(f"{directory / name} lies deeper than a song's files. Wanted: {_LAYOUTS}.")
            song, source = source, _stem(name)
            if source in _MIXTURES:
                continue
            if (song, source) in seen:
                raise DataError(
                    f"{directory / seen[song, source]} and {directory / name} are both the {source} of "
                    f"{song}. Remove one."
                )
            seen[song, source] = name
        info = probe(directory / name)
        file = AudioFile(
            path=directory / name,
            name=name,
            frames=info.frames,
            sample_rate_hz=info.sample_rate_hz,
            channels=info.channels,
        )
        sources.setdefault(source, []).append(file)
    return {source: tuple(files) for source, files in sorted(sources.items())}


def _refuse_shared_recordings(catalogue: Catalogue) -> None:
    """Compare recordings of equal length across splits, also when one is a lossless copy in another format."""
    alike: dict[tuple[int, int, int], list[tuple[str, AudioFile]]] = {}
    for split, sources in catalogue.splits.items():
        for file in (file for files in sources.values() for file in files):
            alike.setdefault((file.frames, file.sample_rate_hz, file.channels), []).append((split, file))
    for group in alike.values():
        splits = np.array([split for split, _ in group])
        if len(set(splits)) < 2:
            continue
        prints = np.stack([_fingerprint(file) for _, file in group])
        for number, (split, file) in enumerate(group):
            far = np.abs(prints[:number] - prints[number]).max(axis=1, initial=0)
            same = (far <= _SAME) & (splits[:number] != split) & (np.abs(prints[number]).max() > 10 * _SAME)
            if same.any():
                raise DataError(
                    f"{group[int(np.argmax(same))][1].path} and {file.path} are the same recording in two splits, so a "
                    f"score on {split} would be of music that the model was made from. Remove one."
                )


def _fingerprint(file: AudioFile) -> np.ndarray:
    """Samples spread over the middle of a recording, float32 `[FINGERPRINT_SAMPLES]`."""
    length = min(file.frames, round(_FINGERPRINT_SECONDS * file.sample_rate_hz))
    try:
        with soundfile.SoundFile(str(file.path)) as sound:
            sound.seek((file.frames - length) // 2)
            samples = sound.read(length, dtype="float32", always_2d=True)[:, 0]
    except (soundfile.SoundFileError, RuntimeError) as error:
        raise DataError(f"{file.path} is corrupt ({error}). Copy it again or remove it.") from error
    places = np.linspace(0, max(0, len(samples) - 1), _FINGERPRINT_SAMPLES).astype(int)
    return samples[places] if len(samples) else np.zeros(_FINGERPRINT_SAMPLES, np.float32)
