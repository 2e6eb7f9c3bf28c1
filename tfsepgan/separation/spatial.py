"""Refines estimates of stereo recordings by the position of each source between both channels.

The networks process one channel at a time, so they cannot use the position of a source between the
channels. A multichannel Wiener filter uses it. It measures how every source (and the residual) is
distributed over both channels, for each frequency: its spread. Then it divides each bin of the
mixture among them by these spreads and by their shares of the magnitude.

Source: Duong, Vincent & Gribonval 2010, "Under-determined reverberant audio source separation using
a full-rank spatial covariance model" (arXiv:0912.0171), equations 3, 4 and 22; with estimates of a
network, Nugraha, Liutkus & Vincent 2016, as in Open-Unmix (Stoeter et al. 2019).
Departs from them: a share follows the magnitude, not the power, so that two equal channels give
the same stems as one channel alone.
"""

import numpy as np

BANDS = 5  # neighbouring bins whose spreads are averaged
DIFFUSE = 0.1  # of every spread is equal in both channels and independent: bounds the filter
SILENCE = np.float32(1e-30)


def spreads_of(parts: np.ndarray, powers: np.ndarray) -> np.ndarray:
    """Sum the products of the channels over frames.

    Args:
      parts: `[parts, 2, frames, bins]`, complex.
      powers: their squared magnitudes.
    Returns: `[4, parts, bins]` float32: power left, power right, real and imaginary part of left
      times the conjugate of right.
    """
    both = np.einsum("ptf,ptf->pf", parts[:, 0], parts[:, 1].conj())
    return np.stack([*powers.sum(axis=2).swapaxes(0, 1), both.real, both.imag])


def divided(mixture: np.ndarray, shares: np.ndarray, spreads: np.ndarray) -> np.ndarray:
    """Divide the mixture among its parts by their shares and spreads.

    Args:
      mixture: `[2, frames, bins]`, complex64.
      shares: of the parts in each bin, `[parts, frames, bins]`; they sum to one.
      spreads: of these and other frames, as `spreads_of` gives them.
    Returns: all parts but the last, `[parts - 1, 2, frames, bins]`.
    """
    left, right = mixture
    spreads = _over_bins(spreads)
    spreads = spreads / ((spreads[0] + spreads[1]) / 2 + SILENCE)
    spreads[:2] += DIFFUSE
    # the mixture is the sum of the parts, so its spread is that of their shares: a matrix
    # [[ll, lr], [conj(lr), rr]] for each bin, whose inverse whitens the mixture
    ll, rr, real, imaginary = np.einsum("ptf,cpf->ctf", shares, spreads)
    lr = real + 1j * imaginary
    scale = 1 / (ll * rr - power(lr))
    white = (rr * left - lr * right) * scale, (ll * right - lr.conj() * left) * scale
    estimates = np.empty((len(shares) - 1, *mixture.shape), np.complex64)
    for part, share in enumerate(shares[:-1]):
        ll, rr, real, imaginary = spreads[:, part]
        lr = real + 1j * imaginary
        estimates[part, 0] = share * (ll * white[0] + lr * white[1])
        estimates[part, 1] = share * (lr.conj() * white[0] + rr * white[1])
    return estimates


def power(values: np.ndarray) -> np.ndarray:
    """The squared magnitude of complex numbers."""
    return values.real**2 + values.imag**2


def _over_bins(values: np.ndarray) -> np.ndarray:
    """Add each bin's neighbours to it; the first and the last bin are repeated beyond the ends."""
    side, bins = BANDS // 2, values.shape[-1]
    wide = np.pad(values, [(0, 0)] * (values.ndim - 1) + [(side, side)], mode="edge")
    return sum(wide[..., first : first + bins] for first in range(BANDS))
