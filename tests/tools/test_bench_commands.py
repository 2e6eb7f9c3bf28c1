"""The benchmark of commands: separators take turns, failures stop it, medians are printed."""

import argparse
import sys

import pytest
from tools_for_tests import from_tools

bench = from_tools("bench_commands")

WRITES_TWO = (
    "import pathlib, sys\n"
    "for number, _ in enumerate(sys.argv[2:]):\n"
    "    for stem in 'ab': (pathlib.Path(sys.argv[1]) / f'{stem}{number}').write_text('x')\n"
)


def writer(name, code=WRITES_TWO):
    return bench.Separator(name, lambda files, output: [sys.executable, "-c", code, output, *files])


@pytest.fixture
def no_music(monkeypatch, tmp_path):
    """Cases of two recordings that are not made."""
    monkeypatch.setattr(bench, "make_case", lambda name, folder: ["one", "two"])
    return tmp_path


def test_separators_take_turns_and_every_run_is_kept(no_music, capsys):
    runs = bench.measure([writer("first"), writer("second")], ["song"], 2, no_music)
    lines = [line.split(":")[0] for line in capsys.readouterr().out.splitlines()]
    assert lines == [f"song {turn}/2 {name}" for turn in (1, 2) for name in ("first", "second")]
    assert {name: len(results) for name, results in runs["song"].items()} == {
        "first": 2,
        "second": 2,
    }
    for one in runs["song"]["first"]:
        assert one.wall_seconds > 0 and one.processor_seconds > 0
        assert one.memory_mb > 3  # an interpreter


def test_a_command_that_fails_or_writes_too_little_stops_the_benchmark(no_music):
    with pytest.raises(SystemExit, match="exit code 3"):
        bench.measure([writer("bad", "raise SystemExit(3)")], ["song"], 1, no_music)
    with pytest.raises(SystemExit, match="0 files from 2 recordings"):
        bench.measure([writer("idle", "")], ["song"], 1, no_music)


def test_medians_are_printed_with_the_range(capsys):
    walls = (3.0, 1.0, 9.0)
    bench.show({"song": {"one": [bench.Run(wall, 2 * wall, 100 * wall) for wall in walls]}})
    assert "| song | one | 3.00 (1.00 to 9.00) | 6.00 | 300 |" in capsys.readouterr().out


def test_a_peer_runs_in_its_own_interpreter_with_further_arguments():
    command = bench.peer(f"open-unmix={sys.executable},--model,DIR").command(["a.wav"], "out")
    assert command[:3] == [sys.executable, "-c", bench.UMX]
    assert command[-2:] == ["--model", "DIR"] and "a.wav" in command
    for text in ("demucs=/usr/bin/python3", "spleeter", "spleeter=/no/such/python"):
        with pytest.raises(argparse.ArgumentTypeError, match="spleeter, open-unmix"):
            bench.peer(text)
