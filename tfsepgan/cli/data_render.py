"""`tfsepgan-data render`: makes recordings for training from scores and soundfonts."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

import tyro

from tfsepgan.cli.command import say
from tfsepgan.cli.flags import inherited
from tfsepgan.errors import ConfigError, DataError
from tfsepgan.progress import ProgressBar
from tfsepgan.rendering.settings import RenderSettings


@dataclass(frozen=True, kw_only=True)
class Render(RenderSettings):
    """Play MIDI and MusicXML scores with soundfonts; write recordings to train on."""

    TOPICS: ClassVar = {
        "recordings": ("scores", "soundfont", "output", "licence", "layout", "classes", "targets")
        + ("parts", "assign"),
        "amount": ("minutes", "versions", "longest_seconds", "valid_share", "test_share"),
        "performance": ("tempo", "semitones", "velocity", "timing_ms"),
        "sound": ("sample_rate_hz", "channels", "level_db"),
    }

    scores: Annotated[tuple[str, ...], tyro.conf.Positional]
    """Scores: folders or files, each as PATH or NAME=PATH."""
    soundfont: tuple[str, ...]
    """Soundfonts, each as NAME=FILE.sf2."""
    output: str
    """Folder to write to. Existing recordings that would be the same are kept."""
    licence: tuple[str, ...] = ()
    """Licences for the manifest, each as NAME=WORDS; NAME is a name of scores or a soundfont."""


def render_command(options: Render, console) -> None:
    """Render, with progress; print what was made and what could not be made."""
    from tfsepgan.rendering.run import prepare, render, write_manifest

    collections, soundfonts = named_paths(options.scores), named_paths(options.soundfont)
    shared = sorted(collections.keys() & soundfonts.keys())
    if shared:
        raise ConfigError(
            f"{shared[0]} names both scores and a soundfont. Write one as NAME=PATH with another"
            " name, so that each has its own licence."
        )
    licences = stated_licences(options.licence, {*collections, *soundfonts})
    settings = inherited(options, RenderSettings)
    say(console, "Reading scores and soundfonts ...")
    plan, studio = prepare(collections, soundfonts, Path(options.output), settings)
    studio.output.mkdir(parents=True, exist_ok=True)
    minutes = sum(job.seconds for job in plan.jobs) / 60
    left_out = f"; {plan.left_out} parts left out, because no wanted class fits them"
    say(
        console,
        f"{len(plan.jobs)} recordings or songs, about {minutes:.0f} minutes, by"
        f" {studio.synthesizer}{left_out if plan.left_out else ''}",
    )
    try:
        with ProgressBar(console, "rendering", minutes, unit="min") as bar:
            outcomes = render(plan, studio, done=lambda one: bar.advance(one.job.seconds / 60))
    finally:  # also when stopped: it lists the files that exist
        manifest = write_manifest(studio, collections, licences)
    _show(manifest, outcomes, console)
    show_missing_licences(manifest, console)
    problems = [*plan.problems, *(outcome.problem for outcome in outcomes if outcome.problem)]
    refuse_if_any(
        problems,
        f"{len(problems)} of {len(plan.jobs) + len(plan.problems)} were not rendered; the"
        f" others are in {options.output}. Remove those scores, or run the command again.",
        console,
    )


def _show(manifest: dict, outcomes: list, console) -> None:
    """Print minutes by split and class, and how many files were kept or cut."""
    from rich.table import Table

    groups: dict[tuple[str, str], list[dict]] = {}
    for name, facts in manifest["files"].items():
        groups.setdefault((name.split("/")[0], facts["class"]), []).append(facts)
    table = Table("split", "class", "files", "minutes", "soundfonts")
    for (split, kind), members in sorted(groups.items()):
        minutes = sum(facts["seconds"] for facts in members) / 60
        fonts = ", ".join(sorted({facts["soundfont"] for facts in members}))
        table.add_row(split, kind, str(len(members)), f"{minutes:.1f}", fonts)
    console.print(table)
    kept = sum(outcome.kept for outcome in outcomes)
    cut = sum(outcome.was_cut for outcome in outcomes)
    if kept:
        say(console, f"{kept} were there already and were kept.")
    if cut:
        say(console, f"{cut} scores were longer than --longest-seconds and were cut there.")


def refuse_if_any(problems: list[str], message: str, console) -> None:
    """Print the problems. Raises: DataError with the message when there are any."""
    for problem in problems:
        say(console, f"  {problem}")
    if problems:
        raise DataError(message)


def show_missing_licences(manifest: dict, console) -> None:
    """Print which scores, soundfonts and singers have no licence in the manifest."""
    from tfsepgan.rendering.run import NOT_STATED

    for group in ("scores", "soundfonts", "singers"):
        for name, entry in manifest.get(group, {}).items():
            if entry["licence"] == NOT_STATED:
                say(console, f"No licence is stated for {name}: --licence {name}=...")


def named_paths(entries: tuple[str, ...]) -> dict[str, Path]:
    """Return paths by name from entries `NAME=PATH` or `PATH`.

    Raises: ConfigError for an entry without a name, or with a name used twice.
    """
    found: dict[str, Path] = {}
    for entry in entries:
        name, sign, path = entry.partition("=")
        path = Path(path if sign else entry).expanduser()
        name = name if sign else (path.name if path.is_dir() else path.stem)
        if not name or "/" in name or name.startswith(".") or name in found:
            raise ConfigError(
                f"{entry!r} has no name of its own. Write it as NAME=PATH; use each name once."
            )
        found[name] = path
    return found


def stated_licences(entries: tuple[str, ...], names: set[str]) -> Mapping[str, str]:
    """Return licences by name from entries `NAME=WORDS`.

    Raises: ConfigError for a name that is not among `names`.
    """
    found = dict(entry.partition("=")[::2] for entry in entries)
    unknown = [name for name, words in found.items() if name not in names or not words]
    if unknown:
        raise ConfigError(
            f"--licence {unknown[0]}: wanted NAME=WORDS, with NAME one of"
            f" {', '.join(sorted(names))}."
        )
    return found
