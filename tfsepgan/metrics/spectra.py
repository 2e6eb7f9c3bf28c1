"""Spectral distance of two sets of sounds, for sounds without a reference of their own.

Every sound is brought to one level and cut into frames. Every frame becomes the levels of 40 bands,
spaced evenly in pitch. A Gaussian is fitted to all frames of a set; the distance of two sets is the
Frechet distance of their Gaussians, in dB a band: `sqrt(distance / bands)`. Two sets that differ by
3 dB in every band and frame have a distance of 3 dB.

Source: Dowson & Landau 1982, "The Frechet distance between multivariate normal distributions", J.
Multivariate Anal. 12, eq. 4; Heusel et al. 2017, arXiv:1706.08500, for scoring generators with it;
Stevens, Volkmann & Newman 1937 for the mel scale, in the form of O'Shaughnessy 1987.
Departs from Heusel et al.: the Gaussians are of band levels, not of a trained network's features,
so that the figure has a unit and depends on no weights.
"""

from typing import NamedTuple

import numpy as np

from tfsepgan.errors import ShapeError

BANDS = 40  # even in mel: 45 Hz apart at low frequencies, a sixth of an octave at 1 kHz
# rounded up to a power of two: 64 ms at 16 kHz, long enough for the lowest bands
FRAME_SECONDS = 0.05
# lowest level of a band in a frame, relative to the sound's level; lower levels depend more on how
# softly a piece is played than on the instrument
FLOOR_DB = -40.0


class Spectra(NamedTuple):
    """The Gaussian of the frames of a set of sounds, in dB and dB squared."""

    mean: np.ndarray  # [bands]
    covariance: np.ndarray  # [bands, bands]


def band_levels_db(sounds, sample_rate_hz: float, *, bands: int = BANDS) -> np.ndarray:
    """The level of each band in each frame of each sound, in dB relative to the sound's level.

    Args:
      sounds: `[count, time]`, at least one frame long, none silent.
      sample_rate_hz: samples per second.
      bands: number of bands, from 0 Hz to half the rate.
    Returns: `[count, frames, bands]`, at least `FLOOR_DB`; the powers of a frame's bands sum to its
      mean square.
    Raises: ShapeError for another shape, a silent sound, a value that is not finite, or too short
      sounds.
    """
    frame = frame_length(sample_rate_hz)
    sounds = _checked(sounds, frame)
    sounds = sounds / np.sqrt(np.mean(np.square(sounds), axis=1, keepdims=True))
    window = np.hanning(frame + 1)[:-1]
    filters = mel_filters(frame, sample_rate_hz, bands) / (np.sum(window**2) * frame)
    levels = []
    for sound in sounds:
        frames = np.lib.stride_tricks.sliding_window_view(sound, frame)[:: frame // 4]
        power = np.abs(np.fft.rfft(frames * window)) ** 2
        power[:, 1:-1] *= 2  # the negative frequencies of a real signal
        levels.append(10 * np.log10(np.maximum(power @ filters.T, 10 ** (FLOOR_DB / 10))))
    return np.stack(levels)


def frame_length(sample_rate_hz: float) -> int:
    """Samples of a frame: the smallest power of two that lasts at least `FRAME_SECONDS`."""
    return 2 ** int(np.ceil(np.log2(FRAME_SECONDS * sample_rate_hz)))


def mel_filters(frame: int, sample_rate_hz: float, bands: int = BANDS) -> np.ndarray:
    """Triangles spaced evenly in mel, `[bands, frame / 2 + 1]`; the weights of a bin sum to one."""
    highest = _mel(sample_rate_hz / 2)
    centres = np.linspace(0, highest, bands)
    bins = _mel(np.arange(frame // 2 + 1) * sample_rate_hz / frame)
    return np.maximum(0.0, 1.0 - np.abs(bins - centres[:, None]) / (highest / (bands - 1)))


def band_centres_hz(sample_rate_hz: float, bands: int = BANDS) -> np.ndarray:
    """The centre frequencies of the bands, `[bands]`."""
    return 700 * (10 ** (np.linspace(0, _mel(sample_rate_hz / 2), bands) / 2595) - 1)


def _mel(frequency_hz):
    return 2595 * np.log10(1 + np.asarray(frequency_hz, np.float64) / 700)


def fit(levels_db) -> Spectra:
    """The Gaussian of band levels, `[..., frames, bands]`, over all frames of all sounds."""
    rows = np.reshape(levels_db, (-1, np.shape(levels_db)[-1])).astype(np.float64)
    if len(rows) < 2:
        raise ShapeError(
            f"{len(rows)} frames are too few for a distribution; give more or longer sounds."
        )
    return Spectra(rows.mean(axis=0), np.atleast_2d(np.cov(rows, rowvar=False)))


def frechet_distance(one: Spectra, other: Spectra) -> float:
    """Distance of two Gaussians, `|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2))`, in dB squared.

    Source: Dowson & Landau 1982, eq. 4. The root is taken of the symmetric `C1^(1/2) C2 C1^(1/2)`,
    which has the same eigenvalues as `C1 C2`, all real.
    """
    values, vectors = np.linalg.eigh(one.covariance)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    shared = np.linalg.eigvalsh(root @ other.covariance @ root)
    apart = np.sum((one.mean - other.mean) ** 2)
    traces = np.trace(one.covariance) + np.trace(other.covariance)
    spread = traces - 2 * np.sum(np.sqrt(np.maximum(shared, 0)))
    return float(max(0.0, apart + spread))


def distance_db(one: Spectra, other: Spectra) -> float:
    """Spectral distance of two sets in dB a band; 0 for equal sets."""
    return float(np.sqrt(frechet_distance(one, other) / len(one.mean)))


def mean_distance_db(one: Spectra, other: Spectra) -> float:
    """Distance of the mean spectra of two sets in dB a band; at most `distance_db`."""
    return float(np.sqrt(np.mean((one.mean - other.mean) ** 2)))


def spectra_of(sounds, sample_rate_hz: float) -> Spectra:
    """The Gaussian of a set of sounds `[count, time]`; see `band_levels_db`."""
    return fit(band_levels_db(sounds, sample_rate_hz))


def _checked(sounds, frame: int) -> np.ndarray:
    sounds = np.asarray(sounds, np.float64)
    if sounds.ndim != 2 or not len(sounds) or sounds.shape[1] < frame:
        raise ShapeError(
            f"sounds of shape {list(sounds.shape)}, wanted [count, time] with a time of at least"
            f" {frame}."
        )
    if not np.isfinite(sounds).all():
        raise ShapeError(
            "sounds hold values that are not finite; the model that generated them has diverged."
        )
    silent = np.flatnonzero(~np.any(sounds, axis=1))
    if len(silent):
        raise ShapeError(
            f"sound {silent[0]} of {len(sounds)} is silent, so it has no spectrum; leave it out."
        )
    return sounds
