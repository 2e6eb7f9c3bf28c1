"""Drum kits: patterns on the beats, fills at the ends of phrases, and crashes after them.

Pitches are those of General MIDI's percussion map.
"""

import numpy as np

from tfsepgan.rendering.arranging.song import Song
from tfsepgan.rendering.score import Note

KICK, RIM, SNARE, CLAP, BRUSH = 36, 37, 38, 39, 40
HAT, PEDAL, OPEN, CRASH, RIDE = 42, 44, 46, 49, 51
TAMBOURINE, CABASA, SHAKER, CLAVES = 54, 69, 70, 75
TOMS = (50, 48, 45, 43, 41)
_VELOCITIES = {"X": 112, "x": 92, "o": 58}  # accent, stroke, ghost
_LENGTH_SECONDS = 0.12
STYLES: dict[str, tuple[int, dict[int, str]]] = {  # steps in a beat, and a bar of each drum
    "rock": (2, {KICK: "X..xX...", SNARE: "..X...X.", HAT: "xoxoxoxo"}),
    "driving": (2, {KICK: "X.x.X.xx", SNARE: "..X...X.", RIDE: "xxxxxxxx"}),
    "pop": (4, {KICK: "X.....x.x.......", SNARE: "....X.......X..o", HAT: "x.o.x.o.x.o.x.o."}),
    "sixteenths": (
        4,
        {KICK: "X..x..x...x.....", SNARE: "....X..o.o..X...", HAT: "xoxoxoxoxoxoxoxo"},
    ),
    "ballad": (2, {KICK: "X....x..", RIM: "..x...x.", HAT: "x.x.x.x."}),
    "half time": (2, {KICK: "X......x", SNARE: "....X...", RIDE: "x.x.x.x."}),
    "four on the floor": (
        4,
        {KICK: "X...X...X...X...", CLAP: "....x.......x...", OPEN: "..x...x...x...x."},
    ),
    "swing": (
        3,
        {RIDE: "x..x.ox..x.o", PEDAL: "...x.....x..", KICK: "o.....o.....", SNARE: "........o..."},
    ),
    "shuffle": (3, {KICK: "X.....X..x..", SNARE: "...X.....X..", HAT: "x.ox.ox.ox.o"}),
    "bossa": (4, {KICK: "x..xx..xx..xx..x", RIM: "x..x..x...x..x..", SHAKER: "o.x.o.x.o.x.o.x."}),
    "brushes": (2, {BRUSH: "o.x.o.x.", PEDAL: "..x...x.", KICK: "o...o..."}),
    "percussion": (
        4,
        {TAMBOURINE: "....x.......x...", CABASA: "xoxoxoxoxoxoxoxo", CLAVES: "x..x..x...x.x..."},
    ),
}
WALTZES: dict[str, tuple[int, dict[int, str]]] = {
    "waltz": (2, {KICK: "X.....", SNARE: "..o.x.", HAT: "x.x.x."}),
    "jazz waltz": (3, {RIDE: "x..x.ox..", PEDAL: "...x.....", KICK: "o........", RIM: "......x.."}),
}
# steps in a beat, and strokes over the last two beats
_FILLS: tuple[tuple[int, tuple[tuple[int, str], ...]], ...] = (
    (4, ((SNARE, "xoxoXxXX"),)),
    (4, ((SNARE, "xx......"), (TOMS[0], "..xx...."), (TOMS[2], "....xx.."), (TOMS[4], "......XX"))),
    (3, ((TOMS[0], "xx...."), (TOMS[2], "..xx.."), (TOMS[3], "....XX"), (KICK, "x..x.."))),
    (2, ((SNARE, "x.xX"), (KICK, "x..."))),
)


def drums(
    song: Song,
    rng: np.random.Generator,
    *,
    style: str,
    phrase_bars: int,
    silent: frozenset[int] = frozenset(),
) -> list[Note]:
    """The strokes of a drum kit.

    Args:
      song: its beats and bars.
      rng: draws fills and crashes.
      style: one of `STYLES`, or of `WALTZES` if bars have three beats.
      phrase_bars: bars in a phrase, which ends with a fill.
      silent: numbers of the phrases without drums.
    Returns: notes in seconds; velocities as in the pattern, without a player's variation.
    """
    steps, bar = (WALTZES if song.beats_in_bar == 3 else STYLES)[style]
    with_fills, with_crash = rng.random() < 0.85, rng.random() < 0.7
    notes: list[Note] = []
    for number, (first, count) in enumerate(song.bars()):
        phrase, at = divmod(number, phrase_bars)
        if phrase in silent:
            continue
        fills = with_fills and at == phrase_bars - 1 and rng.random() < 0.9
        fill_beats = min(2, count - 1) if fills else 0
        until = (count - fill_beats) * steps
        for drum, pattern in bar.items():
            notes += _strokes(song, drum, (pattern * 2)[:until], first, steps)
        if fill_beats:
            fill_steps, voices = _FILLS[int(rng.integers(0, len(_FILLS)))]
            for drum, pattern in voices:
                last = pattern[-fill_beats * fill_steps :]
                notes += _strokes(song, drum, last, first + count - fill_beats, fill_steps)
        if at == 0 and number and with_crash and phrase - 1 not in silent:
            notes += _strokes(song, CRASH, "x", first, 1)
    return notes


def _strokes(song: Song, drum: int, pattern: str, first: int, steps: int) -> list[Note]:
    notes = []
    for number, mark in enumerate(pattern):
        if mark in _VELOCITIES:
            start = song.time(first + number / steps)
            notes.append(Note(start, start + _LENGTH_SECONDS, drum, _VELOCITIES[mark]))
    return notes
