"""The processes of a search start, end and fail together; what they run stands in for the real
thing here."""

import io
import json
import os
import signal
import sys
import threading
from pathlib import Path

import pytest
from rich.console import Console

from tfsepgan.errors import TfsepganError
from tfsepgan.tuning import workers as tuning_workers
from tfsepgan.tuning.trials import Record, record_path
from tfsepgan.tuning.workers import leave_with_the_pipe, search_with_workers

PART = """
import json, os, pathlib, signal, sys, time
name, folder = os.environ["KERASTUNER_TUNER_ID"], pathlib.Path(sys.argv[1])
marks = folder / "marks"
marks.mkdir(exist_ok=True)
(marks / f"{name}.json").write_text(json.dumps([os.getpid(), dict(os.environ)]))
def leave(*given):
    (marks / f"{name}.saved").touch()
    sys.exit(130)
signal.signal(signal.SIGTERM, leave)
if name == "chief":
    time.sleep(600)
"""


@pytest.fixture
def parts(tmp_path, monkeypatch):
    """Starts a search whose workers do this Python; gives what was said."""
    monkeypatch.setattr(tuning_workers, "LOOK_SECONDS", 0.05)

    def start(does: str, workers: int = 2, **options) -> str:
        script = tmp_path / "part.py"
        script.write_text(PART + does)
        said = io.StringIO()
        console = Console(file=said, width=300)
        command = [sys.executable, str(script), str(tmp_path)]
        options = {"threads": None, **options}
        try:
            search_with_workers(command, tmp_path, workers=workers, console=console, **options)
        finally:
            marks = [json.loads(path.read_text()) for path in (tmp_path / "marks").glob("*.json")]
            assert len(marks) == workers + 1
            for number, _ in marks:
                with pytest.raises(ProcessLookupError):  # none outlives it
                    os.kill(number, 0)
        return said.getvalue()

    return start


def surroundings(folder: Path, name: str) -> dict[str, str]:
    return json.loads((folder / "marks" / f"{name}.json").read_text())[1]


def test_workers_share_the_cores_and_one_chief(parts, tmp_path):
    record = Record(3, "finished", 1.5, {"learning_rate": 0.01}, "trials/003", 8)
    path = record_path(tmp_path, 3)
    does = f"pathlib.Path({str(path.parent)!r}).mkdir(exist_ok=True)\n"
    does += f"pathlib.Path({str(path)!r}).write_text({json.dumps(json.dumps(record._asdict()))})\n"
    said = parts(
        f"if name == 'worker1':\n    {does.replace(chr(10), chr(10) + '    ')}", threads=None
    )
    assert "trial 3: 1.50 dB, finished at step 8" in said
    chief, first, second = (
        surroundings(tmp_path, name) for name in ("chief", "worker0", "worker1")
    )
    for name in ("KERASTUNER_ORACLE_IP", "KERASTUNER_ORACLE_PORT"):
        assert chief[name] == first[name] == second[name]
    cores = len(os.sched_getaffinity(0))
    assert first["TF_NUM_INTRAOP_THREADS"] == second["OMP_NUM_THREADS"] == str(max(1, cores // 2))


def test_a_killed_worker_starts_again(parts, tmp_path):
    does = "if name == 'worker0' and not (marks / 'again').exists():\n"
    does += "    (marks / 'again').touch()\n    os.kill(os.getpid(), signal.SIGKILL)\n"
    assert "worker0 was killed (signal 9); it starts again and goes on." in parts(does)
    with pytest.raises(
        TfsepganError, match="worker0 was killed .* again and again: too little memory"
    ):
        parts("if name == 'worker0':\n    os.kill(os.getpid(), signal.SIGKILL)\ntime.sleep(600)")


def test_an_error_of_one_ends_all_and_is_said(parts, tmp_path):
    does = (
        "if name == 'worker1':\n    sys.exit('DataError: the recordings went"
        " away.')\ntime.sleep(600)"
    )
    with pytest.raises(
        TfsepganError,
        match="worker1 ended with code 1: DataError: the recordings went away. Its output",
    ):
        parts(does)
    assert (tmp_path / "marks" / "worker0.saved").exists()


def test_a_chief_that_ends_is_said(parts, tmp_path):
    (tmp_path / "marks").mkdir()
    with pytest.raises(TfsepganError, match="chief was killed"):
        parts(
            "while not (marks / 'chief.json').exists():\n   "
            " time.sleep(0.05)\ntime.sleep(0.3)\nos.kill(json.loads((marks /"
            " 'chief.json').read_text())[0], signal.SIGKILL)\ntime.sleep(600)",
            workers=1,
        )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_lets_every_worker_save(number, parts, tmp_path, request):
    # A shell lets what it starts in the background ignore Ctrl-C, tests too.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    request.addfinalizer(lambda: signal.signal(signal.SIGINT, before))

    def when_all_are_there():
        while len(list((tmp_path / "marks").glob("*.json"))) < 3:
            threading.Event().wait(0.05)
        threading.Event().wait(0.3)
        os.kill(os.getpid(), number)

    threading.Thread(target=when_all_are_there, daemon=True).start()
    with pytest.raises(KeyboardInterrupt):
        parts("time.sleep(600)")
    assert {path.stem for path in (tmp_path / "marks").glob("*.saved")} == {"worker0", "worker1"}


def test_a_part_leaves_when_its_command_is_gone(monkeypatch):
    asked = threading.Event()
    monkeypatch.setattr(os, "read", lambda handle, size: b"")
    monkeypatch.setattr(
        os, "kill", lambda process, number: number == signal.SIGTERM and asked.set()
    )
    leave_with_the_pipe()  # not started by one
    assert not asked.wait(0.2)
    monkeypatch.setenv(tuning_workers.PIPE, "1")
    leave_with_the_pipe()
    assert asked.wait(5)
