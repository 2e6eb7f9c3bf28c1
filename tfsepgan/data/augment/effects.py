"""Effects of microphones, rooms and codecs, as functions of samples and drawn numbers."""

import math

import numpy as np
import scipy.fft
from scipy.signal import sosfilt

# samples of a response that are convolved at once; they fit into a processor's cache
ROOM_BLOCK = 16384
FILTER_HZ = (60.0, 8000.0)  # range of an equaliser's random filters
USABLE = 0.45  # of the sample rate; filters above are left out
CODEC_SECONDS = 0.023  # half a frame: 1024 samples at 44.1 kHz, as in AAC
CODEC_BANDS = 4.0  # for each octave above 500 Hz
CODEC_DB = (4.0, 20.0)  # signal-to-noise ratio in every band
CODEC_HZ = (5000.0, 16000.0)


def equaliser(
    rng: np.random.Generator, gain_db: tuple[float, float], sample_rate_hz: int
) -> list[np.ndarray]:
    """Two or three random peaks and shelves.

    Args:
      rng: draws them.
      gain_db: range of the gain of each.
      sample_rate_hz: rate of the audio.
    Returns: second-order sections, `[1, 6]` each; those near half the sample rate are left out.
    """
    sections = []
    low, high = FILTER_HZ
    for _ in range(2 + int(rng.integers(0, 2))):
        kind = ("peak", "low", "high")[int(rng.integers(0, 3))]
        frequency_hz = low * (high / low) ** rng.random()
        drawn_db = gain_db[0] + (gain_db[1] - gain_db[0]) * rng.random()
        quality = 0.4 + 0.8 * rng.random()
        if frequency_hz < USABLE * sample_rate_hz:
            sections.append(
                equaliser_section(kind, frequency_hz, drawn_db, quality, sample_rate_hz)
            )
    return sections


