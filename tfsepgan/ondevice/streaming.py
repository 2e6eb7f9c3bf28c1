"""A recording piece by piece through a streaming TFLite file: NumPy in, NumPy out.

The model takes blocks of one length and returns the stems of the samples that were its input
`delay` samples earlier. Its state is a vector for each channel that is kept here, outside the
model. So one model serves any number of channels, and a stream can be suspended and resumed. A file
for the web takes two channels in a call; the last one of an odd number goes with a silent one.
"""

import os
from pathlib import Path
from typing import Any

import numpy as np

from tfsepgan.errors import CheckpointError, ShapeError, TfsepganError
from tfsepgan.ondevice.description import describe

SIGNATURE = "stream"


class StreamingSeparator:
    """Pieces of a mixture in, its stems out as soon as they are ready.

    The returned stems together have the length of the mixture, equal one pass of the network over
    all of it, and sum to it.

    Args:
      path: a `.stream.tflite`, `.stream.fp16.tflite`, `.stream.dynamic.tflite` or `.web.tflite`
        file of `tfsepgan-export`.
      channels: of the mixture; each is separated on its own.
      threads: of the runtime.
    Raises: CheckpointError when the file is missing, damaged or not a streaming one; ShapeError for
      `channels` or `threads` below one.
    """

    def __init__(self, path: str | os.PathLike, *, channels: int = 1, threads: int = 1):
        if channels < 1 or threads < 1:
            raise ShapeError(
                f"got channels={channels} and threads={threads}; wanted at least 1 of each."
            )
        self.description = describe(path)
        try:
            streaming = self.description["streaming"]
            self.sources = tuple(self.description["sources"])
            self.stems = tuple(self.description["stems"])
            self.sample_rate_hz = int(self.description["sample_rate_hz"])
            self.block_samples = int(streaming["block_samples"])
            self._delay, self._state_size = (
                int(streaming["delay_samples"]),
                int(streaming["state_size"]),
            )
            self._together = int(streaming.get("channels", 1))  # channels in one call
            self._identity = str(self.description["identity"])
        except (KeyError, TypeError, ValueError) as error:
            raise CheckpointError(
                f"{path} is not a streaming model; export one with `tfsepgan-export ... --variants"
                " stream` and give NAME.stream.tflite."
            ) from error
        self.channels = channels
        self._rows = -(-channels // self._together) * self._together
        self._run = _signature_runner(Path(path), threads)
        self.reset()

    @property
    def latency_samples(self) -> int:
        """The longest time from a sample to its stems: the network's look-ahead, and a block."""
        return self._delay + self.block_samples

    @property
    def latency_ms(self) -> float:
        """The same in milliseconds, without the time for computation."""
        return 1000 * self.latency_samples / self.sample_rate_hz

    def reset(self) -> None:
        """Start a new recording."""
        self._states = np.zeros((self._rows, self._state_size), np.float32)
        self._pending = np.zeros((0, self.channels), np.float32)
        # numbers of samples: pushed, computed by the model, returned
        self._received = self._computed = self._returned = 0
        self._finished, self._flat = False, self.channels == 1

    def push(self, samples: np.ndarray) -> dict[str, np.ndarray]:
        """Add the next piece of the mixture.

        Args:
          samples: `[time, channels]`, or `[time]` for one channel; floating point in [-1, 1] at
            `sample_rate_hz`, of any length.
        Returns: the sources and "residual" by name, `[ready]` or `[ready, channels]` float32; often
          without samples.
        Raises: ShapeError for another shape or type, or values that are not finite; TfsepganError
          after `finish`.
        """
        samples = self._checked(samples)
        pending = np.concatenate([self._pending, samples])
        whole = len(pending) - len(pending) % self.block_samples
        blocks = [
            self._step(pending[first : first + self.block_samples])
            for first in range(0, whole, self.block_samples)
        ]
        self._pending = pending[whole:].copy()
        self._received += len(samples)
        return self._ready(blocks)

    def finish(self) -> dict[str, np.ndarray]:
        """End the mixture.

        Returns: its last stems, as `push` does.
        Raises: TfsepganError when it was ended before.
        """
        self._check_open()
        blocks = [self._step(self._pending)] if len(self._pending) else []
        while self._computed + len(blocks) * self.block_samples < self._received + self._delay:
            blocks.append(self._step(self._pending[:0]))
        self._pending, self._finished = self._pending[:0], True
        return self._ready(blocks)

    def state(self) -> dict[str, np.ndarray]:
        """All that is needed to resume later, also in another process: arrays for `numpy.savez`."""
        counts = [
            *(self._received, self._computed, self._returned),
            *(int(self._finished), int(self._flat)),
        ]
        return {
            "model": np.array(self._identity),
            "states": self._states.copy(),
            "pending": self._pending.copy(),
            "counts": np.array(counts, np.int64),
        }

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Resume from a `state()`.

        Raises: CheckpointError when it belongs to another model or number of channels, or is
          incomplete.
        """
        wanted = {"states": (self._rows, self._state_size), "counts": (5,)}
        try:
            same = str(state["model"]) == self._identity and state["pending"].shape[1:] == (
                self.channels,
            )
            same = same and all(state[name].shape == shape for name, shape in wanted.items())
        except (KeyError, AttributeError) as error:
            raise CheckpointError(f"this is not the state of a stream: {error}") from error
        if not same:
            raise CheckpointError(
                "this state belongs to another model or number of channels; wanted"
                f" {self.description['name']} ({self.description['variant']}) and {self.channels}."
            )
        self._states = state["states"].astype(np.float32)
        self._pending = state["pending"].astype(np.float32)
        self._received, self._computed, self._returned, finished, flat = (
            int(count) for count in state["counts"]
        )
        self._finished, self._flat = bool(finished), bool(flat)

    def _check_open(self) -> None:
        if self._finished:
            raise TfsepganError("this stream has ended; call reset() before the next one.")

    def _checked(self, samples: np.ndarray) -> np.ndarray:
        """Samples as `[time, channels]` float32."""
        self._check_open()
        samples = np.asarray(samples)
        self._flat = samples.ndim == 1
        columns = samples[:, None] if self._flat else samples
        if (
            columns.ndim != 2
            or columns.shape[1] != self.channels
            or not np.issubdtype(samples.dtype, np.floating)
        ):
            raise ShapeError(
                f"got samples of shape {samples.shape}, {samples.dtype}; wanted floating point"
                f" [time, {self.channels}]{' or [time]' if self.channels == 1 else ''}."
            )
        if not np.isfinite(columns).all():
            raise ShapeError(
                "got samples that are not finite; they would spoil the state of the stream. Wanted"
                " finite ones."
            )
        return columns.astype(np.float32)

    def _step(self, samples: np.ndarray) -> dict[str, np.ndarray]:
        """The stems of one block, call after call; a short block ends the signal."""
        block = np.zeros((self._rows, self.block_samples, 1), np.float32)
        block[: self.channels, : len(samples), 0] = samples.T
        valid = np.array([len(samples)], np.int32)
        stems = {
            name: np.empty((self.block_samples, self._rows), np.float32) for name in self.stems
        }
        for first in range(0, self._rows, self._together):
            rows = slice(first, first + self._together)
            outputs: dict[str, Any] = self._run(
                block=block[rows], state=self._states[rows], valid=valid
            )
            for name in self.stems:
                stems[name][:, rows] = outputs[name][..., 0].T
            self._states[rows] = outputs["state"]
        return {name: one[:, : self.channels] for name, one in stems.items()}

    def _ready(self, blocks: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
        """The samples of some blocks, without the delay at the start and the surplus at the end."""
        count = len(blocks) * self.block_samples
        first = min(max(self._delay - self._computed, 0), count)
        self._computed += count
        last = first + min(count - first, self._received - self._returned)
        self._returned += last - first
        empty = np.zeros((0, self.channels), np.float32)
        joined = {
            name: np.concatenate([empty, *(block[name] for block in blocks)])[first:last]
            for name in self.stems
        }
        return {name: one[:, 0] for name, one in joined.items()} if self._flat else joined


def _signature_runner(path: Path, threads: int):
    from ai_edge_litert.interpreter import Interpreter

    try:
        return Interpreter(model_path=str(path), num_threads=threads).get_signature_runner(
            SIGNATURE
        )
    except (ValueError, RuntimeError) as error:
        raise CheckpointError(f"{path} cannot be run: {error}. Copy or export it again.") from error
