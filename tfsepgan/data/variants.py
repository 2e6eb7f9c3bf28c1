"""Variants of a recording: the same music as if on another instrument, in another room, at another speed.

One player's recordings teach a network that player's piano. A variant changes speed and pitch together (as a
tape does), bends the spectrum with a few filters, sometimes limits the band as a telephone, an old disc or a lossy
codec does, and sometimes plays it in a room. What is drawn is a function of the seed, the file's name and the variant's number,
so every machine makes the same.
"""

import zlib

import numpy as np
from scipy.signal import butter, oaconvolve, sosfilt

SEMITONES = 4.0  # either way; further, and instruments change their kind
BEND_DB = 12.0  # most that one filter raises or lowers: about what lies between a dull upright and a bright grand
LOW_PASS_HZ = (5000.0, 16000.0)
HIGH_PASS_HZ = (40.0, 250.0)
BAND_LIMIT_PROBABILITY = 0.35  # of a low-pass, and apart from it of a high-pass
ROOM_PROBABILITY = 0.5
ROOM_SECONDS = (0.15, 1.2)  # until the reverberation has fallen by 60 dB: a bedroom to a hall
ROOM_DB = (-18.0, -3.0)  # of the reverberation against what comes directly
_USABLE = 0.45  # of the rate: filters above that are left out


def draw_speed(seed: int, group: str, variant: int) -> float:
    """How much faster (and higher) a variant plays: 1 for variant 0, else within SEMITONES either way.

    Args:
      seed: of the run.
      group: name shared by the files that must keep the same speed.
      variant: number of the variant, 0 for the recording itself.
    """
    if variant == 0:
        return 1.0
    rng = _generator(seed, group, variant, 0)
    return float(2.0 ** ((2 * rng.random() - 1) * SEMITONES / 12))


def vary(samples: np.ndarray, sample_rate_hz: int, seed: int, name: str, variant: int) -> np.ndarray:
    """Bend the spectrum of a recording with two or three random peaks or shelves, sometimes a band limit, sometimes a room.

    Args:
      samples: float32 `[time]`.
      sample_rate_hz: their rate.
      seed, name, variant: what the filters are drawn from.
    Returns: float32 `[time]`; louder than full scale where the filters raise it that far.
    """
    rng = _generator(seed, name, variant, 1)
    sections = []
    for _ in range(2 + int(rng.integers(0, 2))):
        kind = ("peak", "low", "high")[int(rng.integers(0, 3))]
        frequency_hz = 60.0 * (8000.0 / 60.0) ** rng.random()
        gain_db = (2 * rng.random() - 1) * BEND_DB
        quality = 0.4 + 0.8 * rng.random()
        if frequency_hz < _USABLE * sample_rate_hz:
            sections.append(equaliser_section(kind, frequency_hz, gain_db, quality, sample_rate_hz))
    for probability, kind, (low, high) in (
        (rng.random(), "lowpass", LOW_PASS_HZ),
        (rng.random(), "highpass", HIGH_PASS_HZ),
    ):
        frequency_hz = low * (high / low) ** rng.random()
        if probability < BAND_LIMIT_PROBABILITY and frequency_hz < _USABLE * sample_rate_hz:
            sections.append(butter(4 if kind == "lowpass" else 2, frequency_hz, kind, fs=sample_rate_hz, output="sos"))
    bent = sosfilt(np.vstack(sections), samples).astype(np.float32) if sections else samples
    if rng.random() >= ROOM_PROBABILITY:
        return bent
    seconds = ROOM_SECONDS[0] * (ROOM_SECONDS[1] / ROOM_SECONDS[0]) ** rng.random()
    room = room_response(seconds, rng.uniform(*ROOM_DB), sample_rate_hz, rng)
    return oaconvolve(bent, room)[: len(bent)].astype(np.float32)


def room_response(seconds: float, level_db: float, sample_rate_hz: int, rng: np.random.Generator) -> np.ndarray:
    """A synthetic room: what comes directly, then noise that dies away.

    Args:
      seconds: until the noise has fallen by 60 dB.
      level_db: energy of the noise against what comes directly.
      sample_rate_hz: rate of the audio.
      rng: draws the noise.
    Returns: float32 `[time]`, starting with 1.
    Source: Moorer, "About this reverberation business", Computer Music Journal 3 (1979): a hall sounds like decaying noise.
    """
    time = np.arange(1, round(seconds * sample_rate_hz)) / sample_rate_hz
    noise = rng.standard_normal(len(time), dtype=np.float32) * 10.0 ** (-3 * time / seconds)
    noise *= 10.0 ** (level_db / 20) / np.sqrt(np.sum(noise**2))
    return np.concatenate([[1.0], noise]).astype(np.float32)


def equaliser_section(
    kind: str, frequency_hz: float, gain_db: float, quality: float, sample_rate_hz: int
) -> np.ndarray:
    """One second-order filter of an equaliser.

    Args:
      kind: 'peak', or a shelf 'low' or 'high'.
      frequency_hz: centre of the peak, or middle of the shelf's slope.
      gain_db: at the peak, or far along the shelf.
      quality: the higher, the narrower.
      sample_rate_hz: rate of the audio.
    Returns: `[1, 6]`, a second-order section as scipy.signal.sosfilt takes.
    Source: Bristow-Johnson, "Cookbook formulae for audio equalizer biquad filter coefficients".
    """
    amplitude = 10.0 ** (gain_db / 40)
    angle = 2 * np.pi * frequency_hz / sample_rate_hz
    cosine, alpha = np.cos(angle), np.sin(angle) / (2 * quality)
    if kind == "peak":
        rise, fall = alpha * amplitude, alpha / amplitude
        section = [1 + rise, -2 * cosine, 1 - rise, 1 + fall, -2 * cosine, 1 - fall]
    else:
        sign = 1.0 if kind == "low" else -1.0
        plus, minus, root = amplitude + 1, amplitude - 1, 2 * np.sqrt(amplitude) * alpha
        section = [
            amplitude * (plus - sign * minus * cosine + root),
            sign * 2 * amplitude * (minus - sign * plus * cosine),
            amplitude * (plus - sign * minus * cosine - root),
            plus + sign * minus * cosine + root,
            -sign * 2 * (minus + sign * plus * cosine),
            plus + sign * minus * cosine - root,
        ]
    return np.array([section]) / section[3]


def _generator(seed: int, name: str, variant: int, purpose: int) -> np.random.Generator:
    return np.random.default_rng([seed, zlib.crc32(name.encode()), variant, purpose])
