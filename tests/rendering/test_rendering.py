"""`tfsepgan-data render`, from scores to files, with a stand-in for the synthesizer."""

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import soundfile
from rendering_for_tests import part, sine_zone, writer

from tfsepgan.cli.data import main
from tfsepgan.data.recordings.catalogue import scan
from tfsepgan.errors import ConfigError
from tfsepgan.rendering.midi import write_midi
from tfsepgan.rendering.plan import make_plan, split_of
from tfsepgan.rendering.reading import find_scores
from tfsepgan.rendering.rendering import description
from tfsepgan.rendering.settings import RenderSettings
from tfsepgan.rendering.soundfonts import SoundFont

STAND_IN = """#!{python}
import os, sys, time
if "--version" in sys.argv:
    sys.exit(print("FluidSynth runtime version 0.0.0"))
import mido, numpy as np, soundfile
behaviour = os.environ.get("STAND_IN", "")
rate = int(sys.argv[sys.argv.index("-r") + 1])
sound, font, score = sys.argv[sys.argv.index("-F") + 1], sys.argv[-2], sys.argv[-1]
if behaviour == "slow":
    time.sleep(0.7)
if "hang" in font:
    time.sleep(600)
if "fail" in font:
    sys.exit("fluidsynth: error: no memory for voices")
if "endless" in font:
    with open(sound, "wb") as file:
        while True:
            file.write(bytes(1 << 22))
file = mido.MidiFile(score)
out, now, begun = np.zeros((round(file.length * rate), 2), "float32"), 0.0, {{}}
for message in file:
    now += message.time
    if message.type == "note_on":
        begun[message.channel, message.note] = now, message.velocity
    elif message.type == "note_off":
        start, velocity = begun.pop((message.channel, message.note))
        a, b = round(start * rate), round(now * rate)
        pitch_hz = 440 * 2 ** ((message.note - 69) / 12)
        wave = np.sin(2 * np.pi * pitch_hz * np.arange(b - a) / rate + 0.5)
        out[a:b] += velocity / 500 * wave[:, None]
if "silent" in font:
    out *= 0
soundfile.write(sound, out, rate, subtype="FLOAT")
"""
PLAIN = (
    "--tempo",
    "0",
    "--semitones",
    "0",
    "--velocity",
    "0",
    "--valid-share",
    "0",
    "--sample-rate-hz",
    "8000",
)
NOTES = ((0.5, 1.0, 69), (1.5, 2.0, 76))


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    """The stand-in for fluidsynth, first on the path."""
    program = tmp_path / "bin" / "fluidsynth"
    program.parent.mkdir()
    program.write_text(STAND_IN.format(python=sys.executable))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)


@pytest.fixture
def fonts(tmp_path):
    """Makes soundfonts of sines: fonts('good', 'hang') gives their arguments; each has a piano, or
    what is asked for."""

    def make(*names, preset=(0, 0)):
        for name in names:
            writer.write_soundfont(
                tmp_path / f"{name}.sf2", [sine_zone()], title=name, copyright="CC0", preset=preset
            )
        return [f"{name}={tmp_path / name}.sf2" for name in names]

    return make


@pytest.fixture
def scores(tmp_path):
    """Writes scores of a piano part: scores('a', 'b') gives their folder."""

    def write(*names, parts=None):
        for name in names:
            path = tmp_path / "scores" / f"{name}.mid"
            path.parent.mkdir(parents=True, exist_ok=True)
            write_midi(path, parts or [part(*NOTES, name="Piano")], seconds=3)
        return tmp_path / "scores"

    return write


def render(*words):
    return main(["render", *map(str, words)])


def made(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.flac"))


def samples(path):
    return soundfile.read(path, dtype="float32", always_2d=True)[0]


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
        ("hang", "fluidsynth took longer than 10 s (--time-limit-seconds)"),
        ("endless", "fluidsynth does not end"),
        ("fail", "fluidsynth failed with exit code 1: fluidsynth: error: no memory for voices"),
        ("silent", "is silent on the notes of piano"),
    ],
)
def test_trouble_is_named_and_the_others_are_rendered(
    tmp_path, scores, fonts, stand_in, capsys, trouble, words
):
    folder = scores("a", "b")
    limit = ("--time-limit-seconds", 10 if trouble == "hang" else 60)
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


# Plans: nothing is played.

LINE = tuple((k / 2, k / 2 + 0.5, 70 + k % 5) for k in range(20))
CHORDS = tuple((k / 2, k / 2 + 0.5, pitch) for k in range(20) for pitch in (45, 60, 64))


def a_font(name, *presets):
    return SoundFont(
        name=name, path=Path(f"{name}.sf2"), presets=frozenset(presets), title="", copyright=""
    )


GENERAL = a_font("general", *((0, program) for program in range(128)), (128, 0))


def plan_of(folder, fonts=(GENERAL,), **settings):
    return make_plan(find_scores({"set": folder}), fonts, RenderSettings(**settings))


