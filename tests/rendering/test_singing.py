"""Singers: syllables of speech on the notes of a melody."""

import numpy as np
import pytest
import soundfile

from tfsepgan.errors import ConfigError, DataError
from tfsepgan.rendering.arranging import singing
from tfsepgan.rendering.arranging.singing import FRAME_SECONDS, RATE_HZ, Singer
from tfsepgan.rendering.score import Note

NOTES = (Note(0.5, 1.0, 60, 80), Note(1.0, 1.4, 64, 80), Note(2.5, 3.5, 62, 80))


def frame(seconds):
    return round(seconds / FRAME_SECONDS)


def test_syllables_are_voiced_with_their_consonant():
    voiced = np.zeros(400, bool)
    voiced[50:90] = voiced[100:105] = voiced[200:300] = True
    found = singing.syllables(voiced)
    assert found[0] == (26, 50, 90)  # with its consonant
    assert (176, 200, 260) in found and (260, 260, 300) in found  # a long one is cut in two
    assert all(end - start >= 12 for _, start, end in found)


def test_every_note_is_one_syllable_and_rests_are_silent():
    pitch_hz = np.zeros(1000)
    for start in range(50, 950, 80):
        pitch_hz[start : start + 40] = 200.0
    spoken = singing.spoken_frames(pitch_hz, NOTES, frame(4.0), np.random.default_rng(0))
    for note in NOTES:
        sung = spoken[frame(note.start) + 1 : frame(note.end) - 30]
        assert (pitch_hz[sung] > 0).all() and (np.diff(sung) >= 0).all()
    assert (spoken[: frame(0.5) - 24] == -1).all()
    assert (spoken[frame(1.4) : frame(2.5) - 24] == -1).all()
    assert (spoken[frame(3.5) :] == -1).all()


def test_the_melody_moves_by_octaves_and_glides():
    line = singing.melody_line(NOTES, 50, frame(4.0))
    np.testing.assert_allclose([line[frame(at)] for at in (0.8, 1.3, 3.0)], [48, 52, 50])
    assert np.abs(np.diff(line)).max() < 0.5


def test_vibrato_waits_for_a_note_to_last():
    moved = singing.vibrato(NOTES, frame(4.0), np.random.default_rng(1))
    still = singing.vibrato((), frame(4.0), np.random.default_rng(1))
    np.testing.assert_array_equal(moved[frame(1.5) : frame(2.6)], still[frame(1.5) : frame(2.6)])
    assert np.abs(moved - still)[frame(3.1) : frame(3.5)].max() > 0.08


@pytest.mark.parametrize(
    "words", ["anna", "anna=x", "anna=x:high:60", "anna=x:9:60", "anna=x:1.0:200", "=x:1:60"]
)
def test_words_that_are_no_singer_are_refused(words):
    with pytest.raises(ConfigError, match="expected"):
        Singer.parse(words)


def test_a_singer_is_read_from_words():
    singer = Singer.parse("anna=some:where/anna:1.1:64")
    assert (singer.name, str(singer.speech), singer.formant, singer.note) == (
        "anna",
        "some:where/anna",
        1.1,
        64,
    )


def test_a_folder_without_speech_is_named(tmp_path):
    with pytest.raises(DataError, match="holds no recordings, so anna cannot sing"):
        Singer("anna", tmp_path, 1.0, 60).recordings()


def test_what_is_sung_has_the_pitch_of_the_melody_and_its_rests(tmp_path):
    pyworld = pytest.importorskip("pyworld")
    time = np.arange(2 * RATE_HZ) / RATE_HZ
    pulses = sum(np.cos(2 * np.pi * 150 * k * time) / k for k in range(1, 40))
    speech = 0.05 * pulses * (np.sin(2 * np.pi * 1.5 * time) > -0.3)  # six vowels
    soundfile.write(tmp_path / "a.wav", speech, RATE_HZ)
    singer = Singer("anna", tmp_path, 1.0, 60)
    sound = singing.sing(singer, NOTES, 4.0, RATE_HZ, np.random.default_rng(2))
    np.testing.assert_array_equal(
        sound, singing.sing(singer, NOTES, 4.0, RATE_HZ, np.random.default_rng(2))
    )
    assert sound.shape == (4 * RATE_HZ, 2)
    pitch_hz, _ = pyworld.dio(
        sound[:, 0].astype(np.float64), RATE_HZ, frame_period=1000 * FRAME_SECONDS
    )
    for note in NOTES:
        inside = pitch_hz[frame(note.start + 0.12) : frame(note.end - 0.12)]
        pitch = 69 + 12 * np.log2(np.median(inside[inside > 0]) / 440)
        assert pitch == pytest.approx(note.pitch, abs=0.5)
    loud = np.abs(sound).max()
    assert np.abs(sound[round(1.7 * RATE_HZ) : round(2.3 * RATE_HZ)]).max() < 0.01 * loud
