"""Synthetic pianos: struck, stiff strings; every piano has random parameters.

A network learns the timbres of the sampled pianos that it is trained on, and there are few of them.
Synthetic pianos add variety; they need not sound good. A note is a sum of partials:

    sum_n a_n (decay_n(t)) sin(2 pi f_n t),    f_n = n f_0 sqrt(1 + B n^2)

with two beating strings per note, two stages of decay, a hammer that is brighter at higher velocity
and strikes the string at a node of some partials, a body that is a random curve over frequency, and
a knock.

Sources: Fletcher, Blackham & Stratton 1962, "Quality of piano tones", JASA 34 (partials, B);
Rauhala & Valimaki 2007, "Tunable dispersion filter design for piano synthesis", IEEE SPL 13(5) (B
over the keys); Weinreich 1977, "Coupled piano strings", JASA 62 (two stages of decay).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from soundfont_writer import Zone, to_pcm16

RATE_HZ = 44100
ROOTS = range(21, 109, 4)
# velocity of the sample, velocities that play it
LAYERS = (
    (25, (0, 50)),
    (65, (51, 84)),
    (105, (85, 127)),
)
MOST_PARTIALS = 48
HIGHEST_HZ = 17000.0
PEAK = 0.7


@dataclass(frozen=True, kw_only=True)
class Struck:
    """A synthetic piano, identified by its number."""

    number: int


@dataclass(frozen=True)
class Piano:
    """The random parameters of a piano."""

    stiffness: tuple[float, float]
    """Factors of the two terms of B (Rauhala & Valimaki), for treble and bass."""
    stretch_cents: float
    """Deviation from equal temperament 40 keys from A4."""
    out_of_tune_cents: float
    """Deviation of a note, standard deviation."""
    unison_cents: float
    """Distance of the two strings of a note."""
    strike: float
    """Position of the hammer, as a share of the string."""
    slope: float
    """Partial n has amplitude n to minus this."""
    brightness_hz: float
    """Frequency above which partials fall off, at velocity 64."""
    hardening: float
    """Shift of this frequency from velocity 0 to 127, in octaves."""
    loss: float
    """Decay of middle C's first partial, in nepers per second."""
    high_loss: float
    """Increase of the decay with the square of frequency, in nepers per second at 1 kHz."""
    first_stage: float
    """Ratio of the decay of the first stage to that of the second."""
    second_share: float
    """Amplitude of the second stage."""
    knock_db: float
    """Level of the hammer's noise below the tone."""
    knock_seconds: float
    release_seconds: float
    body_db: np.ndarray
    """The body's gain at `BODY_HZ`, dB."""


BODY_HZ = np.geomspace(25, 20000, 240)  # 25 points an octave


def draw_piano(rng: np.random.Generator) -> Piano:
    """A piano with random parameters, grand or upright, in tune or not."""
    coarse = np.interp(np.arange(240), np.arange(0, 240, 8), rng.normal(0, rng.uniform(1, 5), 30))
    fine = rng.normal(0, rng.uniform(0.5, 3.5), 240)
    tilt = rng.uniform(-2.5, 2.0) * np.log2(BODY_HZ / 500)  # dB an octave
    lows = -rng.uniform(0, 18) * np.clip(np.log2(rng.uniform(50, 160) / BODY_HZ), 0, None)
    return Piano(
        stiffness=(float(rng.lognormal(0, 0.4)), float(rng.lognormal(0.2, 0.5))),
        stretch_cents=rng.uniform(5, 30),
        out_of_tune_cents=rng.exponential(2.5),
        unison_cents=rng.uniform(0.3, 2.0) + rng.exponential(0.8),
        strike=1 / rng.uniform(6.5, 11),
        slope=rng.uniform(0.3, 1.3),
        brightness_hz=float(np.exp(rng.uniform(np.log(500), np.log(3000)))),
        hardening=rng.uniform(1.0, 3.0),
        loss=float(np.exp(rng.uniform(np.log(0.15), np.log(0.8)))),
        high_loss=float(np.exp(rng.uniform(np.log(0.03), np.log(0.5)))),
        first_stage=rng.uniform(1.8, 5),
        second_share=rng.uniform(0.08, 0.45),
        knock_db=rng.uniform(-40, -16),
        knock_seconds=rng.uniform(0.008, 0.05),
        release_seconds=rng.uniform(0.08, 0.5),
        body_db=coarse + fine + tilt + lows,
    )


