"""`tfsepgan-data songs`, from scores to songs with stems; sines replace the synthesizer."""

import json
import shutil

import numpy as np
import pytest
import soundfile
from songs_for_tests import write_song
from test_arranging import font

from tfsepgan.cli.data import main
from tfsepgan.data.recordings.catalogue import scan
from tfsepgan.errors import ConfigError, DataError
from tfsepgan.rendering.arranging import run, songs
from tfsepgan.rendering.arranging.settings import SongSettings
from tfsepgan.rendering.reading import find_scores

RATE_HZ = 16000


def sines(name, task):
    """What a synthesizer makes of a task: each note a sine while it lasts."""
    if "silent" in str(task.soundfont):
        return np.zeros((task.frames, 2), np.float32)
    out = np.zeros((task.frames, 2), np.float32)
    for part in task.parts:
        for note in part.notes:
            a, b = (
                min(task.frames, round(time * task.sample_rate_hz))
                for time in (note.start, note.end)
            )
            phase = (
                2
                * np.pi
                * 440
                * 2 ** ((note.pitch - 69) / 12)
                * np.arange(b - a)
                / task.sample_rate_hz
            )
            out[a:b] += (note.velocity / 800 * np.sin(phase))[:, None]
    return out


@pytest.fixture
def band(tmp_path, monkeypatch):
    """Calls the command with sines for a synthesizer, in this process: band('--count', '2') gives
    its exit code."""
    for module in (songs, run):
        monkeypatch.setattr(module, "version", lambda name: "sines 1")
    monkeypatch.setattr(songs, "play", sines)
    monkeypatch.setattr(run, "find_synthesizer", lambda name: "sines")

    def opened(name, path):
        return font(name, path=path)

    monkeypatch.setattr(run, "open_soundfont", opened)
    for name in ("good.sf2", "silent.sf2"):
        (tmp_path / name).write_bytes(name.encode())

    def call(*words, soundfont="good", output="out"):
        scores = tmp_path / "scores"
        if not scores.exists():
            for number in ("001", "002", "900"):
                write_song(scores, number)
        fixed = [
            "--output",
            tmp_path / output,
            "--soundfont",
            f"{soundfont}={tmp_path / soundfont}.sf2",
        ]
        fixed += ["--sample-rate-hz", RATE_HZ, "--seconds", 12, "--workers", 1]
        return main([str(word) for word in ("songs", f"pop={scores}", *fixed, *words)])

    return call


def files(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*.flac"))
    }


def test_songs_are_a_multitrack_folder_with_a_manifest(band, tmp_path, capsys):
    assert band("--count", 4, "--split", "valid", "--licence", "pop=MIT", "good=CC0") == 0
    listing = scan(tmp_path / "out", sources=("piano",))
    assert listing.layout == "multitrack"
    folders = sorted((tmp_path / "out" / "valid").iterdir())
    assert len(folders) == 4
    # three scores, the first once more
    assert sum(name.name.endswith("-v1") for name in folders) == 1
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["soundfonts"]["good"]["licence"] == "CC0"
    assert manifest["scores"]["pop"] == {"licence": "MIT"}
    for folder in folders:
        song = manifest["songs"][f"valid/{folder.name}"]
        assert set(song["stems"]) == {path.stem for path in folder.iterdir()}
        assert song["line_up"]
        assert song["stems"]["piano"][0]["soundfont"] == "good"
        stems = {path.stem: soundfile.read(path, dtype="float64") for path in folder.iterdir()}
        assert {(rate, sound.shape) for sound, rate in stems.values()} == {
            (RATE_HZ, (12 * RATE_HZ, 2))
        }
        ceiling = 10 ** (song["master"]["ceiling_db"] / 20)
        total = np.sum([sound for sound, _ in stems.values()], axis=0)
        assert np.abs(total).max() <= ceiling + len(stems) / 65536
        assert soundfile.info(folder / "piano.flac").subtype == "PCM_16"


def test_written_stems_sum_to_the_mastered_mixture(band, tmp_path):
    assert band("--count", 1, "--line-ups", "pop band") == 0
    (folder,) = (tmp_path / "out" / "train").iterdir()
    settings = SongSettings(
        count=1, seconds=12, sample_rate_hz=RATE_HZ, workers=1, line_ups=("pop band",)
    )
    fonts = {"good": tmp_path / "good.sf2"}
    jobs, studio = run.prepare({"pop": tmp_path / "scores"}, fonts, [], tmp_path / "out", settings)
    stems, _ = songs._mix(*songs.arranged(jobs[0], studio), studio)
    written = np.sum([soundfile.read(path)[0] for path in folder.iterdir()], axis=0)
    wanted = np.sum(list(stems.values()), axis=0)
    assert len(stems) >= 4
    # 16 bits a stem; full scale is 32767
    assert np.abs(written - wanted).max() <= (0.5 * len(stems) + 1) / 32768


