"""Makes one song: excerpt, arrangement, synthesis, mix, master and files.

A song's folder appears complete or not at all. The comment of every file describes what it was made
from, with a key of everything that affects the song's sound. A folder is kept if all of its files
have the right key.
"""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile

from tfsepgan.errors import DataError, TfsepganError
from tfsepgan.files import HALF_WRITTEN
from tfsepgan.rendering.arranging.arrangement import PIANO, SINGER, Arrangement, Voice, arrange
from tfsepgan.rendering.arranging.desk import active_rms, balanced, draw_hall, draw_strip, mixed
from tfsepgan.rendering.arranging.master import draw_master, mastered, rms
from tfsepgan.rendering.arranging.settings import SongSettings
from tfsepgan.rendering.arranging.singing import Singer, sing
from tfsepgan.rendering.arranging.song import BEATS, CHORDS, Song, excerpt, in_other_key, read_song
from tfsepgan.rendering.reading import ScoreFile
from tfsepgan.rendering.rendering import Outcome, description, refuse_silence, write_flac
from tfsepgan.rendering.score import Part, cut
from tfsepgan.rendering.soundfonts import SoundFont
from tfsepgan.rendering.synthesizers import Task, play, version

_RECIPE = 1  # increase when the same settings give another sound
_TRIES = 24  # to draw an excerpt in which the piano plays
_PLAYING, _MELODY = 0.6, 0.4  # lowest share of an excerpt's bars with piano, and with melody
_AUDIBLE_SETTINGS = ("seconds", "tempo", "semitones", "piano_db", "line_ups", "sample_rate_hz")


class SongStudio(NamedTuple):
    """What all songs share."""

    output: Path
    fonts: Mapping[str, SoundFont]
    singers: Mapping[str, Singer]
    settings: SongSettings
    synthesizer: str


class SongJob(NamedTuple):
    """A song to make, unless it exists."""

    score: ScoreFile
    version: int
    """0 for the first arrangement of a score."""

    @property
    def name(self) -> str:
        """Name of its folder."""
        return self.score.label + (f"-v{self.version}" if self.version else "")


def make_song(job: SongJob, studio: SongStudio) -> Outcome:
    """Make a song's folder, unless it exists.

    Problems of a score or a soundfont are reported in the outcome.
    """
    try:
        folder = studio.output / studio.settings.split / job.name
        key = _key(job, studio)
        seconds = _made(folder, key)
        if seconds is not None:
            return Outcome(job, kept=True, seconds=seconds)
        song, arrangement, rng = arranged(job, studio)
        stems, mix = _mix(song, arrangement, rng, studio)
        made_of = {"key": key, "score": f"{job.score.collection}/{job.score.path.name}", **mix}
        players = _players(arrangement, studio)
        comments = {
            name: {**made_of, "class": name, "players": players[name], "stems": sorted(stems)}
            for name in stems
        }
        _write(folder, stems, comments, studio.settings.sample_rate_hz)
        frames = len(next(iter(stems.values())))
        return Outcome(job, seconds=frames / studio.settings.sample_rate_hz)
    except (TfsepganError, OSError) as error:
        return Outcome(job, problem=f"{job.score.path} was not made: {error}")


def arranged(job: SongJob, studio: SongStudio) -> tuple[Song, Arrangement, np.random.Generator]:
    """The excerpt, its arrangement, and the generator that draws the mix.

    Raises: DataError when the score cannot be read or no excerpt has a piano.
    """
    settings = studio.settings
    rng = np.random.default_rng([settings.seed, *hashlib.sha256(job.name.encode()).digest()[:16]])
    tempo = float(rng.uniform(1 - settings.tempo, 1 + settings.tempo))
    semitones = int(rng.integers(-settings.semitones, settings.semitones + 1))
    song = in_other_key(read_song(job.score.path), tempo=tempo, semitones=semitones)
    song = _drawn_excerpt(song, settings.seconds, rng)
    line_up = str(rng.choice(settings.line_ups)) if settings.line_ups else None
    fonts = list(studio.fonts.values())
    arrangement = arrange(song, fonts, list(studio.singers), rng, line_up=line_up)
    if not arrangement.voices or arrangement.voices[0].role != PIANO:
        raise DataError("none of the soundfonts has a piano that fits. Add one.")
    return song, arrangement, rng


def _drawn_excerpt(song: Song, seconds: float, rng: np.random.Generator) -> Song:
    """An excerpt that starts with a bar, mostly with piano and, if possible, with melody."""
    last = max(song.seconds - seconds, 0.0)
    starts = [number for number, at in enumerate(song.downbeats) if song.beats[at] <= last] or [0]
    without_melody = None
    for _ in range(_TRIES):
        found = excerpt(song, int(rng.choice(starts)), seconds)
        if _share_of_bars(found, found.piano) < _PLAYING:
            continue
        if _share_of_bars(found, found.melody) >= _MELODY:
            return found
        without_melody = without_melody or found
    if without_melody is None:
        raise DataError("the piano rests nearly everywhere. Leave the song out.")
    return without_melody


def _share_of_bars(song: Song, part: Part) -> float:
    """Share of a song's bars in which a note of a part starts, 0 to 1."""
    bars = [song.time(first) for first, _ in song.bars()]
    if len(bars) < 2:
        return 0.0
    return float(np.mean(np.histogram([note.start for note in part.notes], [*bars, np.inf])[0] > 0))


