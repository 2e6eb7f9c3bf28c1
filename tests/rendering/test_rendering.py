"""`tfsepgan-data render`, from scores to files, with a stand-in for the synthesizer."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from rendering_for_tests import NOTES, PLAIN, made, part, render, samples

from tfsepgan.cli.data import main
from tfsepgan.data.recordings.catalogue import scan
from tfsepgan.rendering.rendering import description


def onset_seconds(sound, rate_hz):
    loud = np.abs(sound).max(axis=1)
    return int(np.argmax(loud > 0.1 * loud.max())) / rate_hz


BAND = (
    part(*NOTES, name="Piano", program=0),
    part((1.0, 2.5, 74), name="Violin", program=40),
    part((0.25, 0.4, 38), (2.0, 2.1, 38), name="Kit", is_drums=True),
)


def band_fonts(fonts):
    return [*fonts("piano"), *fonts("violin", preset=(0, 40)), *fonts("kit", preset=(128, 0))]


def test_unpaired_stems_lie_where_training_looks_for_them(tmp_path, scores, fonts, stand_in):
    data = tmp_path / "data"
    assert (
        render(
            scores("song", parts=BAND), "--soundfont", *band_fonts(fonts), "--output", data, *PLAIN
        )
        == 0
    )
    piano, drums, violin = (Path(name) for name in made(data))
    assert piano.parts[:3] == ("train", "piano", "piano")  # split, source, soundfont
    assert drums.parts[:3] == ("train", "rest", "drums")  # split, source, instrument
    assert violin.parts[:3] == ("train", "rest", "violin")
    catalogue = scan(data, sources=["piano"])
    assert catalogue.layout == "unpaired"
    assert catalogue.splits["train"].keys() == {"piano", "rest"}
    info = soundfile.info(data / piano)
    assert (info.subtype, info.samplerate, info.channels) == ("PCM_16", 8000, 2)


def test_stems_of_a_song_are_as_long_as_each_other_and_start_when_the_score_says(
    tmp_path, scores, fonts, stand_in
):
    data = tmp_path / "data"
    words = ("--soundfont", *band_fonts(fonts), "--output", data, "--layout", "multitrack", *PLAIN)
    assert render(scores("one", "two", parts=BAND), *words) == 0
    catalogue = scan(data, sources=["piano"])
    assert catalogue.layout == "multitrack"
    for song in catalogue.tracks("train").values():
        stems = {name: samples(file.path) for name, file in song.items()}
        # the last note and its dying away
        assert {len(stem) for stem in stems.values()} == {round((2.5 + 2) * 8000)}
        onsets = {name: onset_seconds(stem, 8000) for name, stem in stems.items()}
        assert onsets == pytest.approx({"piano": 0.5, "violin": 1.0, "drums": 0.25}, abs=0.001)
        total = sum(stems.values())
        assert 20 * np.log10(np.sqrt(np.mean(total**2))) == pytest.approx(-20, abs=0.05)


def test_a_recording_is_brought_to_level_unless_its_peak_is_in_the_way(
    tmp_path, scores, fonts, stand_in
):
    words = (scores("a"), "--soundfont", *fonts("good"), *PLAIN)
    assert render(*words, "--output", tmp_path / "x", "--level-db", "-30", "--channels", "1") == 0
    (sound,) = (samples(tmp_path / "x" / name) for name in made(tmp_path / "x"))
    assert sound.shape[1] == 1
    assert 20 * np.log10(np.sqrt(np.mean(sound**2))) == pytest.approx(-30, abs=0.05)
    assert render(*words, "--output", tmp_path / "y", "--level-db", "0", "--peak-db", "-6") == 0
    (sound,) = (samples(tmp_path / "y" / name) for name in made(tmp_path / "y"))
    assert 20 * np.log10(np.abs(sound).max()) == pytest.approx(-6, abs=0.05)


def test_the_same_seed_gives_the_same_bytes_with_any_number_of_workers(
    tmp_path, scores, fonts, stand_in
):
    words = (scores("a", "b"), "--soundfont", *fonts("one", "two"), "--sample-rate-hz", 8000)
    bytes_of = {}
    for name, more in (
        ("x", ["--workers", 1]),
        ("y", ["--workers", 2]),
        ("z", ["--workers", 1, "--seed", 1]),
    ):
        assert render(*words, "--output", tmp_path / name, *more) == 0
        bytes_of[name] = [(tmp_path / name / file).read_bytes() for file in made(tmp_path / name)]
    assert bytes_of["x"] == bytes_of["y"]
    assert bytes_of["x"] != bytes_of["z"]


def test_what_is_there_is_kept_and_what_is_not_is_made(tmp_path, scores, fonts, stand_in, capsys):
    data, words = tmp_path / "data", ("--soundfont", *fonts("good"), "--workers", 1, *PLAIN)
    assert render(scores("a", "b", "c"), *words, "--output", data) == 0
    first, second, third = (data / name for name in made(data))
    times = [path.stat().st_mtime_ns for path in (first, second, third)]
    second.unlink()
    third.write_bytes(third.read_bytes()[:40])  # not by us: we leave whole files only
    capsys.readouterr()
    assert render(scores("a"), *words, "--output", data) == 0
    assert "1 were there already and were kept." in capsys.readouterr().out
    assert first.stat().st_mtime_ns == times[0]
    assert description(second)["key"] != description(third)["key"]
    assert render(scores("a"), *words, "--output", data, "--channels", 1) == 0
    assert samples(first).shape[1] == 1  # another setting, so made again


def test_a_killed_run_continues(tmp_path, scores, fonts, stand_in, monkeypatch):
    monkeypatch.setenv("STAND_IN", "slow")
    data = tmp_path / "data"
    words = [
        "render",
        scores(*"abcdef"),
        "--soundfont",
        *fonts("good"),
        "--output",
        data,
        *PLAIN,
        "--workers",
        2,
    ]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-m", "tfsepgan.cli.data", *map(str, words)]
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, start_new_session=True
    )
    end = time.monotonic() + 120
    while not made(data) and time.monotonic() < end:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    monkeypatch.setenv("STAND_IN", "")
    kept = {name: (data / name).stat().st_mtime_ns for name in made(data)}
    assert 0 < len(kept) < 6
    assert main([str(word) for word in words]) == 0
    assert len(made(data)) == 6
    assert all((data / name).stat().st_mtime_ns == at for name, at in kept.items())
    assert len(json.loads((data / "manifest.json").read_text())["files"]) == 6


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        ("hang", "fluidsynth took longer than 4 s (--time-limit-seconds)"),
        ("endless", "fluidsynth does not end"),
        ("fail", "fluidsynth failed with exit code 1: fluidsynth: error: no memory for voices"),
        ("silent", "is silent on the notes of piano"),
    ],
)
def test_trouble_is_named_and_the_others_are_rendered(
    tmp_path, scores, fonts, stand_in, capsys, trouble, words
):
    folder = scores("a", "b")
    limit = ("--time-limit-seconds", 4 if trouble == "hang" else 60)
    soundfonts = fonts("good", trouble)  # by turns
    assert (
        render(folder, "--soundfont", *soundfonts, "--output", tmp_path / "data", *PLAIN, *limit)
        == 1
    )
    output = capsys.readouterr()
    assert words in output.out
    assert ".mid was not rendered" in output.out
    assert "1 of 2 were not rendered; the others are in" in output.err
    assert len(made(tmp_path / "data")) == 1


def test_a_bad_score_is_named_and_the_others_are_rendered(
    tmp_path, scores, fonts, stand_in, capsys
):
    folder = scores("a")
    (folder / "broken.mid").write_bytes(b"MThd nothing more")
    assert render(folder, "--soundfont", *fonts("good"), "--output", tmp_path / "data", *PLAIN) == 1
    output = capsys.readouterr()
    assert "broken.mid" in output.out
    assert "1 of 2 were not rendered" in output.err
    assert len(made(tmp_path / "data")) == 1


def test_the_manifest_names_licences_and_says_which_are_not_stated(
    tmp_path, scores, fonts, stand_in, capsys
):
    data, folder = tmp_path / "data", scores("a")
    words = ("--soundfont", *fonts("good"), "--output", data, *PLAIN, "--workers", 1)
    assert render(f"songs={folder}", *words, "--licence", "good=CC0-1.0") == 0
    assert "No licence is stated for songs" in capsys.readouterr().out
    assert render(f"songs={folder}", *words, "--licence", "songs=MIT") == 0
    assert "No licence" not in capsys.readouterr().out  # the soundfont's is remembered
    manifest = json.loads((data / "manifest.json").read_text())
    assert manifest["soundfonts"]["good"]["licence"] == "CC0-1.0"
    assert manifest["soundfonts"]["good"]["copyright_in_file"] == "CC0"
    assert manifest["scores"] == {"songs": {"licence": "MIT"}}
    (entry,) = manifest["files"].values()
    assert (entry["score"], entry["soundfont"], entry["class"], entry["seconds"]) == (
        "songs/a.mid",
        "good",
        "piano",
        4.0,
    )


@pytest.mark.parametrize(
    ("more", "code", "words"),
    [
        (["--classes", "violin"], 2, "None of the soundfonts has violin"),
        (["--classes", "violon"], 2, "no instrument class violon"),
        (["--tempo", "1"], 2, "tempo is 1.0; expected: from 0 to below 1"),
        (["--licence", "bad=MIT"], 2, "--licence bad: wanted NAME=WORDS"),
        (["--parts", "oboe*"], 1, "Nothing to render"),
    ],
)
def test_invalid_settings_are_refused_before_anything_is_written(
    tmp_path, scores, fonts, stand_in, capsys, more, code, words
):
    assert (
        render(scores("a"), "--soundfont", *fonts("good"), "--output", tmp_path / "data", *more)
        == code
    )
    assert words in capsys.readouterr().err
    assert not (tmp_path / "data").exists()


def test_a_missing_synthesizer_is_named_with_its_installation(
    tmp_path, scores, fonts, monkeypatch, capsys
):
    monkeypatch.setenv("PATH", str(tmp_path))
    words = (
        "--soundfont",
        *fonts("good"),
        "--output",
        tmp_path / "data",
        "--synthesizer",
        "fluidsynth",
    )
    assert render(scores("a"), *words) == 1
    assert "apt-get install fluidsynth" in capsys.readouterr().err
