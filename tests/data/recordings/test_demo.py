"""The demo set in the package is music without defects, and its splits have nothing in common."""

import hashlib
from itertools import combinations

import numpy as np
import pytest
import soundfile
from tools_for_tests import from_tools

from tfsepgan.data.recordings import demo
from tfsepgan.errors import DataError

FILES = sorted(demo.DIRECTORY.rglob("*.ogg"))
RATE_HZ = 16_000
FRAME = RATE_HZ // 10
MINUTES = {  # at least
    ("train", "piano"): 6,
    ("train", "rest"): 9,
    ("valid", "piano"): 1,
    ("valid", "rest"): 1.5,
    ("test", "piano"): 1.5,
    ("test", "rest"): 2.5,
}


def place(path):
    """`(split, source, instrument)` of a file; a piano's instrument is 'piano'."""
    parts = path.relative_to(demo.DIRECTORY).parts
    return parts[0], parts[1], parts[-2]


@pytest.fixture(scope="module")
def sounds():
    return {path: soundfile.read(path, dtype="float32")[0] for path in FILES}


@pytest.fixture(scope="module")
def demo_music():
    return from_tools("demo_music")


def test_the_directory_holds_the_three_splits_and_two_sources():
    assert demo.demo_directory() == demo.DIRECTORY
    assert {place(path)[:2] for path in FILES} == set(MINUTES)


def test_a_missing_split_is_an_error_that_says_what_to_do(tmp_path, monkeypatch):
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "one.ogg").touch()
    monkeypatch.setattr(demo, "DIRECTORY", tmp_path)
    with pytest.raises(DataError, match="no .ogg files for valid, test.*Install tfsepgan again"):
        demo.demo_directory()


def test_the_set_is_two_to_four_megabytes():
    assert (
        2e6 < sum(path.stat().st_size for path in demo.DIRECTORY.rglob("*") if path.is_file()) < 4e6
    )


def test_the_readme_states_origin_and_licence():
    readme = (demo.DIRECTORY / "README.md").read_text()
    assert all(
        word in readme for word in ("FluidR3", "MIT", "Frank Wen", "Apache-2.0", "make_demo_set.py")
    )


@pytest.mark.parametrize(
    "path", FILES, ids=lambda path: "/".join(path.relative_to(demo.DIRECTORY).parts)
)
def test_every_file_is_clean_music(path, sounds):
    info = soundfile.info(path)
    assert (info.samplerate, info.channels, info.format, info.subtype) == (
        RATE_HZ,
        1,
        "OGG",
        "VORBIS",
    )
    assert 20 <= info.duration <= 45
    sound = sounds[path]
    assert 0.3 < np.abs(sound).max() < 0.9  # neither faint nor clipped
    assert abs(sound.mean()) < 1e-3
    frames = sound[: len(sound) // FRAME * FRAME].reshape(-1, FRAME)
    level_db = 20 * np.log10(np.sqrt(np.mean(frames**2, axis=1)) + 1e-9)
    assert np.mean(level_db < -50) < 0.2  # rests, not silence
    assert -26 < 20 * np.log10(sound.std()) < -18


def test_minutes_of_each_split_and_source(sounds):
    seconds = dict.fromkeys(MINUTES, 0.0)
    for path, sound in sounds.items():
        seconds[place(path)[:2]] += len(sound) / RATE_HZ
    assert all(seconds[key] >= 60 * minutes for key, minutes in MINUTES.items()), seconds


def test_the_others_are_many_and_held_out_instruments_are_known_ones():
    instruments = {split: set() for split in demo.SPLITS}
    for path in FILES:
        split, source, instrument = place(path)
        if source == "rest":
            instruments[split].add(instrument)
    assert all(len(names) >= 3 for names in instruments.values())
    assert len(instruments["train"]) >= 10
    assert instruments["valid"] | instruments["test"] <= instruments["train"]


def likeness(first, second):
    """Largest absolute correlation of the first sound's opening ten seconds with any part of the
    second."""
    excerpt = first[: 10 * RATE_HZ : 4].astype(np.float64)
    other = second[::4].astype(np.float64)
    size = 1 << int(np.ceil(np.log2(len(excerpt) + len(other))))
    product = np.fft.irfft(np.fft.rfft(other, size) * np.conj(np.fft.rfft(excerpt, size)), size)
    lags = len(other) - len(excerpt) + 1
    energy = np.concatenate([[0.0], np.cumsum(other**2)])
    local = np.sqrt(energy[len(excerpt) :] - energy[: -len(excerpt)])
    return np.max(np.abs(product[:lags]) / (local * np.linalg.norm(excerpt)))


def test_likeness_finds_an_excerpt(sounds):
    sound = sounds[FILES[0]]
    assert likeness(0.3 * sound[4 * 1000 :], sound) == pytest.approx(1)


def test_no_recording_is_in_two_splits(sounds):
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in FILES]
    assert len(set(digests)) == len(FILES)
    alike = {
        (str(first), str(second)): likeness(sounds[first], sounds[second])
        for first, second in combinations(FILES, 2)
        if place(first)[0] != place(second)[0] and place(first)[2] == place(second)[2]
    }
    assert max(alike.values()) < 0.5, max(alike, key=alike.get)


def test_held_out_splits_have_keys_and_progressions_of_their_own(demo_music):
    for table in (demo_music.KEYS, demo_music.PROGRESSIONS):
        for first, second in combinations(demo.SPLITS, 2):
            assert not set(table[first]) & set(table[second])


def test_the_same_seed_composes_the_same_piece(demo_music):
    def compose(seed):
        rng = np.random.default_rng(seed)
        song = demo_music.make_song("train", rng, seconds=24, beats=4, tempo_bpm=100)
        return from_tools("demo_piano").piano(song, rng, style="rag")

    assert compose(1) == compose(1)
    assert compose(1) != compose(2)


@pytest.mark.parametrize(
    "style", ["alberti", "nocturne", "rag", "chorale", "invention", "toccata", "bach", "boogie"]
)
def test_piano_notes_can_be_played(style, demo_music):
    rng = np.random.default_rng(5)
    song = demo_music.make_song("test", rng, seconds=24, beats=4, tempo_bpm=90)
    notes = from_tools("demo_piano").piano(song, rng, style=style)
    assert all(
        21 <= note.pitch <= 108 and 0 < note.velocity < 128 and note.length > 0 for note in notes
    )
    assert max(note.start + note.length for note in notes) * 60 / 90 == pytest.approx(24, abs=6)
