"""Packing: writes recordings into shards, each as a mono FLAC file.

With a given rate, a recording is stored as `cache.unpack` would store it at that rate: the mean of
its channels, resampled, and rounded to 16 bits below its peak. At its own rate, the mean is stored
exactly if 24 bits can hold it (all mono recordings of up to 24 bits, and stereo ones of 16 bits),
and is rounded in the same way otherwise. What FLAC cannot hold in either form (louder than full
scale, peaks below -54 dB with fine detail, rates above 655 kHz) is stored as floating-point WAV.
"""

import hashlib
import io
import os
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import soundfile
from scipy.io import wavfile

import tfsepgan
from tfsepgan.audio.formats import FEWEST_SAMPLES, RATES_HZ
from tfsepgan.data.batches.cache import fitted
from tfsepgan.data.layouts.listing import files_in
from tfsepgan.data.layouts.source_file import SourceFile
from tfsepgan.data.recordings.catalogue import Catalogue
from tfsepgan.data.shards.manifest import (
    MANIFEST,
    UNFINISHED,
    Manifest,
    Record,
    Shard,
    file_name,
    parse,
)
from tfsepgan.data.shards.storage import Storage
from tfsepgan.errors import ConfigError, DataError
from tfsepgan.files import readable_size, sha256_of

_MADE_BY = f"tfsepgan {tfsepgan.__version__}"
_MOST_BYTES = (1 << 31) - (1 << 20)  # of audio: a tf.train.Example is below 2 GiB
_FLAC_MOST_HZ = 655_350  # the highest rate that libFLAC writes


def pack(
    catalogue: Catalogue,
    place: str | os.PathLike,
    *,
    sample_rate_hz: int | None = None,
    shard_bytes: int = 256_000_000,
    licence: str = "",
    done: Callable[[SourceFile], None] = lambda file: None,
) -> Manifest:
    """Write all recordings of a catalogue into shards.

    The same call again continues after the last complete shard. One recording is in memory at a
    time.

    Args:
      catalogue: what to pack.
      place: folder or address to write to: not existing, empty, or left unfinished by the same
        call.
      sample_rate_hz: rate of all recordings; None keeps the rate of each.
      shard_bytes: a shard ends with the recording that brings it to this size.
      licence: free text, shown to users of the shards.
      done: called with every recording after it is packed, also with those packed earlier.
    Returns: what was written.
    Raises: ConfigError for an invalid rate or size. DataError when the place holds something else
      or cannot be reached or written, or when a recording cannot be decoded.
    """
    low, high = RATES_HZ
    if sample_rate_hz is not None and not low <= sample_rate_hz <= high:
        raise ConfigError(
            f"sample_rate_hz is {sample_rate_hz}; it must be {low} to {high}, or None for each"
            " recording's own."
        )
    if shard_bytes <= 0:
        raise ConfigError(f"Shards of {shard_bytes} bytes are not possible; use a size above zero.")
    entries = files_in(catalogue.splits)
    storage = Storage(str(place))
    draft = Manifest(
        kind=catalogue.layout,
        sets=catalogue.sets,
        sample_rate_hz=sample_rate_hz,
        licence=licence,
        notes=catalogue.notes,
        shards=(),
        origin=_fingerprint(entries),
    )
    draft = _start_or_resume(storage, draft)
    packed = len(list(draft.records))
    for file in entries[:packed]:
        done(file)
    while packed < len(entries):
        shard = _write_shard(storage, draft, entries[packed:], shard_bytes, done)
        draft = replace(draft, shards=(*draft.shards, shard))
        packed += len(shard.records)
        storage.write(UNFINISHED, draft.text(_MADE_BY))
    finished = replace(draft, origin="")
    storage.write(MANIFEST, finished.text(_MADE_BY))
    storage.remove(UNFINISHED)
    return finished


def _fingerprint(entries: Sequence[SourceFile]) -> str:
    """A checksum of what is packed: names, lengths, and sizes and times of the files."""
    checksum = hashlib.sha256()
    for file in entries:
        line = f"{file.source} {file.name} {file.frames} {file.sample_rate_hz} {file.channels}"
        try:
            for state in (path.stat() for path in (file.path, *file.further)):
                line += f" {state.st_size} {state.st_mtime_ns}"
            checksum.update(f"{line}\n".encode())
        except UnicodeEncodeError as error:
            raise DataError(f"The name of {file.path!r} is not valid UTF-8. Rename it.") from error
        except OSError as error:
            raise DataError(
                f"{file.path} was removed after the data folder was read. Start again."
            ) from error
    return checksum.hexdigest()


