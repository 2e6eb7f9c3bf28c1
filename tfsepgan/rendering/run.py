"""One call of the renderer: plan, render in parallel processes, and write a manifest."""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import tfsepgan
from tfsepgan.errors import DataError
from tfsepgan.files import write_whole
from tfsepgan.rendering.plan import Plan, make_plan
from tfsepgan.rendering.reading import find_scores
from tfsepgan.rendering.rendering import Outcome, Studio, description, render_job
from tfsepgan.rendering.settings import RenderSettings
from tfsepgan.rendering.soundfonts import SoundFont, open_soundfont
from tfsepgan.rendering.synthesizers import find_synthesizer, version
from tfsepgan.rendering.workers import check_output, work

MANIFEST = "manifest.json"
NOT_STATED = "not stated"


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
    check_output(output)
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
    return work(render_job, plan.jobs, studio, done)


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
    found = sorted(studio.output.rglob("*.flac"))
    described = {file.relative_to(studio.output).as_posix(): description(file) for file in found}
    files = {name: entry for name, entry in described.items() if entry is not None}
    return save_manifest(studio, version(studio.synthesizer), collections, licences, files=files)


def save_manifest(
    studio,
    synthesizer: str,
    collections: Mapping[str, Path],
    licences: Mapping[str, str],
    *,
    singers: Mapping[str, dict] | None = None,
    **files: dict[str, dict],
) -> dict:
    """Write manifest.json; entries of an earlier one for other soundfonts and scores are kept.

    Args:
      studio: its `output`, `fonts` and `settings` are used.
      synthesizer: name and version.
      collections: the scores' folders by name.
      licences: of soundfonts, singers and collections, by name.
      singers: their descriptions by name.
      files: descriptions of all files, under a name of their own.
    Returns: the content of the manifest.
    Raises: OSError when it cannot be written.
    """
    path, earlier = studio.output / MANIFEST, {}
    with suppress(OSError, ValueError):
        earlier = json.loads(path.read_text(encoding="utf-8"))
    manifest = {"package": f"tfsepgan {tfsepgan.__version__}", "synthesizer": synthesizer}
    manifest["soundfonts"] = dict(earlier.get("soundfonts", {}))
    for font in studio.fonts.values():
        manifest["soundfonts"][font.name] = _described(font, manifest["soundfonts"], licences)
    for group, entries in (("singers", singers), ("scores", dict.fromkeys(collections, {}))):
        if entries is not None:
            known = manifest[group] = dict(earlier.get(group, {}))
            for name, words in entries.items():
                known[name] = {**words, "licence": _licence_of(name, licences, known)}
    runs = [*earlier.get("settings", []), json.loads(json.dumps(asdict(studio.settings)))]
    manifest["settings"] = [run for number, run in enumerate(runs) if run not in runs[:number]]
    manifest |= files
    text = json.dumps(manifest, indent=1, ensure_ascii=False)
    write_whole(path, lambda file: file.write(text.encode()))
    return manifest


def _described(font: SoundFont, before: Mapping[str, dict], licences: Mapping[str, str]) -> dict:
    """The entry of a soundfont; a different file of the same name does not inherit the licence."""
    same = before.get(font.name, {}).get("sha256") == font.digest
    licence = _licence_of(font.name, licences, before if same else {})
    words = {"file": font.path.name, "title": font.title, "copyright_in_file": font.copyright}
    return {**words, "sha256": font.digest, "licence": licence}


def _licence_of(name: str, licences: Mapping[str, str], before: Mapping[str, dict]) -> str:
    """The given licence, or that of an earlier manifest."""
    return licences.get(name, before.get(name, {}).get("licence", NOT_STATED))
