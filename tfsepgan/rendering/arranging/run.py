"""One call of the song maker: plan the songs, make them in parallel processes, write a manifest."""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tfsepgan.errors import ConfigError, DataError
from tfsepgan.rendering.arranging.line_ups import LINE_UPS
from tfsepgan.rendering.arranging.settings import SongSettings
from tfsepgan.rendering.arranging.singing import Singer, import_pyworld
from tfsepgan.rendering.arranging.song import CHORDS
from tfsepgan.rendering.arranging.songs import SongJob, SongStudio, make_song
from tfsepgan.rendering.instruments import CLASSES
from tfsepgan.rendering.reading import ScoreFile, find_scores
from tfsepgan.rendering.rendering import Outcome, description
from tfsepgan.rendering.run import save_manifest
from tfsepgan.rendering.soundfonts import open_soundfont
from tfsepgan.rendering.synthesizers import find_synthesizer, version
from tfsepgan.rendering.workers import check_output, work


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
    check_output(output)
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
    by_name = {singer.name: singer for singer in singers}
    studio = SongStudio(output, fonts, by_name, settings, synthesizer)
    return plan(find_scores(dict(scores)), settings), studio


def plan(files: Sequence[ScoreFile], settings: SongSettings) -> list[SongJob]:
    """The songs of a call, in an order drawn from the seed and their names.

    Every score is used once before any is used again.

    Raises: DataError when there is no song.
    """
    songs = [file for file in files if file.path.with_name(CHORDS).is_file()]
    songs = [file for file in songs if _wanted(file, settings.numbers)]
    if not songs:
        raise DataError(
            f"There are no songs; expected: folders with a MIDI file and {CHORDS}, in the format of"
            " POP909."
        )
    songs.sort(key=lambda file: hashlib.sha256(f"{settings.seed}/{file.label}".encode()).digest())
    places = (divmod(number, len(songs)) for number in range(settings.count))
    return [SongJob(songs[place], version) for version, place in places]


def _wanted(file: ScoreFile, numbers: tuple[int, int] | None) -> bool:
    if numbers is None:
        return True
    found = re.fullmatch(r"\d+", file.path.stem)
    return bool(found) and numbers[0] <= int(found[0]) <= numbers[1]


def make(
    jobs: Sequence[SongJob],
    studio: SongStudio,
    *,
    done: Callable[[Outcome], None] = lambda outcome: None,
) -> list[Outcome]:
    """Make every song.

    Args:
      jobs, studio: from `prepare`.
      done: called with the outcome of every song when it ends, in any order.
    Raises: DataError when a worker dies, for example from lack of memory.
    """
    return work(make_song, jobs, studio, done)


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
    singers = {
        singer.name: {"speech": singer.speech.name, "formant": singer.formant, "note": singer.note}
        for singer in studio.singers.values()
    }
    songs, synthesizer = _songs(studio.output), version(studio.synthesizer)
    return save_manifest(studio, synthesizer, collections, licences, singers=singers, songs=songs)


def _songs(output: Path) -> dict[str, dict]:
    """The descriptions in the files of every song of a folder."""
    songs: dict[str, dict] = {}
    for file in sorted(output.glob("*/*/*.flac")):
        described = description(file)
        if described is None or "players" not in described:
            continue
        own = {key: described.pop(key, None) for key in ("class", "players", "key", "stems")}
        song = songs.setdefault(file.parent.relative_to(output).as_posix(), described)
        song.setdefault("stems", {})[own["class"]] = own["players"]
    return songs
