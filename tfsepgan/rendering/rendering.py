"""From a plan to files: each job is synthesized, brought to level and written as FLAC, once.

Every file carries, as its comment, what it was made of and a key over all of that; a file whose key
is the one wanted is kept. So a run that was stopped goes on, and one with other settings makes
again what they change.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile

from tfsepgan.errors import DataError, TfsepganError
from tfsepgan.files import write_whole
from tfsepgan.rendering.instruments import CLASSES
from tfsepgan.rendering.performance import perform
from tfsepgan.rendering.plan import TAIL_SECONDS, Job, Stem
from tfsepgan.rendering.reading import read_score
from tfsepgan.rendering.score import Part, Score, cut, line, shorten_rests
from tfsepgan.rendering.settings import RenderSettings
from tfsepgan.rendering.soundfonts import SoundFont
from tfsepgan.rendering.synthesizers import Task, play, version

_RECIPE = 2  # raise it when the same settings begin to sound different
_SILENT_DB = -70.0  # dBFS, peak before levelling: a soundfont without samples for these notes
_HEARD = (
    "longest_rest_seconds",
    "longest_seconds",
    "sample_rate_hz",
    "channels",
    "level_db",
    "peak_db",
    "layout",
)


class Studio(NamedTuple):
    """What all jobs share."""

    output: Path
    fonts: Mapping[str, SoundFont]
    settings: RenderSettings
    synthesizer: str


class Outcome(NamedTuple):
    """What became of a job."""

    job: Job
    kept: bool = False
    """True when its files were there already."""
    seconds: float = 0.0
    """Of sound in each file."""
    was_cut: bool = False
    problem: str | None = None
    """Why there is no file, with the names of score and soundfont."""


def render_job(job: Job, studio: Studio) -> Outcome:
    """Make a job's files, or find them made. What can be wrong with a score or a soundfont is in
    the outcome."""
    try:
        comments = [_comment(job, stem, studio) for stem in job.stems]
        seconds = _made(job, comments, studio.output)
        if seconds is not None:
            return Outcome(job, kept=True, seconds=seconds)
        score = read_score(job.score.path)
        written = [_written(score, stem, studio.settings) for stem in job.stems]
        players = [
            _players(parts, stem, studio.settings)
            for parts, stem in zip(written, job.stems, strict=True)
        ]
        seconds = (
            max((part.seconds for parts in players for part in parts), default=0.0) + TAIL_SECONDS
        )
        sounds = [
            _sound(stem, parts, seconds, studio)
            for stem, parts in zip(job.stems, players, strict=True)
        ]
        gain = _gain(sounds, studio.settings)
        for stem, comment, sound in zip(job.stems, comments, sounds, strict=True):
            _write(studio.output / stem.path, sound * gain, comment, studio.settings)
        was_cut = (
            max(part.seconds for parts in written for part in parts)
            > studio.settings.longest_seconds
        )
        return Outcome(job, seconds=seconds, was_cut=was_cut)
    except (TfsepganError, OSError) as error:
        return Outcome(job, problem=f"{job.score.path} was not rendered: {error}")


def description(path: Path) -> dict | None:
    """What a rendered file says of itself, or None when it is no whole file of this renderer."""
    try:
        with soundfile.SoundFile(str(path)) as file:
            said = json.loads(file.comment)
            return (
                {**said, "seconds": round(file.frames / file.samplerate, 3)}
                if "key" in said
                else None
            )
    except (soundfile.SoundFileError, RuntimeError, ValueError, TypeError):
        return None


def _comment(job: Job, stem: Stem, studio: Studio) -> dict:
    """What a file is made of, and the key over all that decides how it sounds."""
    font = studio.fonts[stem.soundfont]
    made_of = {
        "class": stem.class_name,
        "score": f"{job.score.collection}/{job.score.path.name}",
        "score_sha256": job.score.digest,
        "parts": list(stem.parts),
        "soundfont": stem.soundfont,
        "program": stem.program,
        "synthesizer": version(studio.synthesizer),
    }
    settings = {name: getattr(studio.settings, name) for name in _HEARD}
    played = [list(performance) for performance in stem.performances]
    others = [list(other[:-1]) for other in job.stems]  # the level is the song's
    whole = json.dumps([_RECIPE, made_of, font.digest, settings, played, others], sort_keys=True)
    return {"key": hashlib.sha256(whole.encode()).hexdigest()[:32], **made_of}


def _made(job: Job, comments: Sequence[dict], output: Path) -> float | None:
    """Seconds of sound when all files of a job are there as wanted, else None."""
    seconds = None
    for stem, comment in zip(job.stems, comments, strict=True):
        path = output / stem.path
        found = description(path) if path.is_file() else None
        if found is None or found["key"] != comment["key"]:
            return None
        seconds = found["seconds"]
    return seconds


def _written(score: Score, stem: Stem, settings: RenderSettings) -> list[Part]:
    """The parts of a stem as its instrument takes them from the score, however long."""
    plays, parts = CLASSES[stem.class_name].plays, []
    for number in stem.parts:
        part = score.parts[number]
        if part.is_chordal and plays in ("line", "low line"):
            part = line(part, lowest=plays == "low line")
        if settings.longest_rest_seconds is not None and settings.layout == "unpaired":
            part = shorten_rests(part, settings.longest_rest_seconds)
        parts.append(part)
    return parts


def _players(written: list[Part], stem: Stem, settings: RenderSettings) -> list[Part]:
    """The parts of a stem as they will be played."""
    players = []
    for number, whole, performance in zip(stem.parts, written, stem.performances, strict=True):
        part = cut(whole, settings.longest_seconds)
        if not part.notes:
            raise DataError(
                f"part {number} ({part.name}) has no notes in its first"
                f" {settings.longest_seconds:g} s"
            )
        players.append(replace(perform(part, performance, stem.class_name), program=stem.program))
    return players


def _sound(stem: Stem, players: list[Part], seconds: float, studio: Studio) -> np.ndarray:
    """One stem, `[frames, channels]`, as loud as the synthesizer makes it."""
    settings, font = studio.settings, studio.fonts[stem.soundfont]
    limits = (seconds, settings.sample_rate_hz, settings.time_limit_seconds)
    sound = play(studio.synthesizer, Task(players, font.path, *limits))
    if settings.channels == 1:
        sound = sound.mean(axis=1, keepdims=True)
    if np.abs(sound).max(initial=0) < 10 ** (_SILENT_DB / 20):
        raise DataError(
            f"program {stem.program} of {font.path} is silent on the notes of {stem.class_name}."
            " Choose another soundfont."
        )
    return sound


def _gain(sounds: Sequence[np.ndarray], settings: RenderSettings) -> np.float32:
    """The factor that brings the sum of a job's stems to level."""
    total = np.sum(sounds, axis=0)
    peak = max(np.abs(sound).max() for sound in (total, *sounds))
    rms = max(float(np.sqrt(np.mean(total**2, dtype=np.float64))), 1e-9)
    return np.float32(
        min(10 ** (settings.level_db / 20) / rms, 10 ** (settings.peak_db / 20) / peak)
    )


def _write(path: Path, sound: np.ndarray, comment: dict, settings: RenderSettings) -> None:
    def write(file):
        form = {"format": "FLAC", "subtype": "PCM_16"}
        with soundfile.SoundFile(
            file, "w", settings.sample_rate_hz, sound.shape[1], **form
        ) as flac:
            flac.comment = json.dumps(comment)
            flac.write(sound)

    try:
        write_whole(path, write)
    # soundfile asserts that all was written
    except (OSError, AssertionError, soundfile.SoundFileError) as error:
        raise DataError(
            f"{path} cannot be written ({error or 'the disk is full'}). Free some space or choose"
            " another folder."
        ) from error
