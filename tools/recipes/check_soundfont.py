"""Plays soundfonts note by note and measures pitch, level, clicks and note ends. See songs.md.

    python tools/recipes/check_soundfont.py SOURCES/ready/soundfonts/*.sf2

The measured pitch is that of the strongest harmonic near those of the note. Prints `BAD` where a
limit is exceeded.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from rich.console import Console

from tfsepgan.rendering.instruments import CLASSES, DRUM_BANK, class_of
from tfsepgan.rendering.score import Note, Part
from tfsepgan.rendering.soundfonts import open_soundfont
from tfsepgan.rendering.synthesizers import Task, find_synthesizer, play

sys.path[:0] = [str(Path(__file__).parent)]
from sampled import cents_off  # noqa: E402

RATE_HZ = 44100
EVERY_SECONDS, HELD_SECONDS = 3.0, 1.0
VELOCITY = 90
FAR_CENTS, QUIET_DB, LOUD_DB, TAIL_DB, CLICK_DB = 20.0, -50.0, 0.0, -30.0, -40.0
SPREAD_DB = 24.0
KIT_KEYS = (36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 48, 49, 50, 51)


def played(path: Path, keys: Sequence[int], bank: int, program: int) -> np.ndarray:
    """Each key in turn, `[keys, time]`, EVERY_SECONDS apart."""
    starts = EVERY_SECONDS * np.arange(len(keys))
    notes = tuple(
        Note(start, start + HELD_SECONDS, key, VELOCITY)
        for start, key in zip(starts, keys, strict=True)
    )
    part = Part(name="", program=program, is_drums=bank == DRUM_BANK, notes=notes)
    seconds = len(keys) * EVERY_SECONDS
    sound = play(find_synthesizer("auto"), Task([part], path, seconds, RATE_HZ, 60.0))
    return sound.mean(axis=1).reshape(len(keys), -1)


class Measured(NamedTuple):
    """One note."""

    key: int
    cents: float
    level_db: float
    """RMS while the note is held."""
    tail_db: float
    """Its last half second relative to the held note."""
    click_db: float
    """The largest step between samples in the silence before the next note, over the peak."""


def measured(path: Path) -> tuple[str, list[Measured]]:
    """The class of a soundfont's first preset, and its notes, a fourth apart, over its range."""
    bank, program = min(open_soundfont(path.stem, path).presets)
    name = class_of(program, is_drums=bank == DRUM_BANK)
    kind = CLASSES[name]
    keys = KIT_KEYS if bank == DRUM_BANK else range(kind.lowest, kind.highest + 1, 4)
    found = []
    for key, sound in zip(keys, played(path, list(keys), bank, program), strict=True):
        held, tail = sound[: round(HELD_SECONDS * RATE_HZ)], sound[-RATE_HZ // 2 :]
        level, end = (10 * np.log10(max(np.mean(part**2), 1e-12)) for part in (held, tail))
        click = np.abs(np.diff(tail)).max() / max(np.abs(held).max(), 1e-9)
        cents = 0.0 if bank == DRUM_BANK else cents_off(held, RATE_HZ, key)
        found.append(
            Measured(
                key, cents, float(level), float(end - level), float(20 * np.log10(max(click, 1e-9)))
            )
        )
    return name, found


def faults(name: str, notes: Sequence[Measured]) -> list[str]:
    """The exceeded limits, in words."""
    levels = np.array([note.level_db for note in notes])
    problems = [
        f"key {note.key} {note.cents:+.0f} cents" for note in notes if abs(note.cents) > FAR_CENTS
    ]
    problems += [
        f"key {note.key} at {note.level_db:.0f} dB"
        for note in notes
        if not QUIET_DB < note.level_db < LOUD_DB
    ]
    if name != "drums":
        problems += [
            f"key {note.key} does not end ({note.tail_db:.0f} dB)"
            for note in notes
            if note.tail_db > TAIL_DB
        ]
        if np.ptp(levels) > SPREAD_DB:
            problems.append(f"levels {np.ptp(levels):.0f} dB apart")
    problems += [
        f"key {note.key} clicks ({note.click_db:.0f} dB)"
        for note in notes
        if note.click_db > CLICK_DB
    ]
    return problems


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("soundfonts", type=Path, nargs="+")
    console = Console(soft_wrap=True)
    worst = 0
    for path in parser.parse_args().soundfonts:
        name, notes = measured(path)
        problems = faults(name, notes)
        worst |= bool(problems)
        levels = [note.level_db for note in notes]
        off = max(abs(note.cents) for note in notes)
        words = (
            f"{path.stem}: {name}, {len(notes)} notes, {min(levels):.0f} to {max(levels):.0f} dB, "
            f"at most {off:.0f} cents off"
        )
        console.print(
            words, f"BAD: {'; '.join(problems)}" if problems else "", markup=False, highlight=False
        )
    return int(worst)


if __name__ == "__main__":
    raise SystemExit(main())
