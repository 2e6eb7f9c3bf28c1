"""Short pieces of music, composed from a seed: the scores of the demo set.

A `Song` is a key, a metre, a tempo and one chord per bar. A style turns it into notes for one
instrument: a pianist's two hands (Alberti bass, waltz, rag, nocturne ...), a melody, a pad, a
strummed guitar, a walking bass, a drum kit. Everything is a pure function of its arguments and a
NumPy generator (whose state advances). Times are in beats, pitches are MIDI numbers.

The only music that is not composed here is by Johann Sebastian Bach (died 1750, public domain): the
harmony of the Prelude in C major, BWV 846, in `BACH_PRELUDE`.
"""

from collections.abc import Callable
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


def guitar(song: Song, rng: np.random.Generator, *, style: str, velocity: int = 84) -> list[Note]:
    """Six strings, strummed ('strum') or picked one by one ('pick')."""
    notes = []
    order = rng.permutation([1, 2, 3, 4, 5, 3, 4, 2])
    strokes = (
        [(0, 1), (1, 1), (1.5, -1), (2.5, -1), (3, 1), (3.5, -1)]
        if rng.random() < 0.5
        else [(0, 1), (2, 1)]
    )
    for bar, classes in enumerate(song.chords):
        tones = pitches(classes, bass_note(classes, 40), 72)[:6]
        start = bar * song.beats
        if style == "pick" and bar < len(song.chords) - 1:
            steps = range(2 * song.beats)
            path = [0 if k % song.beats == 0 else int(order[k % 8]) % len(tones) for k in steps]
            notes += [
                Note(start + k / 2, 1.2, tones[path[k]], velocity - 2 * (k % 2)) for k in steps
            ]
            continue
        for time, way in [hit for hit in strokes if hit[0] < song.beats]:
            notes += [
                Note(start + time + 0.03 * k, 0.8, tone, velocity - (0 if way > 0 else 12))
                for k, tone in enumerate(tones[::way])
            ]
    return notes


def bass(song: Song, rng: np.random.Generator, *, style: str, velocity: int = 92) -> list[Note]:
    """A bass line: 'walk' steps to the next root on each beat; 'rock' is quavers on the root."""
    notes = []
    for bar, classes in enumerate(song.chords):
        root, start = bass_note(classes, 31), bar * song.beats
        if style == "rock":
            leap = rng.choice([0, 0, 0, 7, 12], 2 * song.beats)
            notes += [
                Note(start + k / 2, 0.42, root + int(leap[k]), velocity)
                for k in range(2 * song.beats)
            ]
            continue
        target = bass_note(song.chords[(bar + 1) % len(song.chords)], 31)
        tones = pitches(classes, 31, 55)
        line = [
            root,
            *(int(tone) for tone in rng.choice(tones, song.beats - 2)),
            target + int(rng.choice([-1, 1, 2])),
        ]
        notes += [
            Note(start + k, 0.9, pitch, velocity - 4 * (k % 2)) for k, pitch in enumerate(line)
        ]
    return notes


KICK, SNARE, STICK, CLOSED_HAT, OPEN_HAT, RIDE, CRASH, LOW_TOM, HIGH_TOM = (
    36,
    38,
    37,
    42,
    46,
    51,
    49,
    45,
    50,
)
GROOVES = {  # instrument: semiquaver steps of a 4-beat bar
    "rock": {KICK: (0, 7, 8), SNARE: (4, 12), CLOSED_HAT: tuple(range(0, 16, 2))},
    "funk": {
        KICK: (0, 3, 10),
        SNARE: (4, 7, 12, 15),
        CLOSED_HAT: tuple(range(16)),
        OPEN_HAT: (14,),
    },
    "bossa": {KICK: (0, 6, 8, 14), STICK: (0, 3, 6, 10, 13), CLOSED_HAT: tuple(range(0, 16, 2))},
    "march": {KICK: (0, 8), SNARE: (0, 2, 3, 4, 6, 8, 10, 11, 12, 14), CRASH: (0,)},
    "disco": {
        KICK: (0, 4, 8, 12),
        SNARE: (4, 12),
        OPEN_HAT: (2, 6, 10, 14),
        CLOSED_HAT: (0, 4, 8, 12),
    },
    "swing": {KICK: (0, 8), RIDE: (0, 4, 7, 8, 12, 15), CLOSED_HAT: (4, 12), SNARE: (11,)},
    "tribal": {KICK: (0, 6, 10), LOW_TOM: (2, 3, 8, 14), HIGH_TOM: (4, 7, 12), RIDE: (0, 8)},
}


def drums(song: Song, rng: np.random.Generator, *, style: str, velocity: int = 96) -> list[Note]:
    """A drum kit: one groove, some ghost notes, and a fill at the end of each fourth bar."""
    notes = []
    for bar in range(len(song.chords)):
        start = bar * song.beats
        fill = bar % 4 == 3
        for drum, steps in GROOVES[style].items():
            kept = [k for k in steps if k < 4 * song.beats and not (fill and k >= 12)]
            notes += [
                Note(start + k / 4, 0.2, drum, velocity + (6 if k % 8 == 0 else -6)) for k in kept
            ]
        if fill:
            notes += [
                Note(start + 3 + k / 4, 0.2, int(rng.choice([SNARE, LOW_TOM, HIGH_TOM])), velocity)
                for k in range(4)
            ]
            notes.append(Note(start + 4, 0.2, CRASH, velocity))
        ghosts = np.flatnonzero(rng.random(4 * song.beats) < 0.06)
        notes += [Note(start + k / 4, 0.2, SNARE, 40) for k in ghosts]
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
