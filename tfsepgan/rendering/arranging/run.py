"""One call of the song maker: plan the songs, make them in parallel processes, write a manifest."""

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

_ABANDONED_SECONDS = 3600  # more recent partial folders may belong to another process


def prepare(
    scores: Mapping[str, Path],
    soundfonts: Mapping[str, Path],
    singers: Sequence[Singer],
    output: Path,
    settings: SongSettings,
) -> tuple[list[SongJob], SongStudio]:
    """Check that everything needed exists; nothing is written.

    Args:
      scores: folders of songs in the format of POP909, by the names that their licences refer to.
      soundfonts: SF2 or SF3 files by name.
      singers: voices that can sing melodies.
      output: folder to write to.
      settings: of the songs.
    Raises: DataError or ConfigError when something is missing or invalid.
    """
    known = [line_up.name for line_up in LINE_UPS]
    unknown = [name for name in settings.line_ups if name not in known]
    if unknown:
        raise ConfigError(f"There is no line-up {unknown[0]!r}; there are {', '.join(known)}.")
    if output.exists() and not output.is_dir():
        raise DataError(f"{output} is a file; a folder was expected. Use another name.")
    synthesizer = find_synthesizer(settings.synthesizer)
    fonts = {name: open_soundfont(name, path) for name, path in soundfonts.items()}
    if not any(font.programs(CLASSES["piano"]) for font in fonts.values()):
        raise DataError(
            "None of the soundfonts has a piano. Add one that does: --soundfont NAME=FILE.sf2"
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
    """The songs of a call, in an order drawn from the seed and their names.

    Every score is used once before any is used again.

    Raises: DataError when there is no song.
    """
    songs = [
        file
        for file in files
        if file.path.with_name(CHORDS).is_file() and _wanted(file, settings.numbers)
    ]
    if not songs:
        raise DataError(
            f"There are no songs; expected: folders with a MIDI file and {CHORDS}, in the format of"
            " POP909."
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
      jobs, studio: from `prepare`.
      done: called with the outcome of every song when it ends, in any order.
    Raises: DataError when a worker dies, for example from lack of memory.
    """
    for folder, _, _ in os.walk(studio.output):
        remove_half_written(Path(folder), older_than_seconds=_ABANDONED_SECONDS)
    for font in studio.fonts.values():
        _ = font.digest  # computed once here, and not in every worker
    outcomes = []
    for outcome in work(make_song, jobs, studio, studio.settings.workers):
        outcomes.append(outcome)
        done(outcome)
    return outcomes


def write_manifest(
    studio: SongStudio, collections: Mapping[str, Path], licences: Mapping[str, str]
) -> dict:
    """Write manifest.json: all songs of the folder with score, players and levels, and licences.

    Args:
      studio: from `prepare`.
      collections: the scores' folders by name.
      licences: of soundfonts, singers and collections, by name; those in an earlier manifest are
        kept.
    Returns: the content of the manifest.
    Raises: OSError when it cannot be written.
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
    """The descriptions in the files of every song of a folder."""
    songs: dict[str, dict] = {}
    for file in sorted(output.glob("*/*/*.flac")):
        description_of_file = description(file)
        if description_of_file is None or "players" not in description_of_file:
            continue
        name, own = description_of_file["class"], description_of_file["players"]
        shared = {
            key: value
            for key, value in description_of_file.items()
            if key not in ("class", "players", "key", "stems")
        }
        song = songs.setdefault(file.parent.relative_to(output).as_posix(), {**shared, "stems": {}})
        song["stems"][name] = own
    return songs
