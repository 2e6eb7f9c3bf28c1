"""Separation while the music plays: a block in, a block out, and how long each took."""

import math
import time
from array import array
from collections.abc import Iterable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from tfsepgan.errors import CheckpointError, ConfigError
from tfsepgan.models.folders import find_bundle, read_manifest
from tfsepgan.ondevice.blocks import BlockwiseSeparator
from tfsepgan.ondevice.streaming import StreamingSeparator
from tfsepgan.separation.numpy_stream import NumpyStream
from tfsepgan.separation.runtimes import numpy_masker, why_not_numpy

# of an export, the fastest first
STREAMING = (".stream.dynamic.tflite", ".stream.tflite", ".stream.fp16.tflite")


def open_stream(model: str, *, channels: int, block: int | None = None) -> BlockwiseSeparator:
    """Open a model for a mixture that arrives block by block; TensorFlow is not loaded.

    Args:
      model: name or folder of a model, or a streaming `.tflite` file.
      channels: of the mixture.
      block: samples; None: the shortest that the model has.
    Raises: CheckpointError when the model cannot run on a stream; ConfigError for a block that it
      does not have.
    """
    if model.endswith(".tflite"):
        separator = _in_litert(Path(model), channels)
    else:
        folder = find_bundle(model)
        manifest = read_manifest(folder)
        if not manifest.separates_in_one_pass:
            raise CheckpointError(
                f"{model} is a {manifest.system} model, which needs whole recordings; wanted one"
                " that separates in one pass."
            )
        reason = why_not_numpy(folder, manifest)
        if reason is None:
            hops = 1 if block is None else max(1, block // manifest.hop)
            masker = numpy_masker(folder, manifest)
            separator = NumpyStream(masker, manifest, channels=channels, hops=hops)
        else:
            separator = _in_litert(_streaming_file(folder, reason), channels)
    step = separator.block_samples
    if block is not None and (block < step or block % step):
        unit = manifest.hop if isinstance(separator, NumpyStream) else step
        raise ConfigError(f"got a block of {block} samples; wanted a multiple of {unit}.")
    return separator


def _streaming_file(folder: Path, reason: str) -> Path:
    for suffix in STREAMING:
        for file in sorted(folder.glob(f"*{suffix}")):
            return file
    raise CheckpointError(
        f"{folder} cannot run on a stream: {reason}, and it has no streaming file. Export it with"
        " tfsepgan-export --variants stream.dynamic."
    )


def _in_litert(file: Path, channels: int) -> StreamingSeparator:
    if find_spec("ai_edge_litert") is None:
        raise CheckpointError(f"{file} needs LiteRT: pip install ai-edge-litert.")
    return StreamingSeparator(file, channels=channels)


def gains_of(
    stems: Iterable[str], source: str | None, *, gain_db: float, others_db: float | None
) -> dict[str, float]:
    """Return the factor of each stem in the output.

    Args:
      stems: of the model, "residual" included.
      source: the stem to play; None: the first one.
      gain_db: its gain.
      others_db: gain of all other stems; None: they are silent.
    Raises: ConfigError for a stem that the model does not have, or gains that are not finite.
    """
    stems = tuple(stems)
    chosen = stems[0] if source is None else source
    if chosen not in stems:
        raise ConfigError(f"got source {chosen!r}; this model has {', '.join(stems)}.")
    gains = [gain for gain in (gain_db, others_db) if gain is not None]
    if not all(math.isfinite(gain) and gain <= 60 for gain in gains):
        raise ConfigError(f"got gains of {gains} dB; wanted finite numbers of at most 60.")
    others = 0.0 if others_db is None else 10 ** (others_db / 20)
    return {stem: 10 ** (gain_db / 20) if stem == chosen else others for stem in stems}


class Live:
    """A mixture in, a mix of its stems out.

    Args:
      separator: of the model.
      gains: factor of each stem.
      block: samples that arrive together, a multiple of the separator's block.
    """

    def __init__(self, separator: BlockwiseSeparator, gains: Mapping[str, float], *, block: int):
        self.separator, self.block = separator, block
        self._gains = dict(gains)
        self._took = array("d")  # seconds of each block
        self._lasts = block / separator.sample_rate_hz  # seconds
        self.late = 0
        """Blocks that took longer than they last."""
        delay = separator.latency_samples - separator.block_samples
        self._waiting = np.zeros((delay, separator.channels), np.float32)

    def add(self, samples: np.ndarray) -> np.ndarray:
        """Add `[time, channels]`; returns the mix that is ready, `[ready, channels]`."""
        start = time.perf_counter()
        mix = self._mixed(self.separator.push(samples))
        took = time.perf_counter() - start
        self._took.append(took)
        self.late += took > self._lasts
        return mix

    def end(self) -> np.ndarray:
        """End the mixture; returns its last samples."""
        return self._mixed(self.separator.finish())

    def exchange(self, samples: np.ndarray) -> np.ndarray:
        """Add a block; returns the mix of as many samples, delayed by the latency."""
        joined = np.concatenate([self._waiting, self.add(samples)])
        self._waiting = joined[len(samples) :]
        return joined[: len(samples)]

    def through(self, pieces: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """Yield the mix of a whole mixture in blocks; the last one may be shorter."""
        return blocks_of(self._mixes(pieces), self.block)

    def _mixes(self, pieces: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        for piece in pieces:
            yield self.add(piece)
        yield self.end()

    def _mixed(self, stems: dict[str, np.ndarray]) -> np.ndarray:
        mix = sum(np.float32(gain) * stems[name] for name, gain in self._gains.items() if gain)
        return mix.reshape(-1, self.separator.channels)

    @property
    def seconds(self) -> float:
        """Length of the blocks that went in."""
        return len(self._took) * self._lasts

    def times_ms(self) -> tuple[float, float, float]:
        """Median, 99th percentile and longest time of a block, in milliseconds."""
        if not self._took:
            return 0.0, 0.0, 0.0
        took = 1000 * np.asarray(self._took)
        return float(np.median(took)), float(np.percentile(took, 99)), float(took.max())


def blocks_of(pieces: Iterable[np.ndarray], block: int) -> Iterator[np.ndarray]:
    """Cut pieces `[time, channels]` of any length to blocks; the last one may be shorter."""
    held: np.ndarray | None = None
    for piece in pieces:
        held = piece if held is None else np.concatenate([held, piece])
        whole = len(held) - len(held) % block
        for first in range(0, whole, block):
            yield held[first : first + block]
        held = held[whole:]
    if held is not None and len(held):
        yield held
