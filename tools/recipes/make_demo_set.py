"""Makes the demo set of `tfsepgan/data/demo`: composes, renders with FluidR3 GM, encodes.

    apt-get install fluidsynth fluid-soundfont-gm
    pip install mido numpy rich scipy soundfile soxr
    python tools/recipes/make_demo_set.py --output tfsepgan/data/demo

The same seed gives the same bytes (with the same fluidsynth and libsndfile). The scores are from
`demo_music` (composed there, and one public-domain prelude by Bach), the sound is from the
MIT-licensed FluidR3 soundfont. Every split has its own pieces, keys and progressions. The audio
files below --output are replaced; other files there, such as its README, are kept.
"""

import argparse
import subprocess
import sys
import tempfile
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import demo_music as music
import mido
import numpy as np
import soundfile
import soxr
from rich.console import Console
from rich.table import Table
from scipy.signal import butter, sosfiltfilt

SAMPLE_RATE_HZ = 16_000
SOUNDFONT = Path("/usr/share/sounds/sf2/FluidR3_GM.sf2")
TICKS_PER_BEAT = 480
RENDER_LIMIT_SECONDS = 60  # rendering takes a second; after this, fluidsynth hangs
# below the lowest note, 27.5 Hz
RUMBLE_FILTER = butter(2, 20, "highpass", fs=SAMPLE_RATE_HZ, output="sos")
RMS_DB, PEAK_DB = -20.0, -3.0  # the level; lower where the peak would be higher
# libsndfile's compression level: Vorbis quality 0, about 20 kbit/s mono at 16 kHz
QUALITY_LOSS = 1.0
SECONDS = {
    ("train", "piano"): 26,
    ("train", "rest"): 21.5,
    ("valid", "piano"): 21.5,
    ("valid", "rest"): 21.5,
}
SECONDS |= {("test", "piano"): 23, ("test", "rest"): 21.5}

# (style, General MIDI program); 0 and 1 are two sampled grands, 3 an old upright
PIANO = {
    "train": (
        ("alberti", 0),
        ("blocks", 1),
        ("waltz", 0),
        ("nocturne", 0),
        ("rag", 1),
        ("ballad", 1),
        ("boogie", 0),
        ("chorale", 0),
        ("invention", 1),
        ("toccata", 0),
        ("bach", 1),
        ("alberti", 1),
        ("nocturne", 1),
        ("rag", 3),
    ),
    "valid": (("alberti", 0), ("ballad", 1), ("invention", 0)),
    "test": (("nocturne", 0), ("waltz", 1), ("rag", 0), ("blocks", 1)),
}

# instrument: (style, program, low, high)
REST = {
    "train": {
        "violin": (("slow", 40, 57, 88), ("lively", 40, 57, 90), ("short", 40, 60, 92)),
        "cello": (("slow", 42, 38, 67), ("lively", 42, 38, 69)),
        "strings": (("pad", 48, 43, 81), ("pad", 49, 48, 84)),
        "flute": (("slow", 73, 62, 91), ("lively", 73, 62, 93)),
        "clarinet": (("slow", 71, 52, 82), ("lively", 71, 55, 84)),
        "trumpet": (("slow", 56, 57, 80), ("short", 56, 57, 82)),
        "saxophone": (("lively", 65, 52, 78), ("slow", 66, 46, 72)),
        "guitar": (("pick", 24, 0, 0), ("strum", 25, 0, 0), ("pick", 27, 0, 0)),
        "bass": (("walk", 32, 0, 0), ("rock", 33, 0, 0)),
        "drums": (("rock", 0, 0, 0), ("funk", 0, 0, 0), ("march", 25, 0, 0)),
        "choir": (("pad", 52, 48, 79),),
        "organ": (("pad", 19, 43, 84),),
    },
    "valid": {
        "cello": (("slow", 42, 40, 69),),
        "clarinet": (("lively", 71, 52, 82),),
        "saxophone": (("slow", 65, 52, 78),),
        "drums": (("disco", 0, 0, 0),),
    },
    "test": {
        "violin": (("lively", 40, 57, 90),),
        "flute": (("slow", 73, 62, 91),),
        "trumpet": (("lively", 56, 57, 81),),
        "guitar": (("pick", 25, 0, 0),),
        "bass": (("walk", 33, 0, 0),),
        "drums": (("bossa", 0, 0, 0),),
        "choir": (("pad", 52, 50, 81),),
    },
}
TEMPOS_BPM = {
    "slow": (60, 84),
    "lively": (96, 138),
    "short": (96, 132),
    "pad": (60, 92),
    "nocturne": (60, 84),
}
TEMPOS_BPM |= {"chorale": (66, 88), "bach": (66, 76), "toccata": (80, 112), "waltz": (108, 160)}
TRIPLE = ("waltz",)  # always three beats; other styles draw from METRES
METRES = {
    "slow": (3, 4),
    "lively": (3, 4),
    "nocturne": (3, 4),
    "alberti": (3, 4),
    "pad": (3, 4),
    "pick": (3, 4),
}
PEDALLED = ("nocturne", "ballad", "bach", "waltz")


