"""Bands from rendered stems, and singers from speech: sounds that free recordings hardly have.

    python tools/recipes/bands_and_voices.py bands --stems data/piano/train/rest [--guitar DIR] \\
        --output data/recorded/train/rest
    python tools/recipes/bands_and_voices.py voices --speech NAME=DIR:FORMANT:NOTE ... \\
        --scores POP909 --output data/recorded/train/rest

A band is drums, a bass and one or two more instruments, each from another song. A singer is a
reader whose speech is slowed down two- to threefold and put on the notes of a melody by WORLD
(Morise, Yokomori & Ozawa 2016; `pip install pyworld`). FORMANT above 1 makes the voice smaller;
NOTE is the MIDI note around which the melody lies. See piano.md.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile
import soxr

from tfsepgan.audio.formats import SUFFIXES
from tfsepgan.data.batches.mixing_laws import root_mean_square
from tfsepgan.rendering.arranging.singing import Singer
from tfsepgan.rendering.midi import read_midi
from tfsepgan.rendering.score import Note

RATE_HZ = 44100
LEVEL = 0.1  # RMS, -20 dBFS
BAND_SECONDS, BANDS, SPREAD_DB = 75, 14, 4.0
FLUTES = ("saxophone", "trumpet", "clarinet", "flute")
CHORDS = ("electric_guitar", "acoustic_guitar", "organ")
LINE_UPS: dict[
    str, tuple[tuple[str, ...], ...]
] = {  # for each place in the band, the folders that it is drawn from
    "band_rock": (("drums",), ("bass",), ("electric_guitar",), ("electric_guitar",)),
    "band_acoustic": (("drums",), ("bass",), ("acoustic_guitar",)),
    "band_jazz": (("drums",), ("bass",), FLUTES),
    "band_sung": (("drums",), ("bass",), CHORDS, ("voice",)),
    "band_strings": (("violin",), ("viola",), ("cello",), ("bass", "cello")),
}
WITH_GUITAR = "band_guitar"  # drums and bass with recorded guitars from --guitar
VOICE_RATE_HZ, SPEECH_SECONDS, SONGS = 24000, 20, 4
FRAME_MS = 5.0
SLOWER, AS_SPOKEN = (2.0, 3.5), 1.2  # stretch of voiced and of unvoiced speech
GLIDE = 12  # frames from one note to the next


def recordings(folder: Path) -> list[Path]:
    """The recordings in a folder and below it."""
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)


def excerpt(
    files: list[Path], seconds: float, rate_hz: int, rng: np.random.Generator
) -> np.ndarray:
    """An excerpt of one of the files, mono float32, of at most this length."""
    path = files[int(rng.integers(0, len(files)))]
    info = soundfile.info(path)
    frames = min(info.frames, round(seconds * info.samplerate))
    start = int(rng.integers(0, info.frames - frames + 1))
    samples, rate = soundfile.read(
        path, start=start, frames=frames, dtype="float32", always_2d=True
    )
    return soxr.resample(samples.mean(axis=1), rate, rate_hz)


def filled(files: list[Path], seconds: float, rate_hz: int, rng: np.random.Generator) -> np.ndarray:
    """Excerpts one after the other, each at `LEVEL`, without silent ones; `seconds` in total."""
    pieces: list[np.ndarray] = []
    wanted = round(seconds * rate_hz)
    while (missing := wanted - sum(map(len, pieces))) > 0:
        piece = excerpt(files, seconds, rate_hz, rng)[:missing]
        rms = root_mean_square(piece)
        if rms > 1e-4:
            pieces.append(piece * np.float32(LEVEL / rms))
    return np.concatenate(pieces)


def at_level(samples: np.ndarray) -> np.ndarray:
    """At `LEVEL`, or lower where its peak would exceed full scale."""
    samples = samples * (LEVEL / root_mean_square(samples))
    return samples * min(1.0, 0.98 / np.abs(samples).max())


def band(
    places: list[list[Path]], rng: np.random.Generator, seconds: float = BAND_SECONDS
) -> np.ndarray:
    """One band: a stem for each place, with levels up to `SPREAD_DB` off: float `[time]`."""
    parts = [
        10 ** (rng.uniform(-SPREAD_DB, SPREAD_DB) / 20) * filled(files, seconds, RATE_HZ, rng)
        for files in places
    ]
    return at_level(np.sum(parts, axis=0))


def write_bands(stems: Path, guitar: Path | None, output: Path, seed: int) -> None:
    """Write `BANDS` bands of every line-up."""
    folders = {folder.name: recordings(folder) for folder in stems.iterdir() if folder.is_dir()}
    line_ups = dict(LINE_UPS)
    if guitar:
        folders["recorded guitar"] = recordings(guitar)
        line_ups[WITH_GUITAR] = (("recorded guitar",), ("drums",), ("bass",))
    for position, (name, line_up) in enumerate(line_ups.items()):
        for number in range(BANDS):
            rng = np.random.default_rng([seed, position, number])
            places = [folders[choices[int(rng.integers(0, len(choices)))]] for choices in line_up]
            _write(output / name / f"{name}_{number:02d}.flac", band(places, rng), RATE_HZ)


def melody(files: list[Path], rng: np.random.Generator) -> Sequence[Note]:
    """The notes of the melody of a random score that has one."""
    for _ in range(len(files)):
        score = read_midi(files[int(rng.integers(0, len(files)))])
        for part in score.parts:
            if part.name.lower() == "melody" and part.notes:
                return part.notes
    raise SystemExit(
        "No score of --scores has a part MELODY; use the folder POP909 of POP909-Dataset."
    )


def melody_line(notes: Sequence[Note], middle: float, frames: int) -> np.ndarray:
    """MIDI notes by frame, transposed to a middle note, with glides: `[frames]`."""
    moved = middle - np.median([note.pitch for note in notes])
    line = np.full(frames, float(middle))
    for note in notes:
        first = round((note.start - notes[0].start) * 1000 / FRAME_MS)
        line[first:] = note.pitch + moved
    padded = np.pad(line, GLIDE, mode="edge")
    return np.convolve(padded, np.full(GLIDE, 1 / GLIDE), "same")[GLIDE:-GLIDE]


def drawn_out(voiced: np.ndarray, slower: float) -> np.ndarray:
    """The frame of the speech at each frame of the song."""
    lasts = np.where(voiced, slower, AS_SPOKEN)
    ends = np.cumsum(lasts)
    return np.searchsorted(ends, np.arange(int(ends[-1])) + 0.5)


def _pyworld():
    """WORLD, which is not a requirement of the package."""
    try:
        import pyworld
    except ImportError:
        raise SystemExit("Singers need pyworld: pip install pyworld") from None
    return pyworld


def sung(
    speech: np.ndarray,
    notes: Sequence[Note],
    formant: float,
    middle: float,
    rng: np.random.Generator,
) -> np.ndarray:
    """Speech `[time]` at `VOICE_RATE_HZ` on the notes of a melody: float `[longer]`."""
    pyworld = _pyworld()
    rate, speech = VOICE_RATE_HZ, speech.astype(np.float64)
    pitch_hz, time = pyworld.dio(speech, rate, f0_floor=70.0, f0_ceil=400.0, frame_period=FRAME_MS)
    pitch_hz = pyworld.stonemask(speech, pitch_hz, time, rate)
    envelope, breath = (
        pyworld.cheaptrick(speech, pitch_hz, time, rate),
        pyworld.d4c(speech, pitch_hz, time, rate),
    )
    frames = drawn_out(pitch_hz > 0, rng.uniform(*SLOWER))
    seconds = np.arange(len(frames)) * FRAME_MS / 1000
    vibrato = rng.uniform(0, 0.5) * np.sin(2 * np.pi * rng.uniform(5, 6.5) * seconds)
    drift = 0.15 * np.convolve(rng.normal(size=len(frames)), np.full(30, 1 / 30), "same")
    semitones = melody_line(notes, middle, len(frames)) + vibrato + drift
    sung_hz = np.where(pitch_hz[frames] > 0, 440 * 2 ** ((semitones - 69) / 12), 0.0)
    bins = np.arange(envelope.shape[1])
    envelope = np.stack([np.interp(bins / formant, bins, frame) for frame in envelope[frames]])
    return pyworld.synthesize(
        sung_hz, envelope, np.ascontiguousarray(breath[frames]), rate, FRAME_MS
    )


def write_voices(singers: list[Singer], scores: Path, output: Path, seed: int) -> None:
    """Write `SONGS` songs of every singer."""
    songs = sorted(scores.glob("*/*.mid"))
    for position, singer in enumerate(singers):
        files = recordings(singer.speech)
        if not files:
            raise SystemExit(
                f"{singer.speech} holds no recordings; --speech is NAME=DIR:FORMANT:NOTE."
            )
        for number in range(SONGS):
            rng = np.random.default_rng([seed, position, number])
            speech = filled(files, SPEECH_SECONDS, VOICE_RATE_HZ, rng)
            middle = singer.note + int(rng.integers(-3, 4))
            song = sung(speech, melody(songs, rng), singer.formant, middle, rng)
            path = output / f"sung_{singer.name}" / f"{singer.name}_{number}.flac"
            _write(path, at_level(song), VOICE_RATE_HZ)


def _write(path: Path, samples: np.ndarray, rate_hz: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples.astype(np.float32), rate_hz, subtype="PCM_16")


def main() -> None:
    """Read the command line and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("bands", "voices"))
    parser.add_argument(
        "--stems", type=Path, help="folder of instruments rendered by piano.py (bands)"
    )
    parser.add_argument("--guitar", type=Path, help="folder of recorded guitars (bands)")
    parser.add_argument(
        "--speech",
        nargs="+",
        type=Singer.parse,
        help="NAME=DIR:FORMANT:NOTE of each singer (voices)",
    )
    parser.add_argument("--scores", type=Path, help="the folder POP909 of POP909-Dataset (voices)")
    parser.add_argument(
        "--output", type=Path, required=True, help="folder of instruments to write to"
    )
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if options.what == "bands":
        if not options.stems:
            parser.error("bands need --stems")
        write_bands(options.stems, options.guitar, options.output, options.seed)
    else:
        if not options.speech or not options.scores:
            parser.error("voices need --speech and --scores")
        write_voices(options.speech, options.scores, options.output, options.seed)


if __name__ == "__main__":
    main()
