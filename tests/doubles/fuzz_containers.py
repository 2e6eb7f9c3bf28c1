"""Damages M4A, MP4, WMA and WebM files in many ways, and separates each as a user would.

    python tests/doubles/fuzz_containers.py --count 300 --output /tmp/fuzz

It fails when reading crashes, hangs or takes too much memory, when an error does not name its file,
and when a refused file leaves anything in the output folder.
"""

import argparse
import io
import json
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from child_memory import peak_kib

RATE_HZ = 48000
SECONDS = 0.6
SECONDS_A_FILE = 10  # of processor time; one file needs a hundredth of a second
MOST_MEBIBYTES = 500
CODECS = {"m4a": "aac", "mp4": "aac", "alac.m4a": "alac", "wma": "wmav2", "webm": "libopus"}
EXTREMES = (0, 1, 0x7F, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
HEAD = 600  # bytes; most of the structure of these short files


def good_bytes(suffix: str) -> bytes:
    """The bytes of a short recording in a container."""
    import av

    time = np.arange(round(SECONDS * RATE_HZ)) / RATE_HZ
    samples = 0.2 * np.sin(2 * np.pi * 440 * time * (1 + time)) * (1 + np.sin(30 * time))
    form = {"wma": "asf", "webm": "webm", "mp4": "mp4"}.get(suffix, "ipod")
    file = io.BytesIO()
    with av.open(file, "w", format=form, options={"fflags": "bitexact"}) as container:
        stream = container.add_stream(CODECS[suffix], rate=RATE_HZ, layout="mono")
        stream.bit_rate = 96_000
        fitted = av.AudioResampler(format=stream.codec_context.format, layout="mono", rate=RATE_HZ)
        frame = av.AudioFrame.from_ndarray(
            samples.astype(np.float32)[None], format="fltp", layout="mono"
        )
        frame.sample_rate = RATE_HZ
        for converted in fitted.resample(frame):
            container.mux(stream.encode(converted))
        container.mux(stream.encode(None))
    return file.getvalue()


def changed(rng, whole: bytearray, other: bytes) -> bytearray:
    for place in rng.integers(0, len(whole), rng.integers(1, 60)):
        whole[place] = rng.integers(256)
    return whole


def head_changed(rng, whole: bytearray, other: bytes) -> bytearray:
    for place in rng.integers(0, min(HEAD, len(whole)), rng.integers(1, 6)):
        whole[place] ^= 1 << rng.integers(8)
    return whole


def tail_changed(rng, whole: bytearray, other: bytes) -> bytearray:
    """The index of an M4A is at its end."""
    for place in rng.integers(max(0, len(whole) - 2 * HEAD), len(whole), rng.integers(1, 6)):
        whole[place] ^= 1 << rng.integers(8)
    return whole


def extreme_number(rng, whole: bytearray, other: bytes) -> bytearray:
    part = (0, HEAD) if rng.random() < 0.5 else (max(0, len(whole) - 2 * HEAD), len(whole) - 4)
    place = rng.integers(*part)
    whole[place : place + 4] = int(rng.choice(EXTREMES)).to_bytes(4, "big")
    return whole


def cut(rng, whole: bytearray, other: bytes) -> bytearray:
    return whole[: rng.integers(1, len(whole))]


def block(rng, whole: bytearray) -> slice:
    start = int(rng.integers(0, len(whole)))
    return slice(start, start + int(rng.integers(1, 2000)))


def zeroed(rng, whole: bytearray, other: bytes) -> bytearray:
    chosen = block(rng, whole)
    whole[chosen] = bytes(len(whole[chosen]))
    return whole


def removed(rng, whole: bytearray, other: bytes) -> bytearray:
    del whole[block(rng, whole)]
    return whole


def repeated(rng, whole: bytearray, other: bytes) -> bytearray:
    chosen = block(rng, whole)
    whole[chosen] = 2 * whole[chosen]
    return whole


def joined(rng, whole: bytearray, other: bytes) -> bytearray:
    return whole[: rng.integers(1, len(whole))] + other[rng.integers(len(other)) :]


DAMAGES = (
    changed,
    head_changed,
    tail_changed,
    extreme_number,
    cut,
    zeroed,
    removed,
    repeated,
    joined,
)


def make_folder(output: Path, count: int, seed: int) -> None:
    """Write damaged recordings; the same seed writes the same files."""
    rng = np.random.default_rng(seed)
    output.mkdir(parents=True)
    whole = {suffix: good_bytes(suffix) for suffix in CODECS}
    for number in range(count):
        suffix = list(CODECS)[number % len(CODECS)]
        damage = DAMAGES[number // len(CODECS) % len(DAMAGES)]
        other = whole[str(rng.choice(list(CODECS)))]
        content = damage(rng, bytearray(whole[suffix]), other)
        (output / f"{number:03d}-{damage.__name__}.{suffix}").write_bytes(content)


def separate_all(folder: Path) -> None:
    """Separate every file of a folder; prints an outcome as JSON for each."""
    from tfsepgan.audio.decoding import read
    from tfsepgan.errors import DataError
    from tfsepgan.separation.files import separate_file
    from tfsepgan.separation.separator import Separator

    facts = {"sample_rate_hz": RATE_HZ, "hop": 1, "context": 0, "low_rank": None}
    manifest = SimpleNamespace(name="a", sources=("all",), **facts)
    model = SimpleNamespace(manifest=manifest, separate_function=lambda: lambda x: 0.5 * x[:, None])
    separator, output = Separator(model), folder.parent / "out"
    for path in sorted(folder.iterdir()):
        sys.stdout.write(path.name + "\n")
        sys.stdout.flush()
        signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS_A_FILE)  # SIGVTALRM ends the process
        problem, outcome = None, "read"
        try:
            result = separate_file(separator, path, output)
        except DataError as error:
            outcome = "refused"
            if str(path) not in str(error):
                problem = f"an error without the file: {error}"
            elif output.exists() and any(output.rglob("*")):
                problem = "left something in the output folder"
        else:
            outcome = "noted" if result.notes else "read"
            stems = [read(stem, mono=False)[0] for stem in result.stems.values()]
            if any(len(stem) != result.frames or not np.isfinite(stem).all() for stem in stems):
                problem = "its stems are not whole"
            for stem in result.stems.values():
                stem.unlink()
            (output / path.stem).rmdir()
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        facts = {"outcome": outcome, "problem": problem, "mebibytes": peak_kib() // 1024}
        sys.stdout.write(json.dumps(facts) + "\n")


def run(folder: Path, count: int) -> dict:
    """Separate a folder in a process of its own; returns outcomes and problems."""
    done = subprocess.run(
        [sys.executable, __file__, "--separate", "--output", str(folder)],
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    lines = done.stdout.splitlines()
    outcomes, problems, mebibytes = Counter(), [], 0
    for name, line in zip(lines[::2], lines[1::2], strict=False):
        result = json.loads(line)
        outcomes[result["outcome"]] += 1
        mebibytes = max(mebibytes, result["mebibytes"])
        if result["problem"]:
            problems.append(f"{name}: {result['problem']}")
    if done.returncode:
        problems.append(f"ended with {done.returncode} at {lines[-1:]}: {done.stderr[-2000:]}")
    if done.stderr:
        problems.append(f"printed {done.stderr[-2000:]}")
    if sum(outcomes.values()) != count:
        problems.append(f"{sum(outcomes.values())} of {count} files were tried")
    if mebibytes > MOST_MEBIBYTES:
        problems.append(f"took {mebibytes} MiB")
    return {"outcomes": dict(outcomes), "mebibytes": mebibytes, "problems": problems}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=300, help="damaged files")
    parser.add_argument("--output", type=Path, required=True, help="folder to make; must not exist")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--separate", action="store_true", help="separate the files of --output")
    options = parser.parse_args()
    if options.separate:
        separate_all(options.output)
        return 0
    make_folder(options.output, options.count, options.seed)
    report = run(options.output, options.count)
    sys.stdout.write(json.dumps(report, indent=2) + "\n")
    return 1 if report["problems"] else 0


if __name__ == "__main__":
    raise SystemExit(main())
