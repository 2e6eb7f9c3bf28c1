"""Damages recordings in many ways, and tests that `tfsepgan-data check` names the damaged ones.

    python tests/doubles/fuzz_audio.py --count 1000 --output /tmp/fuzz

It fails when the check crashes, hangs, uses too much memory, does not name an unusable file, or
refuses a usable one. For a usable file with an oddity, the check must print a note.
"""

import argparse
import json
import re
import struct
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile

RATE_HZ = 16000
SECONDS_A_FILE = 0.5  # enough for one file on a busy machine
START_SECONDS = 60.0
MOST_MEBIBYTES = 600  # of a check; Python with numpy takes 150
_NAME = re.compile(r"\d{5}-[\w-]+\.\w{3,4}")
FORMATS = ("wav", "flac", "ogg", "mp3")

NAMED, NOTED, USED, EITHER = "named", "noted", "used", "either"


def music(rng: np.random.Generator, channels: int = 1, seconds: float | None = None) -> np.ndarray:
    """A few tones with noise, `[time, channels]`."""
    time_s = np.arange(round((seconds or rng.uniform(0.5, 3.0)) * RATE_HZ)) / RATE_HZ
    tones = sum(np.sin(2 * np.pi * rng.uniform(80, 4000) * time_s) for _ in range(4))
    return 0.08 * (tones[:, None] + rng.standard_normal((len(time_s), channels)))


def good_bytes(rng: np.random.Generator, folder: Path, kind: str) -> bytes:
    """The bytes of an undamaged recording in a format."""
    path = folder / f"good.{kind}"
    subtype = {"wav": str(rng.choice(["PCM_16", "PCM_24", "FLOAT"]))}.get(kind)
    soundfile.write(path, music(rng, int(rng.integers(1, 3))), RATE_HZ, subtype=subtype)
    whole = path.read_bytes()
    path.unlink()
    return whole


def wav_head(
    *, data: int, channels: int = 1, rate_hz: int = RATE_HZ, bits: int = 16, encoding: int = 1
) -> bytes:
    """The 44 bytes before the samples of a WAV file, which may contradict the samples."""
    block = channels * bits // 8 % 65536
    form = struct.pack("<HHIIHH", encoding, channels, rate_hz, rate_hz * block % 2**32, block, bits)
    return (
        struct.pack("<4sI4s4sI", b"RIFF", (36 + data) % 2**32, b"WAVE", b"fmt ", 16)
        + form
        + struct.pack("<4sI", b"data", data)
    )