def band_edge(kind: str, frequency_hz: float, sample_rate_hz: int) -> list[np.ndarray]:
    """A Butterworth 'lowpass' (24 dB an octave) or 'highpass' (12 dB), as second-order sections.

    Empty if the frequency is too high for the sample rate.

    Source: Bristow-Johnson, as in `equaliser_section`; scipy.signal.butter gives the same result,
      but takes longer than the filtering.
    """
    if frequency_hz >= USABLE * sample_rate_hz:
        return []
    cosine, sine = math.cos(angle := 2 * math.pi * frequency_hz / sample_rate_hz), math.sin(angle)
    order, sign = (4, -1.0) if kind == "lowpass" else (2, 1.0)
    edge = abs(1 + sign * cosine) / 2
    sections = []
    for pole in range(order // 2):
        alpha = sine * math.cos(math.pi * (2 * pole + 1) / (2 * order))
        section = np.array([edge, sign * -2 * edge, edge, 1 + alpha, -2 * cosine, 1 - alpha])
        sections.append(section[None] / section[3])
    return sections


def filtered(samples: np.ndarray, sections: list[np.ndarray]) -> np.ndarray:
    """Samples `[time]` through second-order sections, float32."""
    return sosfilt(np.vstack(sections), samples).astype(np.float32) if sections else samples


def in_room(samples: np.ndarray, response: np.ndarray) -> np.ndarray:
    """Samples `[time]` in a room with an impulse response `[time]`; float32 of the same length.

    Both are convolved in blocks, whose transforms fit into the processor's cache and are
    vectorised: 1.2 to 2.4 times as fast as scipy.signal.oaconvolve (windows of 131072, rooms of 0.2
    to 1.2 s).
    """
    spectra = scipy.fft.rfft(_in_blocks(samples), 2 * ROOM_BLOCK, axis=1)
    parts = scipy.fft.rfft(_in_blocks(response), 2 * ROOM_BLOCK, axis=1)[: len(spectra)]
    total = spectra * parts[0]
    for delay in range(1, len(parts)):
        total[delay:] += spectra[:-delay] * parts[delay]
    blocks = scipy.fft.irfft(total, axis=1)
    blocks[1:, :ROOM_BLOCK] += blocks[:-1, ROOM_BLOCK:]
    return blocks[:, :ROOM_BLOCK].ravel()[: len(samples)]


def _in_blocks(samples: np.ndarray) -> np.ndarray:
    """Samples `[time]` as `[blocks, ROOM_BLOCK]`, padded with zeros, float32."""
    blocks = np.zeros((-(-len(samples) // ROOM_BLOCK), ROOM_BLOCK), np.float32)
    blocks.reshape(-1)[: len(samples)] = samples
    return blocks


def at_speed(samples: np.ndarray, speed: float) -> np.ndarray:
    """Samples `[time]` at another speed and pitch, like a tape: `[time / speed]`, float32."""
    import soxr  # imported here, so that the other effects work without it

    return soxr.resample(samples, speed, 1.0, quality="HQ")


def through_codec(samples: np.ndarray, quality: float, sample_rate_hz: int) -> np.ndarray:
    """Samples `[time]` after a lossy codec: float32 of the same length.

    Like such codecs, it rounds the coefficients of a lapped transform in steps that follow the
    level of each band over time, so faint partials come and go, and it removes everything above a
    limit.

    Args:
      samples: float32 `[time]`.
      quality: 0 for a signal-to-noise ratio of about 4 dB in every band and a limit of 5 kHz, to 1
        for 20 dB and 16 kHz.
      sample_rate_hz: rate of the audio.
    Source: the transform, Princen & Bradley 1986; its use, Brandenburg & Stoll 1994, "ISO-MPEG-1
      Audio".
    """
    half = 2 ** round(np.log2(CODEC_SECONDS * sample_rate_hz))
    coefficients = lapped(samples, half)
    hertz = (np.arange(half) + 0.5) * sample_rate_hz / (2 * half)
    first = np.flatnonzero(np.diff(np.floor(CODEC_BANDS * np.log2(1 + hertz / 500.0)), prepend=-1))
    widths = np.diff(first, append=half)
    power = np.add.reduceat(np.square(coefficients), first, axis=1) / widths
    noise_db = CODEC_DB[0] + (CODEC_DB[1] - CODEC_DB[0]) * quality
    # Rounding to a step adds noise with a power of a twelfth of the squared step.
    step = np.sqrt(12 * power * 10.0 ** (-noise_db / 10)) + np.float32(1e-9)
    step = np.repeat(step.astype(np.float32), widths, axis=1)
    rounded = np.divide(coefficients, step, out=coefficients)
    np.rint(rounded, out=rounded)
    rounded *= step
    rounded[:, hertz > CODEC_HZ[0] * (CODEC_HZ[1] / CODEC_HZ[0]) ** quality] = 0
    return unlapped(rounded, half)[: len(samples)]


def lapped(samples: np.ndarray, half: int) -> np.ndarray:
    """Modified discrete cosine transform of `[time]`: `[frames, half]`, float32.

    The frames have twice `half` samples and overlap by half.
    """
    blocks = -(-len(samples) // half) + 2
    padded = np.zeros(blocks * half, np.float32)
    padded[half : half + len(samples)] = samples
    padded = padded.reshape(blocks, half)
    window = _sine(half)
    early, late = padded[:-1] * window[:half], padded[1:] * window[half:]
    quarter = half // 2
    folded = np.concatenate(
        [
            -late[:, quarter - 1 :: -1] - late[:, quarter:],
            early[:, :quarter] - early[:, : quarter - 1 : -1],
        ],
        axis=1,
    )
    return scipy.fft.dct(folded, type=4, norm="ortho", axis=1)


def unlapped(coefficients: np.ndarray, half: int) -> np.ndarray:
    """Inverse of `lapped`, without the zeros before the signal: `[time]`, float32."""
    folded = scipy.fft.dct(coefficients, type=4, norm="ortho", axis=1)
    quarter = half // 2
    low, high = folded[:, :quarter], folded[:, quarter:]
    window = _sine(half)
    early = np.concatenate([high, -high[:, ::-1]], axis=1) * window[:half]
    late = np.concatenate([-low[:, ::-1], -low], axis=1) * window[half:]
    return (early[1:] + late[:-1]).ravel()


def _sine(half: int) -> np.ndarray:
    return np.sin(np.pi * (np.arange(2 * half, dtype=np.float32) + 0.5) / (2 * half)).astype(
        np.float32
    )


def white_noise(count: int, rng: np.random.Generator) -> np.ndarray:
    """White noise `[time]`, float32 in [-0.5, 0.5).

    Uniform numbers sound like normal ones and take a fifth of the time.
    """
    noise = rng.random(count, dtype=np.float32)
    noise -= np.float32(0.5)
    return noise


def room_response(
    seconds: float, level_db: float, sample_rate_hz: int, rng: np.random.Generator
) -> np.ndarray:
    """A synthetic room: the direct sound, then decaying noise.

    Args:
      seconds: until the noise has decayed by 60 dB.
      level_db: energy of the noise relative to the direct sound.
      sample_rate_hz: rate of the audio.
      rng: draws the noise.
    Returns: float32 `[time]`, starting with 1.
    Source: Moorer, "About this reverberation business", Computer Music Journal 3 (1979): the
      response of a hall resembles decaying noise.
    """
    time = np.arange(1, round(seconds * sample_rate_hz), dtype=np.float32)
    noise = white_noise(len(time), rng)
    noise *= np.exp(time * np.float32(-3 * np.log(10) / (seconds * sample_rate_hz)))
    noise *= np.float32(10.0 ** (level_db / 20) / np.sqrt(np.sum(noise**2)))
    return np.concatenate([np.ones(1, np.float32), noise])


def equaliser_section(
    kind: str, frequency_hz: float, gain_db: float, quality: float, sample_rate_hz: int
) -> np.ndarray:
    """One second-order filter of an equaliser.

    Args:
      kind: 'peak', or a shelf 'low' or 'high'.
      frequency_hz: centre of the peak, or middle of the shelf's slope.
      gain_db: at the peak, or at the far end of the shelf.
      quality: higher is narrower.
      sample_rate_hz: rate of the audio.
    Returns: `[1, 6]`, a second-order section for scipy.signal.sosfilt.
    Source: Bristow-Johnson, "Cookbook formulae for audio equalizer biquad filter coefficients".
    """
    amplitude = 10.0 ** (gain_db / 40)
    angle = 2 * math.pi * frequency_hz / sample_rate_hz
    cosine, alpha = math.cos(angle), math.sin(angle) / (2 * quality)
    if kind == "peak":
        rise, fall = alpha * amplitude, alpha / amplitude
        section = [1 + rise, -2 * cosine, 1 - rise, 1 + fall, -2 * cosine, 1 - fall]
    else:
        sign = 1.0 if kind == "low" else -1.0
        plus, minus, root = amplitude + 1, amplitude - 1, 2 * math.sqrt(amplitude) * alpha
        section = [
            amplitude * (plus - sign * minus * cosine + root),
            sign * 2 * amplitude * (minus - sign * plus * cosine),
            amplitude * (plus - sign * minus * cosine - root),
            plus + sign * minus * cosine + root,
            -sign * 2 * (minus + sign * plus * cosine),
            plus + sign * minus * cosine - root,
        ]
    return np.array([section]) / section[3]
