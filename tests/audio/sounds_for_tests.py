"""Sound files of many kinds, written by the tests that need them."""

from pathlib import Path

import av
import numpy as np

RATE_HZ = 44100
KINDS = {  # suffix, FFmpeg's codec, and what a container needs beside
    "m4a": "aac",
    "alac.m4a": "alac",
    "mp4": "aac",
    "mp3": "libmp3lame",
    "mov": "pcm_s16le",
    "aac": "aac",
    "mka": "flac",
    "mkv": "aac",
    "webm": "libopus",
    "wma": "wmav2",
    "ac3": "ac3",
    "eac3": "eac3",
    "avi": "pcm_s16le",
    "wv": "wavpack",
    "tta": "tta",
}
EXACT = ("alac.m4a", "mov", "mka", "avi", "wv", "tta")  # codecs without loss, or PCM
_FORMATS = {"wavpack": "s16p", "tta": "s16"}  # by default, FFmpeg writes 8 bits
AT_48000 = ("webm",)  # Opus does not support 44.1 kHz
# Delay of FFmpeg's decoders in samples: raw kinds cannot state theirs, and the WMA decoder drops
# the first packet.
CODEC_DELAY = {"aac": 1024, "ac3": 256, "eac3": 256, "wma": -2048}


def clicks(
    seconds: float, *, rate_hz: int = RATE_HZ, channels: int = 2, seed: int = 0
) -> np.ndarray:
    """Bursts of noise, which can be located after any codec: float32 `[time, channels]`."""
    rng = np.random.default_rng(seed)
    time = round(seconds * rate_hz)
    envelope = np.repeat(rng.random(-(-time // 2000)) ** 4, 2000)[:time, None]
    return (0.25 * envelope * rng.normal(size=(time, channels))).clip(-0.9, 0.9).astype(np.float32)


def write_container(
    path: Path,
    samples: np.ndarray,
    *,
    codec: str,
    rate_hz: int = RATE_HZ,
    pictures: int = 0,
    streams: int = 1,
) -> None:
    """Encode samples `[time, channels]` with PyAV.

    Args:
      pictures: how many pictures of video to add.
      streams: how many audio streams to write, all of the same samples.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        if pictures:
            video = container.add_stream("mpeg4", rate=25)
            video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        for _ in range(streams):
            stream = container.add_stream(
                codec, rate=rate_hz, layout="stereo" if samples.shape[1] == 2 else "mono"
            )
            stream.bit_rate = 192_000
            if codec in _FORMATS:
                stream.format = _FORMATS[codec]
            encode(container, stream, samples, rate_hz)
        for number in range(pictures):
            image = np.full((48, 64, 3), 40 * number % 255, np.uint8)
            container.mux(video.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        if pictures:
            container.mux(video.encode(None))


def encode(container, stream, samples: np.ndarray, rate_hz: int) -> None:
    """Encode a whole signal into one stream of a container."""
    layout = "stereo" if samples.shape[1] == 2 else "mono"
    fitted = av.AudioResampler(format=stream.codec_context.format, layout=layout, rate=rate_hz)
    for start in range(0, len(samples), 4096):
        piece = np.ascontiguousarray(samples[start : start + 4096].T)
        frame = av.AudioFrame.from_ndarray(piece, format="fltp", layout=layout)
        frame.sample_rate, frame.pts = rate_hz, start
        for converted in fitted.resample(frame):
            container.mux(stream.encode(converted))
    container.mux(stream.encode(None))
