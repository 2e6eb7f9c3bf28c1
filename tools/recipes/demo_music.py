"""Short pieces of music, composed from a seed: the scores of the demo set.

A `Song` is a key, a metre, a tempo and one chord per bar. A style turns it into notes for one
instrument: here a melody and held chords, in `demo_piano` a pianist's two hands, in `demo_band` a
guitar, a bass and a drum kit. Everything is a pure function of its arguments and a NumPy generator
(whose state advances). Times are in beats, pitches are MIDI numbers.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np


class Note(NamedTuple):
    """One note: start and length in beats, MIDI pitch, velocity (1 to 127)."""

    start: float
    length: float
    pitch: int
    velocity: int


@dataclass(frozen=True, kw_only=True)
class Song:
    """The basis of all styles: a key, a metre, a tempo and one chord per bar."""

    tonic: int  # pitch class, 0 is C
    minor: bool
    beats: int  # beats in a bar
    tempo_bpm: float
    chords: tuple[tuple[int, ...], ...]  # one per bar: pitch classes, root first


MAJOR_SCALE = (0, 2, 4, 5, 7, 9, 11)
MINOR_SCALE = (0, 2, 3, 5, 7, 8, 10)
# Scale degrees from 0, one chord per bar. The held-out splits have other progressions and keys.
PROGRESSIONS = {
    "train": (
        (0, 4, 5, 3),
        (0, 5, 3, 4),
        (0, 3, 4, 0),
        (1, 4, 0, 5),
        (0, 4, 5, 2, 3, 0, 3, 4),
        (0, 6, 5, 4),
        (0, 3, 0, 4),
        (5, 3, 0, 4),
        (0, 0, 3, 0, 3, 3, 0, 0, 4, 3, 0, 4),
    ),
    "valid": ((0, 3, 5, 4), (3, 4, 2, 5), (0, 2, 3, 4)),
    "test": ((0, 3, 6, 2, 5, 1, 4, 0), (0, 5, 1, 4), (0, 5, 2, 6), (0, 1, 3, 4)),
}
KEYS = {  # (tonic, minor)
    "train": tuple((t, False) for t in (0, 1, 2, 4, 5, 7, 8, 10, 11))
    + tuple((t, True) for t in (0, 1, 2, 4, 5, 7, 9, 10)),
    "valid": ((3, False), (6, True), (11, True)),
    "test": ((6, False), (9, False), (3, True), (8, True)),
}
RHYTHMS = {  # a bar of melody, in beats; a negative length is a rest
    4: (
        (1, 1, 1, 1),
        (1.5, 0.5, 1, 1),
        (0.5, 0.5, 1, 0.5, 0.5, 1),
        (2, 1, 1),
        (-0.5, 0.5, 0.5, 0.5, 1, 1),
        (0.75, 0.25, 0.75, 0.25, 1, 1),
        (0.5,) * 8,
        (0.25, 0.25, 0.5, 0.25, 0.25, 0.5, 1, 1),
        (2 / 3, 1 / 3, 2 / 3, 1 / 3, 1, -1),
        (3, 1),
        (0.25,) * 12 + (1,),
    ),
    3: (
        (1, 1, 1),
        (2, 1),
        (1.5, 0.5, 1),
        (0.5,) * 6,
        (1, 0.5, 0.5, 1),
        (2.5, 0.5),
        (0.5, 0.5, 1, 1),
    ),
}


def scale(song: Song) -> tuple[int, ...]:
    """The seven pitch classes of the song's key."""
    return tuple((song.tonic + step) % 12 for step in (MINOR_SCALE if song.minor else MAJOR_SCALE))


def pitches(classes: tuple[int, ...], low: int, high: int) -> list[int]:
    """Every pitch of the given classes from low to high, both included, ascending."""
    return [pitch for pitch in range(low, high + 1) if pitch % 12 in classes]


def chord(song: Song, degree: int, *, seventh: bool = False) -> tuple[int, ...]:
    """The chord on a degree of the key; in minor the dominant has its leading note."""
    steps = scale(song)
    classes = [steps[(degree + third) % 7] for third in (0, 2, 4, 6)[: 4 if seventh else 3]]
    if song.minor and degree == 4:
        classes[1] = (song.tonic + 11) % 12
    return tuple(classes)


