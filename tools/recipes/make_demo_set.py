"""Makes the demo set of `tfsepgan/data/demo`: composes, renders with FluidR3 GM, encodes.

    apt-get install fluidsynth fluid-soundfont-gm
    pip install . mido scipy
    python tools/recipes/make_demo_set.py --output tfsepgan/data/demo

The same seed gives the same bytes (with the same fluidsynth and libsndfile). The scores are those
of `demo_scores` (composed by `demo_music`, and one public-domain prelude by Bach), the sound is
from the MIT-licensed FluidR3 soundfont. Every split has its own pieces, keys and progressions. The
audio files below --output are replaced; other files there, such as its README, are kept.
"""

import argparse
import subprocess
import sys
import tempfile
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import mido
import numpy as np
import soundfile
import soxr
from demo_scores import PIANO, Score, compose, scores, to_midi
from rich.console import Console
from rich.table import Table
from scipy.signal import butter, sosfiltfilt

from tfsepgan.audio.ogg import fix_serial

SAMPLE_RATE_HZ = 16_000
SOUNDFONT = Path("/usr/share/sounds/sf2/FluidR3_GM.sf2")
RENDER_LIMIT_SECONDS = 60  # rendering takes a second; after this, fluidsynth hangs
# below the lowest note, 27.5 Hz
RUMBLE_FILTER = butter(2, 20, "highpass", fs=SAMPLE_RATE_HZ, output="sos")
RMS_DB, PEAK_DB = -20.0, -3.0  # the level; lower where the peak would be higher
# libsndfile's compression level: Vorbis quality 0, about 20 kbit/s mono at 16 kHz
QUALITY_LOSS = 1.0


class RenderError(Exception):
    """fluidsynth is missing, failed, or took too long."""


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
