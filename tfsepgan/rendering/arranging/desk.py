"""The mixing desk: equalises and pans every stem, and adds a room and a hall that all stems share.

Every step is linear in each stem. So each stem contains its own part of the hall, and the stems sum
to the mixture.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from scipy.signal import oaconvolve

from tfsepgan.data.augment.effects import band_edge, equaliser, filtered, white_noise

_LEVELS_DB = {  # of each role relative to a lead, and the range around it
    "singer": (0.0, 2.0),
    "lead": (-1.0, 3.0),
    "bridge": (-6.0, 3.0),
    "drums": (-2.0, 4.0),
    "bass": (-3.0, 3.0),
    "chords": (-8.0, 4.0),
    "piano": (0.0, 0.0),
}
_CENTRED = ("bass", "singer", "lead", "drums")
_EQUALISER_DB = (-5.0, 4.0)
_LOW_CUT_HZ = {"bass": (25.0, 40.0), "drums": (25.0, 40.0), "piano": (30.0, 60.0)}
_OTHERS_CUT_HZ = (60.0, 140.0)
_ACTIVE_DB = -45.0  # relative to the loudest frame; frames below are rests
_FRAME_SECONDS = 0.05


class Strip(NamedTuple):
    """How one stem is mixed."""

    level_db: float
    """Of the active frames, relative to a lead."""
    pan: float
    """-1 is left, 1 is right."""
    width: float
    """0 is mono, 1 leaves the instrument's width."""
    room_seconds: float
    room_db: float
    """Energy of the room relative to the direct sound."""
    send_db: float
    """Energy of the hall relative to the direct sound."""
    seed: tuple[int, int]


class Hall(NamedTuple):
    """The reverberation that all stems of a song share."""

    seconds: float
    delay_seconds: float
    seed: tuple[int, int]


def draw_strip(role: str, rng: np.random.Generator) -> Strip:
    """Draw the settings of a strip for a role, in the range of common practice."""
    middle, spread = _LEVELS_DB[role]
    pan = rng.uniform(-0.15, 0.15) if role in _CENTRED else rng.uniform(-0.75, 0.75)
    width = rng.uniform(0.0, 0.3) if role in ("bass", "singer") else rng.uniform(0.4, 1.0)
    dry = role in ("bass", "drums")
    return Strip(
        level_db=middle + float(rng.uniform(-spread, spread)),
        pan=float(pan * (0.5 if role == "piano" else 1.0)),
        width=float(width),
        room_seconds=float(rng.uniform(0.12, 0.6)),
        room_db=float(rng.uniform(-24, -10) if dry else rng.uniform(-20, -5)),
        send_db=float(rng.uniform(-32, -18) if dry else rng.uniform(-26, -9)),
        seed=_words(rng),
    )


def draw_hall(rng: np.random.Generator) -> Hall:
    """Draw a hall, with a reverberation time of 0.8 s (a plate) to 2.4 s (a church)."""
    return Hall(float(rng.uniform(0.8, 2.4)), float(rng.uniform(0.0, 0.06)), _words(rng))


def _words(rng: np.random.Generator) -> tuple[int, int]:
    return int(rng.integers(0, 2**31)), int(rng.integers(0, 2**31))


def panned(sound: np.ndarray, pan: float) -> np.ndarray:
    """Rotate left and right so that the centre moves to `pan`; the power stays the same.

    Args:
      sound: `[frames, 2]`.
      pan: -1 is left, 1 is right.
    """
    angle = pan * np.pi / 4
    cosine, sine = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    left, right = sound[:, 0], sound[:, 1]
    return np.stack([cosine * left - sine * right, sine * left + cosine * right], axis=1)


def narrowed(sound: np.ndarray, width: float) -> np.ndarray:
    """`[frames, 2]` with the difference between left and right scaled by `width`."""
    # four times as fast as a mean over an axis of length two
    middle = ((sound[:, 0] + sound[:, 1]) / 2)[:, None]
    return middle + np.float32(width) * (sound - middle)


