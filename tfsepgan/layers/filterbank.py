"""A short-time Fourier filterbank inside the network, so that a spectral masker works on waveforms.

Frames of `frame` samples, every `hop` samples, have the square root of a Hann window in analysis
and synthesis. If `hop` divides `frame` at least twice, the synthesis of an unchanged analysis is
exactly the signal. With a `synthesis_frame` shorter than the frame, the two windows also
reconstruct the signal exactly, and the latency is shorter: see `tfsepgan/dsp/filterbank.py`.

The inverse transform uses a *forward* real FFT, by way of the Hartley transform: with X = A + iB
the spectrum of a real frame, h[k] = A[k] - B[k] is its Hartley spectrum, and the Hartley transform
is its own inverse (up to 1/N). TFLite has a forward real FFT among its built-in operators, but no
inverse one. The Hartley matrix is symmetric, so its gradient is itself.

Source: Bracewell, "Discrete Hartley transform", J. Opt. Soc. Am. 73 (1983); Allen & Rabiner, Proc.
IEEE 65 (1977).
"""

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar

import keras
import numpy as np
from keras import ops

from tfsepgan.dsp.filterbank import window_pair
from tfsepgan.errors import ConfigError
from tfsepgan.layers.configured import ConfiguredLayer


def cut_frames(signal, frame: int, hop: int, used: int | None = None):
    """Cut overlapping frames of a signal with zeros around it.

    Args:
      signal: `[batch, time]`, time a multiple of `hop`.
      frame, hop: samples; `hop` divides `frame`.
      used: samples at the end of each frame that overlap-add uses, a multiple of `hop`; None: all.
    Returns: `[batch, time / hop + used / hop - 1, frame]`; the last `used` samples of exactly `used
      / hop` frames contain a sample.
    """
    after = (frame if used is None else used) - hop
    return whole_frames(ops.pad(signal, [[0, 0], [frame - hop, after]]), frame, hop)


def whole_frames(extended, frame: int, hop: int):
    """Cut overlapping frames of a signal that has its context, without zeros around it.

    Args:
      extended: `[batch, frame - hop + time]`, time a multiple of `hop`.
      frame, hop: samples; `hop` divides `frame`.
    Returns: `[batch, time / hop, frame]`.
    """
    repeats = frame // hop
    hops = ops.reshape(extended, (ops.shape(extended)[0], -1, hop))
    count = ops.shape(hops)[1] - repeats + 1
    return ops.concatenate([_slice_of(hops, shift, count) for shift in range(repeats)], axis=-1)


def _slice_of(blocks, first: int, count):
    """Return `blocks[:, first : first + count]`; its gradient is a cheap padding."""
    return ops.slice(blocks, (0, first, 0), (ops.shape(blocks)[0], count, blocks.shape[2]))


def _bins_from(values, first: int, count: int):
    """Return `values[..., first : first + count]` as a SLICE.

    TFLite's operator for a Python slice, STRIDED_SLICE, copies number by number.
    """
    frames = ops.shape(values)[:-1]
    return ops.slice(values, (*(0 for _ in frames), first), (*frames, count))


def overlap_add(frames, hop: int):
    """Sum frames where they overlap; the counterpart of `cut_frames`.

    Args:
      frames: `[batch, count, frame]`.
      hop: samples.
    Returns: `[batch, (count - frame / hop + 1) * hop]`, without the zeros around the signal.
    """
    batch, count, frame = ops.shape(frames)[0], ops.shape(frames)[1], frames.shape[2]
    repeats = frame // hop
    kept = count - repeats + 1
    parts = ops.split(frames, repeats, axis=-1)
    # Output hop j holds the last part of frame j, the last but one of frame j + 1, and so on.
    moved = [_slice_of(parts[repeats - 1 - shift], shift, kept) for shift in range(repeats)]
    return ops.reshape(sum(moved[1:], moved[0]), (batch, kept * hop))


def _hartley(signal):
    real, imaginary = ops.rfft(signal)
    upper = ops.flip(_bins_from(real + imaginary, 1, real.shape[-1] - 2), axis=-1)
    return ops.concatenate([real - imaginary, upper], axis=-1)


