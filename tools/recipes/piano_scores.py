"""The scores of piano.md as MIDI files: songs, quartets, composed drums and basses."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import demo_band
import demo_music
import numpy as np
from piano_soundfonts import SOURCES
from rich.console import Console
from rich.progress import track

from tfsepgan.errors import DataError
from tfsepgan.rendering.midi import write_midi
from tfsepgan.rendering.musicxml import read_musicxml
from tfsepgan.rendering.score import Note, Part

SONGS, QUARTETS, GROOVES = 120, 4, 60  # scores to make; enough for the minutes below
LARGEST_SCORE = 60_000  # bytes of compressed MusicXML; larger ones take minutes to read
GROOVE_SECONDS = 90.0


def ready_scores(sources: Path, console: Console, seed: int) -> dict[str, Path]:
    """MusicXML scores as MIDI (a hundred times faster to read), and composed drums and basses."""
    made = {"pop909": sources / SOURCES["pop909"][0]}
    for name, most in (("lieder", SONGS), ("quartets", QUARTETS)):
        root = sources / SOURCES[name][0]
        made[name] = sources / "ready" / "scores" / name
        files = [path for path in root.rglob("*.mxl") if path.stat().st_size < LARGEST_SCORE]
        files.sort(key=lambda path: (hashlib.sha256(path.name.encode()).digest(), path))
        for path in track(
            files[:most], f"reading {name}", console=console, disable=not console.is_terminal
        ):
            _once(
                made[name] / path.relative_to(root).with_suffix(".mid"),
                lambda path=path: _from_musicxml(path, console),
            )
    for name, compose in (("drums", drum_part), ("basses", bass_part)):
        made[name] = sources / "ready" / "scores" / (name if seed == 0 else f"{name}-{seed}")
        for number in range(GROOVES):
            rng = np.random.default_rng([seed, number, len(name)])
            _once(
                made[name] / f"{name}{number:03d}.mid",
                lambda compose=compose, rng=rng: [compose(rng)],
            )
    return made


def _once(path: Path, parts: Callable[[], list[Part]]) -> None:
    """Write a MIDI file if it is missing; a score that cannot be read gives no file."""
    if path.is_file():
        return
    found = parts()
    if found:
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch = path.with_suffix(".part")
        write_midi(scratch, found, seconds=max(part.seconds for part in found) + 1)
        scratch.replace(path)


def _from_musicxml(path: Path, console: Console) -> list[Part]:
    try:
        return list(read_musicxml(path).parts)
    except DataError as error:
        console.print(f"  left out: {error}", markup=False)
        return []


def drum_part(rng: np.random.Generator) -> Part:
    """A drum kit: grooves that change every few bars; hands and feet of different ones."""
    tempo_bpm = float(rng.uniform(70, 170))
    song = demo_music.make_song("train", rng, seconds=GROOVE_SECONDS, beats=4, tempo_bpm=tempo_bpm)
    styles = list(demo_band.GROOVES)
    notes, bar = [], 0
    while bar < len(song.chords):
        bars = int(rng.choice([4, 8, 8, 16]))
        section = replace(song, chords=song.chords[bar : bar + bars])
        feet, hands = (str(rng.choice(styles)) for _ in range(2))
        low = (demo_band.KICK,)
        played = [note for note in demo_band.drums(section, rng, style=feet) if note.pitch in low]
        played += [
            note for note in demo_band.drums(section, rng, style=hands) if note.pitch not in low
        ]
        notes += [note._replace(start=note.start + 4 * bar) for note in played]
        bar += bars
    return _part("drums", notes, tempo_bpm, rng, is_drums=True)


def bass_part(rng: np.random.Generator) -> Part:
    """A bass line, walking or driving."""
    tempo_bpm = float(rng.uniform(70, 160))
    song = demo_music.make_song("train", rng, seconds=GROOVE_SECONDS, beats=4, tempo_bpm=tempo_bpm)
    notes = demo_band.bass(song, rng, style=str(rng.choice(["walk", "rock"])))
    return _part("bass", notes, tempo_bpm, rng, program=32 + int(rng.integers(0, 4)))


def _part(
    name: str, notes: list, tempo_bpm: float, rng, *, program: int = 0, is_drums: bool = False
) -> Part:
    """Beats to seconds, slightly off the beat."""
    beat = 60 / tempo_bpm
    played = []
    for note in notes:
        start = max(0.0, note.start * beat + rng.normal(0, 0.006))
        velocity = int(np.clip(note.velocity + rng.normal(0, 8), 20, 126))
        played.append(Note(start, start + note.length * beat, note.pitch, velocity))
    return Part(name=name, program=program, is_drums=is_drums, notes=tuple(sorted(played)))
