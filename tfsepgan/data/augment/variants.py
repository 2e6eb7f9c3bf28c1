"""Variants of a recording: the same music as if on another instrument, in another room, at another
speed.

One player's recordings teach a network that player's piano. A variant weighs the channels of a
recording that has several anew, as if heard from elsewhere, changes speed and pitch together (as a
tape does), bends the spectrum with a few filters, sometimes limits the band as a telephone, an old
disc or a lossy codec does, and sometimes plays it in a room. What is drawn is a function of the
seed, the file's name and the variant's number, so every machine makes the same.
"""

import zlib

import numpy as np

from tfsepgan.data.augment.effects import band_edge, equaliser, filtered, in_room, room_response

SEMITONES = 4.0  # either way; further, and instruments change their kind
# most that one filter raises or lowers: about what lies between a dull upright and a bright grand
BEND_DB = 12.0
LOW_PASS_HZ = (5000.0, 16000.0)
HIGH_PASS_HZ = (40.0, 250.0)
BAND_LIMIT_PROBABILITY = 0.35  # of a low-pass, and apart from it of a high-pass
ROOM_PROBABILITY = 0.5
ROOM_SECONDS = (0.15, 1.2)  # until the reverberation has fallen by 60 dB: a bedroom to a hall
ROOM_DB = (-18.0, -3.0)  # of the reverberation against what comes directly
# of the weights: of two channels each counts a tenth at least, should the other be dead
EVEN_SHARE = 0.2


def draw_speed(seed: int, group: str, variant: int) -> float:
    """How much faster (and higher) a variant plays: 1 for variant 0, else within SEMITONES either
    way.

    Args:
      seed: of the run.
      group: name shared by the files that must keep the same speed.
      variant: number of the variant, 0 for the recording itself.
    """
    if variant == 0:
        return 1.0
    rng = _generator(seed, group, variant, 0)
    return float(2.0 ** ((2 * rng.random() - 1) * SEMITONES / 12))


def draw_channel_weights(seed: int, name: str, variant: int, channels: int) -> np.ndarray | None:
    """What each channel of a recording counts for where a variant mixes them down.

    Uniform among all that are positive and add up to one, less what `EVEN_SHARE` keeps: what lies
    in the middle keeps its level, and what lies on a side moves. The stems of a song draw their
    own, as they draw filters and rooms of their own: each is as if panned anew, and a mixture is
    always the sum of the stems that it is made of.

    Args:
      seed, name, variant: what they are drawn from.
      channels: how many there are.
    Returns: float32 `[channels]`; None, for the mean, where there is one channel, and for variant
      0, the recording as it is.
    """
    if variant == 0 or channels == 1:
        return None
    drawn = -np.log(1 - _generator(seed, name, variant, 2).random(channels))
    return (EVEN_SHARE / channels + (1 - EVEN_SHARE) * drawn / drawn.sum()).astype(np.float32)


def vary(
    samples: np.ndarray, sample_rate_hz: int, seed: int, name: str, variant: int
) -> np.ndarray:
    """Bend the spectrum of a recording with two or three random peaks or shelves, sometimes a band
    limit, sometimes a room.

    Args:
      samples: float32 `[time]`.
      sample_rate_hz: their rate.
      seed, name, variant: what the filters are drawn from.
    Returns: float32 `[time]`; louder than full scale where the filters raise it that far.
    """
    rng = _generator(seed, name, variant, 1)
    sections = equaliser(rng, (-BEND_DB, BEND_DB), sample_rate_hz)
    for probability, kind, (low, high) in (
        (rng.random(), "lowpass", LOW_PASS_HZ),
        (rng.random(), "highpass", HIGH_PASS_HZ),
    ):
        frequency_hz = low * (high / low) ** rng.random()
        if probability < BAND_LIMIT_PROBABILITY:
            sections += band_edge(kind, frequency_hz, sample_rate_hz)
    bent = filtered(samples, sections)
    if rng.random() >= ROOM_PROBABILITY:
        return bent
    seconds = ROOM_SECONDS[0] * (ROOM_SECONDS[1] / ROOM_SECONDS[0]) ** rng.random()
    return in_room(bent, room_response(seconds, rng.uniform(*ROOM_DB), sample_rate_hz, rng))


def _generator(seed: int, name: str, variant: int, purpose: int) -> np.random.Generator:
    return np.random.default_rng([seed, zlib.crc32(name.encode()), variant, purpose])
