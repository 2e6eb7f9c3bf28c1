"""Mutants, and the runner of their tests: in a copy of the repository, each in its own process.

Importing TensorFlow takes longer than most tests. So one process imports it, with the other modules
that tests need, and every run is forked from there. That process runs no operation (the
first one starts TensorFlow's threads) and imports nothing of this package, so each run imports the
package with the mutant in it.
"""

import contextlib
import hashlib
import json
import math
import multiprocessing
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

PRELOADED = (
    *("tensorflow", "keras", "numpy", "scipy.signal", "sklearn.decomposition", "matplotlib.pyplot"),
    *("soundfile", "soxr", "rich.console", "yaml", "pytest", "xdist.plugin"),
)
# Only the plugin that the settings name; two of pytest's own collect garbage for half a second.
PYTEST = (
    *("-x", "-q", "-p", "xdist.plugin", "-n", "0"),
    *("-p", "no:cacheprovider", "-p", "no:unraisableexception", "-p", "no:threadexception"),
)
# no test ran on the mutant
NO_KILL = (
    "SyntaxError",
    "IndentationError",
    "NameError",
    "ImportError",
    "ModuleNotFoundError",
)
KILLED, SURVIVED, TIMED_OUT, BROKEN = "killed", "survived", "timed out", "broken"
# a run's limit by the clock, in multiples of its processor time; the machine may be busy
CLOCK = 20.0


class Mutant(NamedTuple):
    """One wrong line, and the tests that must fail.

    `file` is relative to the repository; `text` is in it exactly once and becomes `replacement`;
    `tests` are files or node ids of pytest, relative to the repository.
    """

    name: str
    file: str
    text: str
    replacement: str
    tests: tuple[str, ...]

    def applied(self, source: str) -> str:
        """The source with the mutant in it.

        Raises: ValueError when the text is not there exactly once, or the result is not Python.
        """
        count = source.count(self.text)
        if count != 1:
            raise ValueError(
                f"the text is {count} times in {self.file}, wanted once: {self.text!r}"
            )
        changed = source.replace(self.text, self.replacement)
        try:
            compile(changed, self.file, "exec")
        except SyntaxError as error:
            raise ValueError(f"{self.file} is not Python with it: {error}") from error
        return changed


def mutants_of(file: str, tests: str, *lines: tuple[str, ...]) -> tuple[Mutant, ...]:
    """Mutants of one file.

    Args:
      file: of the package, without `tfsepgan/`.
      tests: a file of tests, without `tests/`.
      lines: name, text, replacement, then names of tests in that file, or ids of tests elsewhere
        below `tests/`; without any, the whole file.
    """
    there = f"tests/{tests}"
    return tuple(
        Mutant(
            name,
            f"tfsepgan/{file}",
            text,
            replacement,
            tuple(f"tests/{test}" if "/" in test else f"{there}::{test}" for test in named)
            or (there,),
        )
        for name, text, replacement, *named in lines
    )


class Outcome(NamedTuple):
    """How a run of tests on a mutant ended; `by` is the failed test, or the problem."""

    state: str  # KILLED, SURVIVED, TIMED_OUT, BROKEN
    seconds: float
    by: str = ""

    @property
    def dead(self) -> bool:
        """Whether the tests detected it; an endless run counts as detected."""
        return self.state in (KILLED, TIMED_OUT)


