"""`tfsepgan-data songs`: makes mixed and mastered songs, with stems, from piano performances."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from tfsepgan.cli.command import say
from tfsepgan.cli.data_render import (
    named_paths,
    refuse_if_any,
    show_missing_licences,
    stated_licences,
)
from tfsepgan.cli.flags import inherited
from tfsepgan.errors import ConfigError
from tfsepgan.progress import ProgressBar
from tfsepgan.rendering.arranging.settings import SongSettings


@dataclass(frozen=True, kw_only=True)
class Songs(SongSettings):
    """Arrange, render, mix and master songs for full bands; write their stems to train on."""

    scores: Annotated[tuple[str, ...], tyro.conf.Positional]
    """Songs in the format of POP909: folders, each as PATH or NAME=PATH."""
    soundfont: tuple[str, ...]
    """Soundfonts, each as NAME=FILE.sf2; at least one with a piano."""
    output: str
    """Folder to write to. Existing songs that would be the same are kept."""
    singer: tuple[str, ...] = ()
    """Singers made from speech, each as NAME=DIR:FORMANT:NOTE. A FORMANT above 1 gives a smaller
    voice; NOTE is the MIDI note around which melodies lie. By default a soundfont sings."""
    licence: tuple[str, ...] = ()
    """Licences for the manifest, each as NAME=WORDS; NAME is a name of scores, a soundfont or a
    singer."""


def songs_command(options: Songs, console) -> None:
    """Make songs, with progress; print what was made and what could not be made."""
    from tfsepgan.rendering.arranging.run import make, prepare, write_manifest
    from tfsepgan.rendering.arranging.singing import Singer

    collections, soundfonts = named_paths(options.scores), named_paths(options.soundfont)
    singers = [Singer.parse(words) for words in options.singer]
    names = [*collections, *soundfonts, *(singer.name for singer in singers)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ConfigError(
            f"{twice[0]} names two things. Give each a name of its own, so that each has its own"
            " licence."
        )
    licences = stated_licences(options.licence, set(names))
    settings = inherited(options, SongSettings)
    jobs, studio = prepare(collections, soundfonts, singers, Path(options.output), settings)
    studio.output.mkdir(parents=True, exist_ok=True)
    say(console, f"{len(jobs)} songs of up to {settings.seconds:g} s, by {studio.synthesizer}")
    try:
        with ProgressBar(console, "songs", len(jobs), unit="") as bar:
            outcomes = make(jobs, studio, done=lambda outcome: bar.advance())
    finally:  # also when stopped: it lists the files that exist
        manifest = write_manifest(studio, collections, licences)
    _show(manifest, outcomes, console)
    problems = [outcome.problem for outcome in outcomes if outcome.problem]
    refuse_if_any(
        problems,
        f"{len(problems)} of {len(jobs)} songs were not made; the others are in {options.output}.",
        console,
    )


def _show(manifest: dict, outcomes: list, console) -> None:
    """Print songs by split and line-up with the level of the piano, and missing licences."""
    from rich.table import Table

    groups: dict[tuple[str, str], list[dict]] = {}
    for name, song in manifest["songs"].items():
        groups.setdefault((name.split("/")[0], song["line_up"]), []).append(song)
    table = Table("split", "line-up", "songs", "minutes", "piano over the others, dB")
    for (split, line_up), songs in sorted(groups.items()):
        levels_db = [song["piano_against_rest_db"] for song in songs]
        levels_db = [level_db for level_db in levels_db if level_db < 99]
        spread = f"{min(levels_db):.1f} to {max(levels_db):.1f}" if levels_db else "alone"
        minutes = sum(song["seconds"] for song in songs) / 60
        table.add_row(split, line_up, str(len(songs)), f"{minutes:.1f}", spread)
    console.print(table)
    if kept := sum(outcome.kept for outcome in outcomes):
        say(console, f"{kept} were there already and were kept.")
    show_missing_licences(manifest, console)