@dataclass(frozen=True, kw_only=True)
class Score:
    """One file: its path, and everything that determines its sound."""

    path: Path  # below the output folder
    split: str
    instrument: str
    style: str
    program: int
    low: int
    high: int
    seconds: float


class RenderError(Exception):
    """fluidsynth is missing, failed, or took too long."""


def scores() -> list[Score]:
    """Every file of the demo set, in order."""
    plan = []
    for split, pieces in PIANO.items():
        for number, (style, program) in enumerate(pieces, 1):
            path = Path(split, "piano", f"{number:02d}-{style}.ogg")
            fields = {
                "path": path,
                "split": split,
                "instrument": "piano",
                "style": style,
                "program": program,
            }
            plan.append(Score(**fields, low=0, high=0, seconds=SECONDS[split, "piano"]))
    for split, instruments in REST.items():
        for instrument, pieces in instruments.items():
            for number, (style, program, low, high) in enumerate(pieces, 1):
                path = Path(split, "rest", instrument, f"{number:02d}-{style}.ogg")
                fields = {"path": path, "split": split, "instrument": instrument, "style": style}
                plan.append(
                    Score(
                        **fields,
                        program=program,
                        low=low,
                        high=high,
                        seconds=SECONDS[split, "rest"],
                    )
                )
    return plan


def compose(score: Score, rng: np.random.Generator) -> tuple[music.Song, list[music.Note]]:
    """Draw a song for the score and write its notes."""
    low_bpm, high_bpm = TEMPOS_BPM.get(score.style, (84, 132))
    beats = 3 if score.style in TRIPLE else int(rng.choice(METRES.get(score.style, (4,))))
    tempo_bpm = float(rng.uniform(low_bpm, high_bpm))
    song = music.make_song(
        score.split, rng, seconds=score.seconds, beats=beats, tempo_bpm=tempo_bpm
    )
    if score.instrument in ("guitar", "bass", "drums", "piano"):
        player = getattr(music, score.instrument)
        return song, player(song, rng, style=score.style)
    velocity = int(rng.integers(70, 105))
    span = {"low": score.low, "high": score.high, "velocity": velocity}
    if score.style == "pad":
        return song, music.chords_held(song, rng, **span)
    legato = 0.45 if score.style == "short" else float(rng.uniform(0.85, 1.0))
    return song, music.melody(song, rng, legato=legato, **span)


