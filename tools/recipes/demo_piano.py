"""A pianist's two hands in several styles, from a song of `demo_music`.

The only music that is not composed here is by Johann Sebastian Bach (died 1750, public domain): the
harmony of the Prelude in C major, BWV 846, in `BACH_PRELUDE`.
"""

from collections.abc import Callable

import numpy as np
from demo_music import Note, Song, bass_note, chords_held, melody, pitches, scale, voicing

# One bar: (chord, beats, lowest pitch) to a list of (start, length, pitch, change of velocity).
Pattern = Callable[[tuple[int, ...], int, int], list[tuple[float, float, int, int]]]


def alberti(classes: tuple[int, ...], beats: int, low: int) -> list[tuple[float, float, int, int]]:
    """Low, high, middle, high, in quavers."""
    tones = voicing(classes, low)[:3]
    return [(k / 2, 0.5, tones[(0, 2, 1, 2)[k % 4]], -14) for k in range(2 * beats)]


def block_chords(
    classes: tuple[int, ...], beats: int, low: int
) -> list[tuple[float, float, int, int]]:
    """The bass and the whole chord, on every second beat."""
    tones = [bass_note(classes, low - 12), *voicing(classes, low)]
    return [
        (beat, min(2, beats - beat) * 0.95, tone, -12)
        for beat in range(0, beats, 2)
        for tone in tones
    ]


def waltz(classes: tuple[int, ...], beats: int, low: int) -> list[tuple[float, float, int, int]]:
    """Bass on one, chord on the other beats."""
    after = [(beat, 0.6, tone, -20) for beat in range(1, beats) for tone in voicing(classes, low)]
    return [(0, 0.95, bass_note(classes, low - 14), -6), *after]


def arpeggio(classes: tuple[int, ...], beats: int, low: int) -> list[tuple[float, float, int, int]]:
    """A broken chord, two octaves up and down, to be held by the pedal."""
    tones = pitches(classes, bass_note(classes, low - 14), low + 16)[: 2 * beats - 1]
    path = [*tones, *tones[-2:0:-1]]
    return [(k / 2, 0.7, path[k % len(path)], -16) for k in range(2 * beats)]


def stride(classes: tuple[int, ...], beats: int, low: int) -> list[tuple[float, float, int, int]]:
    """Octave in the bass and chord above, alternating: the left hand of a rag."""
    events = []
    for beat in range(beats):
        root = bass_note(classes, low - 19) + (7 if beat == 2 else 0)
        tones = [root, root + 12] if beat % 2 == 0 else voicing(classes, low + 2)
        events += [(beat, 0.55, tone, -4 if beat % 2 == 0 else -12) for tone in tones]
    return events


def ballad(classes: tuple[int, ...], beats: int, low: int) -> list[tuple[float, float, int, int]]:
    """A bass octave, held through the bar, under a syncopated chord."""
    root = bass_note(classes, low - 17)
    tones = voicing(classes, low + 3)
    hits = [time for time in (0.5, 1.5, 2, 3, 3.5) if time < beats]
    return [(0, beats, root, -8), (0, beats, root + 12, -12)] + [
        (t, 0.45, p, -18) for t in hits for p in tones
    ]


