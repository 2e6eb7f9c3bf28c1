"""The plan of a rendering: which class, soundfont, program and split each part of a score gets.

It depends only on the seed and the scores' names. So the same call makes the same plan, and an
interrupted call continues where it stopped.
"""

import fnmatch
import hashlib
import math
import zlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import NamedTuple

import numpy as np

from tfsepgan.errors import ConfigError, DataError
from tfsepgan.rendering.instruments import InstrumentClass, class_of, classes_named
from tfsepgan.rendering.performance import Performance
from tfsepgan.rendering.reading import ScoreFile, read_score
from tfsepgan.rendering.score import Part, Score, shorten_rests
from tfsepgan.rendering.settings import RenderSettings
from tfsepgan.rendering.soundfonts import SoundFont

TAIL_SECONDS = 2.0  # for the last sound to decay
REST = "rest"  # the folder of the others


class Stem(NamedTuple):
    """One recording to be made: some parts of a score on one preset."""

    path: str
    """Relative to the output folder, with forward slashes."""
    class_name: str
    soundfont: str
    program: int
    parts: tuple[int, ...]
    """Indices of the score's parts."""
    performances: tuple[Performance, ...]
    """How each of these parts is played."""


class Job(NamedTuple):
    """One unit of work: one recording, or a song with several."""

    score: ScoreFile
    stems: tuple[Stem, ...]
    seconds: float
    """Approximate length, for progress and balance."""


@dataclass(kw_only=True)
class Plan:
    """Everything that a call renders."""

    jobs: list[Job] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    """One message for each score that cannot be read."""
    left_out: int = 0
    """Number of parts that none of the requested classes can play."""
    seconds: dict[str, float] = field(default_factory=dict)
    """By class."""


def make_plan(
    scores: Iterable[ScoreFile], fonts: Sequence[SoundFont], settings: RenderSettings
) -> Plan:
    """Read scores and assign their parts.

    Args:
      scores: processed in an order drawn from the seed and their names.
      fonts: the soundfonts.
      settings: of the rendering.
    Raises: ConfigError when no soundfont has a requested class.
    """
    kinds = classes_named(settings.classes)
    playable = {kind.name: [font for font in fonts if font.programs(kind)] for kind in kinds}
    missing = [name for name in settings.classes if not playable[name]]
    if missing:
        raise ConfigError(
            f"None of the soundfonts has {', '.join(missing)}. Add one or leave the class out."
        )
    assigner = _Assigner([kind for kind in kinds if playable[kind.name]], playable, settings)
    for file in sorted(scores, key=lambda file: _draw(settings.seed, file.label)):
        if assigner.is_done:
            break
        try:
            score = read_score(file.path)
        except DataError as error:
            assigner.plan.problems.append(str(error))
            continue
        for version in range(settings.versions):
            if settings.layout == "multitrack":
                assigner.assign_song(file, score, version)
            else:
                assigner.assign_parts(file, score, version)
    return assigner.plan


