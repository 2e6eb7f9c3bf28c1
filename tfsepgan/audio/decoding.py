"""Sound files to arrays, of every kind in `formats`, at any rate and channel count, checked as they
are read.

libsndfile decodes, and PyAV what libsndfile does not know; soxr resamples. A file that cannot be
trusted (empty, corrupt, cut short, not audio, holding values that are not numbers) raises a
DataError with its name; nothing is skipped or repaired. An ogg file has no length in its head and
so cannot be found to be cut short; the length of an mp3 or a container is an estimate, see
`SoundInfo.slack`.
"""

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile
import soxr

from tfsepgan.audio.containers import SLACK_SECONDS, NoDecoderError, probe_streams, stream_blocks
from tfsepgan.audio.formats import FEWEST_SAMPLES, LOUDEST, MOST_CHANNELS, RATES_HZ
from tfsepgan.audio.heads import (
    FFMPEG_IN_WAV,
    Promise,
    is_libsndfile_kind,
    looks_like,
    mpeg_samples,
    promise_of,
)
from tfsepgan.audio.wav import WHOLE_FRAMES, WavLayout, wav_layout
from tfsepgan.errors import DataError

FORGIVEN_SECONDS = 0.001  # a file that is shorter than its head says by less is whole to the ear
# samples; libsndfile says more of a FLAC stream whose head does not tell its length
LONGEST = 1 << 50
# frames decoded at a time: a file of many channels takes little memory, and blocks of two files fit
BLOCK = 1 << 16


class SoundInfo(NamedTuple):
    """What the head of a sound file says."""

    frames: int
    sample_rate_hz: int
    channels: int
    kind: str
    stream: int | None = None
    """Which audio stream of a container, counted from 0; None for a file that libsndfile reads."""
    notes: tuple[str, ...] = ()
    """What is odd about it, though it can be used."""

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return self.frames / self.sample_rate_hz

    @property
    def slack(self) -> float:
        """How many samples less than `frames` are still all of it."""
        return SLACK_SECONDS * self.sample_rate_hz if self.stream is not None else 0


def probe(path: str | os.PathLike, *, stream: int | None = None) -> SoundInfo:
    """Read the head of a sound file, not its samples.

    Args:
      path: a file of any kind in `formats`.
      stream: this audio stream of a container; by default the whole of a plain file, or the first
        stream of a container.
    Raises: DataError when the file is missing, empty, not audio, a WAV shorter than its head says,
      or beyond the limits of `formats`.
    """
    path = Path(path)
    try:
        status = path.stat()
    except OSError as error:
        raise DataError(
            f"{path} cannot be read ({error.strerror}). Check the path and its permissions."
        ) from error
    if not stat.S_ISREG(status.st_mode):
        raise DataError(
            f"{path} is no file but a folder, pipe or device; a recording was expected. Write it to"
            " a file."
        )
    if status.st_size == 0:
        raise DataError(
            f"{path} is empty (0 bytes); a recording was expected. Copy it again or remove it."
        )
    if stream is not None:
        info = _stream_info(path, stream)
    elif _is_plain(path):
        info = _plain_info(path)
    else:
        info = _container_info(path)
    _refuse_absurd(path, info)
    return info


def _is_plain(path: Path) -> bool:
    """Whether libsndfile is to read a file, by its first bytes."""
    try:
        with open(path, "rb") as file:
            head = file.read(16)
    except OSError as error:
        raise DataError(
            f"{path} cannot be read ({error.strerror}). Check the path and its permissions."
        ) from error
    return is_libsndfile_kind(head)


def _plain_info(path: Path) -> SoundInfo:
    layout = wav_layout(path)
    if layout is not None and (layout.length_unknown or layout.encoding in FFMPEG_IN_WAV):
        return _streamed(_container_info(path), told=not layout.length_unknown)
    try:
        head = soundfile.info(os.fsencode(path))
    except (soundfile.SoundFileError, RuntimeError) as error:
        info = _container_info(path, error)
        promise = promise_of(path)
        return _forgiven(path, info, promise) if promise is not None and promise.missing else info
    if head.frames >= LONGEST:
        return _streamed(_container_info(path), told=False)
    info = SoundInfo(head.frames, head.samplerate, head.channels, head.format)
    promise = _wav_promise(layout, head.frames) if layout is not None else promise_of(path)
    if promise is not None and promise.missing:
        return _forgiven(path, info, promise)
    if head.frames < FEWEST_SAMPLES:
        raise DataError(
            f"{path} holds no audio ({max(0, head.frames)} samples). Copy it again or remove it."
        )
    return info


