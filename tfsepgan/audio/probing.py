"""What a sound file holds by its head: length, rate, channels, kind; the samples are not read.

libsndfile reads the head, and PyAV does where libsndfile cannot. An untrustworthy file (empty, cut
short, not audio, beyond the limits of `formats`) raises a DataError that names it. Two lengths are
less certain:
- an ogg file states no length in its head, so a cut cannot be found;
- the length of an mp3 or a container is an estimate, see `SoundInfo.slack`.
"""

import os
import stat
from pathlib import Path
from typing import NamedTuple

import soundfile

from tfsepgan.audio.containers import SLACK_SECONDS, NoDecoderError, probe_streams
from tfsepgan.audio.formats import FEWEST_SAMPLES, MOST_CHANNELS, RATES_HZ
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

FORGIVEN_SECONDS = 0.001  # a file that misses less than this at its end is accepted, with a note
# samples; libsndfile reports more for a FLAC stream whose head states no length
LONGEST = 1 << 50


class SoundInfo(NamedTuple):
    """The facts in the head of a sound file."""

    frames: int
    sample_rate_hz: int
    channels: int
    kind: str
    stream: int | None = None
    """Index of the audio stream in a container, from 0; None for a file that libsndfile reads."""
    notes: tuple[str, ...] = ()
    """Oddities of the file that do not prevent its use."""

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return self.frames / self.sample_rate_hz

    @property
    def slack(self) -> float:
        """A complete decoding may end up to this many samples before `frames`."""
        return SLACK_SECONDS * self.sample_rate_hz if self.stream is not None else 0


def probe(path: str | os.PathLike, *, stream: int | None = None) -> SoundInfo:
    """Read the head of a sound file, not its samples.

    Args:
      path: a file of any kind in `formats`.
      stream: index of an audio stream in a container; by default the first stream, or the whole of
        a plain file.
    Raises: DataError when the file is missing, empty, not audio, shorter than its head states, or
      beyond the limits of `formats`.
    """
    path = Path(path)
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise DataError(
                f"{path} is a folder, pipe or device, not a file; a recording was expected. Write"
                " it to a file."
            )
        with open(path, "rb") as file:
            head = file.read(16)
    except OSError as error:
        raise DataError(
            f"{path} cannot be read ({error.strerror}). Check the path and its permissions."
        ) from error
    if not head:
        raise DataError(
            f"{path} is empty (0 bytes); a recording was expected. Copy it again or remove it."
        )
    if stream is not None:
        info = _stream_info(path, stream)
    elif is_libsndfile_kind(head):
        info = _plain_info(path)
    else:
        info = _container_info(path)
    _refuse_absurd(path, info)
    return info


def _plain_info(path: Path) -> SoundInfo:
    layout = wav_layout(path)
    if layout is not None and layout.length_unknown:
        return _counted(_container_info(path))
    if layout is not None and layout.encoding in FFMPEG_IN_WAV:
        return _container_info(path)
    try:
        head = soundfile.info(os.fsencode(path))
    except (soundfile.SoundFileError, RuntimeError) as error:
        info = _container_info(path, error)
        promise = promise_of(path)
        return _forgiven(path, info, promise) if promise is not None and promise.missing else info
    if head.frames >= LONGEST:
        return _counted(_container_info(path))
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
    """The promise of a WAV of which `frames` samples can be decoded.

    The blocks of a codec are assumed to hold equally many samples.
    """
    present_bytes = layout.data_bytes - layout.missing_bytes
    if not layout.missing_bytes or not layout.frame_bytes or present_bytes <= 0:
        return None
    if layout.encoding in WHOLE_FRAMES:
        return Promise(layout.data_bytes // layout.frame_bytes, present_bytes // layout.frame_bytes)
    return Promise(round(frames * layout.data_bytes / present_bytes), frames)


def _forgiven(path: Path, info: SoundInfo, promise: Promise) -> SoundInfo:
    """The head with a note, where at most FORGIVEN_SECONDS are missing.

    Raises: DataError where more is missing.
    """
    if promise.missing > FORGIVEN_SECONDS * info.sample_rate_hz:
        raise cut_short(path, promise.promised, promise.present, info.sample_rate_hz)
    present = min(promise.present, info.frames)
    note = f"its head promises {promise.promised} samples, it holds {present}"
    return info._replace(frames=present, notes=(note,))


def _counted(info: SoundInfo) -> SoundInfo:
    """The head of a file that states no length, with a note."""
    note = (
        f"its head states no length (it was written as a stream); all {info.seconds:.2f} s of it"
        " are read"
    )
    return info._replace(notes=(note,))


def _container_info(path: Path, refused: Exception | None = None) -> SoundInfo:
    """The head as PyAV reads it, of a file that libsndfile does not read or has `refused`."""
    try:
        info = _stream_info(path, 0)
    except NoDecoderError as error:
        if refused is None and looks_like(path) is None:
            raise NoDecoderError(f"{path}: {error}") from error
        raise _not_audio(path, [refused]) from error
    except DataError as error:
        raise _not_audio(path, [refused, error.__cause__], _without_name(error)) from error
    promised = mpeg_samples(path) if info.kind.startswith("mp3") else None
    if promised is not None and promised - info.frames > info.slack:
        raise cut_short(path, promised, info.frames, info.sample_rate_hz)
    return info


def _not_audio(path: Path, refusals: list[BaseException | None], otherwise: str = "") -> DataError:
    seems = looks_like(path)
    reasons = [f"it looks like {seems}"] if seems else [reason_of(one) for one in refusals if one]
    return DataError(
        f"{path} is not audio that can be decoded ({'; '.join(reasons) or otherwise}); wav, flac,"
        " ogg, mp3, m4a or another kind of sound file was expected. Convert it, copy it again or"
        " remove it."
    )


def _stream_info(path: Path, stream: int) -> SoundInfo:
    streams = probe_streams(path)
    if stream >= len(streams):
        raise DataError(
            f"{path} holds {len(streams)} audio streams; at least {stream + 1} were expected. Copy"
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
            f"{path} has {info.channels} channels by its head; 1 to {MOST_CHANNELS} were expected."
            " Copy it again or remove it."
        )


def reason_of(error: BaseException) -> str:
    """The last clause of an error's message, which names the reason."""
    return str(error).rsplit(": ", 1)[-1].rstrip(". ")


def _without_name(error: DataError) -> str:
    """The message of an error without the path at its front."""
    return str(error).partition(" ")[2].rstrip(". ")


def cut_short(path: str | os.PathLike, promised: int, present: int, rate_hz: int) -> DataError:
    """The error for a file that holds fewer samples than its head promises."""
    return DataError(
        f"{path} is cut short: its head promises {promised} samples ({promised / rate_hz:.2f} s),"
        f" only {present} ({present / rate_hz:.2f} s) are there. Copy it again or remove it."
    )
