"""Guitar, bass and drums, from a song of `demo_music`."""

import numpy as np
from demo_music import Note, Song, bass_note, pitches


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