def truncated(rng, folder, kind):
    whole = good_bytes(rng, folder, kind)
    return whole[: int(rng.integers(1, len(whole) * 9 // 10))]


def bits_flipped(rng, folder, kind):
    whole = bytearray(good_bytes(rng, folder, kind))
    for place in rng.integers(0, len(whole), int(rng.integers(1, 200))):
        whole[place] ^= 1 << int(rng.integers(0, 8))
    return bytes(whole)


def head_flipped(rng, folder, kind):
    whole = bytearray(good_bytes(rng, folder, kind))
    for place in rng.integers(0, min(100, len(whole)), int(rng.integers(1, 30))):
        whole[place] ^= 1 << int(rng.integers(0, 8))
    return bytes(whole)


def hole(rng, folder, kind):
    whole = bytearray(good_bytes(rng, folder, kind))
    start = int(rng.integers(0, len(whole)))
    whole[start : start + 4096] = bytes(len(whole[start : start + 4096]))
    return bytes(whole)


def wrong_extension(rng, folder, kind):
    return good_bytes(
        rng, folder, str(rng.choice([other for other in ("wav", "flac", "ogg") if other != kind]))
    )


def absurd_head(rng, folder, kind):
    samples = (3000 * music(rng)[:, 0]).astype("<i2").tobytes()
    if kind == "flac":
        whole = bytearray(good_bytes(rng, folder, "flac"))
        # total samples, 36 bits of STREAMINFO
        whole[21:26] = bytes([whole[21] | 0x0F, 255, 255, 255, 255])
        return bytes(whole)
    heads = (
        {"data": 2**31 - 1},
        {"data": len(samples), "channels": 65535},
        {"data": len(samples), "channels": 0},
        {"data": len(samples), "rate_hz": 2**32 - 1},
        {"data": len(samples), "rate_hz": 0},
        {"data": len(samples), "bits": 0},
        {"data": 2**32 - 100, "channels": 1000, "bits": 32, "encoding": 3},
    )
    return wav_head(**heads[int(rng.integers(len(heads)))]) + samples


def zero_length(rng, folder, kind):
    return b""


def one_sample(rng, folder, kind):
    return wav_head(data=2) + b"\1\2"


def many_channels(rng, folder, kind):
    path = folder / "many.wav"
    soundfile.write(path, music(rng, 32), RATE_HZ)
    whole = path.read_bytes()
    path.unlink()
    return whole


def at_rate(rate_hz: int) -> Callable:
    def make(rng, folder, kind):
        samples = (3000 * music(rng)[:, 0]).astype("<i2").tobytes()
        return wav_head(data=len(samples), rate_hz=rate_hz) + samples

    return make


def not_numbers(rng, folder, kind):
    samples = music(rng)[:, 0].astype("<f4")
    samples[int(rng.integers(len(samples)))] = rng.choice([np.nan, np.inf])
    return wav_head(data=samples.nbytes, bits=32, encoding=3) + samples.tobytes()


def text(rng, folder, kind):
    return b"I am not a recording.\n" * int(rng.integers(1, 500))


def noise_bytes(rng, folder, kind):
    return rng.bytes(int(rng.integers(1, 50_000)))


# How each file is made, and the expected outcome. Each frame of an mp3 or ogg is complete, so a
# damaged file may be a shorter usable one; flipped bits in PCM give other samples.
DAMAGES: dict[str, tuple[Callable, str]] = {
    "truncated": (truncated, EITHER),
    "bits flipped": (bits_flipped, EITHER),
    "head flipped": (head_flipped, EITHER),
    "hole of zeros": (hole, EITHER),
    "wrong extension": (wrong_extension, NOTED),
    "absurd head": (absurd_head, EITHER),
    "zero length": (zero_length, NAMED),
    "one sample": (one_sample, NAMED),
    "32 channels": (many_channels, NOTED),
    "1 Hz": (at_rate(1), NAMED),
    "768 kHz": (at_rate(768_000), NOTED),
    "not numbers": (not_numbers, NAMED),
    "text": (text, NAMED),
    "noise": (noise_bytes, EITHER),
}


def make_folder(output: Path, count: int, seed: int) -> dict[str, str]:
    """Write a data folder with damaged recordings of piano; returns the damage by file name."""
    rng = np.random.default_rng(seed)
    made = {}
    for source in ("piano", "rest"):
        (output / "train" / source).mkdir(parents=True)
        soundfile.write(output / "train" / source / "good.wav", music(rng, seconds=3.0), RATE_HZ)
    for number in range(count):
        damage = list(DAMAGES)[number % len(DAMAGES)]
        kind = FORMATS[number // len(DAMAGES) % len(FORMATS)]
        name = f"{number:05d}-{damage.replace(' ', '-')}.{kind}"
        (output / "train" / "piano" / name).write_bytes(DAMAGES[damage][0](rng, output, kind))
        made[name] = damage
    return made


# Runs the command and prints its peak memory.
CHECK = """
import sys
sys.path.append(sys.argv[2])
from child_memory import peak_kib
from tfsepgan.cli.data import main
code = main(["check", sys.argv[1], "--layout", "plain"])
sys.stderr.write(f"peak KiB {peak_kib()}" + chr(10))
sys.exit(code)
"""


def run_check(folder: Path, count: int) -> dict:
    """Run `tfsepgan-data check` on a folder, in its own process."""
    command = [sys.executable, "-c", CHECK, str(folder), str(Path(__file__).parent)]
    limit = START_SECONDS + SECONDS_A_FILE * count
    started = time.monotonic()
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=limit, check=False
        )
    except subprocess.TimeoutExpired:
        return {"problems": [f"the check did not end within {limit:.0f} s"], "said": ""}
    output = done.stdout + done.stderr
    peak = re.search(r"peak KiB (\d+)", done.stderr)
    mebibytes = int(peak[1]) // 1024 if peak else 0
    problems = []
    if done.returncode not in (0, 1):
        problems.append(f"the check ended with code {done.returncode}: {done.stderr[-500:]}")
    if not peak:
        problems.append("the check did not end normally")
    if "Traceback" in output:
        problems.append(f"the check crashed: {output[output.index('Traceback') :][:2000]}")
    if mebibytes > MOST_MEBIBYTES:
        problems.append(f"the check used {mebibytes} MiB")
    seconds = round(time.monotonic() - started, 1)
    return {
        "problems": problems,
        "said": output,
        "seconds": seconds,
        "mebibytes": mebibytes,
        "code": done.returncode,
    }


def judge(made: dict[str, str], result: dict) -> dict:
    """Compare the outcome of each file with the expected one."""
    lines = result["said"].splitlines()
    named, noted = (
        {
            name
            for line in lines
            if ("Note: " in line) is odd
            for name in _NAME.findall(line)
            if name in made
        }
        for odd in (False, True)
    )
    table: dict[str, Counter] = {damage: Counter() for damage in DAMAGES}
    problems = list(result["problems"])
    for name, damage in made.items():
        outcome = NAMED if name in named else NOTED if name in noted else USED
        table[damage][outcome] += 1
        if DAMAGES[damage][1] not in (outcome, EITHER):
            problems.append(f"{name} should have been {DAMAGES[damage][1]} and was {outcome}")
    counts = {damage: dict(counter) for damage, counter in table.items()}
    figures = {key: value for key, value in result.items() if key not in ("said", "problems")}
    return {
        "files": len(made),
        "named": len(named),
        "noted": len(noted),
        **figures,
        "by damage": counts,
        "problems": problems,
    }


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=1000, help="damaged files")
    parser.add_argument("--output", type=Path, required=True, help="folder to make; must not exist")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    made = make_folder(options.output, options.count, options.seed)
    report = judge(made, run_check(options.output, options.count))
    sys.stdout.write(json.dumps(report, indent=2) + "\n")
    return 1 if report["problems"] else 0


if __name__ == "__main__":
    raise SystemExit(main())
