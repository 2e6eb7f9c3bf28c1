"""A short-time Fourier filterbank inside the network, so that a spectral masker is still waveform in, waveform out.

Frames of length `frame` every `hop` samples, under the square root of a Hann window both ways; with `hop` dividing
`frame` at least twice the synthesis of an unchanged analysis gives the signal back exactly.

The inverse transform runs on a *forward* real FFT through the Hartley transform: with X = A + iB the spectrum of a real
frame, h[k] = A[k] - B[k] is its Hartley spectrum, and the Hartley transform is its own inverse (up to 1/N). TFLite has a
forward real FFT among its built-in operators and no inverse one. The Hartley matrix is symmetric, so its gradient is itself.

Source: Bracewell, "Discrete Hartley transform", J. Opt. Soc. Am. 73 (1983); Allen & Rabiner, Proc. IEEE 65 (1977).
"""

import keras
import numpy as np
from keras import ops

from tfsepgan.errors import ShapeError


def root_hann(frame: int) -> np.ndarray:
    """Square root of the periodic Hann window, `[frame]`."""
    return np.sqrt(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(frame) / frame)).astype("float32")


def cut_frames(signal, frame: int, hop: int):
    """Overlapping frames of a signal with zeros around it.

    Args:
      signal: `[batch, time]`, time a multiple of `hop`.
      frame, hop: samples; `hop` divides `frame`.
    Returns: `[batch, time / hop + frame / hop - 1, frame]`; every sample is in exactly `frame / hop` frames.
    """
    repeats = frame // hop
    padded = ops.pad(signal, [[0, 0], [frame - hop, frame - hop]])
    hops = ops.reshape(padded, (ops.shape(signal)[0], -1, hop))
    count = ops.shape(hops)[1] - repeats + 1
    return ops.concatenate([hops[:, shift : shift + count] for shift in range(repeats)], axis=-1)


def overlap_add(frames, hop: int):
    """Inverse of `cut_frames` up to its redundancy: frames summed where they overlap, the zeros around cut off.

    Args:
      frames: `[batch, count, frame]`.
      hop: samples.
    Returns: `[batch, (count - frame / hop + 1) * hop]`.
    """
    batch, count, frame = ops.shape(frames)
    repeats = frame // hop
    parts = ops.reshape(frames, (batch, count, repeats, hop))
    kept = count - repeats + 1
    # Output hop j holds the last part of frame j, the last but one of frame j + 1, and so on.
    added = sum(parts[:, shift : shift + kept, repeats - 1 - shift] for shift in range(repeats))
    return ops.reshape(added, (batch, kept * hop))


def _hartley(signal):
    real, imaginary = ops.rfft(signal)
    inner = slice(1, -1)
    upper = ops.flip(real[..., inner] + imaginary[..., inner], axis=-1)
    return ops.concatenate([real - imaginary, upper], axis=-1)


@ops.custom_gradient
def hartley(signal):
    """Discrete Hartley transform along the last axis, `[..., N]` -> `[..., N]`; applied twice it multiplies by N."""

    def gradient(*args, upstream=None):
        return _hartley(args[0] if upstream is None else upstream)

    return _hartley(signal), gradient


@keras.saving.register_keras_serializable("tfsepgan")
class Analysis(keras.layers.Layer):
    """Splits a waveform into frames of frequency bins.

    Call: `[batch, time, 1]`, time a multiple of `hop` -> real and imaginary parts, each `[batch, frames, bins]`.

    Args:
      frame, hop: samples.
      bins: how many of the frame / 2 + 1 bins to give, from 0 Hz up.
      learnable: train the filters; they start as the windowed Fourier basis.
    """

    def __init__(self, frame: int, hop: int, bins: int, learnable: bool = False, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        if frame % hop or frame // hop < 2:
            raise ShapeError(f"frame {frame} must be a multiple of hop {hop}, at least twice as long.")
        self.frame, self.hop, self.bins, self.learnable = frame, hop, bins, learnable
        self.window = root_hann(frame)

    def build(self, shape):
        if self.learnable:
            basis = self.add_weight(shape=(self.frame, 2 * self.bins), name="basis", trainable=True)
            basis.assign(self._fourier_basis())
            self.basis = basis

    def _fourier_basis(self) -> np.ndarray:
        angles = 2 * np.pi * np.outer(np.arange(self.frame), np.arange(self.bins)) / self.frame
        waves = np.concatenate([np.cos(angles), -np.sin(angles)], axis=1)
        return (waves * self.window[:, None]).astype("float32")

    def call(self, signal):
        frames = cut_frames(ops.cast(signal[..., 0], "float32"), self.frame, self.hop)
        if self.learnable:
            both = ops.matmul(frames, self.basis)
            return both[..., : self.bins], both[..., self.bins :]
        real, imaginary = ops.rfft(frames * self.window)
        return real[..., : self.bins], imaginary[..., : self.bins]

    def compute_output_shape(self, shape):
        frames = None if shape[1] is None else shape[1] // self.hop + self.frame // self.hop - 1
        return (shape[0], frames, self.bins), (shape[0], frames, self.bins)

    def get_config(self):
        settings = {name: getattr(self, name) for name in ("frame", "hop", "bins", "learnable")}
        return {**super().get_config(), **settings}


@keras.saving.register_keras_serializable("tfsepgan")
class Synthesis(keras.layers.Layer):
    """Puts frames of frequency bins back together as a waveform.

    Call: real and imaginary parts, each `[batch, frames, bins]` -> `[batch, time, 1]`; bins that were not given are zero.
    """

    def __init__(self, frame: int, hop: int, learnable: bool = False, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.frame, self.hop, self.learnable = frame, hop, learnable
        # The squared window sums to half the number of overlapping frames.
        self.window = root_hann(frame) * np.float32(2 * hop / frame)

    def build(self, real_shape, imaginary_shape=None):
        if self.learnable:
            basis = self.add_weight(shape=(2 * real_shape[-1], self.frame), name="basis", trainable=True)
            basis.assign(self._fourier_basis(real_shape[-1]))
            self.basis = basis

    def _fourier_basis(self, bins: int) -> np.ndarray:
        angles = 2 * np.pi * np.outer(np.arange(bins), np.arange(self.frame)) / self.frame
        twice = np.where((np.arange(bins) == 0) | (np.arange(bins) == self.frame // 2), 1, 2)[:, None]
        waves = np.concatenate([twice * np.cos(angles), -twice * np.sin(angles)])
        return (waves / self.frame * self.window).astype("float32")

    def call(self, real, imaginary):
        if self.learnable:
            frames = ops.matmul(ops.concatenate([real, imaginary], axis=-1), self.basis)
        else:
            frames = hartley(self._hartley_spectrum(real, imaginary)) * (self.window / self.frame)
        return ops.expand_dims(overlap_add(frames, self.hop), -1)

    def _hartley_spectrum(self, real, imaginary):
        bins, half = real.shape[-1], self.frame // 2
        missing = [[0, 0], [0, 0], [0, half + 1 - bins]]
        lower = ops.pad(real - imaginary, missing)
        upper = ops.pad(real + imaginary, missing)[..., 1:half]
        return ops.concatenate([lower, ops.flip(upper, axis=-1)], axis=-1)

    def compute_output_shape(self, real_shape, imaginary_shape):
        frames = real_shape[1]
        time = None if frames is None else (frames - self.frame // self.hop + 1) * self.hop
        return (real_shape[0], time, 1)

    def get_config(self):
        settings = {name: getattr(self, name) for name in ("frame", "hop", "learnable")}
        return {**super().get_config(), **settings}
