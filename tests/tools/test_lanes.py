"""The check with several Python versions: finds interpreters, runs the README's command in each."""

import subprocess
import sys

import pytest
from tools_for_tests import from_tools

lanes = from_tools("lanes")
HERE = "{}.{}".format(*sys.version_info)


def test_the_command_is_that_of_the_readme():
    assert lanes.readme_command() == 'pip install ".[test]" && pytest'


def test_an_interpreter_counts_only_with_its_own_version(monkeypatch):
    monkeypatch.setattr(lanes, "candidates", lambda version: ["/nowhere/python", sys.executable])
    assert lanes.interpreter(HERE) == sys.executable
    assert lanes.interpreter("3.2") is None


def test_a_missing_interpreter_is_named_before_anything_runs(monkeypatch, capsys):
    monkeypatch.setattr(lanes, "candidates", lambda version: [sys.executable])
    monkeypatch.setattr(lanes, "run_lane", lambda *_: pytest.fail("a lane was run"))
    assert lanes.main([HERE, "3.2"]) == 2
    assert "No interpreter of Python 3.2 found" in capsys.readouterr().out


def test_every_lane_runs_after_one_failed(monkeypatch, tmp_path, capsys):
    ran = []

    def run_lane(python, folder, pytest_arguments):
        ran.append((python, folder.name, pytest_arguments))
        folder.mkdir()
        if folder.name == "3.13":
            raise subprocess.CalledProcessError(7, "pip")
        return 0

    monkeypatch.setattr(lanes, "interpreter", lambda version: f"python{version}")
    monkeypatch.setattr(lanes, "run_lane", run_lane)
    assert lanes.main(["3.13", "3.11", "--folder", str(tmp_path), "--", "-k", "a or b"]) == 1
    words = ["-k", "a or b"]
    assert ran == [("python3.13", "3.13", words), ("python3.11", "3.11", words)]
    assert not list(tmp_path.iterdir())
    said = capsys.readouterr().out
    assert "Python 3.13: exit code 7" in said and "Python 3.11: exit code 0" in said
    assert lanes.main(["3.11", "--folder", str(tmp_path), "--keep"]) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["3.11"]


def test_a_lane_uses_its_own_environment_and_nothing_of_this_one(monkeypatch, tmp_path):
    calls = []

    def run(command, **settings):
        calls.append((list(map(str, command)), settings.get("env")))
        return subprocess.CompletedProcess(command, 5)

    monkeypatch.setattr(lanes.subprocess, "run", run)
    monkeypatch.setenv("PYTHONPATH", "elsewhere")
    assert lanes.run_lane("python3.13", tmp_path / "3.13", ["-k", "a or b"]) == 5
    assert calls[0][0] == ["python3.13", "-m", "venv", str(tmp_path / "3.13")]
    shell, environment = calls[-1]
    assert shell == ["bash", "-c", "pip install \".[test]\" && pytest -k 'a or b'"]
    assert environment["PATH"].startswith(str(tmp_path / "3.13" / "bin"))
    assert "PYTHONPATH" not in environment
