"""Synthesizer sounds as zones of a soundfont: detuned oscillators and a low-pass, looped.

Every partial has a whole number of cycles in PERIOD_SECONDS, so a period repeats exactly. The first
period has the attack and the closing filter; the second is the loop.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from note_samples import PEAK
from soundfont_writer import Zone, to_pcm16

RATE_HZ = 44100
PERIOD_SECONDS = 2.0
ROOTS = range(24, 100, 4)
HIGHEST_HZ = 16000.0


@dataclass(frozen=True, kw_only=True)
class Synth:
    """A sound."""

    oscillators: int = 1
    """On each side."""
    spread_cents: float = 0.0
    odd_only: bool = False
    """True: a square wave; False: a saw."""
    corner: float = 12.0
    """Corner of the low-pass, in fundamentals."""
    slope: float = 2.0
    """Order of the low-pass."""
    sweep: float = 1.0
    """Factor of the corner at the begin of a note."""
    attack_seconds: float = 0.005
    release_seconds: float = 0.2
    octave_below: float = 0.0
    """Level of a second set of oscillators an octave lower."""


def synth_zones(sound: Synth, seed: int) -> Iterator[Zone]:
    """A zone for every fourth key; the same seed gives the same phases."""
    for number, root in enumerate(ROOTS):
        rng = np.random.default_rng([seed, root])
        hz = 440 * 2 ** ((root - 69) / 12)
        steady, opened = _periods(sound, hz, rng)
        frames = len(steady)
        fade = (
            np.exp(-np.arange(frames) / (0.25 * RATE_HZ))[:, None]
            * np.cos(np.linspace(0, np.pi / 2, frames))[:, None]
        )
        attack = np.minimum(1, np.arange(frames) / max(1.0, sound.attack_seconds * RATE_HZ))[
            :, None
        ]
        begin = ((1 - fade) * steady + fade * opened) * attack
        both = np.concatenate([begin, steady])
        low = 0 if number == 0 else root - 2
        yield Zone(
            samples=to_pcm16(both * PEAK / np.abs(both).max()),
            rate_hz=RATE_HZ,
            root=root,
            keys=(low, 127 if root == ROOTS[-1] else root + 1),
            loop=(frames, 2 * frames),
            release_seconds=sound.release_seconds,
            cents=-round(1200 * np.log2(_whole(hz) / PERIOD_SECONDS / hz)),
        )


def _periods(sound: Synth, hz: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Periods with the low-pass at its end and at its begin, `[time, 2]`, with the same phases."""
    frames = round(PERIOD_SECONDS * RATE_HZ)
    spectra = np.zeros((2, 2, frames // 2 + 1), complex)  # end and begin, left and right
    for octave, level in ((1.0, 1.0), (0.5, sound.octave_below)):
        for side in range(2) if level else ():
            for detune in (
                np.linspace(-1, 1, sound.oscillators) * sound.spread_cents
                if sound.oscillators > 1
                else (0.0,)
            ):
                cycles = _whole(
                    octave * hz * 2 ** ((detune + rng.normal(0, 0.1 * sound.spread_cents)) / 1200)
                )
                orders = np.arange(
                    1, int(HIGHEST_HZ * PERIOD_SECONDS / cycles) + 1, 2 if sound.odd_only else 1
                )
                phases = np.exp(2j * np.pi * rng.random(len(orders)))
                for at, sweep in enumerate((1.0, sound.sweep)):
                    heights = (
                        level
                        / orders
                        / (1 + (orders * octave / (sound.corner * sweep)) ** (2 * sound.slope))
                        ** 0.5
                    )
                    spectra[at, side, orders * cycles] += heights * phases
    rest, begin = np.fft.irfft(spectra, frames, axis=-1)
    return rest.T, begin.T


def _whole(hz: float) -> int:
    """Cycles in a period."""
    return max(1, round(hz * PERIOD_SECONDS))
