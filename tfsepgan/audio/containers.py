"""Sound in containers: M4A, MP4 and other video, WMA, WebM, and stem files with several streams.

PyAV decodes; its wheel contains FFmpeg's libraries, so no ffmpeg command is needed. Encoder delay
and padding are removed where the file states them, as `ffmpeg -i` does. Streams are counted from 0
among the audio streams; the first of a stem file is the mixture.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tfsepgan.audio.encodings import TAGS
from tfsepgan.audio.formats import CONTAINERS, COUNTED_KINDS, RAW_KINDS, SUFFIXES
from tfsepgan.audio.mpeg import unbroken_frames
from tfsepgan.errors import DataError

STEM_SUFFIX = ".stem.mp4"
# containers state their length in packets, some only roughly; a file shorter by more is cut short
SLACK_SECONDS = 0.5


class NoDecoderError(DataError):
    """PyAV is not installed, so the file cannot be examined."""


class StreamHead(NamedTuple):
    """The facts in the head of an audio stream; `frames` is 0 if the head states no length."""

    frames: int
    sample_rate_hz: int
    channels: int
    kind: str  # as FFmpeg calls container and codec: "mov/aac"


def probe_streams(path: str | os.PathLike) -> list[StreamHead]:
    """Read the head of each audio stream in a container.

    Raises: DataError when the file is missing or empty, PyAV cannot open it, or PyAV is not
      installed.
    """
    av = _av()
    try:
        if Path(path).stat().st_size == 0:
            raise DataError(
                f"{path} is empty (0 bytes); a recording was expected. Copy it again or remove it."
            )
        with _opened(av, path) as container:
            _refuse_a_guess(Path(path), container.format.name)
            kind = container.format.name.partition(",")[0]
            return [_head(container, stream, kind) for stream in container.streams.audio]
    except (av.FFmpegError, OSError, ValueError, TypeError, OverflowError) as error:
        raise DataError(
            f"{path} is no recording that can be decoded"
            f" ({getattr(error, 'strerror', None) or error}); audio, or video with sound, was"
            " expected. Copy it again or remove it."
        ) from error


def stream_blocks(
    path: str | os.PathLike, stream: int, notes: list[str] | None = None
) -> Iterator[np.ndarray]:
    """Decode one audio stream: float32 `[frames, channels]`, about a thousand frames at a time.

    Args:
      notes: gets a text for broken frames of MPEG audio that silence replaces.
    Raises: ValueError where decoding fails, or the rate or the channel count changes.
    """
    av, notes = _av(), [] if notes is None else notes
    try:
        with _opened(av, path) as container:
            chosen = container.streams.audio[stream]
            frames = (
                unbroken_frames(av, container, chosen, path, notes)
                if container.format.name == "mp3"
                else container.decode(chosen)
            )
            # "flt" is interleaved: PyAV has no planar arrays of 8 channels
            packed, first = av.AudioResampler(format="flt"), None
            for frame in frames:
                kind = (frame.sample_rate, len(frame.layout.channels))
                first = first or kind
                if kind != first:
                    raise ValueError(
                        f"{kind[0]} Hz, {kind[1]} channels after {first[0]} Hz, {first[1]} channels"
                    )
                for converted in packed.resample(frame):
                    yield converted.to_ndarray().reshape(-1, kind[1])
    except av.FFmpegError as error:
        raise ValueError(error.strerror or str(error)) from error


def read_tags(path: str | os.PathLike) -> dict[str, str]:
    """The tags of a recording (title, artist ...) by the names in `encodings.TAGS`, if any."""
    av = _av()
    try:
        with _opened(av, path) as container:
            audio = container.streams.audio
            found = {**(audio[0].metadata if audio else {}), **container.metadata}
    except (av.FFmpegError, OSError, ValueError):
        return {}
    lower = {name.lower(): text for name, text in found.items()}
    return {name: lower[name] for name in TAGS if lower.get(name)}


def _head(container, stream, kind: str) -> StreamHead:
    codec = stream.codec_context
    if codec is None:
        raise ValueError("FFmpeg does not decode its codec")
    if not (codec.sample_rate > 0 and codec.channels > 0):
        raise ValueError("no sound was found in it")
    if kind in COUNTED_KINDS:
        seconds = _counted_seconds(container, stream)
    elif stream.duration:
        seconds = float(stream.duration * stream.time_base)
    elif container.duration:
        seconds = container.duration / 1e6  # FFmpeg counts in microseconds
    else:  # written by a browser, or to a pipe
        seconds = _counted_seconds(container, stream)
    return StreamHead(
        round(seconds * codec.sample_rate),
        codec.sample_rate,
        codec.channels,
        f"{kind}/{codec.name}",
    )


def _counted_seconds(container, stream) -> float:
    """The summed length of all packets.

    The head of a raw kind states no length, and FFmpeg's guess from the bit rate is tens of percent
    off.
    """
    return float(sum(packet.duration or 0 for packet in container.demux(stream)) * stream.time_base)


def _refuse_a_guess(path: Path, name: str) -> None:
    """Accept a raw kind that FFmpeg guessed from a few bytes only if the suffix agrees.

    FFmpeg has taken text for MPEG audio.
    """
    kinds = set(name.split(","))
    if kinds & CONTAINERS or (kinds & RAW_KINDS and path.suffix.lower() in SUFFIXES):
        return
    raise ValueError(f"it looks like {name}")


def _opened(av, path: str | os.PathLike):
    """Open a container as a local file, even if its name or content looks like an address."""
    try:
        place: Any = "file:" + str(path).encode().decode()
    except UnicodeEncodeError:  # PyAV takes UTF-8 names only
        place = open(path, "rb")  # noqa: SIM115
    # PyAV 19 and later always ignore them
    lenient = {"metadata_errors": "ignore"} if int(av.__version__.split(".")[0]) < 19 else {}
    try:
        return av.open(place, options={"protocol_whitelist": "file"}, **lenient)
    except BaseException:
        if not isinstance(place, str):
            place.close()
        raise


def _av():
    try:
        import av
    except ImportError as error:
        raise NoDecoderError(
            f"MP3, M4A, video and stem files are decoded by PyAV, which cannot be loaded ({error})."
            " Run: pip install av"
        ) from error
    av.logging.set_level(None)  # errors are raised, not printed as well
    return av