def _sound(voice: Voice, seconds: float, studio: SongStudio) -> np.ndarray:
    """One player, `[frames, 2]`, at the synthesizer's level."""
    settings = studio.settings
    if voice.role == SINGER:
        singer, rng = studio.singers[voice.soundfont], np.random.default_rng(voice.seed)
        return sing(singer, voice.part.notes, seconds, settings.sample_rate_hz, rng)
    font = studio.fonts[voice.soundfont]
    limits = (seconds, settings.sample_rate_hz, settings.time_limit_seconds)
    sound = play(studio.synthesizer, Task([cut(voice.part, seconds)], font.path, *limits))
    refuse_silence(sound, voice.program, font, voice.class_name)
    return sound


def _mix(
    song: Song, arrangement: Arrangement, rng: np.random.Generator, studio: SongStudio
) -> tuple[dict, dict]:
    """Stems by class, `[frames, 2]`, as in the mastered mixture; and a description of the mix."""
    settings = studio.settings
    rate = settings.sample_rate_hz
    seconds = min(settings.seconds, song.seconds + 1)
    hall = draw_hall(rng)
    stems: dict[str, np.ndarray] = {}
    for voice in arrangement.voices:
        sound, strip = _sound(voice, seconds, studio), draw_strip(voice.role, rng)
        sound, name = mixed(sound, voice.role, strip, hall, rate), voice.class_name
        stems[name] = stems[name] + sound if name in stems else sound
    piano_db = float(rng.uniform(*settings.piano_db))
    stems = balanced(stems, PIANO, piano_db, rate)
    master = draw_master(rng)
    stems = dict(zip(stems, mastered(list(stems.values()), master, rate), strict=True))
    others = np.sum([stem for name, stem in stems.items() if name != PIANO], axis=0)
    rests = [[round(t, 2) for t in rest] for rest in arrangement.piano.rests]
    piano_rms, others_rms = active_rms(stems[PIANO], rate), active_rms(np.atleast_2d(others), rate)
    mix = {
        "line_up": arrangement.line_up,
        "excerpt_seconds": round(seconds, 3),
        "beats_a_minute": round(60 / float(np.median(np.diff(song.beats))), 1),
        "piano": {**arrangement.piano._asdict(), "rests": rests},
        "piano_against_rest_db": round(_ratio_db(piano_rms, others_rms), 2),
        "piano_against_rest_whole_db": round(_ratio_db(rms(stems[PIANO]), rms(others)), 2),
        "master": {name: round(value, 4) for name, value in master._asdict().items()},
    }
    return stems, mix


def _ratio_db(one: float, other: float) -> float:
    """Level of one RMS relative to another, limited to 99 dB, for example without others."""
    return float(np.clip(20 * np.log10(max(one, 1e-9) / max(other, 1e-9)), -99, 99))


def _players(arrangement: Arrangement, studio: SongStudio) -> dict[str, list[dict]]:
    """The players of each stem."""
    found: dict[str, list[dict]] = {}
    for voice in arrangement.voices:
        kind = "singer" if voice.role == SINGER else "soundfont"
        player = {"role": voice.role, "style": voice.style, kind: voice.soundfont}
        player |= {} if voice.role == SINGER else {"program": voice.program}
        found.setdefault(voice.class_name, []).append(player)
    return found


def _key(job: SongJob, studio: SongStudio) -> str:
    """Checksum of everything that affects a song's sound."""
    settings = asdict(studio.settings)
    tables = [_digest(job.score.path.with_name(name)) for name in (BEATS, CHORDS)]
    fonts = {name: font.digest for name, font in sorted(studio.fonts.items())}
    singers = sorted(studio.singers.items())
    singers = {name: [one.speech.name, one.formant, one.note] for name, one in singers}
    made_of = [_RECIPE, job.name, job.score.digest, tables, fonts, singers, settings["seed"]]
    made_of += [version(studio.synthesizer), *(settings[name] for name in _AUDIBLE_SETTINGS)]
    return hashlib.sha256(json.dumps(made_of).encode()).hexdigest()[:32]


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise DataError(
            f"{path} cannot be read ({error.strerror}). A song of POP909 has it next to its"
            " MIDI file."
        ) from error


def _made(folder: Path, key: str) -> float | None:
    """The length in seconds of a song that exists with the right key, else None."""
    files = [description(path) for path in sorted(folder.glob("*.flac"))]
    if not files or any(file is None or file["key"] != key for file in files):
        return None
    complete = sorted(file["class"] for file in files) == files[0]["stems"]
    return files[0]["seconds"] if complete else None


def _write(
    folder: Path, stems: Mapping[str, np.ndarray], comments: Mapping[str, dict], sample_rate_hz: int
) -> None:
    """Write a song's files to a new folder, which then replaces the previous one."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(dir=folder.parent, prefix=HALF_WRITTEN))
    try:
        for name, sound in stems.items():
            write_flac(scratch / f"{name}.flac", sound, comments[name], sample_rate_hz)
        scratch.chmod(0o755)
        with suppress(FileNotFoundError):
            shutil.rmtree(folder)
        os.replace(scratch, folder)
    except (OSError, AssertionError, soundfile.SoundFileError) as error:
        raise DataError(
            f"{folder} cannot be written ({error or 'the disk is full'}). Free some space."
        ) from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