def test_same_seed_same_bytes_another_seed_others(band, tmp_path):
    for output, seed in (("a", 5), ("b", 5), ("c", 6)):
        assert band("--count", 2, "--seed", seed, output=output) == 0
    a, b, c = (files(tmp_path / name) for name in "abc")
    assert a == b
    assert not set(a.values()) & set(c.values())


def test_a_song_that_is_there_is_kept_and_a_damaged_one_is_made_again(band, tmp_path, capsys):
    assert band("--count", 2) == 0
    before = files(tmp_path / "out")
    first, second = sorted((tmp_path / "out" / "train").iterdir())
    stamp = (second / "piano.flac").stat().st_mtime_ns
    (first / "piano.flac").write_bytes(b"half")
    (first / "kazoo.flac").write_bytes(b"of another draw")
    capsys.readouterr()
    assert band("--count", 2) == 0
    assert "1 were there already" in capsys.readouterr().out
    assert files(tmp_path / "out") == before
    assert (second / "piano.flac").stat().st_mtime_ns == stamp


def test_a_rest_drawn_for_the_piano_is_silent_in_its_stem(band, tmp_path):
    tail = 2.6  # the longest hall and its delay, and a little
    found = 0
    for seed in range(12):
        assert band("--count", 3, "--seed", seed, "--seconds", 30, output=f"o{seed}") == 0
        manifest = json.loads((tmp_path / f"o{seed}" / "manifest.json").read_text())
        for name, song in manifest["songs"].items():
            piano = soundfile.read(tmp_path / f"o{seed}" / name / "piano.flac", dtype="int16")[0]
            assert piano.any()
            for start, end in song["piano"]["rests"]:
                within = piano[
                    round((start + tail if start else 0) * RATE_HZ) : round((end - 0.05) * RATE_HZ)
                ]
                found += len(within) > 0
                assert not within.any()
        if found >= 3:
            return
    pytest.fail("no rests were drawn")


def test_the_piano_has_the_level_that_was_drawn(band, tmp_path):
    assert band("--count", 3, "--piano-db", "-9", "-9", "--line-ups", "rock band") == 0
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    for song in manifest["songs"].values():
        # the compressor moves it a little
        assert song["piano_against_rest_db"] == pytest.approx(-9, abs=1.5)


def test_only_songs_of_these_numbers_are_made(tmp_path):
    for number in ("001", "002", "900"):
        write_song(tmp_path, number)
    found = find_scores({"pop": tmp_path})
    apart = run.plan(found, SongSettings(count=3, numbers=(861, 909)))
    assert [(job.score.path.stem, job.version) for job in apart] == [
        ("900", 0),
        ("900", 1),
        ("900", 2),
    ]
    assert {
        job.score.path.stem for job in run.plan(found, SongSettings(count=9, numbers=(1, 860)))
    } == {"001", "002"}
    with pytest.raises(DataError, match="no songs"):
        run.plan(found, SongSettings(numbers=(10, 20)))


def test_what_cannot_be_made_is_named_and_the_others_are_made(band, tmp_path, capsys):
    write_song(tmp_path / "scores", "001")
    (write_song(tmp_path / "scores", "002").with_name("beat_midi.txt")).write_text("nothing")
    assert band("--count", 2) == 1
    output = " ".join(capsys.readouterr().out.split())
    assert "002.mid was not made" in output and "beat_midi.txt is damaged" in output
    assert len(list((tmp_path / "out" / "train").iterdir())) == 1


def test_a_soundfont_without_sound_is_named_and_leaves_nothing_half_made(band, tmp_path, capsys):
    assert band("--count", 1, soundfont="silent") == 1
    assert "silent.sf2 is silent on the notes of piano" in " ".join(capsys.readouterr().out.split())
    assert not list((tmp_path / "out").rglob("*.flac"))
    assert not (tmp_path / "out" / "train").exists() or not list(
        (tmp_path / "out" / "train").iterdir()
    )


@pytest.mark.parametrize(
    "wrong",
    [{"count": 0}, {"seconds": 1}, {"piano_db": (3.0, -12.0)}, {"numbers": (9, 3)}, {"tempo": 0.9}],
)
def test_settings_that_cannot_be_meant_are_refused(wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        SongSettings(**wrong)


def test_an_unknown_line_up_and_a_name_used_twice_are_refused(band, tmp_path, capsys):
    assert band("--line-ups", "skiffle") == 2
    assert "no line-up 'skiffle'" in capsys.readouterr().err
    shutil.copy(tmp_path / "good.sf2", tmp_path / "pop.sf2")
    assert band(soundfont="pop") == 2
    assert "pop names two things" in " ".join(capsys.readouterr().err.split())