_for_inference = ContextVar("for_inference", default=False)


@contextlib.contextmanager
def for_inference() -> Iterator[None]:
    """Within this context, networks are traced without custom gradients.

    TensorFlow never releases a custom gradient, nor the graph and the weights that belong to it.
    """
    token = _for_inference.set(True)
    try:
        yield
    finally:
        _for_inference.reset(token)


def hartley(signal):
    """Apply the discrete Hartley transform to the last axis, `[..., N]` -> `[..., N]`.

    Two applications multiply the input by N.
    """
    return _hartley(signal) if _for_inference.get() else _hartley_with_gradient(signal)


@ops.custom_gradient
def _hartley_with_gradient(signal):
    def gradient(*args, upstream=None):
        return _hartley(args[0] if upstream is None else upstream)

    return _hartley(signal), gradient


@keras.saving.register_keras_serializable("tfsepgan")
class Analysis(ConfiguredLayer):
    """Splits a waveform into frames of frequency bins.

    Call: `[batch, time, 1]`, time a multiple of `hop` -> `[batch, frames, 2 * bins]`. The first
    half is A - B of each bin and the second half A + B, where A + iB is the Fourier transform of
    the windowed frame. Both are real, both scale with the bin, and (A - B)^2 + (A + B)^2 is twice
    its power.

    Args:
      frame, hop: samples.
      bins: bins of the output, from 0 Hz up, of the frame / 2 + 1 that exist.
      learnable: train the filters; they start as the windowed Fourier basis.
      synthesis_frame: samples of the synthesis window; None: `frame`.
    """

    def __init__(
        self,
        frame: int,
        hop: int,
        bins: int,
        learnable: bool = False,
        synthesis_frame: int | None = None,
        **kwargs,
    ):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.synthesis_frame = synthesis_frame or frame
        check_hop(frame, hop, self.synthesis_frame)
        self.frame, self.hop, self.bins, self.learnable = frame, hop, bins, learnable
        self.window, _ = window_pair(frame, self.synthesis_frame)
        # A window rounded to half precision, as in a TFLite fp16 file, fills silent bins with noise
        # 70 dB below the loud ones. That matters, because the network's input is logarithmic. As a
        # sum of two such numbers the window is exact to 140 dB.
        self.coarse = self.window.astype("float16").astype("float32")
        self.fine = self.window - self.coarse

    def build(self, shape):
        if self.learnable:
            basis = self.add_weight(shape=(self.frame, 2 * self.bins), name="basis", trainable=True)
            basis.assign(hartley_basis(self.frame, self.bins) * self.window[:, None])
            self.basis = basis

    def call(self, signal):
        signal = ops.squeeze(ops.cast(signal, "float32"), -1)
        return self._bins_of(cut_frames(signal, self.frame, self.hop, self.synthesis_frame))

    def inside(self, extended):
        """Analyse a signal that has its past: `[batch, frame - hop + time, 1]`.

        Returns: `[batch, time / hop, 2 * bins]`.
        """
        return self._bins_of(self.frames_inside(extended))

    def frames_inside(self, extended):
        """Return the frames of the same signal without their window, `[batch, frames, frame]`."""
        signal = ops.squeeze(ops.cast(extended, "float32"), -1)
        return whole_frames(signal, self.frame, self.hop)

    def _bins_of(self, frames):
        if self.learnable:
            return ops.matmul(frames, self.basis)
        real, imaginary = ops.rfft(frames * self.coarse + frames * self.fine)
        real, imaginary = (_bins_from(part, 0, self.bins) for part in (real, imaginary))
        return ops.concatenate([real - imaginary, real + imaginary], axis=-1)

    def compute_output_shape(self, shape):
        overlapping = self.synthesis_frame // self.hop
        frames = None if shape[1] is None else shape[1] // self.hop + overlapping - 1
        return (shape[0], frames, 2 * self.bins)


