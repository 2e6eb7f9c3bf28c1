"""A whole call: plan, render in parallel processes, and leave a manifest of what was made of what."""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import tfsepgan
from tfsepgan.errors import DataError
from tfsepgan.files import remove_half_written, write_whole
from tfsepgan.rendering.plan import Job, Plan, make_plan
from tfsepgan.rendering.reading import find_scores
from tfsepgan.rendering.rendering import Outcome, Studio, description, render_job
from tfsepgan.rendering.settings import RenderSettings
from tfsepgan.rendering.soundfonts import SoundFont, open_soundfont
from tfsepgan.rendering.synthesizers import find_synthesizer, version
from tfsepgan.rendering.workers import work

MANIFEST = "manifest.json"
NOT_STATED = "not stated"
_ABANDONED_SECONDS = 3600  # younger half-written files may be another process's


def prepare(
    scores: Mapping[str, Path],
    soundfonts: Mapping[str, Path],
    output: Path,
    settings: RenderSettings,
) -> tuple[Plan, Studio]:
    """Find everything that is needed and decide who plays what; nothing is written.

    Args:
      scores: folders or files of scores, by a name under which their licence is noted.
      soundfonts: SF2 or SF3 files by name.
    Raises: DataError or ConfigError when something is missing, or nothing at all would be rendered.
    """
    if not soundfonts:
        raise DataError("No soundfont was given. Name at least one: --soundfont NAME=FILE.sf2")
    if output.exists() and not output.is_dir():
        raise DataError(f"{output} is a file; a folder was expected. Name another.")
    synthesizer = find_synthesizer(settings.synthesizer)
    fonts = [open_soundfont(name, path) for name, path in soundfonts.items()]
    plan = make_plan(find_scores(dict(scores)), fonts, settings)
    if not plan.jobs:
        first = f" The first problem: {plan.problems[0]}" if plan.problems else ""
        raise DataError(
            f"Nothing to render: of {len(plan.problems)} scores nothing could be read, and"
            f" {plan.left_out} parts suit no class asked for ({', '.join(plan.seconds)}). Name"
            f" other classes or --assign any.{first}"
        )
    return plan, Studio(output, {font.name: font for font in fonts}, settings, synthesizer)


def render(
    plan: Plan, studio: Studio, *, done: Callable[[Outcome], None] = lambda outcome: None
) -> list[Outcome]:
    """Render every job of a plan.

    Args:
      done: told of every job as it ends, in whatever order they end.
    Returns: the outcomes.
    Raises: DataError when a worker dies, as it does when memory runs out.
    """
    for folder, _, _ in os.walk(studio.output):
        remove_half_written(Path(folder), older_than_seconds=_ABANDONED_SECONDS)
    outcomes = []
    for outcome in _outcomes(plan.jobs, studio):
        outcomes.append(outcome)
        done(outcome)
    return outcomes


def _outcomes(jobs: Sequence[Job], studio: Studio) -> Iterator[Outcome]:
    for font in studio.fonts.values():
        _ = font.digest  # once here, not once in every worker
    return work(render_job, jobs, studio, studio.settings.workers)


def described_fonts(
    fonts: Iterable[SoundFont], before: Mapping[str, dict], licences: Mapping[str, str]
) -> dict[str, dict]:
    """What a manifest says of soundfonts, those of before included; another file of the same name
    does not inherit a licence."""
    described = dict(before)
    for font in fonts:
        same = (
            {font.name: before[font.name]}
            if before.get(font.name, {}).get("sha256") == font.digest
            else {}
        )
        words = {"file": font.path.name, "title": font.title, "copyright_in_file": font.copyright}
        described[font.name] = {
            **words,
            "sha256": font.digest,
            "licence": licence_of(font.name, licences, same),
        }
    return described


def licence_of(name: str, licences: Mapping[str, str], before: Mapping[str, dict]) -> str:
    """The licence that is given, or that an earlier manifest has."""
    return licences.get(name, before.get(name, {}).get("licence", NOT_STATED))


def write_manifest(
    studio: Studio, collections: Mapping[str, Path], licences: Mapping[str, str]
) -> dict:
    """Write manifest.json: every rendered file of the folder, its score and soundfont, and their
    licences.

    Args:
      collections: the scores' folders by name.
      licences: of soundfonts and collections, by name; what an earlier manifest says of others
        stays.
    Returns: what was written.
    Raises: OSError when the disk refuses.
    """
    path = studio.output / MANIFEST
    earlier = {}
    with suppress(OSError, ValueError):
        earlier = json.loads(path.read_text(encoding="utf-8"))
    fonts = described_fonts(studio.fonts.values(), earlier.get("soundfonts", {}), licences)
    scores = dict(earlier.get("scores", {}))
    for name in collections:
        scores[name] = {"licence": licence_of(name, licences, scores)}
    found = sorted(studio.output.rglob("*.flac"))
    described = {file.relative_to(studio.output).as_posix(): description(file) for file in found}
    files = {name: said for name, said in described.items() if said is not None}
    made_by = {
        "package": f"tfsepgan {tfsepgan.__version__}",
        "synthesizer": version(studio.synthesizer),
    }
    runs = [*earlier.get("settings", []), json.loads(json.dumps(asdict(studio.settings)))]
    unique = [run for number, run in enumerate(runs) if run not in runs[:number]]
    manifest = {
        **made_by,
        "soundfonts": fonts,
        "scores": scores,
        "settings": unique,
        "files": files,
    }
    text = json.dumps(manifest, indent=1, ensure_ascii=False)
    write_whole(path, lambda file: file.write(text.encode()))
    return manifest
