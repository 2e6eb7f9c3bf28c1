"""A mixture at any rate to stems at the same rate: aligned to the sample, and exactly as long.

soxr's streaming resampler (no delay, the same output as in one shot) converts the mixture to the
model's rate and the estimates back. The residual is computed at the mixture's own rate, so it
contains a constant offset and all sound above the model's band. The stems sum to the mixture at any
rate.
"""

from collections.abc import Sequence

import numpy as np
import soxr

from tfsepgan.separation.engine import Engine
from tfsepgan.separation.offset import OffsetRemover

RESIDUAL = "residual"
QUALITY = "VHQ"  # 28 bits, below float32 rounding; 1000 x real time, so a lower one saves nothing

Stems = dict[str, np.ndarray]
"""Every source by name, and "residual": `[time, channels]` float32; they sum to the mixture."""


class StemStream:
    """Pieces of a mixture in, its stems out: estimates and residual, delayed but aligned."""

    def __init__(
        self,
        engine: Engine,
        *,
        sources: Sequence[str],
        channels: int,
        sample_rate_hz: float,
        model_rate_hz: int,
    ):
        """
        Args:
          engine: separates blocks at the model's rate.
          sources: names of its estimates, in order.
          channels, sample_rate_hz: of the mixture.
          model_rate_hz: of the model.
        """
        self._engine, self._sources, self._channels = engine, tuple(sources), channels
        self._offset = OffsetRemover(channels, sample_rate_hz)
        self._mixture, self._estimates = _Fifo(), _Fifo()
        self._to_model = self._from_model = None
        self._margin = 0
        if sample_rate_hz != model_rate_hz:
            self._to_model = soxr.ResampleStream(
                sample_rate_hz, model_rate_hz, channels, dtype="float32", quality=QUALITY
            )
            self._from_model = soxr.ResampleStream(
                model_rate_hz,
                sample_rate_hz,
                channels * len(self._sources),
                dtype="float32",
                quality=QUALITY,
            )
            # The resamplers round their lengths. With silence of at least one sample at the model's
            # rate after the end, the estimates are never too short; the surplus is cut off.
            self._margin = int(np.ceil(sample_rate_hz / model_rate_hz))

    def push(self, samples: np.ndarray) -> list[Stems]:
        """Add the next `[time, channels]` float32 of the mixture; returns the stems ready."""
        self._mixture.put(samples)
        return self._collect(self._separated(self._offset.push(samples)))

    def finish(self) -> list[Stems]:
        """End the mixture; returns its last stems."""
        silence = np.zeros((self._margin, self._channels), np.float32)
        samples = np.concatenate([self._offset.finish(), silence])
        return self._collect(self._separated(samples, last=True), last=True)

    def _separated(self, samples: np.ndarray, *, last: bool = False) -> list[np.ndarray]:
        """The blocks of the engine that are ready, at the model's rate."""
        if self._to_model is not None:
            samples = self._to_model.resample_chunk(np.ascontiguousarray(samples), last=last)
        blocks = self._engine.push(samples)
        return blocks + self._engine.finish() if last else blocks

    def _collect(self, blocks: list[np.ndarray], *, last: bool = False) -> list[Stems]:
        """Blocks `[sources, time, channels]` at the model's rate to stems at the mixture's."""
        ready = []
        for block in blocks:
            ready += self._emit(block.transpose(1, 0, 2).reshape(block.shape[1], -1), last=False)
        if last:
            nothing = np.zeros((0, self._channels * len(self._sources)), np.float32)
            ready += self._emit(nothing, last=True)
        return ready

    def _emit(self, folded: np.ndarray, *, last: bool) -> list[Stems]:
        """Estimates `[time, sources * channels]` at the model's rate to stems of equal length."""
        if self._from_model is not None:
            folded = self._from_model.resample_chunk(np.ascontiguousarray(folded), last=last)
        self._estimates.put(folded)
        count = min(self._estimates.held, self._mixture.held)
        if not count:
            return []
        mixture, estimates = self._mixture.get(count), self._estimates.get(count)
        each = np.split(estimates, len(self._sources), axis=1)
        stems = {
            name: np.ascontiguousarray(one) for name, one in zip(self._sources, each, strict=True)
        }
        return [{**stems, RESIDUAL: residual_of(mixture, each)}]


def residual_of(mixture: np.ndarray, estimates: Sequence[np.ndarray]) -> np.ndarray:
    """The mixture minus its estimates; all `[time, channels]` float32."""
    residual = mixture.copy()
    for estimate in estimates:
        residual -= estimate
    return residual


class _Fifo:
    """Samples in at one end, out at the other: `[time, width]`."""

    def __init__(self):
        self._pieces: list[np.ndarray] = []
        self.held = 0

    def put(self, samples: np.ndarray) -> None:
        if len(samples):
            self._pieces.append(samples)
            self.held += len(samples)

    def get(self, count: int) -> np.ndarray:
        taken = []
        self.held -= count
        while count:
            piece = self._pieces.pop(0)
            if len(piece) > count:
                self._pieces.insert(0, piece[count:].copy())
                piece = piece[:count]
            taken.append(piece)
            count -= len(piece)
        return taken[0] if len(taken) == 1 else np.concatenate(taken)