def make_song(
    split: str, rng: np.random.Generator, *, seconds: float, beats: int, tempo_bpm: float
) -> Song:
    """Draw a key and a progression of the split, repeat it to the length, and end on the tonic.

    Args:
      split: 'train', 'valid' or 'test'.
      seconds: approximate length of the song.
      beats: beats in a bar, 3 or 4.
    Returns: the song; its last two bars are dominant and tonic.
    """
    tonic, minor = KEYS[split][rng.integers(len(KEYS[split]))]
    progression = PROGRESSIONS[split][rng.integers(len(PROGRESSIONS[split]))]
    bars = max(4, round(seconds * tempo_bpm / 60 / beats))
    song = Song(tonic=tonic, minor=minor, beats=beats, tempo_bpm=tempo_bpm, chords=())
    sevenths = rng.random() < 0.4
    degrees = [progression[bar % len(progression)] for bar in range(bars - 2)]
    chords = [chord(song, degree, seventh=sevenths) for degree in degrees]
    return replace(song, chords=(*chords, chord(song, 4), chord(song, 0)))


def melody(
    song: Song,
    rng: np.random.Generator,
    *,
    low: int,
    high: int,
    legato: float = 0.95,
    velocity: int = 84,
) -> list[Note]:
    """A tune over the chords: chord notes on the beat, steps between, rhythms in A A B A.

    Args:
      low, high: the range of the instrument.
      legato: sounding share of each written length; 0.3 is staccato.
      velocity: mean loudness; each four-bar phrase swells and falls around it.
    """
    cells = RHYTHMS[song.beats]
    first, second = (cells[k] for k in rng.choice(len(cells), 2, replace=False))
    notes, pitch, heading = [], (low + high) // 2 + int(rng.integers(-3, 4)), 1
    for bar, classes in enumerate(song.chords):
        last = bar == len(song.chords) - 1
        cell = (song.beats,) if last else (first, first, second, first)[bar % 4]
        time = 0.0
        for length in cell:
            if length < 0:
                time -= length
                continue
            on_beat = time == int(time)
            choices = pitches(classes if on_beat or rng.random() < 0.2 else scale(song), low, high)
            if rng.random() < 0.3 or not low + 3 < pitch < high - 3:
                heading = (
                    -heading if low + 3 < pitch < high - 3 else (1 if pitch <= low + 3 else -1)
                )
            reach = pitch + heading * int(
                rng.choice([1, 2, 2, 4, 7], p=[0.3, 0.3, 0.2, 0.15, 0.05])
            )
            pitch = min(choices, key=lambda choice: abs(choice - reach))
            swell = 10 * np.sin(np.pi * ((bar % 4) + time / song.beats) / 4)
            loud = velocity + swell + (4 if on_beat else -3)
            notes.append(Note(bar * song.beats + time, length * legato, pitch, int(loud)))
            time += length
    return notes


def voicing(classes: tuple[int, ...], low: int) -> list[int]:
    """The chord in close position, from its first note at or above `low`."""
    return pitches(classes, low, low + 11)


def bass_note(classes: tuple[int, ...], low: int) -> int:
    """The root of the chord, in the octave from `low` up."""
    return low + (classes[0] - low) % 12


def chords_held(
    song: Song, rng: np.random.Generator, *, low: int, high: int, velocity: int, voices: int = 4
) -> list[Note]:
    """Sustained chords with the smallest possible steps of the voices, once or twice per bar."""
    voices_now = np.linspace(low, high, voices)
    notes = []
    for bar, classes in enumerate(song.chords):
        parts = 1 if bar == len(song.chords) - 1 else int(rng.choice([1, 2, song.beats]))
        for part in range(parts):
            drift = voices_now + rng.integers(-3, 4, voices)
            tones = pitches(classes, low, high)
            voices_now = np.array(
                [min(tones, key=lambda tone, at=at: abs(tone - at)) for at in drift]
            )
            length = song.beats / parts
            start = bar * song.beats + part * length
            notes += [
                Note(start, 0.97 * length, int(tone), velocity) for tone in sorted(set(voices_now))
            ]
    return notes
