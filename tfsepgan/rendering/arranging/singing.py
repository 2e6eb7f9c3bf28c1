"""Singers made from speech: a speaker's syllables on the notes of a melody, by the WORLD vocoder.

Every note gets a syllable: a voiced part of the speech, stretched or shortened to the note's
length, with the consonant before it. Rests are silent.

Source: Morise, Yokomori & Ozawa, "WORLD: a vocoder-based high-quality speech synthesis system",
  IEICE Trans. E99-D (2016).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile
import soxr

from tfsepgan.audio.formats import SUFFIXES
from tfsepgan.errors import ConfigError, DataError
from tfsepgan.files import files_below, refuse_unreadable
from tfsepgan.rendering.optional import import_optional
from tfsepgan.rendering.score import Note

RATE_HZ = 24_000
FRAME_SECONDS = 0.005
_SPEECH_SECONDS = 25.0  # of speech, from which a song's syllables are taken
_SYLLABLE = (12, 60)  # frames; shorter ones are no vowels, longer ones are split
_CONSONANT = 24  # frames before a syllable that may be its consonant
_GLIDE = 9  # frames from one note to the next
_PHRASE_SECONDS = 0.35  # the shortest rest between phrases
_SILENT = -1
_SPREAD = 12  # frames of a note's attack and release


class Singer(NamedTuple):
    """A speaker whose voice sings."""

    name: str
    speech: Path
    formant: float
    """Values above 1 make the singer's vocal tract smaller."""
    note: int
    """MIDI note around which the melody is placed."""

    @classmethod
    def parse(cls, words: str) -> "Singer":
        """Read NAME=DIR:FORMANT:NOTE.

        Raises: ConfigError for anything else.
        """
        name, _, values = words.partition("=")
        try:
            folder, formant, note = values.rsplit(":", 2)
            singer = cls(name, Path(folder), float(formant), int(note))
        except ValueError:
            raise ConfigError(
                f"{words!r} is no singer; expected: NAME=DIR:FORMANT:NOTE, such as"
                " anna=speech/anna:1.0:64."
            ) from None
        if not name or not 0.5 <= singer.formant <= 2 or not 36 <= singer.note <= 84:
            raise ConfigError(
                f"{words!r}: expected a name, a formant from 0.5 to 2 and a note from 36 to 84."
            )
        return singer

    def recordings(self) -> list[Path]:
        """The recordings of the speaker.

        Raises: DataError when there are none, or a folder cannot be read.
        """
        below = (
            files_below(self.speech, unreadable=refuse_unreadable) if self.speech.is_dir() else ()
        )
        found = [
            path
            for path in below
            if path.suffix.lower() in SUFFIXES and not path.name.startswith(".")
        ]
        if not found:
            raise DataError(
                f"{self.speech} holds no recordings, so {self.name} cannot sing. Use a folder of"
                " speech."
            )
        return found


def import_pyworld():
    """The module pyworld; DataError with the command to install it when it is missing."""
    return import_optional("pyworld", wanted_by="Singers need", extra="singers")


class Speech(NamedTuple):
    """Speech analysed by WORLD, one frame every `FRAME_SECONDS`."""

    pitch_hz: np.ndarray
    """`[frames]`, 0 where unvoiced."""
    envelope: np.ndarray
    """`[frames, bins]`, power."""
    breath: np.ndarray
    """`[frames, bins]`, 0 to 1."""


