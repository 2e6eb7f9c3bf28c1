"""Odd names through `tfsepgan-separate`: every recording gets its own stems, and no others."""

import json
import os
import re
import unicodedata
from collections import Counter
from pathlib import Path, PurePosixPath

import numpy as np
import pytest
import soundfile

from tfsepgan.separation.inputs import find_inputs
from tfsepgan.separation.naming import names_in, safe_name

RATE_HZ = 8000
STEMS = {"piano.wav", "residual.wav"}
WORDS = (
    *("song", "Song", "SONG", "piano.wav", "residual", "take 1.5", "夜想曲", "straße", "strasse"),
    *("Étude", unicodedata.normalize("NFD", "Étude"), "étude", "Å", "\u212b", "ﬁn", "fin"),
    *("con", "NUL", "com1", "LPT9 ", "aux.tar", "com²", "a:b", "a?b", "a*b", "a_b", "a\\b", "a|b"),
    *("-", "-o", "--help", "~", "$HOME", "%s", "{track}", "[red]", "'", '"', "a\nb", "a\tb"),
    *("a\x1b[31mb", "a\x9bb", "a\u2028b", "a\u202eb", "latin1_\udce9", "latin1_\udce8", "e\u0301"),
    *(
        "x" * 120,
        "é" * 60,
        "x" * 119 + "y",
        "...",
        "a.",
        "a .",
        "a",
        " a",
        "a ",
        "a  ",
        "_a",
        "a 2",
    ),
)
ENDINGS = (".wav", ".WAV", ".Wav", ".flac", ".wav.wav", ".flac.wav", " .wav", "..wav", ".mp3.wav")
WINDOWS_REFUSES = re.compile(
    r'[\x00-\x1f<>:"/\\|?*]|[. ]$|^(con|prn|aux|nul|(com|lpt)[1-9²])\s*(\.|$)', re.IGNORECASE
)


def odd_names(count: int, seed: int = 17) -> list[str]:
    """Relative paths, in three folders; each is 255 bytes at most."""
    rng = np.random.default_rng(seed)
    found: set[str] = set()
    while len(found) < count:
        words = rng.choice(len(WORDS), rng.integers(1, 4))
        name = str(rng.choice(["", " ", "."])).join(WORDS[word] for word in words)
        name = name.lstrip(".") + ENDINGS[rng.integers(len(ENDINGS))]
        folder = str(rng.choice(["", "", "song/", "Song/"]))
        if not name.startswith(".") and len(os.fsencode(name)) <= 255:
            found.add(folder + name)
    return sorted(found)


