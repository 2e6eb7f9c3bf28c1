"""Stem files (`*.stem.mp4`): several recordings in one MP4, each an audio stream, as MUSDB18 is distributed.

PyAV decodes, which carries FFmpeg's libraries in its wheel: no ffmpeg command is needed. Streams are counted from 0
among the audio streams; the first of a stem file is the mixture.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tfsepgan.data.decoding import SoundInfo
from tfsepgan.errors import DataError

SUFFIX = ".stem.mp4"
KIND = "MP4"


def probe_streams(path: str | os.PathLike) -> list[SoundInfo]:
    """Read the head of a stem file: what each of its audio streams holds.

    Raises: DataError when the file is missing, empty or no MP4, or PyAV is not installed.
    """
    av = _av()
    try:
        if Path(path).stat().st_size == 0:
            raise DataError(f"{path} is empty (0 bytes); a stem file was expected. Copy it again or remove it.")
        with av.open(str(path)) as container:
            return [
                SoundInfo(
                    int((stream.duration or 0) * stream.time_base * stream.rate), stream.rate, stream.channels, KIND
                )
                for stream in container.streams.audio
            ]
    except (av.FFmpegError, OSError, ValueError, TypeError) as error:
        raise DataError(
            f"{path} is no stem file that can be decoded ({getattr(error, 'strerror', None) or error}); an MP4 with several audio "
            "streams was expected. Copy it again or remove it."
        ) from error


def stream_blocks(path: str | os.PathLike, stream: int) -> Iterator[np.ndarray]:
    """Decode one audio stream: float32 `[frames, channels]`, about a thousand frames at a time.

    Raises: ValueError where decoding fails.
    """
    av = _av()
    try:
        with av.open(str(path)) as container:
            planar = av.AudioResampler(format="fltp")
            for frame in container.decode(container.streams.audio[stream]):
                for converted in planar.resample(frame):
                    yield np.ascontiguousarray(converted.to_ndarray().T)
    except av.FFmpegError as error:
        raise ValueError(error.strerror or str(error)) from error


def _av():
    try:
        import av
    except ImportError as error:
        raise DataError(
            'Stem files are decoded by PyAV, which is not installed. Run: pip install "tfsepgan[datasets]"  (or: pip install av)'
        ) from error
    return av
