"""Kills a job over hundreds of tracks, resumes it, and compares every stem with the track alone.

    python tools/checks/check_catalogue.py [--tracks 500] [--bad 25] [--jobs 2] [--kills 2]
        [--seed 0] [--runtime litert] [--folder DIR] [--throughput-only] [--rounds 2] [--flags ...]

Makes short tracks of mixed formats, rates and lengths, some of them unusable. Separates each good
one alone in this process. Then runs `tfsepgan-separate FOLDER --jobs N`, ends it with SIGKILL in
the middle, starts it again, kills one of its workers, and tries again what that worker failed.
`--flags` go to the command too. Last runs without interruption measure the throughput: one process
without `--flags`, then the job with them, in turn; their stems are compared too.

Prints memory, processor time and every fault. The exit code is 1 when a good track is missing, is
there twice or differs in a byte from the track alone, a bad one has no reason of its own, a file is
half-written, or the memory of a process grows.
"""

import argparse
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from catalogue_tracks import make_tracks
from watched_processes import Memory, children_seconds

ROOT = Path(__file__).parents[2]
GROWTH = 1.15  # of memory, from the first to the second half of a process's life
LEFT_SECONDS = 120.0  # for a command to end
POLL_SECONDS = 0.3  # each poll reads all of /proc


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def stems_alone(music: Path, good: dict[Path, float], folder: Path, runtime: str) -> dict[str, str]:
    """Separate each good track alone; returns digests by the path of the stem below the output."""
    import tfsepgan

    separator = tfsepgan.load("piano", runtime=runtime)
    digests = {}
    for path in good:
        track = path.relative_to(music).with_suffix("")
        result = tfsepgan.separate_file(separator, path, folder / track.parent)
        for stem in result.stems.values():
            digests[stem.relative_to(folder).as_posix()] = digest(stem)
            stem.unlink()
    return digests


def lines_of(out: Path) -> list[dict]:
    """The whole lines of the results, and those that a runner of Beam writes one by one."""
    path = out / "results.jsonl"
    lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
    lines += [one.read_bytes() for one in (out / ".results").glob("[0-9a-f]*.json")]
    found = []
    for line in lines:
        try:
            found.append(json.loads(line))
        except ValueError:  # cut off by a kill
            continue
    return found


