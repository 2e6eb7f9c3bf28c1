"""A mixture as magnitudes of frames, and its parts as shares of them: what systems that search at
test time work between.

The transform is `Analysis` and `Synthesis` of `tfsepgan/layers/filterbank.py`: an unchanged
spectrum gives the signal back, so shares that sum to one give parts that sum to the mixture.
"""

import numpy as np
from keras import ops

from tfsepgan.layers.filterbank import Analysis, Synthesis
from tfsepgan.layers.framing import PadToMultiple

# magnitude, 160 dB below a full-scale noise: keeps digital silence from being divided by nothing
SILENCE = 1e-8


class Spectra:
    """The two ways between a waveform and its frames of bins.

    Args:
      frame, hop: samples; see `Analysis`.
    """

    def __init__(self, frame: int, hop: int):
        self.frame, self.hop, self.bins = frame, hop, frame // 2 + 1
        # a white noise of RMS 1 then has magnitudes of RMS 1
        self.scale = np.float32(np.sqrt(2 / frame))
        self._pad, self._analysis = (
            PadToMultiple(hop, dtype="float32"),
            Analysis(frame, hop, self.bins),
        )
        self._synthesis = Synthesis(frame, hop)

    def analyse(self, signal):
        """Cut a signal into frames of frequency bins.

        Args:
          signal: `[batch, time, 1]`, any time of at least one sample.
        Returns: `[batch, frames, 2 * bins]`, see `Analysis`; the end is filled with zeros to a
          multiple of `hop`.
        """
        return self._analysis(self._pad(signal))

    def magnitude(self, spectrum):
        """How loud each bin is, whatever its phase: `[..., 2 * bins]` -> `[..., bins]`."""
        lower, upper = ops.split(spectrum, 2, axis=-1)
        return self.scale * ops.sqrt(0.5 * (ops.square(lower) + ops.square(upper)))

    def synthesise(self, parts, time):
        """Put the frames of several parts back together.

        Args:
          parts: `[batch, parts, frames, 2 * bins]`.
          time: samples of the signal that was analysed.
        Returns: `[batch, parts, time, 1]`.
        """
        shape = ops.shape(parts)
        waveforms = self._synthesis(ops.reshape(parts, (-1, *shape[2:])))
        return ops.reshape(waveforms, (*shape[:2], -1, 1))[:, :, :time]


def turned(spectrum, gains):
    """Every bin of a spectrum turned up or down: `[..., 2 * bins]` and `[..., bins]` -> `[..., 2 *
    bins]`."""
    return spectrum * ops.concatenate([gains, gains], axis=-1)


def level(magnitudes):
    """Mean magnitude of each frame, never quite zero: `[..., bins]` -> `[..., 1]`."""
    return ops.mean(magnitudes, axis=-1, keepdims=True) + SILENCE


def shares(parts, power: float = 1.0):
    """How much of each bin is which part's: masks that sum to one.

    Args:
      parts: magnitudes of each part, `[..., parts, bins]`, zero or above.
      power: 1 shares by magnitude, 2 by energy as a Wiener filter does.
    Returns: `[..., parts, bins]` in [0, 1], summing to one over parts; equal where no part is
      heard.
    """
    loudest = ops.max(parts, axis=-2, keepdims=True)
    raised = ops.power(parts / (loudest + 1e-30) + 1e-7, power)
    return raised / ops.sum(raised, axis=-2, keepdims=True)