def test_any_class_that_suits_gets_as_much_as_the_others(scores):
    parts = [part(*LINE, name="Melody"), part(*CHORDS, name="Piano")]
    folder = scores(*(f"s{number:02d}" for number in range(24)), parts=parts)
    plan = plan_of(
        folder, classes=("violin", "flute", "organ", "bass", "drums"), assign="any", targets=()
    )
    assert set(plan.seconds) == {"violin", "flute", "organ", "bass", "drums"}
    shares = [plan.seconds[name] for name in ("violin", "flute", "organ", "bass")]
    assert max(shares) < 1.2 * min(shares)
    assert plan.seconds["drums"] == 0  # no part is one, and none is made into one
    lines = {job.stems[0].class_name for job in plan.jobs if job.stems[0].parts == (0,)}
    assert lines == {"violin", "flute"}


def test_soundfonts_take_turns_in_each_class(scores):
    folder = scores(*(f"s{number:02d}" for number in range(12)))
    plan = plan_of(folder, [a_font(name, (0, 0)) for name in ("one", "two", "three")])
    used = [job.stems[0].soundfont for job in plan.jobs]
    assert {used.count(name) for name in ("one", "two", "three")} == {4}


def test_a_plan_stops_when_every_class_has_its_minutes(scores):
    folder = scores(*(f"s{number:02d}" for number in range(30)), parts=[part(*LINE, name="Melody")])
    plan = plan_of(folder, assign="any", classes=("violin", "flute"), minutes=1.0)
    assert all(60 <= seconds < 75 for seconds in plan.seconds.values())
    assert plan.jobs == plan_of(folder, assign="any", classes=("violin", "flute"), minutes=1.0).jobs


def test_only_the_selected_parts_are_played(scores):
    folder = scores("a", parts=[part(*LINE, name="MELODY"), part(*CHORDS, name="Piano left")])
    assert [job.stems[0].parts for job in plan_of(folder, parts=("piano*",)).jobs] == [(1,)]
    plan = plan_of(folder, [a_font("violin", (0, 40))])
    assert (plan.jobs, plan.left_out) == ([], 2)


def test_versions_of_a_piece_stay_in_one_split():
    settings = RenderSettings(valid_share=0.3, test_share=0.2)
    splits = [split_of(f"set/{number}", settings) for number in range(2000)]
    shares = {name: splits.count(name) / 2000 for name in ("train", "valid", "test")}
    assert shares == pytest.approx({"train": 0.5, "valid": 0.3, "test": 0.2}, abs=0.04)


def test_a_song_gives_every_part_an_instrument_of_its_own_as_long_as_there_are_enough(scores):
    folder = scores("a", parts=[part(*LINE, name=str(number)) for number in range(3)])
    plan = plan_of(folder, layout="multitrack", assign="any", classes=("violin", "flute"))
    (job,) = plan.jobs
    assert sorted(stem.class_name for stem in job.stems) == ["flute", "violin"]
    assert sorted(number for stem in job.stems for number in stem.parts) == [0, 1, 2]
    # one tempo, one key
    assert len({performance[:2] for stem in job.stems for performance in stem.performances}) == 1


def test_in_a_song_who_can_be_only_one_instrument_chooses_first(scores):
    folder = scores("a", parts=[part(*LINE, name="Melody"), part(*CHORDS, name="Chords")])
    (job,) = plan_of(folder, layout="multitrack", assign="any", classes=("piano", "violin")).jobs
    assert {stem.class_name: stem.parts for stem in job.stems} == {"piano": (1,), "violin": (0,)}


def test_settings_out_of_range_are_refused():
    for wrong in (
        {"versions": 0},
        {"valid_share": 1.0},
        {"workers": 0},
        {"minutes": -1.0},
        {"peak_db": 1.0},
    ):
        with pytest.raises(ConfigError, match=next(iter(wrong))):
            RenderSettings(**wrong)


# The real synthesizers, as far as they are here.


def real(name, here):
    return pytest.param(name, marks=pytest.mark.skipif(not here, reason=f"{name} is not installed"))


@pytest.mark.parametrize(
    "synthesizer",
    [
        real("fluidsynth", shutil.which("fluidsynth")),
        real("tinysoundfont", find_spec("tinysoundfont")),
    ],
)
def test_a_real_synthesizer_plays_the_right_pitch_at_the_right_time(
    tmp_path, scores, fonts, synthesizer
):
    words = (
        "--soundfont",
        *fonts("sines"),
        *PLAIN[:-2],
        "--synthesizer",
        synthesizer,
        "--workers",
        1,
    )
    folder = scores("a")
    for name in ("x", "y"):
        assert render(folder, *words, "--output", tmp_path / name) == 0
    (one,), (two,) = (
        [tmp_path / name / file for file in made(tmp_path / name)] for name in ("x", "y")
    )
    assert one.read_bytes() == two.read_bytes()
    sound = samples(one).mean(axis=1)
    for start, _, pitch in NOTES:
        around = np.abs(sound[int((start - 0.1) * 44100) : int((start + 0.1) * 44100)])
        late = np.argmax(around > 0.1 * around.max()) / 44100 - 0.1
        # fluidsynth moves in blocks of 64 samples, and is two of them behind
        assert abs(late) < 0.005
        note = sound[int((start + 0.05) * 44100) : int((start + 0.4) * 44100)]
        frequency_hz = (
            np.argmax(np.abs(np.fft.rfft(note * np.hanning(len(note)), 1 << 18)))
            * 44100
            / (1 << 18)
        )
        assert 1200 * np.log2(frequency_hz / (440 * 2 ** ((pitch - 69) / 12))) == pytest.approx(
            0, abs=3
        )
