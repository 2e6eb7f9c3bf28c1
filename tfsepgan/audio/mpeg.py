"""MPEG audio with broken frames: each becomes silence of its own length, and is noted.

FFmpeg drops a broken frame, which would move all later sound forward. A frame without its head does
not state its length. The number of frames in a damaged place follows from its size in bytes and the
heads that are left in it.
"""

import math
import os
from collections import deque
from collections.abc import Iterator

import numpy as np

FORGIVEN_SECONDS = 0.1  # broken in one place: three frames; more is a hole in the recording
FORGIVEN_PLACES = 20
_LONGEST_SEARCH = 1 << 16  # bytes; more is a hole at any bit rate
_RECENT = 16  # frames that show the usual size
_TAGS = (b"TAG", b"ID3", b"APE")  # text and pictures between the frames of joined files
# layer III by the index in the head, in kbit/s: MPEG 1, MPEG 2 and 2.5
_BIT_RATES = (
    (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
)


def unbroken_frames(av, container, stream, path: str | os.PathLike, notes: list[str]) -> Iterator:
    """Decode MPEG audio; silent frames replace those that are broken.

    Args:
      av: the module.
      container, stream: an opened file, and its audio stream.
      path: of the file.
      notes: gets a text that names the times of the silence.
    Yields: FFmpeg's frames.
    Raises: av.FFmpegError for a hole, for too many broken places, or for a broken end.
    """
    rate_hz = stream.codec_context.sample_rate
    sizes: deque[int] = deque(maxlen=_RECENT)
    start = end = error = None  # of the last whole frame, as positions in the file
    done, times_s = 0, []
    for packet in container.demux(stream):
        try:
            frames = packet.decode()
        except av.InvalidDataError as refused:
            error = error or refused
            start, end = (packet.pos, packet.pos) if end is None else (start, end)
            stream.codec_context.flush_buffers()  # later frames would take bytes from broken ones
            continue
        if packet.pos is None or not frames:  # the end
            if error is not None:
                raise error
            yield from frames
            continue
        begins = packet.pos + _leading_zeros(packet)
        if error is not None or begins != (begins if end is None else end):
            length = round(packet.duration * packet.time_base * rate_hz)
            damaged = _between(path, start, begins)
            broken, skipped = _lost(damaged, end - start, length / rate_hz, list(sizes))
            if broken * length > FORGIVEN_SECONDS * rate_hz or len(times_s) == FORGIVEN_PLACES:
                if error is not None:
                    raise error
            elif silent := (broken + skipped) * length:
                times_s.append(done / rate_hz)
                done += silent
                yield _silence(av, frames[0], silent)
        start, end, error = begins, packet.pos + packet.size, None
        sizes.append(end - start)
        for frame in frames:
            done += frame.samples
            yield frame
    if times_s:
        listed = ", ".join(f"{time_s:.2f}" for time_s in times_s)
        notes.append(f"it has broken frames at {listed} s; there is silence in their place")


def _leading_zeros(packet) -> int:
    """How many bytes of a packet the decoder skips: zeros where a frame was."""
    content = bytes(packet)
    return len(content) - len(content.lstrip(b"\0"))


def _between(path: str | os.PathLike, start: int, stop: int) -> bytes:
    with open(path, "rb") as file:
        file.seek(start)
        return file.read(stop - start)


def _lost(damaged: bytes, last: int, frame_seconds: float, sizes: list[int]) -> tuple[int, int]:
    """Count the frames between the last decoded one and the next.

    Args:
      damaged: the bytes from the start of the last decoded frame to the start of the next.
      last: the size of the last decoded frame by its head; 0 at the beginning.
      frame_seconds: length of a frame.
      sizes: of recent frames, in bytes; the last decoded one is the last.
    Returns: the number of broken frames, and that of whole ones after them, which FFmpeg skips.
    """
    if damaged[last : last + 3] in _TAGS:
        return 0, 0
    if len(damaged) > _LONGEST_SEARCH:
        return len(damaged), 0
    whole, stop = 0, len(damaged)
    for place in range(stop - 4, last - 1, -1):
        if place + _frame_bytes(damaged[place : place + 4], frame_seconds) == stop:
            whole, stop = whole + 1, place
    if stop <= last:
        return 0, whole
    usual = max(sizes[:-1], default=len(damaged))
    if sizes and not min(sizes[:-1], default=0) <= last <= usual:
        return max(1, round(stop / usual)) - 1, whole  # the last was broken, with a false length
    return max(1, round((stop - last) / usual)), whole


def _frame_bytes(head: bytes, frame_seconds: float) -> float:
    """The size of a frame of layer III by its head; NaN for other bytes."""
    sync, rates = head[0] << 8 | head[1], _BIT_RATES[0 if head[1] & 0x08 else 1]
    index = head[2] >> 4
    if sync & 0xFFE6 != 0xFFE2 or not 0 < index <= len(rates):
        return math.nan
    return int(125 * rates[index - 1] * frame_seconds + 1e-6) + (head[2] >> 1 & 1)


def _silence(av, like, samples: int):
    """A silent frame of the kind of another."""
    array = like.to_ndarray()
    width = samples * (array.shape[1] // like.samples)
    frame = av.AudioFrame.from_ndarray(
        np.zeros((array.shape[0], width), array.dtype),
        format=like.format.name,
        layout=like.layout.name,
    )
    frame.sample_rate = like.sample_rate
    return frame