def _wav_promise(layout: WavLayout, frames: int) -> Promise | None:
    """What a WAV promises of which so many samples can be decoded; a codec's blocks are taken to be
    alike."""
    present_bytes = layout.data_bytes - layout.missing_bytes
    if not layout.missing_bytes or not layout.frame_bytes or present_bytes <= 0:
        return None
    if layout.encoding in WHOLE_FRAMES:
        return Promise(layout.data_bytes // layout.frame_bytes, present_bytes // layout.frame_bytes)
    return Promise(round(frames * layout.data_bytes / present_bytes), frames)


def _forgiven(path: Path, info: SoundInfo, promise: Promise) -> SoundInfo:
    """The head with a note where next to nothing is missing.

    Raises: DataError where more is.
    """
    if promise.missing > FORGIVEN_SECONDS * info.sample_rate_hz:
        raise _cut_short(path, promise.promised, promise.present, info.sample_rate_hz)
    present = min(promise.present, info.frames)
    note = f"its head promises {promise.promised} samples, {present} are there"
    return info._replace(frames=present, notes=(note,))


def _streamed(info: SoundInfo, *, told: bool) -> SoundInfo:
    """The head of a file whose length was counted."""
    if told:
        return info
    return info._replace(
        notes=(
            (
                "its head does not tell its length, as of a stream; all that is there is read,"
                f" {info.seconds:.2f} s"
            ),
        )
    )


def _container_info(path: Path, refused: Exception | None = None) -> SoundInfo:
    """The head of what is not libsndfile's, or what that refused, as PyAV reads it."""
    try:
        info = _stream_info(path, 0)
    except NoDecoderError as error:
        if refused is None and looks_like(path) is None:
            raise NoDecoderError(f"{path}: {error}") from error
        raise _not_audio(path, [refused]) from error
    except DataError as error:
        raise _not_audio(path, [refused, error.__cause__], _inner(error)) from error
    promised = mpeg_samples(path) if info.kind.startswith("mp3") else None
    if promised is not None and promised - info.frames > info.slack:
        raise _cut_short(path, promised, info.frames, info.sample_rate_hz)
    return info


def _not_audio(path: Path, refusals: list[BaseException | None], otherwise: str = "") -> DataError:
    seems = looks_like(path)
    reasons = [f"it looks like {seems}"] if seems else [_reason(one) for one in refusals if one]
    return DataError(
        f"{path} is not audio that can be decoded ({'; '.join(reasons) or otherwise}); wav, flac,"
        " ogg, mp3, m4a or another kind of sound file was expected. Convert it, copy it again or"
        " remove it."
    )


def _stream_info(path: Path, stream: int) -> SoundInfo:
    streams = probe_streams(path)
    if stream >= len(streams):
        raise DataError(
            f"{path} holds {len(streams)} audio streams; one more than {stream} was expected. Copy"
            " it again."
        )
    return SoundInfo(*streams[stream], stream=stream)


def _refuse_absurd(path: Path, info: SoundInfo) -> None:
    low, high = RATES_HZ
    if not low <= info.sample_rate_hz <= high:
        raise DataError(
            f"{path} has a rate of {info.sample_rate_hz} Hz in its head; {low} to {high} Hz were"
            " expected. Write it again at its true rate, or remove it."
        )
    if not 1 <= info.channels <= MOST_CHANNELS:
        raise DataError(
            f"{path} has {info.channels} channels by its head; {MOST_CHANNELS} at most were"
            " expected. Copy it again or remove it."
        )


def read(path: str | os.PathLike, *, mono: bool) -> tuple[np.ndarray, int]:
    """Decode a whole file at its own rate.

    Args:
      path: a file of any kind in `formats`.
      mono: True gives the mean of the channels, False all of them.
    Returns: float32 `[time, channels]` (full scale is 1; louder is kept), and its rate in Hz.
    Raises: DataError as `probe` does, and when decoding fails, ends early, or gives NaN or
      infinity.
    """
    info = probe(path)
    return (
        np.concatenate(list(checked_blocks(path, info, sound_blocks(path, info), mono=mono))),
        info.sample_rate_hz,
    )


def sound_blocks(
    path: str | os.PathLike, info: SoundInfo, *, frames: int = BLOCK
) -> Iterator[np.ndarray]:
    """Decode a file, unchecked, a block at a time: float32 `[frames, channels]`.

    Args:
      path, info: the file and its head, as `probe` gives it.
      frames: length of a block; a container gives its own, about a thousand.
    """
    if info.stream is not None:
        yield from stream_blocks(path, info.stream)
        return
    with soundfile.SoundFile(os.fsencode(path)) as file:
        while len(block := file.read(frames, dtype="float32", always_2d=True)):
            yield block


def read_blocks(
    path: str | os.PathLike, info: SoundInfo, *, frames: int = BLOCK
) -> Iterator[np.ndarray]:
    """Decode a file, checked, all channels, a block at a time; see `sound_blocks` and
    `checked_blocks`."""
    return checked_blocks(path, info, sound_blocks(path, info, frames=frames), mono=False)


def checked_blocks(
    path: str | os.PathLike,
    info: SoundInfo,
    blocks: Iterable[np.ndarray],
    *,
    mono: bool,
    channel: int | None = None,
    weights: np.ndarray | None = None,
) -> Iterator[np.ndarray]:
    """Pass on what a decoder gives, making sure that it is all that the head promised, and numbers.

    Args:
      path, info: what is decoded, and what its head says.
      blocks: float32 `[frames, channels]`.
      mono: True gives the mean of the channels, False all of them.
      channel: only this one, counted from 0; None takes all.
      weights: `[channels]`, what each counts for when `mono`, of their sum; by default all count
        the same. Those that the file does not have are left out.
    Raises: DataError that names the file when decoding fails, ends early, or gives NaN or infinity.
    """
    done, rate_hz = 0, info.sample_rate_hz
    blocks = iter(blocks)
    while True:
        try:
            block = next(blocks, None)
        except (soundfile.SoundFileError, RuntimeError, ValueError, OSError) as error:
            raise DataError(
                f"{path} is corrupt: decoding failed after {done / rate_hz:.1f} of"
                f" {info.seconds:.1f} s ({_reason(error)}). Copy it again or remove it."
            ) from error
        if block is None:
            break
        if not np.isfinite(block).all():
            first = done + int(np.flatnonzero(~np.isfinite(block).all(axis=1))[0])
            raise DataError(
                f"{path} holds NaN or infinite samples, the first at {first / rate_hz:.3f} s; "
                "numbers were expected. Write the file again or remove it."
            )
        loudest = float(np.abs(block).max(initial=0.0))
        if loudest > LOUDEST:
            raise DataError(
                f"{path} holds samples of {loudest:.3g} times full scale, the first"
                f" {done / rate_hz:.1f} s in or later; it is damaged. Write the file again or"
                " remove it."
            )
        done += len(block)
        if channel is not None:
            block = block[:, channel : channel + 1]
        yield _mixed_down(block, weights) if mono and block.shape[1] > 1 else block
    if done < info.frames - info.slack:
        raise _cut_short(path, info.frames, done, rate_hz)
    if done < FEWEST_SAMPLES:
        raise DataError(f"{path} holds no audio ({done} samples). Copy it again or remove it.")


def _mixed_down(block: np.ndarray, weights: np.ndarray | None) -> np.ndarray:
    if weights is None:
        return block.mean(axis=1, keepdims=True)
    own = weights[: block.shape[1]]
    return np.sum(block * (own / own.sum()), axis=1, keepdims=True)


def resample(samples: np.ndarray, from_hz: float, to_hz: float) -> np.ndarray:
    """Change the rate with soxr's high-quality setting; equal rates give the array back as it is.

    Args:
      samples: float32 `[time, channels]`.
      from_hz, to_hz: rates; only their ratio matters.
    Returns: float32 `[round(time * to / from), channels]`.
    """
    if from_hz == to_hz:
        return samples
    return np.ascontiguousarray(soxr.resample(samples, from_hz, to_hz, quality="HQ"), np.float32)


def decode(path: str | os.PathLike, sample_rate_hz: int, *, mono: bool = True) -> np.ndarray:
    """Decode a whole file at the rate asked for.

    Returns: float32 `[time, channels]`; one channel, the mean of all, when `mono`.
    Raises: DataError, see `read`.
    """
    samples, rate = read(path, mono=mono)
    return resample(samples, rate, sample_rate_hz)


def _reason(error: BaseException) -> str:
    return str(error).rsplit(": ", 1)[-1].rstrip(". ")


def _inner(error: DataError) -> str:
    """What is wrong with a container, without its name."""
    return str(error).partition(" ")[2].rstrip(". ")


def _cut_short(path: str | os.PathLike, promised: int, present: int, rate_hz: int) -> DataError:
    return DataError(
        f"{path} is cut short: its head promises {promised} samples ({promised / rate_hz:.2f} s),"
        f" only {present} ({present / rate_hz:.2f} s) are there. Copy it again or remove it."
    )
