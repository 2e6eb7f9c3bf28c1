"""The processes of a search start, end and fail together; here they run a small script."""

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
from tfsepgan.tuning.records import Record, record_path
from tfsepgan.tuning.workers import leave_with_the_pipe, search_with_workers

SCRIPT = """
import json, os, pathlib, signal, sys, time
name, folder = os.environ["KERASTUNER_TUNER_ID"], pathlib.Path(sys.argv[1])
marks = folder / "marks"
marks.mkdir(exist_ok=True)
(marks / f"{name}.json").write_text(json.dumps([os.getpid(), dict(os.environ)]))
def leave(*arguments):
    (marks / f"{name}.saved").touch()
    sys.exit(130)
signal.signal(signal.SIGTERM, leave)
if name == "chief":
    time.sleep(600)
"""


@pytest.fixture
def search(tmp_path, monkeypatch):
    """Starts a search whose processes run `SCRIPT` and more code; returns the printed text."""
    monkeypatch.setattr(tuning_workers, "POLL_SECONDS", 0.05)

    def start(code: str, workers: int = 2, **options) -> str:
        script = tmp_path / "process.py"
        script.write_text(SCRIPT + code)
        stream = io.StringIO()
        console = Console(file=stream, width=300)
        command = [sys.executable, str(script), str(tmp_path)]
        options = {"threads": None, **options}
        try:
            search_with_workers(command, tmp_path, workers=workers, console=console, **options)
        finally:
            marks = [json.loads(path.read_text()) for path in (tmp_path / "marks").glob("*.json")]
            assert len(marks) == workers + 1
            for number, _ in marks:
                with pytest.raises(ProcessLookupError):  # none outlives the command
                    os.kill(number, 0)
        return stream.getvalue()

    return start


def environment_of(folder: Path, name: str) -> dict[str, str]:
    return json.loads((folder / "marks" / f"{name}.json").read_text())[1]


def test_workers_share_the_cores_and_one_chief(search, tmp_path):
    record = Record(3, "finished", 1.5, {"learning_rate": 0.01}, "trials/003", 8)
    path = record_path(tmp_path, 3)
    code = f"pathlib.Path({str(path.parent)!r}).mkdir(exist_ok=True)\n"
    code += f"pathlib.Path({str(path)!r}).write_text({json.dumps(json.dumps(record._asdict()))})\n"
    printed = search(
        f"if name == 'worker1':\n    {code.replace(chr(10), chr(10) + '    ')}", threads=None
    )
    assert "trial 3: 1.50 dB, finished at step 8" in printed
    chief, first, second = (
        environment_of(tmp_path, name) for name in ("chief", "worker0", "worker1")
    )
    for name in ("KERASTUNER_ORACLE_IP", "KERASTUNER_ORACLE_PORT"):
        assert chief[name] == first[name] == second[name]
    cores = len(os.sched_getaffinity(0))
    assert first["TF_NUM_INTRAOP_THREADS"] == second["OMP_NUM_THREADS"] == str(max(1, cores // 2))


def test_a_killed_worker_starts_again(search, tmp_path):
    code = "if name == 'worker0' and not (marks / 'again').exists():\n"
    code += "    (marks / 'again').touch()\n    os.kill(os.getpid(), signal.SIGKILL)\n"
    assert "worker0 was killed (signal 9); it starts again and resumes its trial." in search(code)
    with pytest.raises(
        TfsepganError, match="worker0 was killed .* 3 times: the usual reason is too little memory"
    ):
        search("if name == 'worker0':\n    os.kill(os.getpid(), signal.SIGKILL)\ntime.sleep(600)")


def test_an_error_of_one_worker_ends_all_and_is_reported(search, tmp_path):
    code = (
        "if name == 'worker1':\n    sys.exit('DataError: the recordings went"
        " away.')\ntime.sleep(600)"
    )
    with pytest.raises(
        TfsepganError,
        match="worker1 ended with code 1: DataError: the recordings went away. Its output",
    ):
        search(code)
    assert (tmp_path / "marks" / "worker0.saved").exists()


def test_a_killed_chief_is_an_error(search, tmp_path):
    (tmp_path / "marks").mkdir()
    with pytest.raises(TfsepganError, match="chief was killed"):
        search(
            "while not (marks / 'chief.json').exists():\n   "
            " time.sleep(0.05)\ntime.sleep(0.3)\nos.kill(json.loads((marks /"
            " 'chief.json').read_text())[0], signal.SIGKILL)\ntime.sleep(600)",
            workers=1,
        )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_lets_every_worker_save(number, search, tmp_path, request):
    # Processes in the background of a shell ignore Ctrl-C, tests too.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    request.addfinalizer(lambda: signal.signal(signal.SIGINT, before))

    def interrupt_when_all_run():
        while len(list((tmp_path / "marks").glob("*.json"))) < 3:
            threading.Event().wait(0.05)
        threading.Event().wait(0.3)
        os.kill(os.getpid(), number)

    threading.Thread(target=interrupt_when_all_run, daemon=True).start()
    with pytest.raises(KeyboardInterrupt):
        search("time.sleep(600)")
    assert {path.stem for path in (tmp_path / "marks").glob("*.saved")} == {"worker0", "worker1"}


def test_a_process_stops_when_its_command_has_ended(monkeypatch):
    stopped = threading.Event()
    monkeypatch.setattr(os, "read", lambda handle, size: b"")
    monkeypatch.setattr(
        os, "kill", lambda process, number: number == signal.SIGTERM and stopped.set()
    )
    leave_with_the_pipe()  # a process that no command started
    assert not stopped.wait(0.2)
    monkeypatch.setenv(tuning_workers.PIPE, "1")
    leave_with_the_pipe()
    assert stopped.wait(5)