def to_midi(
    score: Score, song: music.Song, notes: list[music.Note], rng: np.random.Generator
) -> mido.MidiFile:
    """Play the notes like a person: slightly off the beat, with swell, vibrato and pedal."""
    channel = 9 if score.instrument == "drums" else 0
    events = [(0, mido.Message("program_change", program=score.program, channel=channel))]
    for note in notes:
        start = max(0.0, note.start + rng.normal(0, 0.008) * song.tempo_bpm / 60)
        velocity = int(np.clip(note.velocity + rng.normal(0, 4), 25, 122))
        on = {"note": note.pitch, "channel": channel}
        events.append((start, mido.Message("note_on", velocity=velocity, **on)))
        events.append((start + note.length, mido.Message("note_off", **on)))
    end = song.beats * len(song.chords)
    if score.style in PEDALLED and score.instrument == "piano":
        for bar in range(len(song.chords)):
            events.append(
                (bar * song.beats + 0.06, mido.Message("control_change", control=64, value=127))
            )
            events.append(
                ((bar + 1) * song.beats - 0.04, mido.Message("control_change", control=64, value=0))
            )
    if score.high:
        events.append(
            (0, mido.Message("control_change", control=1, value=int(rng.integers(0, 50))))
        )
        phrase = 4 * song.beats
        for beat in np.arange(0, end, 0.5):
            value = int(92 + 34 * np.sin(np.pi * (beat % phrase) / phrase))
            events.append((beat, mido.Message("control_change", control=11, value=value)))
    track = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(song.tempo_bpm))])
    now = 0
    for beat, message in sorted(events, key=lambda event: (event[0], event[1].type == "note_on")):
        tick = round(beat * TICKS_PER_BEAT)
        track.append(message.copy(time=tick - now))
        now = tick
    return mido.MidiFile(ticks_per_beat=TICKS_PER_BEAT, tracks=[track])


def render(midi: mido.MidiFile, soundfont: Path, *, room: float) -> np.ndarray:
    """Play a MIDI file through fluidsynth.

    Args:
      room: size of fluidsynth's reverberation, 0 to 1.
    Returns: mono float32 `[time]` at SAMPLE_RATE_HZ.
    Raises: RenderError when fluidsynth is missing, fails or exceeds its time limit.
    """
    with tempfile.TemporaryDirectory() as folder:
        score, sound = Path(folder, "score.mid"), Path(folder, "sound.wav")
        midi.save(score)
        command = [
            "fluidsynth",
            "-n",
            "-i",
            "-q",
            "-r",
            "44100",
            "-g",
            "0.4",
            "-C",
            "0",
            "-O",
            "float",
        ]
        command += [
            "-o",
            f"synth.reverb.room-size={room:.2f}",
            "-F",
            str(sound),
            str(soundfont),
            str(score),
        ]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=RENDER_LIMIT_SECONDS)
        except (OSError, subprocess.SubprocessError) as error:
            raise RenderError(
                f"fluidsynth did not render: {error}. Install fluidsynth 2 and retry."
            ) from error
        stereo, rate_hz = soundfile.read(sound, dtype="float32", always_2d=True)
    return soxr.resample(stereo.mean(axis=1), rate_hz, SAMPLE_RATE_HZ, quality="VHQ").astype(
        np.float32
    )


