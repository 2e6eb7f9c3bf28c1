"""Renders the jobs of a plan: synthesizes them, sets their level and writes FLAC files.

The comment of every file describes what it was made from, with a key of everything that affects its
sound. Files with the right key are kept. So an interrupted call continues where it stopped, and a
call with other settings makes only what they change.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

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

_RECIPE = 2  # increase when the same settings give another sound
_SILENT_DB = -70.0  # dBFS, peak before levelling: the soundfont has no samples for these notes
_AUDIBLE_SETTINGS = ("longest_rest_seconds", "longest_seconds", "sample_rate_hz", "channels")
_AUDIBLE_SETTINGS += ("level_db", "peak_db", "layout")


class Studio(NamedTuple):
    """What all jobs share."""

    output: Path
    fonts: Mapping[str, SoundFont]
    settings: RenderSettings
    synthesizer: str


class Outcome(NamedTuple):
    """The result of a job: of recordings, or of a song."""

    job: Any
    """A `Job`, or the job of a song."""
    kept: bool = False
    """True when its files existed already."""
    seconds: float = 0.0
    """Length of each file."""
    was_cut: bool = False
    problem: str | None = None
    """Why there is no file, with the names of score and soundfont."""


def render_job(job: Job, studio: Studio) -> Outcome:
    """Make the files of a job, unless they exist.

    Problems of a score or a soundfont are reported in the outcome.
    """
    try:
        comments = [_comment(job, stem, studio) for stem in job.stems]
        seconds = _made(job, comments, studio.output)
        if seconds is not None:
            return Outcome(job, kept=True, seconds=seconds)
        score, settings = read_score(job.score.path), studio.settings
        written = [_written(score, stem, settings) for stem in job.stems]
        pairs = zip(written, job.stems, strict=True)
        players = [_players(parts, stem, settings) for parts, stem in pairs]
        ends = [part.seconds for parts in players for part in parts]
        seconds = max(ends, default=0.0) + TAIL_SECONDS
        pairs = zip(job.stems, players, strict=True)
        sounds = [_sound(stem, parts, seconds, studio) for stem, parts in pairs]
        gain = _gain(sounds, settings)
        for stem, comment, sound in zip(job.stems, comments, sounds, strict=True):
            _write(studio.output / stem.path, sound * gain, comment, settings)
        longest = max(part.seconds for parts in written for part in parts)
        return Outcome(job, seconds=seconds, was_cut=longest > settings.longest_seconds)
    except (TfsepganError, OSError) as error:
        return Outcome(job, problem=f"{job.score.path} was not rendered: {error}")


def description(path: Path) -> dict | None:
    """The description in a rendered file, or None if it is no complete file of this renderer."""
    try:
        with soundfile.SoundFile(str(path)) as file:
            comment = json.loads(file.comment)
            if "key" not in comment:
                return None
            return {**comment, "seconds": round(file.frames / file.samplerate, 3)}
    except (soundfile.SoundFileError, RuntimeError, ValueError, TypeError):
        return None


def _comment(job: Job, stem: Stem, studio: Studio) -> dict:
    """What a file is made from, and the key of everything that affects its sound."""
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
    settings = {name: getattr(studio.settings, name) for name in _AUDIBLE_SETTINGS}
    played = [list(performance) for performance in stem.performances]
    # all stems of the song, because they share its level
    others = [list(other[:-1]) for other in job.stems]
    whole = json.dumps([_RECIPE, made_of, font.digest, settings, played, others], sort_keys=True)
    return {"key": hashlib.sha256(whole.encode()).hexdigest()[:32], **made_of}


def _made(job: Job, comments: Sequence[dict], output: Path) -> float | None:
    """The length in seconds if all files of a job exist with the right keys, else None."""
    seconds = None
    for stem, comment in zip(job.stems, comments, strict=True):
        path = output / stem.path
        found = description(path) if path.is_file() else None
        if found is None or found["key"] != comment["key"]:
            return None
        seconds = found["seconds"]
    return seconds


def _written(score: Score, stem: Stem, settings: RenderSettings) -> list[Part]:
    """The complete parts of a stem, as its instrument can play them."""
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
    """The parts of a stem as they are played."""
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
    """One stem, `[frames, channels]`, at the synthesizer's level."""
    settings, font = studio.settings, studio.fonts[stem.soundfont]
    limits = (seconds, settings.sample_rate_hz, settings.time_limit_seconds)
    sound = play(studio.synthesizer, Task(players, font.path, *limits))
    if settings.channels == 1:
        sound = sound.mean(axis=1, keepdims=True)
    refuse_silence(sound, stem.program, font, stem.class_name)
    return sound


def refuse_silence(sound: np.ndarray, program: int, font: SoundFont, class_name: str) -> None:
    """Raise DataError when the soundfont has no samples for the notes of an instrument."""
    if np.abs(sound).max(initial=0) < 10 ** (_SILENT_DB / 20):
        raise DataError(
            f"program {program} of {font.path} is silent on the notes of {class_name}. Use another"
            " soundfont."
        )


def _gain(sounds: Sequence[np.ndarray], settings: RenderSettings) -> np.float32:
    """The factor that sets the level of the sum of a job's stems."""
    total = np.sum(sounds, axis=0)
    peak = max(np.abs(sound).max() for sound in (total, *sounds))
    rms = max(float(np.sqrt(np.mean(total**2, dtype=np.float64))), 1e-9)
    level, ceiling = 10 ** (settings.level_db / 20), 10 ** (settings.peak_db / 20)
    return np.float32(min(level / rms, ceiling / peak))


def _write(path: Path, sound: np.ndarray, comment: dict, settings: RenderSettings) -> None:
    try:
        write_whole(path, lambda file: write_flac(file, sound, comment, settings.sample_rate_hz))
    # soundfile raises AssertionError for an incomplete write
    except (OSError, AssertionError, soundfile.SoundFileError) as error:
        raise DataError(
            f"{path} cannot be written ({error or 'the disk is full'}). Free some space or use"
            " another folder."
        ) from error


def write_flac(file: Path | BinaryIO, sound: np.ndarray, comment: dict, rate_hz: int) -> None:
    """Write a sound `[frames, channels]` as 16-bit FLAC with a comment in JSON."""
    form = {"format": "FLAC", "subtype": "PCM_16"}
    with soundfile.SoundFile(file, "w", rate_hz, sound.shape[1], **form) as flac:
        flac.comment = json.dumps(comment)
        flac.write(sound)
