"""A recording piece by piece through a streaming TFLite file: NumPy in, NumPy out.

The model takes blocks of one length and returns the stems of the samples that were its input
`delay` samples earlier. Its state is a vector for each channel that is kept here, outside the
model. So one model serves any number of channels, and a stream can be suspended and resumed. A file
for the web takes two channels in a call; if their number is odd, the last one is paired with a
silent one.
"""

import os
from pathlib import Path
from typing import Any

import numpy as np

from tfsepgan.errors import CheckpointError, ShapeError
from tfsepgan.ondevice.blocks import BlockwiseSeparator
from tfsepgan.ondevice.description import describe

SIGNATURE = "stream"


class StreamingSeparator(BlockwiseSeparator):
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
            super().__init__(
                self.description["stems"],
                channels=channels,
                sample_rate_hz=int(self.description["sample_rate_hz"]),
                block_samples=int(streaming["block_samples"]),
                delay=int(streaming["delay_samples"]),
            )
            self._state_size = int(streaming["state_size"])
            self._together = int(streaming.get("channels", 1))  # channels in one call
            self._identity = str(self.description["identity"])
        except (KeyError, TypeError, ValueError) as error:
            raise CheckpointError(
                f"{path} is not a streaming model; export one with `tfsepgan-export ... --variants"
                " stream` and give NAME.stream.tflite."
            ) from error
        self._rows = -(-channels // self._together) * self._together
        self._run = _signature_runner(Path(path), threads)
        self.reset()

    def reset(self) -> None:
        """Start a new recording."""
        super().reset()
        self._states = np.zeros((self._rows, self._state_size), np.float32)

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


def _signature_runner(path: Path, threads: int):
    from ai_edge_litert.interpreter import Interpreter

    try:
        return Interpreter(model_path=str(path), num_threads=threads).get_signature_runner(
            SIGNATURE
        )
    except (ValueError, RuntimeError) as error:
        raise CheckpointError(f"{path} cannot be run: {error}. Copy or export it again.") from error