def spelled(path: PurePosixPath) -> str:
    """How a disk knows a path that ignores case, and how accents are written."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", str(path)).casefold())


def write(path: Path, number: int) -> np.ndarray:
    """A recording like no other: its own samples, and its own length."""
    samples = np.random.default_rng(number).uniform(-0.3, 0.3, 400 + number).astype(np.float32)
    path.parent.mkdir(exist_ok=True)
    kind = "FLAC" if path.name.endswith("flac") else "WAV"
    with open(os.fsencode(path), "wb") as file:
        soundfile.write(file, samples, RATE_HZ, format=kind, subtype="PCM_16")
    with open(os.fsencode(path), "rb") as file:
        return soundfile.read(file, dtype="float32")[0]


def some_odd_names() -> list[str]:
    """Every third of 220 names, and all that differ only in case, accents or their endings."""
    names = odd_names(220)
    alike = Counter(without_ending(name) for name in names)
    return [
        name
        for number, name in enumerate(names)
        if number % 3 == 0 or alike[without_ending(name)] > 1
    ]


def without_ending(name: str) -> str:
    return spelled(PurePosixPath(name.rpartition(".")[0]))


def test_odd_names_get_their_own_stems(tmp_path, run):
    music, out = tmp_path / "music", tmp_path / "out"
    music.mkdir()
    names = some_odd_names()
    samples = {name: write(music / name, number) for number, name in enumerate(names)}
    assert len(samples) == len(names) > 75

    result = run("separate", music, "-o", out, "--json")
    assert result.code == 0, result.error
    lines = [json.loads(line) for line in result.out.splitlines()]
    assert len(lines) == len(names)
    files = [path for path in out.rglob("*.wav") if path.is_file()]
    assert len(files) == 2 * len(names)
    assert len({spelled(path.relative_to(out)) for path in files}) == len(files)
    for path in files:
        for part in path.relative_to(out).parts:
            assert not WINDOWS_REFUSES.search(part), part
            assert len(part.encode()) <= 255  # also: it is UTF-8
    for line in lines:
        name = os.path.relpath(line["input"], music)
        stems = [soundfile.read(path, dtype="float32")[0] for path in line["stems"].values()]
        assert {Path(path).name for path in line["stems"].values()} == STEMS
        np.testing.assert_allclose(sum(stems), samples[name], rtol=0, atol=1e-6)


def test_a_name_is_the_same_alone_and_with_others(tmp_path):
    music = tmp_path / "music"
    music.mkdir()
    for name in odd_names(300):
        (music / name.rpartition("/")[2]).touch()
    together = find_inputs([music], tmp_path / "out")
    assert len(together) > 200
    for one in together:
        assert find_inputs([one.path], tmp_path / "out") == [one]


def test_one_recording_in_three_formats_gets_three_names_whatever_is_separated(tmp_path, run):
    music = tmp_path / "music"
    music.mkdir()
    samples = np.random.default_rng(0).uniform(-0.3, 0.3, 800)
    for suffix in ("flac", "wav", "aiff"):
        soundfile.write(music / f"song.{suffix}", samples, RATE_HZ)
        assert run("separate", music / f"song.{suffix}", "-o", tmp_path / "out").code == 0
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"song", "song.wav", "song.aiff"}
    assert run("separate", music, "-o", tmp_path / "all").code == 0
    assert {path.name for path in (tmp_path / "all").iterdir() if path.is_dir()} == {
        "song.flac",
        "song.wav",
        "song.aiff",
    }


def test_stems_of_another_recording_are_not_replaced_in_silence(tmp_path, run):
    for number, folder in enumerate("ab"):
        write(tmp_path / folder / "song.wav", 4000 * number)
    first = run("separate", tmp_path / "a" / "song.wav", "-o", tmp_path / "out")
    again = run("separate", tmp_path / "a" / "song.wav", "-o", tmp_path / "out")
    assert first.code == again.code == 0 and "replaced" not in first.err + again.err
    flags = ("-o", tmp_path / "out", "--skip-existing")
    assert "is skipped" in run("separate", tmp_path / "a" / "song.wav", *flags).err
    other = run("separate", tmp_path / "b" / "song.wav", *flags)
    assert other.code == 0 and "is skipped" not in other.err
    assert "replaced the stems of another recording, of 0.05 s" in other.err


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["x" * 251 + ".wav", "x" * 250 + ".wav"], ["x" * 200, "x" * 198 + " 2"]),
        (["a.wav", "A.mp3", "a.WAV"], ["A.mp3", "a", "a 2"]),
        (["a.wav", "a.flac", "a.flac.wav"], ["a.flac 2", "a.flac", "a.wav"]),
        (["latin1_\udce9.wav"], ["latin1__"]),
        (["con .wav", "con.wav"], ["_con .wav", "_con.wav"]),
    ],
)
def test_names_of_a_folder(names, expected):
    found = names_in(names)
    assert sorted(found.values()) == sorted(expected)
    assert all(safe_name(name) == name for name in found.values())


def test_a_folder_named_like_a_stem_does_not_stand_in_its_way(tmp_path, run):
    music = tmp_path / "music"
    for number, name in enumerate(["song.wav", "song/piano.wav.wav", "song/residual.wav/a.wav"]):
        (music / name).parent.mkdir(parents=True, exist_ok=True)
        write(music / name, number)
    assert run("separate", music, "-o", tmp_path / "out").code == 0
    assert len([*(tmp_path / "out").rglob("*.wav")]) == 6
