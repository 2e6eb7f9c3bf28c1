"""The distance of notes: missing weights, the keys of tones, the order of distances."""

from importlib import metadata
from types import SimpleNamespace

import numpy as np
import pytest

from tfsepgan.errors import ConfigError, ShapeError
from tfsepgan.metrics import embedding
from tfsepgan.metrics.embedding import find_weights, note_distance, note_figures, note_gaussian

RATE = 16000
A4, C5 = 69 - 21, 72 - 21  # keys of a piano, the lowest is MIDI 21


def tone(hertz=440.0, seconds=3.0):
    time = np.arange(int(seconds * RATE)) / RATE
    return 0.2 * np.exp(-time) * sum(np.sin(2 * np.pi * hertz * k * time) / k for k in (1, 2, 3, 4))


def has_weights():
    try:
        return find_weights().is_file()
    except ConfigError:
        return False


with_weights = pytest.mark.skipif(not has_weights(), reason="basic-pitch is not installed")


def test_a_missing_package_is_a_clear_error(monkeypatch):
    def missing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(embedding.metadata, "distribution", missing)
    with pytest.raises(
        ConfigError, match="not installed; run: pip install --no-deps .basic-pitch>=0.3.1."
    ):
        find_weights()


def test_a_package_without_the_file_is_named_with_its_version(monkeypatch, tmp_path):
    monkeypatch.setattr(
        embedding.metadata,
        "distribution",
        lambda name: SimpleNamespace(locate_file=lambda file: tmp_path / file),
    )
    monkeypatch.setattr(embedding.metadata, "version", lambda name: "0.2.6")
    with pytest.raises(
        ConfigError, match="basic-pitch 0.2.6 holds no basic_pitch/saved_models.*pip install"
    ):
        find_weights()


@with_weights
def test_a_tone_is_found_at_its_key_and_its_start():
    silence = np.zeros(RATE)
    figures = note_figures(np.concatenate([silence, tone()]), RATE)
    assert (
        figures.shape == (-(-int(4 * 22050) // 256), 176)
        and figures.min() >= 0
        and figures.max() <= 100
    )
    assert figures[100:300, :88].mean(axis=0).argmax() == A4
    # a second later, in frames
    assert np.argmax(figures[:, 88 + A4]) == pytest.approx(22050 / 256, abs=3)


@with_weights
def test_windows_are_joined_without_a_seam():
    whole = note_figures(tone(seconds=5.0), RATE)
    start = RATE * 256 // 22050 * 40  # 40 frames later, apart from rounding
    shifted = note_figures(tone(seconds=5.0)[start:], RATE)
    assert np.median(np.abs(whole[60:300, A4] - shifted[20:260, A4])) < 5


@with_weights
def test_distances_are_ordered_and_volume_does_not_count():
    of_tone = note_gaussian(tone(), RATE)

    def distance(sound):
        return note_distance(of_tone, note_gaussian(sound, RATE))

    assert distance(tone()) == pytest.approx(0.0, abs=1e-3)
    assert distance(0.05 * tone()) == pytest.approx(0.0, abs=0.5)
    assert distance(np.stack([tone()] * 2, 1)) == pytest.approx(0.0, abs=1e-3)
    softly, loudly = (distance(tone() + gain * tone(523.25)) for gain in (0.1, 1.0))
    assert 1 < softly < loudly
    assert distance(np.zeros(3 * RATE)) > loudly / 2


@with_weights
def test_silence_has_no_notes_and_other_shapes_are_refused():
    assert np.isfinite(note_figures(np.zeros(RATE), RATE)).all()
    with pytest.raises(ShapeError, match="wanted .time. or .time, channels."):
        note_figures(np.zeros((1, 2, 3)), RATE)
