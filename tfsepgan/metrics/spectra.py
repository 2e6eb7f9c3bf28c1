"""How alike two sets of sounds are in their spectra, whatever is played: for sounds that have no
reference of their own.

Every sound is brought to one level and cut into frames; every frame becomes the levels of a few
dozen bands, even in pitch. A Gaussian is fitted to all frames of a set, and two sets are as far
apart as their Gaussians, by Frechet's distance. It is
stated in dB a band: `sqrt(distance / bands)`. Two sets that differ by a constant of 3 dB in each
  band are 3 dB apart.

Source: Dowson & Landau 1982, "The Frechet distance between multivariate normal distributions", J.
Multivariate Anal. 12, eq. 4; Heusel et al. 2017, arXiv:1706.08500, for judging generators by it;
Stevens, Volkmann & Newman 1937 for the mel scale, in the form of O'Shaughnessy 1987. Departs from
Heusel et al.: the Gaussians are of band levels, not of a trained network's features, so that the
figure has a unit and depends on no weights.
"""

from typing import NamedTuple

import numpy as np

from tfsepgan.errors import ShapeError

BANDS = 40  # even in mel: 45 Hz apart at the bottom, a sixth of an octave at 1 kHz
# rounded up to a power of two: 64 ms at 16 kHz, long enough for the lowest bands
FRAME_SECONDS = 0.05
# below a sound's level in one band and frame: deeper lies how softly a piece is played, not the
# instrument
FLOOR_DB = -40.0


class Spectra(NamedTuple):
    """The Gaussian of the frames of a set of sounds; in dB and dB squared."""

    mean: np.ndarray  # [bands]
    covariance: np.ndarray  # [bands, bands]


def band_levels_db(sounds, sample_rate_hz: float, *, bands: int = BANDS) -> np.ndarray:
    """How loud each band is in each frame of each sound, in dB over the sound's own level.

    Args:
      sounds: `[count, time]`, at least one frame long, none silent.
      sample_rate_hz: their rate.
      bands: how many, from 0 Hz to half the rate.
    Returns: `[count, frames, bands]`, not below `FLOOR_DB`; the powers of a frame's bands sum to
      its mean square.
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
        power[:, 1:-1] *= 2  # a real frame's other half
        levels.append(10 * np.log10(np.maximum(power @ filters.T, 10 ** (FLOOR_DB / 10))))
    return np.stack(levels)


def frame_length(sample_rate_hz: float) -> int:
    """Samples of a frame: the power of two that lasts `FRAME_SECONDS` or a little more."""
    return 2 ** int(np.ceil(np.log2(FRAME_SECONDS * sample_rate_hz)))


def mel_filters(frame: int, sample_rate_hz: float, bands: int = BANDS) -> np.ndarray:
    """Triangles even on the mel scale, `[bands, frame / 2 + 1]`; together they weigh every bin by
    one."""
    highest = _mel(sample_rate_hz / 2)
    centres = np.linspace(0, highest, bands)
    bins = _mel(np.arange(frame // 2 + 1) * sample_rate_hz / frame)
    return np.maximum(0.0, 1.0 - np.abs(bins - centres[:, None]) / (highest / (bands - 1)))


def band_centres_hz(sample_rate_hz: float, bands: int = BANDS) -> np.ndarray:
    """Where the bands lie, `[bands]`."""
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
    return Spectra(
        rows.mean(axis=0), np.cov(rows, rowvar=False).reshape(rows.shape[1], rows.shape[1])
    )


def frechet_distance(one: Spectra, other: Spectra) -> float:
    """How far apart two Gaussians are: `|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2))`, in dB
    squared.

    Source: Dowson & Landau 1982, eq. 4. The trace of the root is taken of the symmetric `C1^(1/2)
    C2 C1^(1/2)`, which has the same eigenvalues and cannot turn complex.
    """
    values, vectors = np.linalg.eigh(one.covariance)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    shared = np.linalg.eigvalsh(root @ other.covariance @ root)
    apart = np.sum((one.mean - other.mean) ** 2)
    spread = (
        np.trace(one.covariance)
        + np.trace(other.covariance)
        - 2 * np.sum(np.sqrt(np.maximum(shared, 0)))
    )
    return float(max(0.0, apart + spread))


def distance_db(one: Spectra, other: Spectra) -> float:
    """How far apart two sets are in their spectra, in dB a band: 0 for the same set."""
    return float(np.sqrt(frechet_distance(one, other) / len(one.mean)))


def mean_distance_db(one: Spectra, other: Spectra) -> float:
    """How far apart the mean spectra of two sets are, in dB a band; never above `distance_db`."""
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
            "sounds hold values that are not finite; the model that made them has diverged."
        )
    silent = np.flatnonzero(~np.any(sounds, axis=1))
    if len(silent):
        raise ShapeError(
            f"sound {silent[0]} of {len(sounds)} is silent, so it has no spectrum; leave it out."
        )
    return sounds
