"""One call of the renderer: plan, render in parallel processes, and write a manifest."""

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
_ABANDONED_SECONDS = 3600  # more recent partial files may belong to another process


def prepare(
    scores: Mapping[str, Path],
    soundfonts: Mapping[str, Path],
    output: Path,
    settings: RenderSettings,
) -> tuple[Plan, Studio]:
    """Check that everything needed exists, and make the plan; nothing is written.

    Args:
      scores: folders or files of scores, by the names that their licences refer to.
      soundfonts: SF2 or SF3 files by name.
      output: folder to render to.
      settings: of the rendering.
    Raises: DataError or ConfigError when something is missing, or nothing would be rendered.
    """
    if not soundfonts:
        raise DataError("No soundfont was given. Give at least one: --soundfont NAME=FILE.sf2")
    if output.exists() and not output.is_dir():
        raise DataError(f"{output} is a file; a folder was expected. Use another name.")
    synthesizer = find_synthesizer(settings.synthesizer)
    fonts = [open_soundfont(name, path) for name, path in soundfonts.items()]
    plan = make_plan(find_scores(dict(scores)), fonts, settings)
    if not plan.jobs:
        first = f" The first problem: {plan.problems[0]}" if plan.problems else ""
        raise DataError(
            f"Nothing to render: {len(plan.problems)} scores could not be read, and"
            f" {plan.left_out} parts suit none of the requested classes"
            f" ({', '.join(plan.seconds)}). Use other classes or --assign any.{first}"
        )
    return plan, Studio(output, {font.name: font for font in fonts}, settings, synthesizer)


def render(
    plan: Plan, studio: Studio, *, done: Callable[[Outcome], None] = lambda outcome: None
) -> list[Outcome]:
    """Render every job of a plan.

    Args:
      plan, studio: from `prepare`.
      done: called with the outcome of every job when it ends, in any order.
    Returns: the outcomes.
    Raises: DataError when a worker dies, for example from lack of memory.
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
        _ = font.digest  # computed once here, and not in every worker
    return work(render_job, jobs, studio, studio.settings.workers)


def described_fonts(
    fonts: Iterable[SoundFont], before: Mapping[str, dict], licences: Mapping[str, str]
) -> dict[str, dict]:
    """The manifest's entries for soundfonts, including earlier ones.

    A different file with the same name does not inherit the licence.
    """
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
    """The given licence, or that of an earlier manifest."""
    return licences.get(name, before.get(name, {}).get("licence", NOT_STATED))


def write_manifest(
    studio: Studio, collections: Mapping[str, Path], licences: Mapping[str, str]
) -> dict:
    """Write manifest.json: all rendered files of the folder, their scores, soundfonts and licences.

    Args:
      studio: from `prepare`.
      collections: the scores' folders by name.
      licences: of soundfonts and collections, by name; those in an earlier manifest are kept.
    Returns: the content of the manifest.
    Raises: OSError when it cannot be written.
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
    files = {name: entry for name, entry in described.items() if entry is not None}
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
