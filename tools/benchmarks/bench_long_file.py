"""Separates a 5-minute and a 60-minute recording; checks length, memory, speed and exactness.

    python tools/benchmarks/bench_long_file.py [--model piano] [--minutes 5 60] \\
        [--rate-hz 44100] [--channels 2] [--folder DIR]

Makes FLAC files from the packaged demo recordings, different in each channel, separates each in a
process of its own, and compares the stems of the shortest with one pass of the network. The exit
code is 1 unless all of this holds:
- The length is exact.
- The stems sum to the recording and equal one pass, to 1e-5 of peak.
- The memory of every file is within 10 % of that of the shortest and below 1.2 GB.
- The speed is 60 x real time.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from peak_memory import peak_memory_bytes

MEMORY_LIMIT_BYTES = 1.2e9
MEMORY_GROWTH = 1.10
LEAST_SPEED = 60.0
LARGEST_DIFFERENCE = 1e-5


def make_recording(path: Path, *, minutes: float, sample_rate_hz: int, channels: int) -> None:
    """Write music, minute by minute: demo recordings in random order, at random levels."""
    import numpy as np
    import soundfile

    from tfsepgan.audio.decoding import decode
    from tfsepgan.data.recordings.demo import demo_directory

    random = np.random.default_rng(0)
    files = sorted(demo_directory().rglob("*.ogg"))
    pool = [
        decode(files[index], sample_rate_hz)[:, 0] for index in random.permutation(len(files))[:12]
    ]
    left = round(minutes * 60 * sample_rate_hz) + 12345  # not a multiple of any block
    with soundfile.SoundFile(path, "w", sample_rate_hz, channels, subtype="PCM_16") as file:
        while left:
            picks = [random.integers(len(pool), size=3) for _ in range(channels)]
            count = min(
                left, 60 * sample_rate_hz, *(len(pool[index]) for three in picks for index in three)
            )
            voices = [
                sum(random.uniform(0.1, 0.4) * pool[index][:count] for index in three)
                for three in picks
            ]
            file.write(np.clip(np.stack(voices, axis=1), -0.999, 0.999))
            left -= count


def separate_one(path: Path, output: Path, model: str) -> dict:
    """Separate a recording in this process; returns time and memory."""
    from tfsepgan.separation.files import separate_file
    from tfsepgan.separation.separator import load

    separator = load(model, stereo="apart")  # to compare with one pass of each channel
    used = time.process_time()
    result = separate_file(separator, path, output)
    used = time.process_time() - used
    return {
        "speed_unshared": 2 * result.frames / result.sample_rate_hz / used,
        "frames": result.frames,
        "speed": result.times_real_time,
        "memory_bytes": peak_memory_bytes(),
        "stems": {name: str(stem) for name, stem in result.stems.items()},
    }


def compare_with_one_pass(path: Path, stems: dict[str, str], model: str) -> dict:
    """Largest differences, relative to the peak: stems to one pass, their sum to the recording."""
    import numpy as np
    import soundfile

    from tfsepgan.separation.separator import load

    separator = load(model)
    mixture, rate = soundfile.read(path, dtype="float32", always_2d=True)
    if rate != separator.sample_rate_hz:
        raise SystemExit(
            f"the model works at {separator.sample_rate_hz} Hz; "
            f"use --rate-hz {separator.sample_rate_hz}"
        )
    network = separator.network
    written = {
        name: soundfile.read(stem, dtype="float32", always_2d=True)[0]
        for name, stem in stems.items()
    }
    peak = float(np.abs(mixture).max())
    worst = 0.0
    for channel in range(mixture.shape[1]):
        whole = network(np.ascontiguousarray(mixture[:, channel])[None, :, None])[0, :, :, 0]
        for index, name in enumerate(separator.sources):
            worst = max(worst, float(np.abs(whole[index] - written[name][:, channel]).max()))
    return {
        "difference": worst / peak,
        "sum": float(np.abs(sum(written.values()) - mixture).max()) / peak,
    }


def in_a_process(step: str, **arguments) -> dict:
    """Run one of the functions above in a new process; returns its result."""
    finished = subprocess.run(
        [sys.executable, __file__, "--step", step, json.dumps(arguments)],
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(finished.stdout.splitlines()[-1])


def run_step(step: str, values: dict) -> None:
    """Run one step; called in the new process."""
    if step == "make":
        result = make_recording(Path(values.pop("path")), **values)
    elif step == "separate":
        result = separate_one(Path(values["path"]), Path(values["output"]), values["model"])
    else:
        result = compare_with_one_pass(Path(values["path"]), values["stems"], values["model"])
    sys.stdout.write(json.dumps(result) + "\n")


def check(options: argparse.Namespace, folder: Path) -> bool:
    """Make, separate and compare; prints a table; returns whether all bounds hold."""
    import soundfile
    from rich.console import Console

    console, good, first_memory = Console(highlight=False), True, None
    for minutes in sorted(options.minutes):
        path = folder / f"{minutes:g}-minutes.flac"
        facts = {"sample_rate_hz": options.rate_hz, "channels": options.channels}
        if not path.exists():
            in_a_process("make", path=str(path), minutes=minutes, **facts)
        result = in_a_process(
            "separate", path=str(path), output=str(folder / "stems"), model=options.model
        )
        wanted = soundfile.info(path).frames
        lengths = {soundfile.info(stem).frames for stem in result["stems"].values()}
        memory = result["memory_bytes"]
        first_memory = first_memory or memory
        holds = {
            f"{wanted} samples in, {sorted(lengths)} out": lengths == {wanted},
            f"{memory / 1e6:.0f} MB at most": memory
            <= min(MEMORY_LIMIT_BYTES, MEMORY_GROWTH * first_memory),
            f"{result['speed']:.0f} x real time": result["speed"] >= LEAST_SPEED,
        }
        console.print(
            f"{minutes:g} min: {result['speed_unshared']:.0f} x real time on two free cores"
        )
        if minutes == min(options.minutes):
            one = in_a_process(
                "compare", path=str(path), stems=result["stems"], model=options.model
            )
            holds[f"{one['difference']:.1e} of peak from one pass"] = (
                one["difference"] <= LARGEST_DIFFERENCE
            )
            holds[f"{one['sum']:.1e} of peak from the sum"] = one["sum"] <= LARGEST_DIFFERENCE
        for text, holding in holds.items():
            console.print(f"{minutes:g} min: {text}: {'holds' if holding else 'BROKEN'}")
        good = good and all(holds.values())
        for stem in result["stems"].values():
            os.unlink(stem)
    return good


def main() -> int:
    """Read the options; run the check, or one step in this process."""
    if sys.argv[1:2] == ["--step"]:
        run_step(sys.argv[2], json.loads(sys.argv[3]))
        return 0
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="piano", help="name or path of a model")
    parser.add_argument(
        "--minutes", type=float, nargs="+", default=[5, 60], help="lengths of the recordings"
    )
    parser.add_argument(
        "--rate-hz",
        type=int,
        default=44100,
        help="their rate; the comparison needs that of the model",
    )
    parser.add_argument("--channels", type=int, default=2, help="their channels")
    parser.add_argument("--folder", type=Path, help="working folder; default: a temporary one")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.folder or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        return 0 if check(options, folder) else 1


if __name__ == "__main__":
    raise SystemExit(main())