def sing(
    singer: Singer,
    notes: Sequence[Note],
    seconds: float,
    sample_rate_hz: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """A melody sung by a singer.

    Args:
      singer: the voice.
      notes: one at a time; shifted by octaves to be near the singer's note.
      seconds: length of the result.
      sample_rate_hz: rate of the result.
      rng: draws syllables and vibrato.
    Returns: float32 `[frames, 2]` with equal channels.
    """
    pyworld = import_pyworld()
    speech = analysed(read_speech(singer, rng))
    frames = round(seconds / FRAME_SECONDS)
    spoken = spoken_frames(speech.pitch_hz, notes, frames, rng)
    pitches = melody_line(notes, singer.note, frames) + vibrato(notes, frames, rng)
    sounding = spoken != _SILENT
    taken = np.where(sounding, spoken, 0)
    voiced = sounding & (speech.pitch_hz[taken] > 0)
    sung_hz = np.where(voiced, 440 * 2 ** ((pitches - 69) / 12), 0.0)
    loud = swell(sounding)
    bins = np.arange(speech.envelope.shape[1])
    shifted = np.stack([np.interp(bins / singer.formant, bins, frame) for frame in speech.envelope])
    envelope = np.ascontiguousarray(shifted[taken] * np.maximum(np.square(loud), 1e-12)[:, None])
    breath = np.ascontiguousarray(speech.breath[taken])
    sound = pyworld.synthesize(sung_hz, envelope, breath, RATE_HZ, 1000 * FRAME_SECONDS)
    gain = np.interp(np.arange(len(sound)) / (RATE_HZ * FRAME_SECONDS), np.arange(frames), loud)
    sound = soxr.resample((sound * (gain > 1e-3)).astype(np.float32), RATE_HZ, sample_rate_hz)
    exact = np.zeros((round(seconds * sample_rate_hz), 2), np.float32)
    count = min(len(exact), len(sound))
    exact[:count] = sound[:count, None]
    return exact


def read_speech(singer: Singer, rng: np.random.Generator) -> np.ndarray:
    """Recordings of a speaker, concatenated at equal levels: float64 `[time]` at `RATE_HZ`."""
    files = singer.recordings()
    pieces: list[np.ndarray] = []
    for number in rng.permutation(len(files)):
        try:
            samples, rate = soundfile.read(files[number], dtype="float32", always_2d=True)
        except (soundfile.SoundFileError, RuntimeError) as error:
            raise DataError(
                f"{files[number]} cannot be read ({error}). Remove it from the speech of"
                f" {singer.name}."
            ) from error
        piece = soxr.resample(samples[: round(_SPEECH_SECONDS * rate)].mean(axis=1), rate, RATE_HZ)
        rms = float(np.sqrt(np.mean(np.square(piece)))) if len(piece) else 0.0
        if rms > 1e-4:
            pieces.append(piece * np.float32(0.1 / rms))
        if sum(map(len, pieces)) > _SPEECH_SECONDS * RATE_HZ:
            break
    if not pieces:
        raise DataError(
            f"All recordings in {singer.speech} are silent, so {singer.name} cannot sing."
        )
    return np.concatenate(pieces).astype(np.float64)


def analysed(samples: np.ndarray) -> Speech:
    """Pitch, spectral envelope and breath of speech `[time]` at `RATE_HZ`."""
    pyworld = import_pyworld()
    options = {"f0_floor": 70.0, "f0_ceil": 400.0, "frame_period": 1000 * FRAME_SECONDS}
    pitch_hz, time = pyworld.dio(samples, RATE_HZ, **options)
    pitch_hz = pyworld.stonemask(samples, pitch_hz, time, RATE_HZ)
    envelope = pyworld.cheaptrick(samples, pitch_hz, time, RATE_HZ)
    return Speech(pitch_hz, envelope, pyworld.d4c(samples, pitch_hz, time, RATE_HZ))


def syllables(voiced: np.ndarray) -> list[tuple[int, int, int]]:
    """Consonants and vowels of speech.

    Args:
      voiced: bool `[frames]`.
    Returns: for each syllable, the first frame of its consonant, the first of its vowel, and the
      end of its vowel.
    """
    edges = np.flatnonzero(np.diff(voiced.astype(np.int8), prepend=0, append=0))
    shortest, longest = _SYLLABLE
    found, before = [], 0
    for start, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        consonant = max(before, start - _CONSONANT)
        for at in range(start, end, longest):
            stop = min(end, at + longest)
            if stop - at >= shortest:
                found.append((consonant if at == start else at, at, stop))
        before = end
    return found


def spoken_frames(
    pitch_hz: np.ndarray, notes: Sequence[Note], frames: int, rng: np.random.Generator
) -> np.ndarray:
    """The frame of the speech for each frame of the song, -1 for silence: int `[frames]`."""
    available = syllables(pitch_hz > 0)
    if not available:
        raise DataError("The speech of a singer has no voiced sounds. Use another folder.")
    spoken = np.full(frames, _SILENT)
    first = int(rng.integers(0, len(available)))
    for number, note in enumerate(notes):
        consonant, vowel, stop = available[(first + number) % len(available)]
        start, end = round(note.start / FRAME_SECONDS), min(frames, round(note.end / FRAME_SECONDS))
        following = notes[number + 1].start if number + 1 < len(notes) else np.inf
        if following - note.end < _PHRASE_SECONDS:
            end = min(frames, round(following / FRAME_SECONDS))  # held until the next syllable
        if end <= start:
            continue
        spoken[start:end] = np.linspace(vowel, stop - 1, end - start).round().astype(int)
        before = min(vowel - consonant, start)
        spoken[start - before : start] = np.arange(vowel - before, vowel)
    return spoken


def melody_line(notes: Sequence[Note], middle: int, frames: int) -> np.ndarray:
    """The MIDI note of each frame, gliding between notes, shifted by octaves to be near `middle`.

    Returns: `[frames]`.
    """
    median = float(np.median([note.pitch for note in notes]))
    moved = 12 * round((middle - median) / 12)
    line = np.full(frames, float(notes[0].pitch + moved))
    for note in notes:
        line[round(note.start / FRAME_SECONDS) :] = note.pitch + moved
    return _smoothed(line, _GLIDE)


def vibrato(notes: Sequence[Note], frames: int, rng: np.random.Generator) -> np.ndarray:
    """Semitones around the melody: vibrato that grows within long notes, and a slow drift.

    Returns: `[frames]`.
    """
    time = np.arange(frames) * FRAME_SECONDS
    depth = np.zeros(frames)
    for note in notes:
        start, end = round(note.start / FRAME_SECONDS), min(frames, round(note.end / FRAME_SECONDS))
        depth[start:end] = np.clip((time[start:end] - note.start - 0.2) / 0.3, 0, 1)
    width, speed_hz = rng.uniform(0.1, 0.5), rng.uniform(5.0, 6.3)
    drift = np.convolve(rng.normal(size=frames), np.full(40, 1 / 40), "same")
    return width * depth * np.sin(2 * np.pi * speed_hz * time) + 0.25 * drift


def swell(sounding: np.ndarray) -> np.ndarray:
    """The amplitude of each frame, 0 to 1, with a smooth attack and release: `[frames]`."""
    return np.where(sounding, _smoothed(sounding.astype(float), _SPREAD), 0.0)


def _smoothed(values: np.ndarray, frames: int) -> np.ndarray:
    """The running mean over so many frames; both ends continue with their value."""
    padded = np.pad(values, frames, mode="edge")
    return np.convolve(padded, np.full(frames, 1 / frames), "same")[frames:-frames]
