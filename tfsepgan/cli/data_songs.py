"""`tfsepgan-data songs`: piano performances with melody and chords in, mixed and mastered songs
with their stems out."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated

import tyro

from tfsepgan.cli.data_render import named_paths, stated_licences
from tfsepgan.errors import ConfigError, DataError
from tfsepgan.rendering.arranging.settings import SongSettings


@dataclass(frozen=True, kw_only=True)
class Songs(SongSettings):
    """Arrange songs for full bands, render, mix and master them, and write their stems as training
    wants them."""

    scores: Annotated[tuple[str, ...], tyro.conf.Positional]
    """Songs as POP909 has them: folders, each as PATH or NAME=PATH."""
    soundfont: tuple[str, ...]
    """Soundfonts, each as NAME=FILE.sf2; one at least with a piano."""
    output: str
    """Folder to write to. What is there already, and would sound the same, is kept."""
    singer: tuple[str, ...] = ()
    """Singers made of speech, each as NAME=DIR:FORMANT:NOTE: a formant above 1 makes one smaller,
    NOTE is the MIDI note that melodies lie around. Without one, voices are a soundfont's."""
    licence: tuple[str, ...] = ()
    """Licences for the manifest, each as NAME=WORDS, by the names of scores, soundfonts and
    singers."""


def songs_command(options: Songs, console) -> None:
    """Make songs, with progress, and say what was made and what could not be."""
    from tfsepgan.rendering.arranging.run import make, prepare, write_manifest
    from tfsepgan.rendering.arranging.singing import Singer

    collections, soundfonts = named_paths(options.scores), named_paths(options.soundfont)
    singers = [Singer.parse(words) for words in options.singer]
    names = [*collections, *soundfonts, *(singer.name for singer in singers)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ConfigError(
            f"{twice[0]} names two things; give each a name of its own, so that each has its"
            " licence."
        )
    licences = stated_licences(options.licence, set(names))
    settings = SongSettings(
        **{field.name: getattr(options, field.name) for field in fields(SongSettings)}
    )
    jobs, studio = prepare(collections, soundfonts, singers, Path(options.output), settings)
    studio.output.mkdir(parents=True, exist_ok=True)
    console.print(
        f"{len(jobs)} songs of up to {settings.seconds:g} s, by {studio.synthesizer}",
        highlight=False,
    )
    try:
        outcomes = _make_with_progress(jobs, studio, console, make)
    finally:  # of what is there, also when it was stopped
        manifest = write_manifest(studio, collections, licences)
    _show(manifest, outcomes, console)
    problems = [outcome.problem for outcome in outcomes if outcome.problem]
    for problem in problems:
        console.print(f"  {problem}", markup=False, highlight=False)
    if problems:
        raise DataError(
            f"{len(problems)} of {len(jobs)} songs were not made; the others are in"
            f" {options.output}."
        )


def _make_with_progress(jobs, studio, console, make) -> list:
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("songs", total=len(jobs))
        return make(jobs, studio, done=lambda outcome: bar.advance(task))


def _show(manifest: dict, outcomes: list, console) -> None:
    """Songs by split and line-up, with the piano's level; what was kept; what has no licence."""
    import numpy as np
    from rich.table import Table

    groups: dict[tuple[str, str], list[dict]] = {}
    for name, song in manifest["songs"].items():
        groups.setdefault((name.split("/")[0], song["line_up"]), []).append(song)
    table = Table("split", "line-up", "songs", "minutes", "piano against the rest, dB")
    for (split, line_up), songs in sorted(groups.items()):
        levels = [
            song["piano_against_rest_db"] for song in songs if song["piano_against_rest_db"] < 99
        ]
        spread = f"{np.min(levels):.1f} to {np.max(levels):.1f}" if levels else "alone"
        table.add_row(
            split,
            line_up,
            str(len(songs)),
            f"{sum(song['seconds'] for song in songs) / 60:.1f}",
            spread,
        )
    console.print(table)
    if kept := sum(outcome.kept for outcome in outcomes):
        console.print(f"{kept} were there already and were kept.", highlight=False)
    for group in ("scores", "soundfonts", "singers"):
        for name, entry in manifest[group].items():
            if entry["licence"] == "not stated":
                console.print(
                    f"No licence is stated for {name}: --licence {name}=...",
                    markup=False,
                    highlight=False,
                )
