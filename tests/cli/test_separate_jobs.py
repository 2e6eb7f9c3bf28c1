"""`tfsepgan-separate` over a folder: several processes, results on the disk, an end by a signal."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from recordings_for_tests import write_noise

import tfsepgan

RATE = 44100


@pytest.fixture
def music(tmp_path):
    """Four recordings in two folders, and a file that is none."""
    for number, name in enumerate(["a.wav", "b.flac", "sub/a.wav", "sub/c.wav"]):
        write_noise(tmp_path / "music" / name, 0.3 + 0.1 * number, seed=number, rate_hz=RATE)
    (tmp_path / "music" / "bad.mp3").write_text("no sound")
    return tmp_path / "music"


def stems_in(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.wav")
    }


def test_several_processes_write_what_one_writes(music, tmp_path, run):
    one = run("separate", music, "-o", tmp_path / "one")
    two = run("separate", music, "-o", tmp_path / "two", "--jobs", 2, "--json")
    assert one.code == two.code == 1
    assert stems_in(tmp_path / "one") == stems_in(tmp_path / "two")
    assert len(stems_in(tmp_path / "two")) == 8
    lines = [json.loads(line) for line in two.out.splitlines()]
    assert sorted(line["status"] for line in lines) == ["done"] * 4 + ["failed"]
    assert f"1 of 5 recordings could not be separated; the reasons are above and in {tmp_path}" in (
        two.error
    )
    assert two.err.count("bad.mp3 is not audio") == one.err.count("bad.mp3 is not audio") == 1

    again = run("separate", music, "-o", tmp_path / "two")  # whatever the number of processes
    assert again.code == 1 and again.out == ""
    assert f"4 of 5 recordings are done, by {tmp_path / 'two' / 'results.jsonl'}." in again.err
    assert again.err.count("bad.mp3 is not audio") == 1
    assert "1 recordings failed before; --retry-failed tries them again." in again.err
    write_noise(music / "bad.mp3", 0.2, rate_hz=RATE, format="WAV")
    mended = run("separate", music, "-o", tmp_path / "two", "-j", 2, "--json", "-q")
    assert mended.code == 0, mended.err
    assert json.loads(mended.out)["input"] == str(music / "bad.mp3")


def test_results_are_written_for_folders_and_where_they_are_asked_for(music, tmp_path, run):
    song = music / "a.wav"
    assert run("separate", song, "-o", tmp_path / "one").code == 0
    assert not (tmp_path / "one" / "results.jsonl").exists()
    flags = ("-o", tmp_path / "one", "--results", tmp_path / "kept.jsonl")
    assert run("separate", song, *flags).code == 0
    assert json.loads((tmp_path / "kept.jsonl").read_text())["input"] == str(song)
    assert "1 of 1 recordings are done" in run("separate", song, *flags).err
    flac = run("separate", song, *flags, "--format", "flac")
    assert flac.code == 0 and (tmp_path / "one" / "a" / "piano.flac").is_file()


def test_results_beside_the_recordings_are_no_news(music, run):
    (music / "bad.mp3").unlink()
    first, again = (run("separate", music, "-o", music) for _ in range(2))
    assert first.code == again.code == 0
    assert "results.jsonl" not in first.err
    assert "4 of 4 recordings are done" in again.err and "suffix" not in again.err


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--jobs", "0"), "jobs is 0; wanted 1 process or more"),
        (("-o", "-", "--jobs", "2"), "leave out --jobs and --results"),
        (("--jobs", "2", "--sources", "flute"), "got 'flute' as a stem to write"),
    ],
)
def test_jobs_that_cannot_work_are_refused(flags, words, music, tmp_path, run, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run("separate", music / "a.wav", *flags)
    assert result.code == 2
    assert words in result.error
    assert not (tmp_path / "separated").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_job_that_is_stopped_leaves_nothing_half_written(number, tmp_path):
    write_noise(tmp_path / "music" / "a.wav", 200, rate_hz=RATE)
    for name in "bcd":
        os.link(tmp_path / "music" / "a.wav", tmp_path / "music" / f"{name}.wav")
    out = tmp_path / "out"
    line = [sys.executable, "-m", "tfsepgan.cli.separate", tmp_path / "music", "-o", out, "-j", "2"]
    environment = {**os.environ, "PYTHONPATH": str(Path(tfsepgan.__file__).parents[1])}
    process = subprocess.Popen(line, stderr=subprocess.PIPE, text=True, env=environment)
    deadline = time.monotonic() + 60
    while len(list(out.rglob(".*.part"))) < 4 and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(number)
    said = process.communicate(timeout=60)[1]
    word = "Interrupted." if number == signal.SIGINT else "Stopped by SIGTERM."
    assert said == f"{word} 0 of 4 recordings are done; the same command continues.\n"
    assert process.returncode == 130
    assert sorted(path.name for path in out.rglob("*")) == [".results.jsonl.lock", "results.jsonl"]
