"""Magnitudes of a mixture's frames and shares of its sources, for systems that search at test time.

The transform is `Analysis` and `Synthesis` of `tfsepgan/layers/filterbank.py`. The synthesis of an
unchanged spectrum is the signal, so shares that sum to one give estimates that sum to the mixture.
"""

import numpy as np
from keras import ops

from tfsepgan.layers.filterbank import Analysis, Synthesis
from tfsepgan.layers.framing import PadToMultiple

# magnitude 160 dB below a full-scale noise; avoids a division by zero in digital silence
SILENCE = 1e-8


class Spectra:
    """Analysis and synthesis between a waveform and its frames of bins.

    Args:
      frame, hop: samples; see `Analysis`.
    """

    def __init__(self, frame: int, hop: int):
        self.frame, self.hop, self.bins = frame, hop, frame // 2 + 1
        # white noise of RMS 1 then has magnitudes of RMS 1
        self.scale = np.float32(np.sqrt(2 / frame))
        self._pad = PadToMultiple(hop, dtype="float32")
        self._analysis = Analysis(frame, hop, self.bins)
        self._synthesis = Synthesis(frame, hop)

    def analyse(self, signal):
        """Cut a signal into frames of frequency bins.

        Args:
          signal: `[batch, time, 1]`, any time of at least one sample.
        Returns: `[batch, frames, 2 * bins]`, see `Analysis`; the signal is padded with zeros to a
          multiple of `hop`.
        """
        return self._analysis(self._pad(signal))

    def magnitude(self, spectrum):
        """Return the magnitude of each bin: `[..., 2 * bins]` -> `[..., bins]`."""
        lower, upper = ops.split(spectrum, 2, axis=-1)
        return self.scale * ops.sqrt(0.5 * (ops.square(lower) + ops.square(upper)))

    def masked(self, spectrum, gains, time):
        """Multiply a spectrum by the gains of several sources, and turn it into waveforms.

        `[batch, frames, 2 * bins]` and `[batch, frames, sources, bins]` -> `[batch, sources, time,
        1]`.
        """
        by_source = ops.transpose(gains, (0, 2, 1, 3))
        return self.synthesise(turned(spectrum[:, None], by_source), time)

    def synthesise(self, parts, time):
        """Turn the spectra of several sources into waveforms.

        Args:
          parts: `[batch, parts, frames, 2 * bins]`.
          time: samples of the analysed signal.
        Returns: `[batch, parts, time, 1]`.
        """
        shape = ops.shape(parts)
        waveforms = self._synthesis(ops.reshape(parts, (-1, *shape[2:])))
        return ops.reshape(waveforms, (*shape[:2], -1, 1))[:, :, :time]


def turned(spectrum, gains):
    """Multiply every bin of a spectrum `[..., 2 * bins]` by a gain `[..., bins]`."""
    return spectrum * ops.concatenate([gains, gains], axis=-1)


def level(magnitudes):
    """Return the mean magnitude of each frame, above zero: `[..., bins]` -> `[..., 1]`."""
    return ops.mean(magnitudes, axis=-1, keepdims=True) + SILENCE


def shares(parts, power: float = 1.0):
    """Return the share that each source has of each bin: masks that sum to one.

    Args:
      parts: magnitudes of each source, the residual included, `[..., parts, bins]`, zero or above.
      power: 1 shares by magnitude, 2 by energy, as a Wiener filter.
    Returns: `[..., parts, bins]` in [0, 1], summing to one over sources; equal where all are
    silent.
    """
    loudest = ops.max(parts, axis=-2, keepdims=True)
    raised = ops.power(parts / (loudest + 1e-30) + 1e-7, power)
    return raised / ops.sum(raised, axis=-2, keepdims=True)
