"""Variants of a recording: the same music on another instrument, in another room, at another speed.

With the recordings of one player, a network learns only that player's piano. A variant changes a
recording in this order:
- other weights of its channels, if it has several, as if recorded from another position;
- another speed and pitch together, like a tape;
- a few filters;
- sometimes a band limit, as of a telephone, an old disc or a lossy codec;
- sometimes a room.

All random numbers depend only on seed, file name and variant number, so every machine makes the
same variants.
"""

import zlib

import numpy as np

from tfsepgan.data.augment.effects import band_edge, equaliser, filtered, in_room, room_response

SEMITONES = 4.0  # in either direction; with more, instruments sound like other kinds
# largest gain of one filter: about the difference between a dull upright and a bright grand piano
BEND_DB = 12.0
LOW_PASS_HZ = (5000.0, 16000.0)
HIGH_PASS_HZ = (40.0, 250.0)
BAND_LIMIT_PROBABILITY = 0.35  # of a low-pass, and independently of a high-pass
ROOM_PROBABILITY = 0.5
ROOM_SECONDS = (0.15, 1.2)  # until the reverberation has decayed by 60 dB: from bedroom to hall
ROOM_DB = (-18.0, -3.0)  # of the reverberation relative to the direct sound
# equal part of the weights: of two channels each has at least 0.1, in case the other is silent
EVEN_SHARE = 0.2


def draw_speed(seed: int, group: str, variant: int) -> float:
    """The speed of a variant: 1 for variant 0, otherwise within SEMITONES in either direction.

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
    """The weights of a recording's channels in a variant's mixdown.

    The share `EVEN_SHARE` is equal for all channels; the remaining share is drawn uniformly among
    all positive weights that sum to one. So sounds in the centre keep their level, and sounds at a
    side change theirs. The stems of a song get separate weights, filters and rooms, as if panned
    anew; a mixture is always the sum of the stems that it is made from.

    Args:
      seed, name, variant: determine the weights.
      channels: how many there are.
    Returns: float32 `[channels]`; None, for the mean, if there is one channel or for variant 0.
    """
    if variant == 0 or channels == 1:
        return None
    drawn = -np.log(1 - _generator(seed, name, variant, 2).random(channels))
    return (EVEN_SHARE / channels + (1 - EVEN_SHARE) * drawn / drawn.sum()).astype(np.float32)


def vary(
    samples: np.ndarray, sample_rate_hz: int, seed: int, name: str, variant: int
) -> np.ndarray:
    """Apply two or three random peaks or shelves, and sometimes band limits and a room.

    Args:
      samples: float32 `[time]`.
      sample_rate_hz: their rate.
      seed, name, variant: determine the filters.
    Returns: float32 `[time]`; can exceed full scale where the filters raise the level.
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
