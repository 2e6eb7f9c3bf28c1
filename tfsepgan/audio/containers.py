"""Sound in containers: M4A, MP4 and other video, WMA, WebM, and stem files with several recordings
in one.

PyAV decodes, which carries FFmpeg's libraries in its wheel: no ffmpeg command is needed. Encoder
delay and padding are left out where the file tells them, as `ffmpeg -i` does. Streams are counted
from 0 among the audio streams; the first of a stem file is the mixture.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tfsepgan.audio.encodings import TAGS
from tfsepgan.audio.formats import CONTAINERS, COUNTED_KINDS, RAW_KINDS, SUFFIXES
from tfsepgan.errors import DataError

STEM_SUFFIX = ".stem.mp4"
# containers tell a length to the packet, and some only a guess; shorter by more is cut short
SLACK_SECONDS = 0.5


class NoDecoderError(DataError):
    """PyAV is not there, so nothing can be said of the file."""


class StreamHead(NamedTuple):
    """What the head of an audio stream says; `frames` is 0 where it does not tell a length."""

    frames: int
    sample_rate_hz: int
    channels: int
    kind: str  # as FFmpeg calls container and codec: "mov/aac"


def probe_streams(path: str | os.PathLike) -> list[StreamHead]:
    """Read the head of a container: what each of its audio streams holds.

    Raises: DataError when the file is missing, empty, nothing that PyAV opens, or PyAV is not
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


def stream_blocks(path: str | os.PathLike, stream: int) -> Iterator[np.ndarray]:
    """Decode one audio stream: float32 `[frames, channels]`, about a thousand frames at a time.

    Raises: ValueError where decoding fails, or the rate or the channels change on the way.
    """
    av = _av()
    try:
        with _opened(av, path) as container:
            chosen = container.streams.audio[stream]
            # PyAV has no planes for 8 channels
            packed, first = av.AudioResampler(format="flt"), None
            for frame in container.decode(chosen):
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
    """What a recording says of itself (title, artist ...), by the names of `encodings.TAGS`;
    nothing where it says nothing."""
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
        raise ValueError("its sound is of a kind that FFmpeg does not decode")
    if not (codec.sample_rate > 0 and codec.channels > 0):
        raise ValueError("no sound was found in it")
    if kind in COUNTED_KINDS:
        seconds = _counted_seconds(container, stream)
    elif stream.duration:
        seconds = float(stream.duration * stream.time_base)
    elif container.duration:
        seconds = container.duration / 1e6  # FFmpeg counts in microseconds
    else:  # recorded by a browser, or through a pipe
        seconds = _counted_seconds(container, stream)
    return StreamHead(
        round(seconds * codec.sample_rate),
        codec.sample_rate,
        codec.channels,
        f"{kind}/{codec.name}",
    )


def _counted_seconds(container, stream) -> float:
    """The length of all packets; the head of a raw kind tells none, and FFmpeg's guess from the bit
    rate is tens of percent off."""
    return float(sum(packet.duration or 0 for packet in container.demux(stream)) * stream.time_base)


def _refuse_a_guess(path: Path, name: str) -> None:
    """What FFmpeg guesses from a few bytes is believed only where the suffix says the same; text
    has been taken for MPEG audio."""
    kinds = set(name.split(","))
    if kinds & CONTAINERS or (kinds & RAW_KINDS and path.suffix.lower() in SUFFIXES):
        return
    raise ValueError(f"it looks like {name}")


def _opened(av, path: str | os.PathLike):
    """A container, as a file and nothing else: not as an address, whatever its name or its content
    look like."""
    try:
        place: Any = "file:" + str(path).encode().decode()
    except UnicodeEncodeError:  # a name that is not UTF-8, which PyAV does not take
        place = open(path, "rb")  # noqa: SIM115
    # later ones always are
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
    av.logging.set_level(None)  # what is wrong is said in an error, once
    return av
