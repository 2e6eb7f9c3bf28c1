"""Log magnitude and instantaneous frequency of a waveform, and the way back.

The phase of a bin advances evenly while a tone lasts. So its unwrapped difference from frame to
frame is constant, where the phase itself is a saw-tooth.

Source: Engel et al., "GANSynth: Adversarial neural audio synthesis", arXiv:1902.08710, figure 1 and
the paragraph on spectral representations: frames of 1024 samples every 256, logarithm of the
magnitude, phase unwrapped over time and differenced, in units of pi.
Departs from it:
- All bins are kept, so that nothing is lost (the paper leaves out the highest, its authors' code
  the lowest).
- Analysis and synthesis have the root of a Hann window, not a Hann window and its inverse.
- Zeros are added on both sides, not all in front.
- Frequencies stay linear (no mel scale), and nothing is scaled to the range of a generator's last
  layer, because no network generates these spectra here.
- `phase_advance`, the input of networks, is new here: the same difference as a point on the circle,
  so that a phase that completes a turn does not jump.
"""

import numpy as np

from tfsepgan.errors import ShapeError

MAGNITUDE_FLOOR = 1e-6  # added before the logarithm; GANSynth's code
# 90 dB below a full-scale sine in a frame of 1024 samples; half precision holds it exactly
POWER_FLOOR = 2.0**-14


def short_time_spectrum(waveform: np.ndarray, *, frame: int = 1024, hop: int = 256) -> np.ndarray:
    """Return the short-time Fourier transform of a waveform with zeros around it.

    The window is the square root of a Hann window.

    Args:
      waveform: `[..., time]`, any time.
      frame, hop: samples; `hop` divides the even `frame`, at least twice.
    Returns: complex `[..., frames, frame / 2 + 1]`; ceil(time / hop) + frame / hop - 1 frames.
    Raises: ShapeError when the frames would not add up to the waveform again.
    """
    _check(frame, hop)
    waveform = np.asarray(waveform, dtype=np.float64)
    after = -waveform.shape[-1] % hop + frame - hop
    padded = np.pad(waveform, [(0, 0)] * (waveform.ndim - 1) + [(frame - hop, after)])
    frames = np.lib.stride_tricks.sliding_window_view(padded, frame, axis=-1)[..., ::hop, :]
    return np.fft.rfft(frames * _window(frame))


def waveform_of(
    spectrum: np.ndarray, *, frame: int = 1024, hop: int = 256, time: int | None = None
) -> np.ndarray:
    """Return the waveform of a short-time spectrum; the inverse of `short_time_spectrum`.

    Args:
      spectrum: complex `[..., frames, frame / 2 + 1]`.
      frame, hop: samples, as in the analysis.
      time: samples of the output; all by default, which is the next multiple of `hop`.
    Returns: `[..., time]` float64.
    Raises: ShapeError when the spectrum does not have the frame's bins, or has fewer frames than
      overlap.
    """
    _check(frame, hop)
    overlapping = frame // hop
    if spectrum.shape[-1] != frame // 2 + 1 or spectrum.shape[-2] < overlapping:
        raise ShapeError(
            f"got a spectrum of {spectrum.shape[-2:]} frames and bins; a frame of {frame} and a hop"
            f" of {hop} samples make at least {overlapping} frames of {frame // 2 + 1} bins."
        )
    frames = np.fft.irfft(spectrum, frame) * _window(frame) * (2 / overlapping)
    count = frames.shape[-2]
    sound = np.zeros((*frames.shape[:-2], (count - 1) * hop + frame))
    for index in range(count):
        sound[..., index * hop : index * hop + frame] += frames[..., index, :]
    return sound[..., frame - hop : hop - frame][..., :time]


def forward(
    waveform: np.ndarray, *, frame: int = 1024, hop: int = 256
) -> tuple[np.ndarray, np.ndarray]:
    """Return the log magnitude of each bin, and how far its phase turns from frame to frame.

    Args:
      waveform: `[..., time]`.
      frame, hop: samples.
    Returns: log magnitude (natural) and instantaneous frequency, in half turns a hop, in [-1, 1];
      `[..., frames, bins]` both. The frequency of the first frame is its phase, so that nothing is
      lost.
    Raises: ShapeError as `short_time_spectrum`.
    """
    spectrum = short_time_spectrum(waveform, frame=frame, hop=hop)
    unwrapped = np.unwrap(np.angle(spectrum), axis=-2)
    frequency = np.diff(unwrapped, axis=-2, prepend=0.0) / np.pi
    return np.log(np.abs(spectrum) + MAGNITUDE_FLOOR), frequency


def inverse(
    log_magnitude: np.ndarray,
    frequency: np.ndarray,
    *,
    frame: int = 1024,
    hop: int = 256,
    time: int | None = None,
) -> np.ndarray:
    """Return the waveform of a log magnitude and instantaneous frequency; the inverse of `forward`.

    Args:
      log_magnitude, frequency: `[..., frames, bins]`.
      frame, hop: samples, as in `forward`.
      time: samples of the output; all by default.
    Returns: `[..., time]` float64.
    Raises: ShapeError as `waveform_of`.
    """
    magnitude = np.maximum(
        np.exp(np.asarray(log_magnitude, dtype=np.float64)) - MAGNITUDE_FLOOR, 0.0
    )
    phase = np.pi * np.cumsum(np.asarray(frequency, dtype=np.float64), axis=-2)
    return waveform_of(magnitude * np.exp(1j * phase), frame=frame, hop=hop, time=time)


def phase_advance(spectrum: np.ndarray, *, frame: int = 1024, hop: int = 256) -> np.ndarray:
    """Return the instantaneous frequency as a point in the unit circle.

    It is relative to the turn of a tone in the middle of the bin.
    With X the bin, Y the same bin one frame earlier and f the power that counts as silence:
    X conj(Y) exp(-2 pi i bin hop / frame) / sqrt((|X|^2 + f) (|Y|^2 + f)).

    Args:
      spectrum: complex `[..., frames, bins]`, bins from 0 Hz up.
      frame, hop: samples, as in the analysis.
    Returns: complex `[..., frames, bins]`: 1 for a tone in the middle of its bin, i for one that
      turns a quarter further in a hop, 0 for silence and in the first frame, which has no frame
      before it.
    """
    softened = spectrum / np.sqrt(np.abs(spectrum) ** 2 + POWER_FLOOR)
    before = np.concatenate([np.zeros_like(softened[..., :1, :]), softened[..., :-1, :]], axis=-2)
    cosine, sine = turn_of_bin_centres(spectrum.shape[-1], frame=frame, hop=hop)
    return softened * np.conj(before) * (cosine - 1j * sine)


def turn_of_bin_centres(bins: int, *, frame: int, hop: int) -> tuple[np.ndarray, np.ndarray]:
    """Return cosine and sine of the turn in a hop of a tone in the middle of each bin, `[bins]`."""
    # without whole turns, so that large angles are not rounded
    angle = 2 * np.pi * (np.arange(bins) * hop % frame) / frame
    return np.cos(angle), np.sin(angle)


def _window(frame: int) -> np.ndarray:
    return np.sqrt(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(frame) / frame))


def _check(frame: int, hop: int) -> None:
    if hop < 1 or frame % hop or frame // hop < 2 or frame % 2:
        raise ShapeError(
            f"frame is {frame} and hop {hop} samples; frame must be even, a multiple of hop, and"
            " at least twice hop."
        )