def _start_or_resume(storage: Storage, draft: Manifest) -> Manifest:
    """The manifest of an earlier unfinished call, or the draft of a new one."""
    storage.clean()
    names = storage.names()
    if not names:
        # written first, so that later files are recognised as unfinished shards
        storage.write(UNFINISHED, draft.text(_MADE_BY))
        return draft
    text = storage.read(UNFINISHED) if MANIFEST not in names else None
    if text is None:
        what = "holds shards" if MANIFEST in names else f"is not empty ({', '.join(names[:3])})"
        raise DataError(
            f"{storage.place} {what}; use a folder that does not exist yet. Nothing was written."
        )
    earlier = parse(text, storage.path(UNFINISHED))
    if replace(earlier, shards=()) != draft:
        raise DataError(
            f"{storage.place} holds unfinished shards of other recordings, or with other settings."
            " Repeat that command, or use another folder. Nothing was written."
        )
    return earlier


def _write_shard(
    storage: Storage,
    draft: Manifest,
    entries: Sequence[SourceFile],
    shard_bytes: int,
    done: Callable[[SourceFile], None],
) -> Shard:
    """Write the next shard, with as many recordings as fill it."""
    import tensorflow as tf

    taken = {record.file.casefold() for record in draft.records}
    name, records, size = f"shard-{len(draft.shards):05d}.tfrecord", [], 0
    with storage.writing(name) as path:
        with tf.io.TFRecordWriter(str(path)) as writer:
            for file in entries:
                record, body = _recorded(file, draft.sample_rate_hz, taken)
                writer.write(body)
                records.append(record)
                taken.add(record.file.casefold())
                done(file)
                size += len(body)
                if size >= shard_bytes:
                    break
        size, checksum = path.stat().st_size, sha256_of(path)
    return Shard(name=name, bytes=size, sha256=checksum, records=tuple(records))


def _recorded(
    file: SourceFile, sample_rate_hz: int | None, taken: set[str]
) -> tuple[Record, bytes]:
    """One recording of a shard: its entry in the manifest, and its tf.train.Example."""
    rate = sample_rate_hz or file.sample_rate_hz
    samples = file.decode(rate)[:, 0]
    if len(samples) < FEWEST_SAMPLES:
        raise DataError(
            f"{file.path} has {len(samples)} samples at {rate} Hz; at least {FEWEST_SAMPLES} were"
            " expected. Remove it or leave it out."
        )
    audio, suffix = encoded(samples, rate, rounded=sample_rate_hz is not None)
    if len(audio) > _MOST_BYTES:
        raise DataError(
            f"{file.path} takes {readable_size(len(audio))}; a record holds at most 2.1 GB. Split"
            " it, or pack at a lower rate."
        )
    record = Record(
        name=file.name,
        source=file.source,
        file=file_name(file.name, suffix, taken),
        frames=len(samples),
        sample_rate_hz=rate,
        bytes=len(audio),
        sha256=hashlib.sha256(audio).hexdigest(),
    )
    return record, _example(record, audio)


def encoded(samples: np.ndarray, sample_rate_hz: int, *, rounded: bool) -> tuple[bytes, str]:
    """A recording as the bytes of a sound file.

    Args:
      samples: float32 `[time]`.
      sample_rate_hz: their rate.
      rounded: True rounds to 16 bits below the peak, as the cache does; False rounds only if FLAC
        can hold the rounded samples but not the exact ones.
    Returns: the bytes, and the suffix of the file, `.flac` or `.wav`.
    """
    if rounded:
        samples = _rounded(samples)
    whole = _as_integers(samples, sample_rate_hz)
    if whole is None and not rounded:
        whole = _as_integers(_rounded(samples), sample_rate_hz)
    file = io.BytesIO()
    if whole is None:
        wavfile.write(file, sample_rate_hz, samples)
        return file.getvalue(), ".wav"
    subtype = "PCM_16" if whole.dtype == np.int16 else "PCM_24"
    soundfile.write(file, whole, sample_rate_hz, format="FLAC", subtype=subtype)
    return file.getvalue(), ".flac"


def _rounded(samples: np.ndarray) -> np.ndarray:
    stored, scale = fitted(samples)
    return stored * np.float32(scale)


def _as_integers(samples: np.ndarray, sample_rate_hz: int) -> np.ndarray | None:
    """Exactly these samples as FLAC integers: int16, or 24 bits in the upper part of int32.

    None if FLAC cannot hold them.
    """
    if sample_rate_hz > _FLAC_MOST_HZ or samples.max() >= 1 or samples.min() < -1:
        return None
    for bits, kind, spare in ((16, np.int16, 0), (24, np.int32, 8)):
        steps = samples * np.float32(2.0 ** (bits - 1))
        whole = np.rint(steps)
        if np.array_equal(steps, whole):
            return whole.astype(kind) << spare
    return None


def _example(record: Record, audio: bytes) -> bytes:
    import tensorflow as tf

    texts = {key: getattr(record, key).encode() for key in ("name", "source", "sha256")}
    features = {
        key: tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
        for key, value in {**texts, "audio": audio}.items()
    }
    rate = tf.train.Int64List(value=[record.sample_rate_hz])
    features["sample_rate_hz"] = tf.train.Feature(int64_list=rate)
    example = tf.train.Example(features=tf.train.Features(feature=features))
    return example.SerializeToString(deterministic=True)
