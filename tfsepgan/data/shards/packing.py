"""Writing recordings into shards, see `shards`: mono, each a FLAC file of its own inside.

At a rate asked for, a recording is what `cache.unpack` would make of it at that rate: the mean of
its channels, resampled, rounded to 16 bits below its peak. At its own rate the mean is kept to the
bit where 24 bits hold it, as they do all mono recordings of up to 24 bits and stereo ones of 16,
and is rounded in that way where they do not. What FLAC holds in neither way (louder than full
scale, peaks below -54 dB with detail of their own, rates above 655 kHz) is a floating-point WAV.
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
from tfsepgan.audio.recording import AudioFile
from tfsepgan.data.batches.cache import fitted
from tfsepgan.data.recordings.catalogue import Catalogue
from tfsepgan.data.shards.reading import (
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
from tfsepgan.files import sha256_of

_MADE_BY = f"tfsepgan {tfsepgan.__version__}"
_MOST_BYTES = (1 << 31) - (1 << 20)  # of audio: a tf.train.Example is below 2 GiB
_FLAC_MOST_HZ = 655_350  # libFLAC writes none above

Entry = tuple[str, AudioFile]  # source, recording


def pack(
    catalogue: Catalogue,
    place: str | os.PathLike,
    *,
    sample_rate_hz: int | None = None,
    shard_bytes: int = 256_000_000,
    licence: str = "",
    done: Callable[[AudioFile], None] = lambda file: None,
) -> Manifest:
    """Write all recordings of a catalogue into shards; the same call again goes on after the last
    whole shard.

    One recording is in memory at a time.

    Args:
      catalogue: what to pack.
      place: folder or address to write to: not there yet, empty, or left unfinished by the same
        call.
      sample_rate_hz: rate of all recordings; None keeps each at its own.
      shard_bytes: a shard ends with the recording that makes it as long as that.
      licence: in your words, shown to who uses the shards.
      done: told of every recording as it is packed, also of those packed before.
    Returns: what was written.
    Raises: ConfigError for a rate or size that there is not. DataError when the place holds
      something else, cannot be reached or written, or a recording cannot be decoded.
    """
    low, high = RATES_HZ
    if sample_rate_hz is not None and not low <= sample_rate_hz <= high:
        raise ConfigError(
            f"sample_rate_hz is {sample_rate_hz}; it must be {low} to {high}, or None for each"
            " recording's own."
        )
    if shard_bytes <= 0:
        raise ConfigError(f"Shards of {shard_bytes} bytes cannot be made; name a size above zero.")
    entries = [
        (source, file)
        for sources in catalogue.splits.values()
        for source, files in sources.items()
        for file in files
    ]
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
    draft = _begun(storage, draft)
    packed = len(list(draft.records))
    for _, file in entries[:packed]:
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


def _fingerprint(entries: Sequence[Entry]) -> str:
    """What is packed: names, lengths, and size and time of change of every file."""
    told = hashlib.sha256()
    for source, file in entries:
        try:
            told.update(
                f"{source} {file.name} {file.frames} {file.sample_rate_hz} {file.channels}".encode()
            )
        except UnicodeEncodeError as error:
            raise DataError(f"The name of {file.path!r} is no text in UTF-8. Rename it.") from error
        try:
            states = [path.stat() for path in (file.path, *file.further)]
        except OSError as error:
            raise DataError(
                f"{file.path} was removed after the data folder was read. Start again."
            ) from error
        told.update(
            "".join(f" {state.st_size} {state.st_mtime_ns}" for state in states).encode() + b"\n"
        )
    return told.hexdigest()


def _begun(storage: Storage, draft: Manifest) -> Manifest:
    """What is left of an earlier call that was not finished, or the draft of a new one."""
    storage.clean()
    names = storage.names()
    if not names:
        # so that whatever comes next is known for what it is
        storage.write(UNFINISHED, draft.text(_MADE_BY))
        return draft
    text = storage.read(UNFINISHED) if MANIFEST not in names else None
    if text is None:
        what = "holds shards" if MANIFEST in names else f"is not empty ({', '.join(names[:3])})"
        raise DataError(
            f"{storage.place} {what}; name a folder that is not there yet. Nothing was written."
        )
    earlier = parse(text, storage.path(UNFINISHED))
    if replace(earlier, shards=()) != draft:
        raise DataError(
            f"{storage.place} holds unfinished shards of other recordings, or with other settings."
            " Repeat that command, or name another folder. Nothing was written."
        )
    return earlier


def _write_shard(
    storage: Storage,
    draft: Manifest,
    entries: Sequence[Entry],
    shard_bytes: int,
    done: Callable[[AudioFile], None],
) -> Shard:
    """Write the next shard, of as many recordings as fill it."""
    import tensorflow as tf

    taken = {record.file.casefold() for record in draft.records}
    name, records, size = f"shard-{len(draft.shards):05d}.tfrecord", [], 0
    with storage.writing(name) as path:
        with tf.io.TFRecordWriter(str(path)) as writer:
            for source, file in entries:
                record, body = _recorded(source, file, draft.sample_rate_hz, taken)
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
    source: str, file: AudioFile, sample_rate_hz: int | None, taken: set[str]
) -> tuple[Record, bytes]:
    """One recording as it stands in a shard: what the manifest says of it, and the
    tf.train.Example."""
    rate = sample_rate_hz or file.sample_rate_hz
    samples = file.decode(rate)[:, 0]
    if len(samples) < FEWEST_SAMPLES:
        raise DataError(
            f"{file.path} has {len(samples)} samples at {rate} Hz; {FEWEST_SAMPLES} at least were"
            " expected. Remove it or leave it out."
        )
    audio, suffix = encoded(samples, rate, rounded=sample_rate_hz is not None)
    if len(audio) > _MOST_BYTES:
        raise DataError(
            f"{file.path} takes {len(audio) / 1e9:.2f} GB; a record holds 2.1 GB. Split it, or pack"
            " at a lower rate."
        )
    record = Record(
        name=file.name,
        source=source,
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
      rounded: to 16 bits below the peak, as the cache holds it; else only where that is a FLAC file
        and the samples are none.
    Returns: the bytes, and the suffix of such a file, `.flac` or `.wav`.
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
    """Samples that are a FLAC file's to the bit: int16, or int32 whose upper 24 bits are; None
    where FLAC holds no such."""
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

    def words(text: str) -> tf.train.Feature:
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=[text.encode()]))

    features = {
        "name": words(record.name),
        "source": words(record.source),
        "sample_rate_hz": tf.train.Feature(
            int64_list=tf.train.Int64List(value=[record.sample_rate_hz])
        ),
        "sha256": words(record.sha256),
        "audio": tf.train.Feature(bytes_list=tf.train.BytesList(value=[audio])),
    }
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString(
        deterministic=True
    )
