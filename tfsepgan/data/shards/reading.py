"""Shards: recordings in a few large files, for disks and object storage that serve many small ones
slowly.

A folder of shards holds `shard-00000.tfrecord` and on, and `shards.json`, which says what is in
them and is written last. A shard is a TFRecord file of `tf.train.Example`, one for each recording:
`name`, `source`, `sample_rate_hz`, `sha256` and `audio`, the bytes of a mono FLAC or WAV file.
Drawing windows needs random access, which shards do not give; so before anything else the
recordings are brought into the cache, once, under a key of `shards.json`: shards that change are
fetched again, and what was fetched goes on being used. `packing.pack` writes them.

Source: tensorflow.org/tutorials/load_data/tfrecord (the frame around a record).
Departs from it: the checksums of frames are not looked at, as each recording has its own in
  `shards.json`.
"""

import hashlib
import json
import os
import re
import shutil
import struct
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tfsepgan.data.batches.cache import default_cache_directory
from tfsepgan.data.layouts.listing import SPLITS, Found, Kind, Listing
from tfsepgan.data.shards.storage import Storage, StoredFile, is_address
from tfsepgan.errors import DataError
from tfsepgan.files import ABANDONED_SECONDS, remove_half_written, write_whole

MANIFEST = "shards.json"
UNFINISHED = "unfinished.json"  # stands in for it while shards are being written
VERSION = 1
_FORMAT = "tfsepgan shards"
_HEAD, _FOOT = 12, 4  # bytes of a TFRecord frame: a length and its checksum; the record's checksum
_MOST_WORDS = 1 << 16  # bytes of a record beside its audio
_SHA256 = re.compile(r"[0-9a-f]{64}")
_NO_FILE_NAME = re.compile(r'[<>:"\\|?*\x00-\x1f]')  # what some file system does not take


@dataclass(frozen=True, kw_only=True)
class Record:
    """One recording in a shard."""

    name: str
    """Where it stood in the native layout, with forward slashes."""
    source: str
    file: str
    """Where it goes in the folder that it is brought to."""
    frames: int
    sample_rate_hz: int
    bytes: int
    """Of the audio file."""
    sha256: str
    """Of the audio file."""


