"""Readers of windows: three ways to the same bits.

Each reader gives a window of 16-bit samples from a mono PCM WAV, padded with zeros. tensorflow-io
reads inside the tf.data graph; soundfile and numpy read in Python.
tools/benchmarks/bench_pipeline.py measures them.
"""

from functools import cache

import numpy as np
import soundfile

from tfsepgan.audio.wav import BYTES_PER_SAMPLE, HEADER_BYTES
from tfsepgan.config import Reader
from tfsepgan.data.batches.draws import Draws
from tfsepgan.data.batches.pool import Pool
from tfsepgan.data.batches.unpacked import Recording
from tfsepgan.errors import ConfigError, DataError

READERS = ("tfio", "soundfile", "memmap")


@cache
def tfio_loads() -> bool:
    """True when tensorflow-io is installed and its operators load with this TensorFlow."""
    try:
        from tensorflow_io.python.ops import core_ops

        return core_ops.io_audio_readable_init is not None
    except (ImportError, NotImplementedError, AttributeError):
        return False


def choose_reader(reader: Reader) -> str:
    """The reader to use; 'auto' is tensorflow-io if its operators load, or else numpy.

    tools/benchmarks/bench_pipeline.py on 2 quiet cores, windows of 131072 at 44.1 kHz, whole
    pipeline: tensorflow-io 2890 to 2960 x real time and 1.9 processor seconds for an hour of
    mixtures, numpy 2750 and 1.7, soundfile 2060 to 2120 and 2.0.

    Raises: ConfigError for an unknown reader, or for tensorflow-io if its operators do not load.
    """
    if reader == "auto":
        return "tfio" if tfio_loads() else "memmap"
    if reader not in READERS:
        raise ConfigError(f"reader is {reader!r}; it must be auto, {', '.join(READERS)}.")
    if reader == "tfio" and not tfio_loads():
        raise ConfigError(
            "reader is 'tfio', but tensorflow-io's operators do not load here. Use 'auto' or"
            " 'memmap'."
        )
    return reader


def read_windows(pool: Pool, draws: Draws, window: int, reader: str) -> np.ndarray:
    """Read windows in Python.

    Args:
      pool: the recordings.
      draws: what to read.
      window: length of a window.
      reader: 'soundfile' or 'memmap'.
    Returns: int16 `[draws, window]`, not yet scaled.
    Raises: DataError when an unpacked file was removed or changed during training.
    """
    windows = np.zeros((len(draws.item), window), np.int16)
    read = _with_soundfile if reader == "soundfile" else _with_numpy
    for row, number, start, count, offset in zip(
        windows, draws.recording, draws.start, draws.count, draws.offset, strict=True
    ):
        recording = pool.recordings[number]
        try:
            samples = read(recording, int(start), row[offset : offset + count])
            if samples != count:
                raise ValueError(f"{samples} samples instead of {count}")
        except (OSError, ValueError, soundfile.SoundFileError) as error:
            raise DataError(
                f"{recording.path} (unpacked from {recording.name}) can no longer be read"
                f" ({error}). The cache or the data may have changed during the run. Start the same"
                " command again."
            ) from error
    return windows


def _with_soundfile(recording: Recording, start: int, into: np.ndarray) -> int:
    with soundfile.SoundFile(str(recording.path)) as file:
        file.seek(start)
        return len(file.read(out=into))


def _with_numpy(recording: Recording, start: int, into: np.ndarray) -> int:
    # One read at a position, instead of a memory map, so that thousands of files are not kept open.
    with open(recording.path, "rb", buffering=0) as file:
        file.seek(HEADER_BYTES + BYTES_PER_SAMPLE * start)
        return file.readinto(into.data) // BYTES_PER_SAMPLE


def read_windows_in_graph(paths, draws: Draws, window: int):
    """Read windows with tensorflow-io, one after the other, as part of a tf.data graph.

    tensorflow-io's operator stores the file that it opens in one place for all executions. A second
    execution in parallel would replace that file, and the first would read from the wrong one. So
    the loop runs one iteration at a time, and the map that calls this function must not be
    parallel.

    Args:
      paths: string tensor `[recordings]`.
      draws: int64 tensors `[draws]`.
      window: length of a window.
    Returns: int16 tensor `[draws, window]`, not yet scaled.
    """
    import tensorflow as tf
    import tensorflow_io as tfio

    def read(draw):
        recording, start, count, offset = draw
        audio = tfio.audio.AudioIOTensor(tf.gather(paths, recording), tf.int16)
        samples = audio[start : start + count][:, 0]
        return tf.pad(samples, [[offset, window - offset - count]])

    columns = (draws.recording, draws.start, draws.count, draws.offset)
    windows = tf.map_fn(read, columns, fn_output_signature=tf.int16, parallel_iterations=1)
    return tf.ensure_shape(windows, [None, window])