class _Assigner:
    """Assigns parts to classes, and classes to soundfonts, those with the fewest seconds first."""

    def __init__(
        self, kinds: Sequence[InstrumentClass], playable: dict[str, list[SoundFont]], settings
    ):
        self._kinds, self._playable, self._settings = kinds, playable, settings
        self._of_font: dict[tuple[str, str], float] = defaultdict(float)
        self.plan = Plan(seconds={kind.name: 0.0 for kind in kinds})

    @property
    def is_done(self) -> bool:
        """True when every class has the requested minutes."""
        return not self._open(self._kinds)

    def _open(self, kinds: Iterable[InstrumentClass]) -> list[InstrumentClass]:
        limit = (self._settings.minutes or math.inf) * 60
        return [kind for kind in kinds if self.plan.seconds[kind.name] < limit]

    def assign_parts(self, file: ScoreFile, score: Score, version: int) -> None:
        """Add a job for each part of a score that some class can play."""
        settings = self._settings
        for number, part in self._wanted(score):
            kinds = [kind for kind in self._kinds if self._suits(part, kind)]
            if not kinds:
                self.plan.left_out += 1
            kinds = self._open(kinds)
            if not kinds:
                continue
            kind = min(kinds, key=lambda kind: self.plan.seconds[kind.name])
            if settings.longest_rest_seconds is not None:
                part = shorten_rests(part, settings.longest_rest_seconds)
            rng = np.random.default_rng(_draw(settings.seed, file.label, number, version))
            tempo, semitones = self._song_draw(rng)
            name = f"{file.label}-{number}" + (f"-v{version}" if version else "")
            folder = f"{kind.name}" if kind.name in settings.targets else f"{REST}/{kind.name}"
            split = split_of(file.piece, settings)
            seconds = min(part.seconds, settings.longest_seconds)
            stem = self._stem(kind, [number], (tempo, semitones), rng, seconds)
            inner = f"{stem.soundfont}/" if kind.name in settings.targets else ""
            stem = stem._replace(path=str(PurePosixPath(split, folder, f"{inner}{name}.flac")))
            self._add(Job(file, (stem,), seconds / tempo + TAIL_SECONDS))

    def assign_song(self, file: ScoreFile, score: Score, version: int) -> None:
        """Add one job for a whole score: one stem for each class, all in the same tempo and key."""
        settings = self._settings
        rng = np.random.default_rng(_draw(settings.seed, file.label, version))
        tempo, semitones = self._song_draw(rng)
        playing: dict[str, list[int]] = {}
        for number, kinds in self._choices(score):
            # each part gets another instrument as long as there are enough
            if settings.assign == "any":
                kinds = [kind for kind in kinds if kind.name not in playing] or kinds
            kind = min(kinds, key=lambda kind: self.plan.seconds[kind.name])
            playing.setdefault(kind.name, []).append(number)
        if not playing:
            return
        seconds = min(score.seconds, settings.longest_seconds) / tempo + TAIL_SECONDS
        name = file.label + (f"-v{version}" if version else "")
        folder = PurePosixPath(split_of(file.piece, settings), name)
        of_name = {kind.name: kind for kind in self._kinds}
        stems = []
        for name, numbers in playing.items():
            stem = self._stem(of_name[name], numbers, (tempo, semitones), rng, seconds)
            stems.append(stem._replace(path=str(folder / f"{name}.flac")))
        self._add(Job(file, tuple(stems), seconds))

    def _choices(self, score: Score) -> list[tuple[int, list[InstrumentClass]]]:
        """The parts of a song with their suitable classes, those with the fewest classes first."""
        suiting = []
        for number, part in self._wanted(score):
            suiting.append((number, [kind for kind in self._kinds if self._suits(part, kind)]))
        found = [(number, kinds) for number, kinds in suiting if kinds]
        self.plan.left_out += len(suiting) - len(found)
        return sorted(found, key=lambda choice: len(choice[1]))

    def _wanted(self, score: Score) -> list[tuple[int, Part]]:
        patterns = [pattern.lower() for pattern in self._settings.parts]
        return [
            (number, part)
            for number, part in enumerate(score.parts)
            if any(fnmatch.fnmatch(part.name.lower(), pattern) for pattern in patterns or ["*"])
        ]

    def _suits(self, part: Part, kind: InstrumentClass) -> bool:
        own = class_of(part.program, is_drums=part.is_drums) == kind.name
        if self._settings.assign == "score" or own or part.is_drums or kind.plays == "drums":
            return own
        return (kind.plays == "line") != part.is_chordal

    def _song_draw(self, rng: np.random.Generator) -> tuple[float, int]:
        settings = self._settings
        tempo = float(rng.uniform(1 - settings.tempo, 1 + settings.tempo))
        return tempo, int(rng.integers(-settings.semitones, settings.semitones + 1))

    def _stem(
        self, kind, numbers: Sequence[int], song_draw, rng: np.random.Generator, seconds: float
    ) -> Stem:
        """Choose soundfont and program, and draw how each part is played."""
        settings = self._settings
        fonts = self._playable[kind.name]
        font = min(fonts, key=lambda font: self._of_font[kind.name, font.name])
        self._of_font[kind.name, font.name] += seconds
        program = int(rng.choice(font.programs(kind)))
        velocity = float(rng.uniform(-settings.velocity, settings.velocity))
        shared = (*song_draw, velocity, settings.velocity / 3, settings.timing_ms / 1000)
        seeds = [tuple(int(word) for word in rng.integers(0, 2**31, 2)) for _ in numbers]
        performances = tuple(Performance(*shared, seed) for seed in seeds)
        return Stem("", kind.name, font.name, program, tuple(numbers), performances)

    def _add(self, job: Job) -> None:
        self.plan.jobs.append(job)
        for stem in job.stems:
            self.plan.seconds[stem.class_name] += job.seconds


def split_of(piece: str, settings: RenderSettings) -> str:
    """The split of a piece, from its name alone."""
    at = int.from_bytes(hashlib.sha256(piece.encode()).digest()[:6], "big") / 2**48
    if at < settings.valid_share:
        return "valid"
    return "test" if at < settings.valid_share + settings.test_share else "train"


def _draw(seed: int, *words) -> tuple[int, ...]:
    """A seed for these words."""
    return (seed, zlib.crc32("/".join(map(str, words)).encode()))