def active_rms(sound: np.ndarray, sample_rate_hz: int) -> float:
    """RMS over the frames that are not silent; zero for silence.

    Args:
      sound: `[frames, channels]`.
      sample_rate_hz: its rate.
    """
    size = max(1, round(_FRAME_SECONDS * sample_rate_hz))
    count = len(sound) // size
    squares = np.square(sound[: count * size], dtype=np.float32)
    power = squares.reshape(count, -1).mean(axis=1, dtype=np.float64)
    if not count or power.max() == 0:
        return 0.0
    return float(np.sqrt(power[power > power.max() * 10 ** (_ACTIVE_DB / 10)].mean()))


def decaying(
    seconds: float, delay_seconds: float, sample_rate_hz: int, rng: np.random.Generator
) -> np.ndarray:
    """Stereo noise that decays by 60 dB in `seconds`, and its treble in half of that.

    Args:
      seconds: decay time.
      delay_seconds: zeros before the noise.
      sample_rate_hz: rate of the audio.
      rng: draws the noise.
    Returns: `[frames, 2]`, with energy 1 in each channel.
    Source: Moorer, "About this reverberation business", Computer Music Journal 3 (1979).
    """
    count = max(2, round(seconds * sample_rate_hz))
    time = np.arange(count, dtype=np.float32)[:, None] / np.float32(seconds * sample_rate_hz)
    noise = white_noise(2 * count, rng).reshape(count, 2)
    edge = band_edge("lowpass", 2500.0, sample_rate_hz)
    low = np.stack([filtered(noise[:, n], edge) for n in range(2)], axis=1)
    falling = np.float32(-3 * np.log(10)) * time
    sound = low * np.exp(falling) + 0.7 * (noise - low) * np.exp(2 * falling)
    sound /= np.sqrt(np.sum(np.square(sound), axis=0, dtype=np.float64)).astype(np.float32)
    return np.concatenate([np.zeros((round(delay_seconds * sample_rate_hz), 2), np.float32), sound])


def mixed(
    sound: np.ndarray, role: str, strip: Strip, hall: Hall, sample_rate_hz: int
) -> np.ndarray:
    """One stem through its strip, with its own room and its part of the hall.

    Args:
      sound: `[frames, 2]` at any level.
      role: of the player.
      strip, hall: settings.
      sample_rate_hz: rate of the audio.
    Returns: float32 `[frames, 2]`; its active frames have an RMS of `strip.level_db`.
    """
    rng = np.random.default_rng(strip.seed)
    low, high = _LOW_CUT_HZ.get(role, _OTHERS_CUT_HZ)
    sections = [*equaliser(rng, _EQUALISER_DB, sample_rate_hz)]
    sections += band_edge("highpass", float(rng.uniform(low, high)), sample_rate_hz)
    sound = np.stack([filtered(sound[:, channel], sections) for channel in range(2)], axis=1)
    sound = panned(narrowed(sound, strip.width), strip.pan)
    room = 10 ** (strip.room_db / 20) * decaying(strip.room_seconds, 0.004, sample_rate_hz, rng)
    hall_rng = np.random.default_rng(hall.seed)
    echo = decaying(hall.seconds, hall.delay_seconds, sample_rate_hz, hall_rng)
    shared = 10 ** (strip.send_db / 20) * echo
    response = np.zeros((max(len(room), len(shared)), 2), np.float32)
    response[: len(room)] += room
    response[: len(shared)] += shared
    response[0] += 1
    wet = [oaconvolve(sound[:, n], response[:, n])[: len(sound)] for n in range(2)]
    wet = np.stack(wet, axis=1).astype(np.float32)
    rms = active_rms(wet, sample_rate_hz)
    return wet * np.float32(10 ** (strip.level_db / 20) / rms) if rms else wet


def balanced(
    stems: Mapping[str, np.ndarray], name: str, level_db: float, sample_rate_hz: int
) -> dict[str, np.ndarray]:
    """The stems with one of them set to a level relative to the sum of the others.

    Both levels are measured over active frames.
    """
    others: Sequence[np.ndarray] = [stem for other, stem in stems.items() if other != name]
    own_rms = active_rms(stems[name], sample_rate_hz)
    others_rms = active_rms(np.sum(others, axis=0), sample_rate_hz) if others else 0.0
    if not own_rms or not others_rms:
        return dict(stems)
    gain = np.float32(others_rms * 10 ** (level_db / 20) / own_rms)
    return {**stems, name: stems[name] * gain}