def finish(audio: np.ndarray) -> np.ndarray:
    """Remove the offset of some samples, trim silence, fade the end, set the level."""
    audio = sosfiltfilt(RUMBLE_FILTER, audio).astype(np.float32)
    frame = SAMPLE_RATE_HZ // 50
    frames = audio[: len(audio) // frame * frame].reshape(-1, frame)
    level = np.sqrt(np.mean(frames**2, axis=1))
    loud = np.flatnonzero(level > level.max() * 10 ** (-45 / 20))
    audio = audio[loud[0] * frame : (loud[-1] + 1) * frame].copy()
    fade = SAMPLE_RATE_HZ // 10
    audio[-fade:] *= np.linspace(1, 0, fade, dtype=np.float32) ** 2
    rms_gain = 10 ** (RMS_DB / 20) / np.sqrt(np.mean(audio**2))
    peak_gain = 10 ** (PEAK_DB / 20) / np.abs(audio).max()
    return audio * np.float32(min(rms_gain, peak_gain))


def ogg_checksum(page: bytes) -> int:
    """The CRC of an Ogg page: polynomial 0x04c11db7, not reflected, from zero."""
    remainder = 0
    for byte in page:
        remainder = (remainder << 8 & 0xFFFFFFFF) ^ OGG_TABLE[remainder >> 24 ^ byte]
    return remainder


def _ogg_table_entry(value: int) -> int:
    value <<= 24
    for _ in range(8):
        value = value << 1 ^ 0x04C11DB7 if value & 0x80000000 else value << 1
    return value & 0xFFFFFFFF


OGG_TABLE = tuple(_ogg_table_entry(value) for value in range(256))


def fix_serial(path: Path, serial: int) -> None:
    """Set the stream number of an Ogg file, which libsndfile draws by the clock."""
    data = bytearray(path.read_bytes())
    at = 0
    while at < len(data):
        segments = data[at + 26]
        size = 27 + segments + sum(data[at + 27 : at + 27 + segments])
        data[at + 14 : at + 18] = serial.to_bytes(4, "little")
        data[at + 22 : at + 26] = bytes(4)
        data[at + 22 : at + 26] = ogg_checksum(bytes(data[at : at + size])).to_bytes(4, "little")
        at += size
    path.write_bytes(data)


def make(score: Score, output: Path, soundfont: Path, seed: int) -> Path:
    """Compose, render and write one file; returns its path."""
    number = zlib.crc32(score.path.as_posix().encode())
    rng = np.random.default_rng([seed, number])
    song, notes = compose(score, rng)
    audio = finish(render(to_midi(score, song, notes, rng), soundfont, room=rng.uniform(0.1, 0.7)))
    path = output / score.path
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(
        path, audio, SAMPLE_RATE_HZ, format="OGG", subtype="VORBIS", compression_level=QUALITY_LOSS
    )
    fix_serial(path, number)
    return path


def clear(output: Path) -> None:
    """Remove audio files of an earlier set, and folders that become empty."""
    for split in PIANO:
        for old in (output / split).rglob("*.ogg"):
            old.unlink()
        for folder in sorted((output / split).rglob("*/"), reverse=True):
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()


def summary(output: Path, paths: list[Path]) -> Table:
    """A table of files, minutes, bytes and levels per split and source."""
    table = Table(
        "split", "source", "files", "minutes", "seconds each", "MB", "RMS dBFS", "peak dBFS"
    )
    groups: dict[tuple[str, str], list[Path]] = {}
    for path in paths:
        split, *folders = path.relative_to(output).parent.parts
        groups.setdefault((split, "/".join(folders)), []).append(path)
    for (split, source), members in groups.items():
        sounds = [soundfile.read(path, dtype="float32")[0] for path in members]
        seconds = [len(sound) / SAMPLE_RATE_HZ for sound in sounds]
        rms = [20 * np.log10(np.sqrt(np.mean(sound**2))) for sound in sounds]
        peaks = [20 * np.log10(np.abs(sound).max()) for sound in sounds]
        size = sum(path.stat().st_size for path in members) / 1e6
        row = [split, source, str(len(members)), f"{sum(seconds) / 60:.2f}"]
        row += [f"{min(seconds):.0f} to {max(seconds):.0f}", f"{size:.2f}"]
        table.add_row(
            *row, f"{min(rms):.1f} to {max(rms):.1f}", f"{min(peaks):.1f} to {max(peaks):.1f}"
        )
    return table


def main() -> int:
    """Read the command line and make the set."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--output", type=Path, required=True, help="folder to write train/, valid/ and test/ to"
    )
    parser.add_argument(
        "--soundfont", type=Path, default=SOUNDFONT, help="FluidR3 GM, an .sf2 file"
    )
    parser.add_argument("--seed", type=int, default=2, help="of the pieces")
    arguments = parser.parse_args()
    console = Console()
    if not arguments.soundfont.is_file():
        console.print(
            f"no soundfont at {arguments.soundfont}: install fluid-soundfont-gm or use --soundfont"
        )
        return 2
    clear(arguments.output)
    with ThreadPoolExecutor(2) as pool:
        jobs = [
            pool.submit(make, s, arguments.output, arguments.soundfont, arguments.seed)
            for s in scores()
        ]
        paths = [job.result() for job in jobs]
    console.print(summary(arguments.output, paths))
    console.print(f"{len(paths)} files, {sum(path.stat().st_size for path in paths) / 1e6:.2f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
