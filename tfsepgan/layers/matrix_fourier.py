"""The filterbank's transforms as products with small real matrices, without complex numbers.

A discrete Fourier transform of N = P * Q values is Q transforms of length P, a rotation of each
value, and P transforms of length Q. With n = Q a + b and k = P d + c,

    X[P d + c] = sum over b of exp(-2 pi i b d / Q) exp(-2 pi i b c / N)
                 sum over a of exp(-2 pi i a c / P) x[Q a + b].

For N = 4096 both sums are products with matrices of 64 rows. Graphics processors have these, but
no operator for complex numbers. The layers have no weights, and are built for export only.

Source: Cooley & Tukey, "An algorithm for the machine calculation of complex Fourier series", Math.
Comp. 19 (1965).
"""

import math

import numpy as np
from keras import ops

from tfsepgan.layers.streaming import Sharing

NAME = "by_products"  # starts the names of these layers: export keeps their matrices in float


class MatrixBins(Sharing):
    """Frames of bins of a signal that has its past, as `Analysis.inside`.

    Call: `[batch, frame - hop + time, 1]` -> `[batch, time / hop, 2 * bins]`.

    Args:
      layer: a built `Analysis`, not learnable.
    """

    def __init__(self, layer, **kwargs):
        super().__init__(layer, **{"name": f"{NAME}_bins", **kwargs})
        self.outer, self.inner, self.columns = _factors(layer.frame, layer.bins)
        of_outer, rotation, of_inner = _transform(self.outer, self.inner, self.columns)
        self.of_outer = _float32(np.concatenate([of_outer.real, of_outer.imag], axis=1))
        self.rotation = _float32(rotation.real), _float32(rotation.imag)
        # From real and imaginary part over b to A - B and A + B over d.
        real = np.concatenate([of_inner.real, -of_inner.imag])
        imaginary = np.concatenate([of_inner.imag, of_inner.real])
        self.of_inner = _float32(np.concatenate([real - imaginary, real + imaginary], axis=1))

    def call(self, extended):
        frames = self.layer.frames_inside(extended) * self.layer.window
        batch, count = frames.shape[:2]
        over_a = ops.transpose(ops.reshape(frames, (-1, self.outer, self.inner)), (0, 2, 1))
        real, imaginary = ops.split(ops.matmul(over_a, self.of_outer), 2, axis=-1)
        rotated = ops.concatenate(_rotated(real, imaginary, *self.rotation), axis=1)
        bins = ops.matmul(ops.transpose(rotated, (0, 2, 1)), self.of_inner)  # [frames, c, 2 d]
        bins = ops.reshape(ops.transpose(bins, (0, 2, 1)), (batch, count, 2, -1))
        kept = ops.slice(bins, (0, 0, 0, 0), (batch, count, 2, self.layer.bins))
        return ops.reshape(kept, (batch, count, 2 * self.layer.bins))


class MatrixFrames(Sharing):
    """Frames of waveform from frames of bins, before overlap-add, as `Synthesis.frames_of`.

    Call: `[batch, frames, 2 * bins]` -> `[batch, frames, synthesis_frame]`.

    Args:
      layer: a built `Synthesis`, not learnable.
      bins: bins of a frame.
    """

    def __init__(self, layer, *, bins: int, **kwargs):
        super().__init__(layer, **{"name": f"{NAME}_frames", **kwargs})
        self.outer, self.inner, self.columns = _factors(layer.frame, bins)
        of_outer, rotation, of_inner = _transform(self.outer, self.inner, self.columns)
        # From A - B and A + B over d, halves of (1 - i) and (1 + i) times A + iB, to b.
        backwards = of_inner.conj().T
        backwards = np.concatenate([(0.5 - 0.5j) * backwards, (0.5 + 0.5j) * backwards])
        self.of_inner = _float32(np.concatenate([backwards.real, backwards.imag], axis=1))
        self.rotation = _float32(rotation.real.T), _float32(-rotation.imag.T)
        real_only = np.concatenate([of_outer.real, of_outer.imag])  # of the conjugate matrix
        self.of_outer = _float32(real_only)
        # A bin stands for itself and its mirror image, but not those at 0 Hz and at half the rate:
        # there A - B is the whole bin, as in the Hartley spectrum.
        self.share = np.full((2, bins), 2 / layer.frame, np.float32)
        self.share[1, :: layer.frame // 2] = 0

    def call(self, spectrum):
        batch, count, bins = *spectrum.shape[:2], spectrum.shape[2] // 2
        weighted = ops.reshape(spectrum, (batch * count, 2, bins)) * self.share
        padded = ops.pad(weighted, [[0, 0], [0, 0], [0, self.columns * self.outer - bins]])
        over_d = ops.reshape(padded, (-1, 2 * self.columns, self.outer))
        over_d = ops.transpose(over_d, (0, 2, 1))
        real, imaginary = ops.split(ops.matmul(over_d, self.of_inner), 2, axis=-1)  # [frames, c, b]
        rotated = ops.concatenate(_rotated(real, imaginary, *self.rotation), axis=1)
        samples = ops.matmul(ops.transpose(rotated, (0, 2, 1)), self.of_outer)  # [frames, b, a]
        samples = ops.transpose(samples, (0, 2, 1))
        samples = ops.reshape(samples, (batch, count, self.layer.frame))
        return self.layer.end_of(samples) * self.layer.window


def _factors(frame: int, bins: int) -> tuple[int, int, int]:
    """Return P, Q, and the number of values of d that the bins need."""
    outer = max(one for one in range(1, math.isqrt(frame) + 1) if frame % one == 0)
    return outer, frame // outer, -(-bins // outer)


def _transform(outer: int, inner: int, columns: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the factors over a and c `[P, P]`, b and c `[Q, P]`, and b and d `[Q, columns]`."""
    a, b, d = np.arange(outer), np.arange(inner), np.arange(columns)
    return (
        np.exp(-2j * np.pi * np.outer(a, a) / outer),
        np.exp(-2j * np.pi * np.outer(b, a) / (outer * inner)),
        np.exp(-2j * np.pi * np.outer(b, d) / inner),
    )


def _rotated(real, imaginary, cosine, sine):
    return real * cosine - imaginary * sine, real * sine + imaginary * cosine


def _float32(values: np.ndarray) -> np.ndarray:
    # The sine of pi is zero: the bin at half the rate stays real, and its phase 0 or pi.
    return np.ascontiguousarray(np.where(np.abs(values) < 1e-12, 0, values), dtype=np.float32)