class Workshop:
    """A copy of the repository, and one process at a time that runs tests in it.

    Args:
      repository: a git work tree; its tracked files are copied with uncommitted changes.
      folder: for the copy; it must not exist yet.
      preloaded: modules that are imported once for all runs.
    """

    def __init__(self, repository: Path, folder: Path, *, preloaded: tuple[str, ...] = PRELOADED):
        self.folder = Path(folder).resolve()
        self.copy = self.folder / "copy"
        copy_tracked(Path(repository), self.copy)
        self._processes = multiprocessing.get_context("forkserver")
        self._processes.set_forkserver_preload(list(preloaded))

    def run(self, mutant: Mutant, *, limit_seconds: float) -> Outcome:
        """Put the mutant into the copy, run its tests, and take it out again.

        Args:
          limit_seconds: processor time; a run that needs more counts as endless.
        """
        path = self.copy / mutant.file
        try:
            source = path.read_text()
            changed = mutant.applied(source)
        except (OSError, ValueError) as error:
            return Outcome(BROKEN, 0.0, str(error))
        path.write_text(changed)
        try:
            return outcome_of(*self.test(mutant.tests, limit_seconds=limit_seconds))
        finally:
            path.write_text(source)

    def test(
        self, tests: tuple[str, ...], *, limit_seconds: float
    ) -> tuple[dict[str, Any] | None, float, str]:
        """Run tests in a process of their own.

        Returns: the report of `_run_pytest` (None without one), seconds, and why it ended early.
        """
        report = self.folder / "report.json"
        report.unlink(missing_ok=True)
        process = self._processes.Process(
            target=_run_pytest,
            args=(str(self.copy), list(tests), str(report), math.ceil(limit_seconds)),
        )
        started = time.monotonic()
        process.start()
        try:
            process.join(CLOCK * limit_seconds)
            late = process.is_alive() or process.exitcode == -signal.SIGXCPU
        finally:
            _stop(process)
        seconds = time.monotonic() - started
        if late:
            return None, seconds, TIMED_OUT
        if not report.exists():
            return None, seconds, f"the process ended with {process.exitcode} and no report"
        return json.loads(report.read_text()), seconds, ""


def outcome_of(report: dict[str, Any] | None, seconds: float, ended: str) -> Outcome:
    """The outcome of a mutant from the report of its run."""
    if report is None:
        return (
            Outcome(TIMED_OUT, seconds, f"after {seconds:.0f} s")
            if ended == TIMED_OUT
            else Outcome(BROKEN, seconds, ended)
        )
    if report["exit"] == 0:
        return Outcome(SURVIVED, seconds)
    if report["exit"] == 1 and not report["why"].startswith(NO_KILL):
        return Outcome(KILLED, seconds, report["failed"])
    return Outcome(
        BROKEN,
        seconds,
        f"{report['failed']} {report['why']}".strip() or f"pytest gave {report['exit']}",
    )


def copy_tracked(repository: Path, target: Path) -> None:
    """Copy the files that git tracks, as they are in the work tree."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=repository, capture_output=True, check=True
    ).stdout
    for name in filter(None, listed.decode().split("\0")):
        if (repository / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(repository / name, target / name)


def digest_of(folder: Path) -> str:
    """A checksum of the code and the tests in a folder, without the list of mutants."""
    digest = hashlib.sha256()
    for path in sorted([*folder.rglob("*.py"), *folder.glob("pyproject.toml")]):
        if "checks" in path.parts:
            continue
        digest.update(f"{path.relative_to(folder)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


class _Recorder:
    """A pytest plugin that keeps the first failure, and the time of each test."""

    def __init__(self):
        self.failed, self.why, self.seconds = "", "", {}

    def pytest_runtest_logreport(self, report):
        self._look_at(report)
        self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0.0) + report.duration

    def pytest_collectreport(self, report):
        self._look_at(report)

    def _look_at(self, report):
        if report.failed and not self.failed:
            self.failed = report.nodeid
            crash = getattr(report.longrepr, "reprcrash", None)
            self.why = str(crash.message if crash else report.longrepr)[:2000]


def _run_pytest(copy: str, tests: list[str], report: str, limit_seconds: int) -> None:
    """Run tests in the copy of the repository; called in a forked process."""
    os.setsid()  # so that processes of the tests end with them
    resource.setrlimit(resource.RLIMIT_CPU, (limit_seconds, resource.RLIM_INFINITY))
    os.chdir(copy)
    # A mutant can have the size and time of the original, and Python compares only these.
    sys.dont_write_bytecode = True
    os.environ.update(
        PYTHONPATH=copy, PYTHONDONTWRITEBYTECODE="1", PYTEST_DISABLE_PLUGIN_AUTOLOAD="1"
    )
    sys.path.insert(0, copy)
    with open(Path(report).with_name("output.txt"), "wb") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    import pytest

    recorder = _Recorder()
    scratch = Path(report).with_name("tmp")
    code = int(pytest.main([*PYTEST, f"--basetemp={scratch}", *tests], plugins=[recorder]))
    found = {
        "exit": code,
        "failed": recorder.failed,
        "why": recorder.why,
        "seconds": recorder.seconds,
    }
    Path(report).write_text(json.dumps(found))
    sys.stdout.flush()
    os._exit(0)  # without waiting for TensorFlow's threads


def _stop(process) -> None:
    if process.pid is None:
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.join()