def inharmonicity(key: int, piano: Piano) -> float:
    """B of a key, about 7e-4 at A4."""
    treble, bass = np.exp(0.0926 * key - 13.64), np.exp(-0.0847 * key - 5.82)
    return float(piano.stiffness[0] * treble + piano.stiffness[1] * bass)


def note(key: int, velocity: int, piano: Piano, rng: np.random.Generator) -> np.ndarray:
    """One note as `[time]` float32, at peak 1."""
    off_cents = piano.stretch_cents * ((key - 69) / 40) ** 3
    off_cents += rng.normal(0, piano.out_of_tune_cents)
    base_hz = 440 * 2 ** ((key - 69 + off_cents / 100) / 12)
    numbers = np.arange(1, MOST_PARTIALS + 1)
    partial_hz = numbers * base_hz * np.sqrt(1 + inharmonicity(key, piano) * numbers**2)
    numbers, partial_hz = numbers[partial_hz < HIGHEST_HZ], partial_hz[partial_hz < HIGHEST_HZ]

    bright_hz = piano.brightness_hz * 2 ** (piano.hardening * (velocity - 64) / 127)
    bright_hz *= (base_hz / 261.6) ** 0.35
    strike = piano.strike * np.clip(1 - (key - 69) / 80, 0.5, 1)
    amplitudes = np.abs(np.sin(numbers * np.pi * strike)) * numbers**-piano.slope
    amplitudes *= np.exp(-((partial_hz / bright_hz) ** 0.8))
    amplitudes *= 10 ** (np.interp(partial_hz, BODY_HZ, piano.body_db) / 20)
    amplitudes *= rng.lognormal(0, 0.25, len(numbers))

    loss = piano.loss * (base_hz / 261.6) ** 0.75 + piano.high_loss * (partial_hz / 1000) ** 1.5
    loss *= rng.lognormal(0, 0.2, len(numbers))
    seconds = float(np.clip(6.9 / loss.min(), 1.2, 7.0))
    time = np.arange(round(seconds * RATE_HZ), dtype=np.float32) / RATE_HZ
    sound = np.zeros(len(time), np.float32)
    apart = 2 ** (piano.unison_cents * rng.uniform(0.5, 1.5) / 1200) if key > 31 else 1.0
    for amplitude, hz, slow in zip(amplitudes, partial_hz, loss, strict=True):
        fast = np.exp(-slow * piano.first_stage * time)
        late = np.exp(-slow * time)
        first, second = rng.uniform(0, 2 * np.pi, 2)
        one = np.sin(np.float32(2 * np.pi * hz) * time + np.float32(first))
        sound += np.float32(amplitude * (1 - piano.second_share)) * fast * one
        other = np.sin(np.float32(2 * np.pi * hz * apart) * time + np.float32(second))
        sound += np.float32(amplitude * piano.second_share) * late * other
    sound = sound / np.abs(sound).max()
    sound += knock(time, piano, rng)
    attack = round(RATE_HZ * rng.uniform(0.001, 0.004))
    sound[:attack] *= np.linspace(0, 1, attack, dtype=np.float32) ** 2
    sound[-2000:] *= np.linspace(1, 0, 2000, dtype=np.float32)
    return sound / np.abs(sound).max()


def knock(time: np.ndarray, piano: Piano, rng: np.random.Generator) -> np.ndarray:
    """The noise of hammer and key bed, `[time]`."""
    noise = np.cumsum(rng.standard_normal(len(time)))  # falls by 6 dB an octave
    noise -= np.convolve(noise, np.ones(400) / 400, mode="same")  # nothing below 100 Hz
    noise *= np.exp(-time / piano.knock_seconds)
    return np.float32(10 ** (piano.knock_db / 20)) * (noise / np.abs(noise).max()).astype(
        np.float32
    )


def struck_zones(made: Struck) -> Iterator[Zone]:
    """All samples of a piano; layers have one level, because a synthesizer lowers soft notes."""
    rng = np.random.default_rng([made.number, 88])
    piano = draw_piano(rng)
    for root in ROOTS:
        low = 0 if root == ROOTS[0] else root - 1
        high = 127 if root == ROOTS[-1] else root + 2
        for velocity, velocities in LAYERS:
            sound = note(root, velocity, piano, rng)
            begin = sound[: RATE_HZ // 2]
            level = np.sqrt(np.mean(begin**2)) * 10 ** ((root - 60) * 0.08 / 20)
            gain = min(0.09 / level, PEAK)
            yield Zone(
                samples=to_pcm16((gain * sound)[:, None]),
                rate_hz=RATE_HZ,
                root=root,
                keys=(low, high),
                velocities=velocities,
                release_seconds=piano.release_seconds,
            )