def boogie(classes: tuple[int, ...], beats: int, low: int) -> list[tuple[float, float, int, int]]:
    """Root, third, fifth, sixth in swung quavers."""
    root = bass_note(classes, low - 17)
    third = 3 if (root + 3) % 12 in classes else 4
    path = (0, 0, third, third, 7, 7, 9, 7)
    return [(k // 2 + (k % 2) * 2 / 3, 0.45, root + path[k % 8], -6) for k in range(2 * beats)]


def accompany(song: Song, pattern: Pattern, *, low: int, velocity: int) -> list[Note]:
    """Play a pattern on all bars except the last, which is one held chord."""
    notes = []
    for bar, classes in enumerate(song.chords):
        start = bar * song.beats
        if bar == len(song.chords) - 1:
            tones = [bass_note(classes, low - 14), *voicing(classes, low)]
            notes += [Note(start, song.beats, tone, velocity - 10) for tone in tones]
            continue
        notes += [
            Note(start + t, n, p, velocity + change)
            for t, n, p, change in pattern(classes, song.beats, low)
        ]
    return notes


PATTERNS: dict[str, Pattern] = {
    "alberti": alberti,
    "blocks": block_chords,
    "waltz": waltz,
    "nocturne": arpeggio,
    "rag": stride,
    "ballad": ballad,
    "boogie": boogie,
}


def piano(song: Song, rng: np.random.Generator, *, style: str) -> list[Note]:
    """Both hands of a pianist in a named style.

    Args:
      style: a name of `PATTERNS`, or 'chorale', 'invention', 'toccata', 'bach'.
    """
    velocity = int(rng.integers(58, 100))
    if style == "bach":
        return bach_prelude(song, velocity)
    if style == "chorale":
        return chords_held(song, rng, low=43, high=79, velocity=velocity, voices=5)
    if style == "invention":
        left = melody(song, rng, low=38, high=60, legato=0.8, velocity=velocity - 6)
        return left + melody(song, rng, low=62, high=86, legato=0.8, velocity=velocity)
    if style == "toccata":
        return runs(song, rng, low=50, high=96, velocity=velocity) + accompany(
            song, block_chords, low=45, velocity=velocity
        )
    low = int(rng.integers(48, 56))
    right = melody(
        song, rng, low=low + 14, high=low + 38, legato=float(rng.uniform(0.6, 1)), velocity=velocity
    )
    if rng.random() < 0.4:
        right += [
            note._replace(pitch=note.pitch + 12, velocity=note.velocity - 6) for note in right
        ]
    return right + accompany(song, PATTERNS[style], low=low, velocity=velocity)


def runs(song: Song, rng: np.random.Generator, *, low: int, high: int, velocity: int) -> list[Note]:
    """Scales and broken chords in semiquavers, over the whole range."""
    notes, pitch, heading = [], low + 12, 1
    for bar, classes in enumerate(song.chords[:-1]):
        tones = pitches(scale(song) if rng.random() < 0.6 else classes, low, high)
        place = int(np.argmin(np.abs(np.array(tones) - pitch)))
        for step in range(4 * song.beats):
            if not 0 <= place + heading < len(tones) or rng.random() < 0.08:
                heading = 1 if place == 0 else -1 if place == len(tones) - 1 else -heading
            place += heading
            pitch = tones[place]
            notes.append(
                Note(
                    bar * song.beats + step / 4, 0.24, pitch, velocity + (8 if step % 4 == 0 else 0)
                )
            )
    return notes


# J. S. Bach, Prelude in C major, BWV 846 (1722): the five notes of each bar, from the lowest.
BACH_PRELUDE = """60 64 67 72 76|60 62 69 74 77|59 62 67 74 77|60 64 67 72 76|60 64 69 76 81|
60 62 66 69 74|59 62 67 74 79|59 60 64 67 72|57 60 64 67 72|50 57 62 66 72|55 59 62 67 71|
55 58 64 67 73|53 57 62 69 74|53 56 62 65 74|52 55 60 67 72|52 53 57 60 65|50 53 57 60 65|
43 50 55 59 65|48 52 55 60 64"""


def bach_prelude(song: Song, velocity: int) -> list[Note]:
    """Bach's prelude in the song's key, for as many bars as the song has, ending on the tonic."""
    bars = [[int(pitch) for pitch in bar.split()] for bar in BACH_PRELUDE.split("|")]
    bars = [*bars[: min(len(song.chords), len(bars)) - 1], bars[-1]]
    shift = song.tonic if song.tonic < 6 else song.tonic - 12
    notes = []
    for bar, tones in enumerate(bars):
        path = [tones[k] for k in (0, 1, 2, 3, 4, 2, 3, 4)] * 2
        notes += [
            Note(4 * bar + k / 4, 0.3 if k % 8 > 1 else 1.9, p + shift, velocity)
            for k, p in enumerate(path)
        ]
    return [*notes, *(Note(4 * len(bars), 4, tone + shift, velocity) for tone in bars[-1])]