@keras.saving.register_keras_serializable("tfsepgan")
class Synthesis(ConfiguredLayer):
    """Turns frames of frequency bins into a waveform: the inverse of `Analysis`.

    Call: `[batch, frames, 2 * bins]` -> `[batch, time, 1]`; missing bins are zero.

    Args: as of `Analysis`.
    """

    def __init__(
        self,
        frame: int,
        hop: int,
        learnable: bool = False,
        synthesis_frame: int | None = None,
        **kwargs,
    ):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.synthesis_frame = synthesis_frame or frame
        check_hop(frame, hop, self.synthesis_frame)
        self.frame, self.hop, self.learnable = frame, hop, learnable
        # The product of both windows sums to half the number of overlapping frames.
        _, window = window_pair(frame, self.synthesis_frame)
        self.window = window * np.float32(2 * hop / self.synthesis_frame)

    def build(self, shape):
        if self.learnable:
            bins = shape[-1] // 2
            shape = (2 * bins, self.synthesis_frame)
            basis = self.add_weight(shape=shape, name="basis", trainable=True)
            # The bins at 0 Hz and at half the rate are once in the Hartley spectrum, the others
            # twice.
            once = (np.arange(bins) == 0) | (np.arange(bins) == self.frame // 2)
            share = np.tile(np.where(once, 0.5, 1.0), 2)[:, None] / self.frame
            start = hartley_basis(self.frame, bins).T[:, -self.synthesis_frame :] * share
            start = start * self.window
            basis.assign(start.astype("float32"))
            self.basis = basis

    def call(self, spectrum):
        return ops.expand_dims(overlap_add(self.frames_of(spectrum), self.hop), -1)

    def frames_of(self, spectrum):
        """Return the windowed frames of the waveform before overlap-add.

        `[batch, frames, 2 * bins]` -> `[batch, frames, synthesis_frame]`.
        """
        if self.learnable:
            return ops.matmul(spectrum, self.basis)
        samples = self.end_of(hartley(self._hartley_spectrum(spectrum)))
        return samples * (self.window / self.frame)

    def end_of(self, frames):
        """Return the samples under the window: `[..., frame]` -> `[..., synthesis_frame]`."""
        before = self.frame - self.synthesis_frame
        return _bins_from(frames, before, self.synthesis_frame) if before else frames

    def _hartley_spectrum(self, spectrum):
        """Return all `frame` values in transform order: A - B up, missing bins, A + B down."""
        bins, half = spectrum.shape[-1] // 2, self.frame // 2
        given = min(bins, half)  # the bin at half the rate is in the lower part only
        lower, upper = ops.split(spectrum, 2, axis=-1)
        lower = ops.pad(lower, [[0, 0], [0, 0], [0, self.frame - bins - given + 1]])
        downwards = ops.flip(upper, axis=-1)
        batch, frames = ops.shape(upper)[:2]
        downwards = ops.slice(downwards, (0, 0, bins - given), (batch, frames, given - 1))
        return ops.concatenate([lower, downwards], axis=-1)

    def compute_output_shape(self, shape):
        overlapping = self.synthesis_frame // self.hop
        time = None if shape[1] is None else (shape[1] - overlapping + 1) * self.hop
        return (shape[0], time, 1)


def check_hop(frame: int, hop: int, synthesis_frame: int) -> None:
    """Check that both lengths are even, multiples of `hop`, and at least twice `hop`.

    Raises: ConfigError otherwise, and when `synthesis_frame` is longer than `frame`.
    """
    if hop < 1 or frame % hop or frame // hop < 2 or frame % 2:
        raise ConfigError(
            f"frame is {frame} and hop {hop} samples; frame must be even, a multiple of hop, and"
            " at least twice hop."
        )
    if synthesis_frame % hop or synthesis_frame % 2 or not 2 * hop <= synthesis_frame <= frame:
        raise ConfigError(
            f"synthesis_frame is {synthesis_frame}, frame {frame} and hop {hop} samples;"
            " it must be even, a multiple of hop, at least twice hop and at most frame."
        )


def hartley_basis(frame: int, bins: int) -> np.ndarray:
    """Return the basis of `Analysis` without its window, `[frame, 2 * bins]`.

    The columns are cos + sin of each bin, then cos - sin.
    """
    angles = 2 * np.pi * np.outer(np.arange(frame), np.arange(bins)) / frame
    cosines, sines = np.cos(angles), np.sin(angles)
    return np.concatenate([cosines + sines, cosines - sines], axis=1).astype("float32")
