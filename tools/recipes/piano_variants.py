"""Variants of sampled pianos: smaller, larger, felted and detuned instruments.

There are few free pianos. A sample at other keys keeps the overtones of its string and its
soundboard, both shifted equally, like those of a smaller or larger piano. Two copies a few cents
apart are a honky-tonk. A low-pass with a slow attack is felt.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from scipy.signal import butter, sosfilt
from soundfont_writer import Zone, to_pcm16

FULL_SCALE = 32767
LOWEST, HIGHEST = 21, 108  # keys of a keyboard


class Variant(NamedTuple):
    """The changes of a piano."""

    of: str
    """Its name in piano.py."""
    title: str
    keys: int = 0
    """Transposition of its samples, in semitones."""
    apart_cents: int = 0
    """Between two copies."""
    felt_hz: float = 0.0
    """Corner of a first-order low-pass; 0: none."""
    attack_seconds: float = 0.0
    bright_db: float = 0.0
    """Gain above 2.5 kHz, as of worn hammers."""
    velocities: tuple[int, int] = (0, 127)
    """Layers to keep; they share all velocities."""


VARIANTS = {
    "splendid_small": Variant("splendid", "Splendid, smaller", keys=4),
    "splendid_felt": Variant(
        "splendid", "Splendid, felt", felt_hz=900.0, attack_seconds=0.012, velocities=(0, 70)
    ),
    "salamander_large": Variant("salamander", "Salamander, larger", keys=-3, velocities=(40, 80)),
    "salamander_bright": Variant(
        "salamander", "Salamander, bright", bright_db=9.0, velocities=(75, 127)
    ),
    "upright_small": Variant("upright", "Upright KW, smaller", keys=3),
    "upright_felt": Variant(
        "upright", "Upright KW, felt", felt_hz=700.0, attack_seconds=0.015, velocities=(0, 70)
    ),
    "upright_honky": Variant("upright", "Upright KW, honky-tonk", apart_cents=14, bright_db=5.0),
    "disklavier_small": Variant("disklavier", "Disklavier, smaller", keys=6),
    "disklavier_honky": Variant("disklavier", "Disklavier, honky-tonk", keys=-2, apart_cents=18),
    "iowa_large": Variant("iowa", "Iowa Steinway, larger", keys=-4, velocities=(60, 127)),
}


def varied(zones: Iterable[Zone], variant: Variant) -> Iterator[Zone]:
    """The zones of a piano, changed.

    Args:
      zones: of one piano, one for each sample; those of other layers than `variant.velocities`
        are left out.
    """
    low, high = variant.velocities
    for zone in zones:
        bottom, top = zone.velocities
        if top < low or bottom > high:
            continue
        bottom = 0 if bottom <= low else bottom
        top = 127 if top >= high else top
        keys = moved(zone.keys, variant.keys)
        if keys is None:
            continue
        zone = replace(
            zone,
            keys=keys,
            velocities=(bottom, top),
            samples=coloured(zone.samples, zone.rate_hz, variant),
        )
        if not variant.apart_cents:
            yield zone
            continue
        for side in (-1, 1):
            half = (zone.samples.astype(np.int32) * 7 // 10).astype(np.int16)
            yield replace(zone, samples=half, cents=zone.cents + side * variant.apart_cents // 2)


def moved(keys: tuple[int, int], by: int) -> tuple[int, int] | None:
    """Keys `by` semitones higher, extended to the ends of the keyboard; None outside of it."""
    low = 0 if keys[0] <= LOWEST else keys[0] + by
    high = 127 if keys[1] >= HIGHEST else keys[1] + by
    low, high = max(0, low), min(127, high)
    return (low, high) if low <= high else None


def coloured(samples: np.ndarray, rate_hz: int, variant: Variant) -> np.ndarray:
    """int16 `[time, channels]` with felt, worn hammers and a slower attack; never louder."""
    if not (variant.felt_hz or variant.bright_db or variant.attack_seconds):
        return samples
    sound = samples / FULL_SCALE
    peak = max(np.abs(sound).max(), 1e-9)
    if variant.felt_hz:
        sound = sosfilt(butter(1, variant.felt_hz, fs=rate_hz, output="sos"), sound, axis=0)
    if variant.bright_db:
        highs = sosfilt(butter(1, 2500, "highpass", fs=rate_hz, output="sos"), sound, axis=0)
        sound = sound + (10 ** (variant.bright_db / 20) - 1) * highs
    attack = min(len(sound), round(variant.attack_seconds * rate_hz))
    sound[:attack] *= np.linspace(0, 1, attack)[:, None] if attack else 1
    return to_pcm16(sound * min(1.0, peak / max(np.abs(sound).max(), 1e-9)))
