"""A whole call: which songs, made in parallel processes, and a manifest of what was made of what."""

import hashlib
import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import tfsepgan
from tfsepgan.errors import ConfigError, DataError
from tfsepgan.files import remove_half_written, write_whole
from tfsepgan.rendering.arranging.line_ups import LINE_UPS
from tfsepgan.rendering.arranging.settings import SongSettings
from tfsepgan.rendering.arranging.singing import Singer, import_pyworld
from tfsepgan.rendering.arranging.song import CHORDS
from tfsepgan.rendering.arranging.songs import SongJob, SongOutcome, SongStudio, make_song
from tfsepgan.rendering.instruments import CLASSES
from tfsepgan.rendering.reading import ScoreFile, find_scores
from tfsepgan.rendering.rendering import description
from tfsepgan.rendering.run import MANIFEST, described_fonts, licence_of
from tfsepgan.rendering.soundfonts import open_soundfont
from tfsepgan.rendering.synthesizers import find_synthesizer, version
from tfsepgan.rendering.workers import work

_ABANDONED_SECONDS = 3600  # younger half-written folders may be another process's


def prepare(
    scores: Mapping[str, Path],
    soundfonts: Mapping[str, Path],
    singers: Sequence[Singer],
    output: Path,
    settings: SongSettings,
) -> tuple[list[SongJob], SongStudio]:
    """Find everything that is needed; nothing is written.

    Args:
      scores: folders of songs as POP909 has them, by a name under which their licence is noted.
      soundfonts: SF2 or SF3 files by name.
    Raises: DataError or ConfigError when something is missing or has no sense.
    """
    known = [line_up.name for line_up in LINE_UPS]
    unknown = [name for name in settings.line_ups if name not in known]
    if unknown:
        raise ConfigError(f"There is no line-up {unknown[0]!r}; there are {', '.join(known)}.")
    if output.exists() and not output.is_dir():
        raise DataError(f"{output} is a file; a folder was expected. Name another.")
    synthesizer = find_synthesizer(settings.synthesizer)
    fonts = {name: open_soundfont(name, path) for name, path in soundfonts.items()}
    if not any(font.programs(CLASSES["piano"]) for font in fonts.values()):
        raise DataError(
            "None of the soundfonts has a piano. Name one that has: --soundfont NAME=FILE.sf2"
        )
    if singers:
        import_pyworld()
    for singer in singers:
        singer.recordings()
    studio = SongStudio(
        output, fonts, {singer.name: singer for singer in singers}, settings, synthesizer
    )
    return plan(find_scores(dict(scores)), settings), studio


def plan(files: Sequence[ScoreFile], settings: SongSettings) -> list[SongJob]:
    """The songs of a call, in an order drawn from the seed and their names, each score once before
    any comes again.

    Raises: DataError when there is no song.
    """
    songs = [
        file
        for file in files
        if file.path.with_name(CHORDS).is_file() and _wanted(file, settings.numbers)
    ]
    if not songs:
        raise DataError(
            f"There are no songs: wanted are folders of a MIDI file with {CHORDS} beside it, as"
            " POP909 has them."
        )
    songs.sort(key=lambda file: hashlib.sha256(f"{settings.seed}/{file.label}".encode()).digest())
    return [
        SongJob(songs[number % len(songs)], number // len(songs))
        for number in range(settings.count)
    ]


def _wanted(file: ScoreFile, numbers: tuple[int, int] | None) -> bool:
    if numbers is None:
        return True
    found = re.fullmatch(r"\d+", file.path.stem)
    return bool(found) and numbers[0] <= int(found[0]) <= numbers[1]


def make(
    jobs: Sequence[SongJob],
    studio: SongStudio,
    *,
    done: Callable[[SongOutcome], None] = lambda outcome: None,
) -> list[SongOutcome]:
    """Make every song.

    Args:
      done: told of every song as it ends, in whatever order they end.
    Raises: DataError when a worker dies, as it does when memory runs out.
    """
    for folder, _, _ in os.walk(studio.output):
        remove_half_written(Path(folder), older_than_seconds=_ABANDONED_SECONDS)
    for font in studio.fonts.values():
        _ = font.digest  # once here, not once in every worker
    outcomes = []
    for outcome in work(make_song, jobs, studio, studio.settings.workers):
        outcomes.append(outcome)
        done(outcome)
    return outcomes


def write_manifest(
    studio: SongStudio, collections: Mapping[str, Path], licences: Mapping[str, str]
) -> dict:
    """Write manifest.json: every song of the folder, its score, players and levels, and all
    licences.

    Args:
      licences: of soundfonts, singers and collections, by name; what an earlier manifest says of
        others stays.
    Returns: what was written.
    Raises: OSError when the disk refuses.
    """
    path = studio.output / MANIFEST
    earlier = {}
    with suppress(OSError, ValueError):
        earlier = json.loads(path.read_text(encoding="utf-8"))
    fonts = described_fonts(studio.fonts.values(), earlier.get("soundfonts", {}), licences)
    singers, scores = (dict(earlier.get(group, {})) for group in ("singers", "scores"))
    for singer in studio.singers.values():
        words = {"speech": singer.speech.name, "formant": singer.formant, "note": singer.note}
        singers[singer.name] = {**words, "licence": licence_of(singer.name, licences, singers)}
    for name in collections:
        scores[name] = {"licence": licence_of(name, licences, scores)}
    made_by = {
        "package": f"tfsepgan {tfsepgan.__version__}",
        "synthesizer": version(studio.synthesizer),
    }
    runs = [*earlier.get("settings", []), json.loads(json.dumps(asdict(studio.settings)))]
    unique = [run for number, run in enumerate(runs) if run not in runs[:number]]
    groups = {"soundfonts": fonts, "singers": singers, "scores": scores, "settings": unique}
    manifest = {**made_by, **groups, "songs": _songs(studio.output)}
    text = json.dumps(manifest, indent=1, ensure_ascii=False)
    write_whole(path, lambda file: file.write(text.encode()))
    return manifest


def _songs(output: Path) -> dict[str, dict]:
    """What every song of a folder says of itself."""
    songs: dict[str, dict] = {}
    for file in sorted(output.glob("*/*/*.flac")):
        said = description(file)
        if said is None or "players" not in said:
            continue
        name, own = said["class"], said["players"]
        shared = {
            key: value
            for key, value in said.items()
            if key not in ("class", "players", "key", "stems")
        }
        song = songs.setdefault(file.parent.relative_to(output).as_posix(), {**shared, "stems": {}})
        song["stems"][name] = own
    return songs
