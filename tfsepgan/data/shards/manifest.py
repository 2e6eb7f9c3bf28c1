"""The manifest of a folder of shards, `shards.json`: what each shard holds."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Annotated, Literal

import msgspec

from tfsepgan.data.layouts.listing import Kind
from tfsepgan.data.layouts.source_file import SPLITS
from tfsepgan.errors import DataError

MANIFEST = "shards.json"
UNFINISHED = "unfinished.json"  # replaces it while shards are being written
VERSION = 1
Positive = Annotated[int, msgspec.Meta(ge=1)]
Checksum = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
_NO_FILE_NAME = re.compile(r'[<>:"\\|?*\x00-\x1f]')  # characters that some file system refuses


@dataclass(frozen=True, kw_only=True)
class _Head:
    format: Literal["tfsepgan shards"]
    version: int


@dataclass(frozen=True, kw_only=True)
class Record:
    """One recording in a shard."""

    name: str
    """Its name in the plain layout, with forward slashes."""
    source: str
    file: str
    """Its file in the folder that it is copied to."""
    frames: Positive
    sample_rate_hz: Positive
    bytes: Positive
    """Size of the audio file."""
    sha256: Checksum
    """Checksum of the audio file."""

    @property
    def split(self) -> str:
        """The split, which starts the name."""
        return self.name.partition("/")[0]


@dataclass(frozen=True, kw_only=True)
class Shard:
    """One file of recordings."""

    name: str
    bytes: int
    sha256: Checksum
    records: tuple[Record, ...]


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a folder of shards holds, in the order of the packed catalogue."""

    kind: Kind
    sets: tuple[str, ...]
    """The sets that were packed."""
    sample_rate_hz: int | None
    """Rate that all recordings were resampled to; None if each has its own."""
    licence: str
    """As given by the person who packed it; '' if not given."""
    notes: tuple[str, ...]
    """Remarks on the sets for the user."""
    shards: tuple[Shard, ...]
    origin: str = ""
    """Of unfinished shards: a checksum of the recordings that are packed."""

    @property
    def records(self) -> Iterator[Record]:
        """All recordings in order."""
        return (record for shard in self.shards for record in shard.records)

    def minutes(self) -> dict[str, dict[str, float]]:
        """Minutes by split and source."""
        minutes: dict[str, Counter] = {}
        for record in self.records:
            sources = minutes.setdefault(record.split, Counter())
            sources[record.source] += record.frames / record.sample_rate_hz / 60
        return minutes

    def text(self, made_by: str) -> bytes:
        """The bytes of `shards.json`."""
        minutes = {
            split: {source: round(value, 2) for source, value in sources.items()}
            for split, sources in self.minutes().items()
        }
        head = {"format": "tfsepgan shards", "version": VERSION, "made_by": made_by}
        head |= {"minutes": minutes, **asdict(self)}
        return json.dumps(head, indent=1, ensure_ascii=False).encode()


def parse(text: bytes, place: str) -> Manifest:
    """Read a manifest.

    Args:
      text: the file.
      place: its location, for messages.
    Raises: DataError when it is damaged, of another version, or names files outside the folder.
    """
    try:
        head = msgspec.json.decode(text, type=_Head)
        if head.version != VERSION:
            raise DataError(
                f"{place} has version {head.version} of the shard format; this tfsepgan reads"
                f" version {VERSION}. Install the tfsepgan that packed it, or pack again."
            )
        manifest = msgspec.json.decode(text, type=Manifest)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{place} is damaged ({error}). Copy it again, or pack again.") from error
    for record in manifest.records:
        _refuse_unsafe(record, place)
    files = [record.file.casefold() for record in manifest.records]
    if len(set(files)) < len(files):
        raise DataError(
            f"{place} lists a file twice, so it is damaged. Copy it again, or pack again."
        )
    return manifest


def _refuse_unsafe(record: Record, place: str) -> None:
    """Refuse a record that no packer writes.

    A damaged or hostile manifest must not place files outside the folder.
    """
    parts = record.file.split("/")
    safe = len(parts) > 2 and not any(
        part in ("", ".", "..") or _NO_FILE_NAME.search(part) for part in parts
    )
    if not safe or parts[0] not in SPLITS or record.split != parts[0] or record.name.count("/") < 2:
        raise DataError(
            f"{place} lists a recording {record.name!r} at {record.file!r}, which is not a name"
            " that packing gives. Pack again."
        )


def file_name(name: str, suffix: str, taken: set[str]) -> str:
    """A file name for a recording, with another suffix and only characters that all systems allow.

    Args:
      name: in the plain layout.
      suffix: with its dot.
      taken: names already used, in lower case.
    """
    stem = "/".join(_NO_FILE_NAME.sub("_", part) for part in name.rpartition(".")[0].split("/"))
    found, number = stem + suffix, 1
    while found.casefold() in taken:
        found, number = f"{stem}~{number}{suffix}", number + 1
    return found