@dataclass(frozen=True, kw_only=True)
class Shard:
    """One file of recordings."""

    name: str
    bytes: int
    sha256: str
    records: tuple[Record, ...]


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a folder of shards holds, in the order in which a catalogue had it."""

    kind: Kind
    sets: tuple[str, ...]
    """The sets that were packed."""
    sample_rate_hz: int | None
    """Rate that all recordings were brought to; None where each has its own."""
    licence: str
    """In the words of who packed it; '' where nothing was said."""
    notes: tuple[str, ...]
    """What people should know about the sets."""
    shards: tuple[Shard, ...]
    origin: str = ""
    """Of unfinished shards: what they are made from."""

    @property
    def records(self) -> Iterator[Record]:
        """All recordings in order."""
        return (record for shard in self.shards for record in shard.records)

    def minutes(self) -> dict[str, dict[str, float]]:
        """Minutes by split and source."""
        told: dict[str, dict[str, float]] = {}
        for record in self.records:
            sources = told.setdefault(record.name.split("/")[0], {})
            sources[record.source] = (
                sources.get(record.source, 0) + record.frames / record.sample_rate_hz / 60
            )
        return told

    def text(self, made_by: str) -> bytes:
        """The file that holds it."""
        minutes = {
            split: {source: round(value, 2) for source, value in sources.items()}
            for split, sources in self.minutes().items()
        }
        head = {"format": _FORMAT, "version": VERSION, "made_by": made_by, "minutes": minutes}
        return json.dumps(head | asdict(self), indent=1, ensure_ascii=False).encode()


def parse(text: bytes, place: str) -> Manifest:
    """Read a manifest.

    Args:
      text: the file.
      place: where it is, for messages.
    Raises: DataError when it is damaged, of another version, or names files outside of the folder.
    """
    try:
        told = json.loads(text)
        if told["format"] != _FORMAT or not isinstance(told["version"], int):
            raise ValueError(f"it is not of the format {_FORMAT!r}")
        if told["version"] != VERSION:
            raise DataError(
                f"{place} is version {told['version']} of the format of shards; this tfsepgan reads"
                f" version {VERSION}. Install the tfsepgan that packed it, or pack again."
            )
        manifest = _manifest(told)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{place} is damaged ({error!r}). Copy it again, or pack again.") from error
    for record in manifest.records:
        _refuse_odd(record, place)
    if len({record.file.casefold() for record in manifest.records}) < sum(
        1 for _ in manifest.records
    ):
        raise DataError(
            f"{place} names a file twice, so it is damaged. Copy it again, or pack again."
        )
    return manifest


def _manifest(told: dict[str, Any]) -> Manifest:
    shards = tuple(
        Shard(
            name=str(shard["name"]),
            bytes=int(shard["bytes"]),
            sha256=str(shard["sha256"]),
            records=tuple(
                Record(**{key: kind(one[key]) for key, kind in _KINDS.items()})
                for one in shard["records"]
            ),
        )
        for shard in told["shards"]
    )
    if told["kind"] not in ("unpaired", "multitrack"):
        raise ValueError(f"kind {told['kind']!r}")
    if not isinstance(told["sample_rate_hz"], int | None):
        raise ValueError(f"rate {told['sample_rate_hz']!r}")
    return Manifest(
        kind=told["kind"],
        sets=tuple(map(str, told["sets"])),
        sample_rate_hz=told["sample_rate_hz"],
        licence=str(told["licence"]),
        notes=tuple(map(str, told["notes"])),
        shards=shards,
        origin=str(told["origin"]),
    )


_KINDS = {
    "name": str,
    "source": str,
    "file": str,
    "frames": int,
    "sample_rate_hz": int,
    "bytes": int,
    "sha256": str,
}


def _refuse_odd(record: Record, place: str) -> None:
    """Refuse what no packer writes: a damaged or hostile manifest must not place files outside of
    the folder."""
    parts = record.file.split("/")
    safe = len(parts) > 2 and not any(
        part in ("", ".", "..") or _NO_FILE_NAME.search(part) for part in parts
    )
    if (
        not safe
        or parts[0] not in SPLITS
        or record.name.split("/")[0] != parts[0]
        or record.name.count("/") < 2
    ):
        raise DataError(
            f"{place} names a recording {record.name!r} at {record.file!r}, which no packed one is."
            " Pack again."
        )
    if min(record.bytes, record.frames, record.sample_rate_hz) <= 0 or not _SHA256.fullmatch(
        record.sha256
    ):
        raise DataError(f"{place} says nonsense of {record.name}. Copy it again, or pack again.")


def file_name(name: str, suffix: str, taken: set[str]) -> str:
    """Where a recording goes: its name with another suffix and nothing in it that some file system
    does not take.

    Args:
      name: in the native layout.
      suffix: with its dot.
      taken: names that are gone, in lower case.
    """
    stem = "/".join(_NO_FILE_NAME.sub("_", part) for part in name.rpartition(".")[0].split("/"))
    found, number = stem + suffix, 1
    while found.casefold() in taken:
        found, number = f"{stem}~{number}{suffix}", number + 1
    return found


def holds_shards(place: str | os.PathLike) -> bool:
    """True for an address, and for a folder of this machine that holds shards, finished or not."""
    if is_address(str(place)):
        return True
    return any((Path(place) / name).is_file() for name in (MANIFEST, UNFINISHED))


def fetch(place: str | os.PathLike, cache_dir: str | os.PathLike | None = None) -> Path:
    """Bring the recordings of shards to this machine, doing only what is missing.

    Args:
      place: folder or address of the shards; or a folder that they were fetched to, which is used
        where it is.
      cache_dir: where to bring them; default: the user's cache folder.
    Returns: a folder of recordings, for `read`.
    Raises: DataError when there are no shards, they are not finished, or do not agree with
      `shards.json`; when the place cannot be reached, or the cache is full or cannot be written.
    """
    storage = Storage(str(place))
    text = storage.read(MANIFEST)
    if text is None:
        raise _not_there(storage)
    manifest = parse(text, storage.path(MANIFEST))
    if storage.local is not None and not _missing(manifest, storage.local):
        return storage.local
    cache = Path(cache_dir or default_cache_directory())
    copy = cache / f"shards-{hashlib.sha256(text).hexdigest()[:32]}"
    missing = _missing(manifest, copy)
    try:
        copy.mkdir(parents=True, exist_ok=True)
        if missing:
            _bring_all(storage, missing, copy)
        if not (copy / MANIFEST).exists():
            write_whole(copy / MANIFEST, lambda file: file.write(text))
    except OSError as error:
        raise DataError(
            f"The cache, {copy}, cannot be written ({error.strerror}). Make room or name another"
            " folder as the cache; what was fetched is kept."
        ) from error
    return copy


def _not_there(storage: Storage) -> DataError:
    names = storage.names()
    if UNFINISHED in names:
        return DataError(
            f"{storage.place} holds shards that are not finished: no {MANIFEST}, but {UNFINISHED}."
            " Run the tfsepgan-data pack that was writing them again: it goes on where it was."
        )
    some = ", ".join(names[:5]) or "nothing, or cannot be reached"
    return DataError(
        f"{storage.place} has no {MANIFEST}, so it holds no shards; it holds {some}. Recordings at"
        " such an address must have been written by tfsepgan-data pack."
    )


def _missing(manifest: Manifest, folder: Path) -> list[Shard]:
    """The shards whose recordings are not all in a folder."""

    def is_there(record: Record) -> bool:
        path = folder / record.file
        return path.is_file() and path.stat().st_size == record.bytes

    return [shard for shard in manifest.shards if not all(map(is_there, shard.records))]


def _bring_all(storage: Storage, shards: Sequence[Shard], copy: Path) -> None:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    need = sum(record.bytes for shard in shards for record in shard.records)
    free = shutil.disk_usage(copy).free
    if need > free:
        raise DataError(
            f"Fetching {storage.place} needs {need / 1e9:.2f} GB in {copy.parent}, {free / 1e9:.2f}"
            " GB are free. Make room or name a folder on a larger disk as the cache."
        )
    for folder, _, _ in os.walk(copy):
        remove_half_written(Path(folder), older_than_seconds=ABANDONED_SECONDS)
    columns = (
        TextColumn("fetching recordings"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
    )
    quiet = not sys.stderr.isatty()
    with Progress(
        *columns, console=Console(stderr=True), transient=True, disable=quiet
    ) as progress:
        bar = progress.add_task("", total=need)
        for shard in shards:
            for record, audio in _recordings(storage, shard):
                write_whole(copy / record.file, lambda file, audio=audio: file.write(audio))
                progress.advance(bar, record.bytes)


def _recordings(storage: Storage, shard: Shard) -> Iterator[tuple[Record, bytes]]:
    """The recordings of a shard one after the other, each as its manifest promises it.

    Read by hand: tf.data would read ahead, and take the GPU in a process that only wants to know
      what is there.
    """
    path = storage.path(shard.name)
    with storage.open(shard.name) as file:
        for record in shard.records:
            yield record, _audio(_framed(file, record.bytes + _MOST_WORDS, path), record, path)
        if file.read(1):
            raise _damaged(path, "more stands in it than was packed")


def _framed(file: StoredFile, most: int, path: str) -> bytes:
    """What stands in the next frame."""
    head = file.read(_HEAD)
    if len(head) < _HEAD:
        raise _damaged(path, "it is cut short")
    (length,) = struct.unpack("<Q", head[:8])
    if length > most:
        raise _damaged(path, "a record is longer than was packed")
    body = file.read(length)
    if len(body) < length or len(file.read(_FOOT)) < _FOOT:
        raise _damaged(path, "it is cut short")
    return body


def _audio(body: bytes, record: Record, path: str) -> bytes:
    """The audio file in a record, which must be the one that was packed."""
    import tensorflow as tf
    from google.protobuf.message import DecodeError

    try:
        audio = tf.train.Example.FromString(body).features.feature["audio"].bytes_list.value[0]
    except (DecodeError, IndexError) as error:
        raise _damaged(path, f"where {record.name} should be is no recording") from error
    if hashlib.sha256(audio).hexdigest() != record.sha256:
        raise _damaged(path, f"{record.name} has another checksum")
    return audio


def _damaged(path: str, what: str) -> DataError:
    return DataError(
        f"{path} does not hold what {MANIFEST} says ({what}). Copy that file again, or pack again;"
        " what was fetched is kept."
    )


def read(directory: Path, listing: Listing) -> tuple[tuple[str, ...], Found]:
    """List the recordings of a folder that shards were fetched to.

    Args:
      directory: from `fetch`.
      listing: to be filled in.
    Returns: the sets that were packed, and what they hold, in the order in which it was packed.
    Raises: DataError when a recording has gone.
    """
    place = str(directory / MANIFEST)
    manifest = parse((directory / MANIFEST).read_bytes(), place)
    for record in manifest.records:
        listing.add(record.source, record.name, directory / record.file)
    for note in manifest.notes:
        listing.note(note)
    if manifest.sample_rate_hz is not None:
        listing.note(
            f"Packed at {manifest.sample_rate_hz} Hz: there is nothing above"
            f" {manifest.sample_rate_hz // 2} Hz."
        )
    if manifest.licence:
        listing.note(f"Licence: {manifest.licence}")
    return manifest.sets, listing.found(manifest.kind)