def run(
    command: list, memory: Memory, at_each: Callable[[subprocess.Popen, list[int]], bool]
) -> tuple[int, str]:
    """Run a command until it ends, or `at_each` returns True; returns exit code and stderr."""
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(
            [str(part) for part in command],
            stdout=subprocess.DEVNULL,
            stderr=said,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        while process.poll() is None:
            children = memory.sample(process.pid)
            if at_each(process, children):
                break
            time.sleep(POLL_SECONDS)
        code = process.wait(LEFT_SECONDS)
        said.seek(0)
        return code, said.read()


def never(process: subprocess.Popen, children: list[int]) -> bool:
    """Do not end the command."""
    return False


class Check:
    """One job: its tracks, its command, its memory, and the faults that were found."""

    def __init__(self, options: argparse.Namespace, folder: Path) -> None:
        self.options, self.music, self.out = options, folder / "music", folder / "out"
        self.good, self.bad = make_tracks(self.music, options.tracks, options.bad, options.seed)
        self.memory, self.draw = Memory(), random.Random(options.seed)
        self.faults: list[str] = []

    def command(self, out: Path, *flags: str) -> list:
        """The command of the job."""
        module = (sys.executable, "-m", "tfsepgan.cli.separate")
        return [*module, self.music, "-o", out, "--runtime", self.options.runtime, *flags]

    def jobs(self, *flags: str) -> list:
        jobs = ("--jobs", str(self.options.jobs))
        return self.command(self.out, *jobs, *self.options.flags, *flags)

    def expect(self, what: str, found, wanted) -> None:
        """Note a fault where something is not as wanted."""
        if found != wanted:
            self.faults.append(f"{what}: {found!r}, wanted {wanted!r}")

    def kill_in_the_middle(self) -> None:
        """Start the job and end it with SIGKILL, several times."""
        for number in range(self.options.kills):
            share = (number + self.draw.uniform(0.4, 1.0)) / (self.options.kills + 1)

            def at_each(process, children, wanted=share * self.options.tracks) -> bool:
                if len(lines_of(self.out)) < wanted:
                    return False
                process.kill()
                return True

            code, _ = run(self.jobs(), self.memory, at_each)
            self.expect("exit code of a killed command", code, -signal.SIGKILL)
            parts = [path.name for path in self.out.rglob(".*.part")]
            print(f"killed after {len(lines_of(self.out))} tracks; half-written: {len(parts)}")

    def kill_a_worker(self) -> None:
        """Continue the job and kill one worker; the track that it worked on must fail alone."""
        killed: list[int] = []

        def at_each(process, children) -> bool:
            if children and not killed and len(lines_of(self.out)) > 0.8 * self.options.tracks:
                killed.append(self.draw.choice(children))
                os.kill(killed[0], signal.SIGKILL)
            return False

        code, said = run(self.jobs(), self.memory, at_each)
        died = [one for one in self.last().values() if "died" in (one["reason"] or "")]
        print(f"a worker was killed: {len(died)} tracks failed by it")
        self.expect("tracks that a killed worker costs", len(died) <= 1, True)
        self.expect("exit code with failures", code, 1)
        self.finish()

    def finish(self) -> None:
        """Run the job to its end; bad tracks are tried again."""
        code, said = run(self.jobs("--retry-failed"), self.memory, never)
        self.expect("exit code with bad tracks", code, 1)
        wanted = f"{len(self.bad)} of {self.options.tracks} recordings could not be separated"
        self.expect("the last words", wanted in said, True)

    def last(self) -> dict[str, dict]:
        """The last line of each input."""
        return {line["input"]: line for line in lines_of(self.out)}

    def compare(self, alone: dict[str, str]) -> None:
        """Compare lines and files with the tracks alone."""
        last = self.last()
        done = Counter(line["input"] for line in lines_of(self.out) if line["status"] == "done")
        self.expect("good tracks done once", done, Counter(map(str, self.good)))
        for path in self.bad:
            line = last.get(str(path), {})
            named = line.get("status") == "failed" and path.name in line["reason"]
            self.expect(f"{path.name} failed with its reason", named, True)
        reasons = Counter(last[str(path)]["reason"].partition(path.name)[2] for path in self.bad)
        print(f"bad tracks: {sum(reasons.values())}, with {len(reasons)} different reasons")
        files = {one for one in self.out.rglob("*") if one.is_file()}
        files -= {self.out / "results.jsonl", self.out / ".results.jsonl.lock"}
        found = {one.relative_to(self.out).as_posix(): digest(one) for one in files}
        self.expect("files that are too many", sorted(found.keys() - alone.keys()), [])
        self.expect("files that are missing", sorted(alone.keys() - found.keys()), [])
        self.compare_bytes(found, alone, "of the job")

    def compare_bytes(self, found: dict[str, str], alone: dict[str, str], where: str) -> None:
        """Compare digests of stems with those of the tracks alone."""
        same = sum(found.get(name) == value for name, value in alone.items())
        print(f"stems {where} with the same bytes as alone: {same} of {len(alone)}")
        self.expect(f"stems {where} with other bytes", len(alone) - same, 0)

    def compare_memory(self) -> None:
        """Compare the halves of the lives of all processes."""
        for early, late in self.memory.halves():
            print(f"memory of a process: {early:.0f} MB in its first half, {late:.0f} MB after")
            self.expect("memory that grows", late <= GROWTH * early, True)

    def throughput(self, folder: Path, alone: dict[str, str] | None) -> None:
        """Runs without interruption, of one process and of the job, in turn."""
        job = ("--jobs", str(self.options.jobs), *self.options.flags)
        used = {"one process": 0.0, " ".join(job): 0.0}
        for number in range(self.options.rounds):
            for what, flags in zip(used, ((), job), strict=True):
                started, before = time.monotonic(), children_seconds()
                out = folder / f"{len(flags)}.{number}"
                run(self.command(out, *flags), self.memory, never)
                spent, wall = children_seconds() - before, time.monotonic() - started
                used[what] += spent
                speed = sum(self.good.values()) / spent
                print(f"{what}: {wall:.0f} s, processor {spent:.1f} s, {speed:.1f} x real time")
                if alone is not None:
                    found = {name: digest(out / name) for name in alone if (out / name).exists()}
                    self.compare_bytes(found, alone, f"of {what}")
        alone, together = used.values()
        print(f"throughput per core: {100 * alone / together:.0f} % of one process")


def interrupt_and_compare(check: Check, folder: Path) -> dict[str, str]:
    """The job with kills, compared with every track alone; returns the digests of these stems."""
    started = time.process_time()
    alone = stems_alone(check.music, check.good, folder / "alone", check.options.runtime)
    print(f"alone: {time.process_time() - started:.1f} s of processor time")
    check.kill_in_the_middle()
    if "--runner" in check.options.flags:  # a runner replaces no workers on one machine
        check.finish()
    else:
        check.kill_a_worker()
    check.compare(alone)
    return alone


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tracks", type=int, default=500)
    parser.add_argument("--bad", type=int, default=25)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--kills", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--runtime", default="litert")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--throughput-only", action="store_true")
    parser.add_argument("--rounds", type=int, default=2, help="of the throughput")
    parser.add_argument("--flags", nargs=argparse.REMAINDER, default=[])
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="tfsepgan-catalogue-"))
    check = Check(options, folder)
    print(f"{len(check.good)} good tracks, {sum(check.good.values()):.0f} s; {len(check.bad)} bad")
    alone = None if options.throughput_only else interrupt_and_compare(check, folder)
    check.throughput(folder, alone)
    check.compare_memory()
    for fault in check.faults:
        print(f"FAULT: {fault}")
    print(f"{len(check.faults)} faults")
    return 1 if check.faults else 0


if __name__ == "__main__":
    raise SystemExit(main())
