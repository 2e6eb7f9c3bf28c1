"""Bands from stems and singers from speech, as the piano recipe makes them."""

import numpy as np
import pytest
import soundfile
from rendering_for_tests import from_recipes

from tfsepgan.rendering.score import Note

recipe = from_recipes("bands_and_voices")
RATE_HZ = 44100


def write_tone(path, hz, *, amplitude, seconds=2.0, rate_hz=RATE_HZ):
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = amplitude * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate_hz)) / rate_hz)
    soundfile.write(path, samples, rate_hz, subtype="FLOAT", format="WAV")


def loudness_db(samples, hz):
    """Level of a tone in samples, in dB relative to full scale."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)))) * 4 / len(samples)
    place = round(hz * len(samples) / RATE_HZ)
    return 20 * np.log10(spectrum[place - 3 : place + 4].max())


def test_a_band_has_all_instruments_at_similar_levels(tmp_path):
    places = []
    for number, (hz, amplitude, rate_hz) in enumerate(
        [(200, 0.9, 44100), (900, 0.01, 48000), (3000, 0.2, 22050)]
    ):
        write_tone(tmp_path / f"{number}/a.wav", hz, amplitude=amplitude, rate_hz=rate_hz)
        places.append(recipe.recordings(tmp_path / str(number)))
    samples = recipe.band(places, np.random.default_rng(0), seconds=1.0)
    assert len(samples) == RATE_HZ
    assert np.sqrt(np.mean(samples**2)) == pytest.approx(0.1, rel=1e-6)
    levels = [loudness_db(samples, hz) for hz in (200, 900, 3000)]
    assert max(levels) - min(levels) < 2 * recipe.SPREAD_DB + 0.1
    np.testing.assert_array_equal(
        samples, recipe.band(places, np.random.default_rng(0), seconds=1.0)
    )


def test_crops_are_joined_to_the_full_length_without_silence(tmp_path):
    write_tone(tmp_path / "short.wav", 300, amplitude=0.3, seconds=0.4)
    write_tone(tmp_path / "silent.wav", 300, amplitude=0.0, seconds=0.4)
    samples = recipe.filled(recipe.recordings(tmp_path), 1.5, RATE_HZ, np.random.default_rng(1))
    assert len(samples) == round(1.5 * RATE_HZ)
    blocks = samples[: len(samples) // 2205 * 2205].reshape(-1, 2205)
    assert np.sqrt(np.mean(blocks**2, axis=1)).min() > 0.07


def test_bands_of_every_line_up_are_written(tmp_path, monkeypatch):
    monkeypatch.setattr(recipe, "BANDS", 2)
    monkeypatch.setattr(recipe, "BAND_SECONDS", 1)
    monkeypatch.setattr(recipe.band, "__defaults__", (1.0,))
    names = {name for line_up in recipe.LINE_UPS.values() for place in line_up for name in place}
    for number, name in enumerate(sorted(names)):
        write_tone(tmp_path / "stems" / name / "a.wav", 100 + 50 * number, amplitude=0.1)
    recipe.write_bands(tmp_path / "stems", tmp_path / "stems/organ", tmp_path / "out", seed=0)
    written = sorted(path.parent.name for path in (tmp_path / "out").rglob("*.flac"))
    assert written == sorted(2 * [*recipe.LINE_UPS, recipe.WITH_GUITAR])


def test_voiced_frames_are_drawn_out_and_nothing_is_left_out():
    voiced = np.array([False, True, True, False])
    samples = recipe.drawn_out(voiced, 3.0)
    assert len(samples) == int(2 * 3.0 + 2 * recipe.AS_SPOKEN)
    assert np.all(np.diff(samples) >= 0) and set(samples) == {0, 1, 2, 3}
    assert [int((samples == frame).sum()) for frame in (1, 2)] == [3, 3]


def test_a_melody_lies_around_its_middle_and_glides():
    notes = [Note(5.0, 5.5, 60, 90), Note(5.5, 6.0, 64, 90), Note(6.0, 6.5, 67, 90)]
    line = recipe.melody_line(notes, 57.0, 300)
    np.testing.assert_allclose(line[[50, 150, 250]], [53.0, 57.0, 60.0], atol=1e-9)
    assert np.abs(np.diff(line)).max() <= 4 / recipe.GLIDE + 1e-9


def test_what_is_sung_has_the_pitch_of_the_melody():
    pyworld = pytest.importorskip(
        "pyworld", reason="pyworld is not installed: what is sung is not checked"
    )
    rate, rng = recipe.VOICE_RATE_HZ, np.random.default_rng(2)
    speech = np.zeros(2 * rate)
    speech[:: rate // 130] = 1.0  # a voice of 130 Hz
    speech = np.convolve(
        speech, np.exp(-np.arange(200) / 30) * np.sin(2 * np.pi * 700 * np.arange(200) / rate)
    )[: 2 * rate]
    song = recipe.sung(speech, [Note(0.0, 30.0, 72, 90)], 1.0, 57.0, rng)
    assert len(song) > 3 * rate
    found, _ = pyworld.dio(song, rate)
    middle = found[len(found) // 4 : -len(found) // 4]
    assert np.median(middle[middle > 0]) == pytest.approx(220.0, rel=0.03)


@pytest.mark.parametrize("words", ["a=/tmp/x:1.0:60", "a=/tmp/with:colon:0.8:48"])
def test_a_singer_is_read_from_words(words):
    singer = recipe.Singer.parse(words)
    assert (
        singer.name == "a"
        and f"{singer.name}={singer.speech}:{singer.formant}:{singer.note}" == words
    )
