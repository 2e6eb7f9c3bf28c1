"""Shards: recordings in a few large files, for storage that is slow with many small ones.

A folder of shards holds `shard-00000.tfrecord` and following, and `shards.json` (`manifest`), which
describes them and is written last. A shard is a TFRecord file with one `tf.train.Example` for each
recording: `name`, `source`, `sample_rate_hz`, `sha256` and `audio`, the bytes of a mono FLAC or WAV
file. `packing.pack` writes them.

Drawing windows needs random access, which shards do not support. So the recordings are first copied
to the cache, once, under a key of `shards.json`: changed shards are copied again, and existing
copies are reused.

Source: tensorflow.org/tutorials/load_data/tfrecord (the frame around a record).
Departs from it: the checksums of the frames are ignored, because `shards.json` has a checksum for
  each recording.
"""

import hashlib
import os
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from tfsepgan.data.batches.cache import default_cache_directory, refuse_full_disk
from tfsepgan.data.layouts.listing import Found, Listing
from tfsepgan.data.shards.manifest import MANIFEST, UNFINISHED, Manifest, Record, Shard, parse
from tfsepgan.data.shards.storage import Storage, is_address
from tfsepgan.errors import DataError
from tfsepgan.files import (
    ABANDONED_SECONDS,
    remove_half_written,
    write_whole,
)
from tfsepgan.progress import bar_on_stderr

_HEAD, _FOOT = 12, 4  # bytes of a TFRecord frame: a length and its checksum; the record's checksum
_MOST_WORDS = 1 << 16  # bytes of a record in addition to its audio


def holds_shards(place: str | os.PathLike) -> bool:
    """True for an address, and for a local folder that holds shards, finished or not."""
    if is_address(str(place)):
        return True
    return any((Path(place) / name).is_file() for name in (MANIFEST, UNFINISHED))


def fetch(place: str | os.PathLike, cache_dir: str | os.PathLike | None = None) -> Path:
    """Copy the recordings of shards to this machine, if they are not there yet.

    Args:
      place: folder or address of the shards; or a folder that they were copied to, which is used in
        place.
      cache_dir: where to copy them; default: the user's cache folder.
    Returns: a folder of recordings, for `read`.
    Raises: DataError when there are no shards, they are unfinished or do not match `shards.json`;
      when the place cannot be reached, or the cache is full or cannot be written.
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
            _copy_all(storage, missing, copy)
        if not (copy / MANIFEST).exists():
            write_whole(copy / MANIFEST, lambda file: file.write(text))
    except OSError as error:
        raise DataError(
            f"The cache, {copy}, cannot be written ({error.strerror}). Free space or use another"
            " cache folder; complete files are kept."
        ) from error
    return copy


def _not_there(storage: Storage) -> DataError:
    names = storage.names()
    if UNFINISHED in names:
        return DataError(
            f"{storage.place} holds unfinished shards: no {MANIFEST}, but {UNFINISHED}."
            " Run the same tfsepgan-data pack command again; it continues where it stopped."
        )
    content = ", ".join(names[:5]) or "nothing, or cannot be reached"
    return DataError(
        f"{storage.place} has no {MANIFEST}, so it holds no shards; it holds {content}. An address"
        " must hold shards that tfsepgan-data pack wrote."
    )


def _missing(manifest: Manifest, folder: Path) -> list[Shard]:
    """The shards with recordings that are missing in a folder."""

    def is_there(record: Record) -> bool:
        path = folder / record.file
        return path.is_file() and path.stat().st_size == record.bytes

    return [shard for shard in manifest.shards if not all(map(is_there, shard.records))]


def _copy_all(storage: Storage, shards: Sequence[Shard], copy: Path) -> None:
    need = sum(record.bytes for shard in shards for record in shard.records)
    advice = "Free space or use a cache folder on a larger disk."
    refuse_full_disk(copy.parent, need, f"Fetching {storage.place}", advice)
    for folder, _, _ in os.walk(copy):
        remove_half_written(Path(folder), older_than_seconds=ABANDONED_SECONDS)
    with bar_on_stderr("fetching recordings", need, unit="bytes") as bar:
        for shard in shards:
            for record, audio in _recordings(storage, shard):
                write_whole(copy / record.file, lambda file, audio=audio: file.write(audio))
                bar.advance(record.bytes)


def _recordings(storage: Storage, shard: Shard) -> Iterator[tuple[Record, bytes]]:
    """The recordings of a shard in order, each checked against the manifest.

    The file is parsed here, because tf.data would read ahead, and would reserve the GPU in a
    process that only lists recordings.
    """
    path = storage.path(shard.name)
    with storage.open(shard.name) as file:
        for record in shard.records:
            yield record, _audio(_framed(file, record.bytes + _MOST_WORDS, path), record, path)
        if file.read(1):
            raise _damaged(path, "it holds more than was packed")


def _framed(file: BinaryIO, most: int, path: str) -> bytes:
    """The content of the next frame."""
    head = file.read(_HEAD)
    if len(head) < _HEAD:
        raise _damaged(path, "it is truncated")
    (length,) = struct.unpack("<Q", head[:8])
    if length > most:
        raise _damaged(path, "a record is longer than was packed")
    body = file.read(length)
    if len(body) < length or len(file.read(_FOOT)) < _FOOT:
        raise _damaged(path, "it is truncated")
    return body


def _audio(body: bytes, record: Record, path: str) -> bytes:
    """The audio file in a record, checked against its checksum."""
    import tensorflow as tf
    from google.protobuf.message import DecodeError

    try:
        audio = tf.train.Example.FromString(body).features.feature["audio"].bytes_list.value[0]
    except (DecodeError, IndexError) as error:
        raise _damaged(path, f"there is no recording in place of {record.name}") from error
    if hashlib.sha256(audio).hexdigest() != record.sha256:
        raise _damaged(path, f"{record.name} has another checksum")
    return audio


def _damaged(path: str, what: str) -> DataError:
    return DataError(
        f"{path} does not match {MANIFEST} ({what}). Copy that file again, or pack again; complete"
        " files are kept."
    )


def read(directory: Path, listing: Listing) -> tuple[tuple[str, ...], Found]:
    """List the recordings of a folder that shards were copied to.

    Args:
      directory: from `fetch`.
      listing: receives the recordings.
    Returns: the sets that were packed, and their recordings in the order of packing.
    Raises: DataError when a recording is missing.
    """
    manifest = parse((directory / MANIFEST).read_bytes(), str(directory / MANIFEST))
    for record in manifest.records:
        # shards store the place of a recording as its name alone
        split, folder, below = record.name.split("/", 2)
        track = folder if manifest.kind == "multitrack" else None
        # `joining` starts the names of songs or of files with the number of their set
        number = (track or below.rpartition("/")[2]).partition("~")[0]
        joined = len(manifest.sets) > 1 and number.isdecimal()
        place = {"split": split, "source": record.source, "track": track, "below": below}
        listing.add(directory / record.file, **place, set_number=int(number) if joined else 1)
    for note in manifest.notes:
        listing.note(note)
    if manifest.sample_rate_hz is not None:
        listing.note(
            f"Packed at {manifest.sample_rate_hz} Hz: frequencies above"
            f" {manifest.sample_rate_hz // 2} Hz are missing."
        )
    if manifest.licence:
        listing.note(f"Licence: {manifest.licence}")
    return manifest.sets, listing.found(manifest.kind)
