"""A recording, piece by piece, through a streaming TFLite file: NumPy in, NumPy out.

The file takes blocks of one length and gives, for each, the stems of `delay` samples before; what
it remembers is a vector that lies here. So one model serves every channel, and a stream can be put
aside and taken up again.
"""

import os
from pathlib import Path
from typing import Any

import numpy as np

from tfsepgan.errors import CheckpointError, ShapeError, TfsepganError
from tfsepgan.ondevice.description import describe

SIGNATURE = "stream"


class StreamingSeparator:
    """Takes a mixture in pieces of any length and gives back its stems as they become ready.

    All that comes back is together exactly as long as what went in, equals one pass of the network
    over all of it, and sums to the mixture.

    Args:
      path: a `.stream.tflite`, `.stream.fp16.tflite` or `.stream.dynamic.tflite` file of
        `tfsepgan-export`.
      channels: of the mixture; each is separated on its own.
      threads: that the runtime may use.
    Raises: CheckpointError when the file is missing, damaged or not a streaming one; ShapeError for
      numbers below one.
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
            self._identity = str(self.description["identity"])
        except (KeyError, TypeError, ValueError) as error:
            raise CheckpointError(
                f"{path} is not a streaming model; export one with `tfsepgan-export ... --variants"
                " stream` and give NAME.stream.tflite."
            ) from error
        self.channels = channels
        self._run = _signature_runner(Path(path), threads)
        self.reset()

    @property
    def latency_samples(self) -> int:
        """How long after a sample went in its stems are out, at the latest: what the network looks
        ahead, and a block."""
        return self._delay + self.block_samples

    @property
    def latency_ms(self) -> float:
        """The same in milliseconds; the time that computing takes comes on top."""
        return 1000 * self.latency_samples / self.sample_rate_hz

    def reset(self) -> None:
        """Forget everything: what comes next is the beginning of another recording."""
        self._states = np.zeros((self.channels, self._state_size), np.float32)
        self._pending = np.zeros((0, self.channels), np.float32)
        # samples: taken, out of the model, handed back
        self._received = self._made = self._given = 0
        self._finished, self._flat = False, self.channels == 1

    def push(self, samples: np.ndarray) -> dict[str, np.ndarray]:
        """Take the next piece of the mixture.

        Args:
          samples: `[time, channels]`, or `[time]` for one channel; floating point in [-1, 1] at
            `sample_rate_hz`, any time.
        Returns: `[ready]` or `[ready, channels]` float32 by stem, the sources and "residual"; often
          of no samples yet.
        Raises: ShapeError for another shape, type or values that are not finite; TfsepganError
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
        """Say that the mixture has ended.

        Returns: its last stems, as `push` does.
        Raises: TfsepganError when that was said before.
        """
        self._check_open()
        blocks = [self._step(self._pending)] if len(self._pending) else []
        while self._made + len(blocks) * self.block_samples < self._received + self._delay:
            blocks.append(self._step(self._pending[:0]))
        self._pending, self._finished = self._pending[:0], True
        return self._ready(blocks)

    def state(self) -> dict[str, np.ndarray]:
        """All that is needed to go on later, in another process too: arrays by name, as
        `numpy.savez` takes them."""
        counts = [self._received, self._made, self._given, int(self._finished), int(self._flat)]
        return {
            "model": np.array(self._identity),
            "states": self._states.copy(),
            "pending": self._pending.copy(),
            "counts": np.array(counts, np.int64),
        }

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Go on where `state()` was taken.

        Raises: CheckpointError when it is of another model, of another number of channels, or
          incomplete.
        """
        wanted = {"states": (self.channels, self._state_size), "counts": (5,)}
        try:
            same = str(state["model"]) == self._identity and state["pending"].shape[1:] == (
                self.channels,
            )
            same = same and all(state[name].shape == shape for name, shape in wanted.items())
        except (KeyError, AttributeError) as error:
            raise CheckpointError(f"this is not the state of a stream: {error}") from error
        if not same:
            raise CheckpointError(
                "this state is of another model or number of channels; wanted"
                f" {self.description['name']} ({self.description['variant']}) and {self.channels}."
            )
        self._states = state["states"].astype(np.float32)
        self._pending = state["pending"].astype(np.float32)
        self._received, self._made, self._given, finished, flat = (
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
        together = samples[:, None] if self._flat else samples
        if (
            together.ndim != 2
            or together.shape[1] != self.channels
            or not np.issubdtype(samples.dtype, np.floating)
        ):
            raise ShapeError(
                f"got samples of shape {samples.shape}, {samples.dtype}; wanted floating point"
                f" [time, {self.channels}]{' or [time]' if self.channels == 1 else ''}."
            )
        if not np.isfinite(together).all():
            raise ShapeError(
                "got samples that are not finite; one of them would stay in the network's memory."
            )
        return together.astype(np.float32)

    def _step(self, samples: np.ndarray) -> dict[str, np.ndarray]:
        """One block through the model, channel after channel; one that is not full is the end of
        the signal."""
        block = np.zeros((1, self.block_samples, 1), np.float32)
        valid = np.array([len(samples)], np.int32)
        made = {
            name: np.empty((self.block_samples, self.channels), np.float32) for name in self.stems
        }
        for channel in range(self.channels):
            block[0, : len(samples), 0] = samples[:, channel]
            given: dict[str, Any] = self._run(
                block=block, state=self._states[channel : channel + 1], valid=valid
            )
            for name in self.stems:
                made[name][:, channel] = given[name][0, :, 0]
            self._states[channel] = given["state"][0]
        return made

    def _ready(self, blocks: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
        """What is new in some blocks: without the delay before the first sample and what follows
        the last one."""
        first = min(max(self._delay - self._made, 0), len(blocks) * self.block_samples)
        self._made += len(blocks) * self.block_samples
        last = first + min(len(blocks) * self.block_samples - first, self._received - self._given)
        self._given += last - first
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
