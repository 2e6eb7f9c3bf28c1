"""Songs with every source named validate a run; a silent source affects no other score."""

import logging
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
import yaml

from tfsepgan.data.recordings.catalogue import scan
from tfsepgan.data.references.fixed_mixtures import Mixture
from tfsepgan.errors import ConfigError
from tfsepgan.training.validators import SeparationValidator, improvement_db

RATE = 16000
SOURCES = ("drums", "bass", "vocals")
PITCHES_HZ = dict(zip(SOURCES, (220.0, 330.0, 550.0), strict=True))


def sine(name: str, seconds: float) -> np.ndarray:
    return 0.2 * np.sin(2 * np.pi * PITCHES_HZ[name] * np.arange(round(seconds * RATE)) / RATE)


def write_song(folder, silent_seconds=None):
    """Two seconds of sines that are orthogonal over half a second, with silent first seconds."""
    folder.mkdir(parents=True)
    for name in SOURCES:
        samples = sine(name, 2.0)
        samples[: round((silent_seconds or {}).get(name, 0) * RATE)] = 0
        soundfile.write(folder / f"{name}.wav", samples, RATE, subtype="FLOAT")


class Leaking:
    """Separates sines of known pitch and leaves a tenth of the other sources in each."""

    kind = "search"

    def __init__(self, sources):
        self.sources = sources

    def separate(self, mixture):
        time = mixture.shape[1]
        estimates = []
        for name in self.sources:
            wave = sine(name, time / RATE)
            own = wave * (mixture[0, :, 0] @ wave) / (wave @ wave)
            estimates.append(own + 0.1 * (mixture[0, :, 0] - own))
        return np.array(estimates, np.float32)[None, ..., None]


@pytest.fixture
def validate_songs(tiny, caplog):
    """Validates `Leaking` on a folder of songs; returns the validation and the log."""
    caplog.set_level(logging.INFO, "tfsepgan")

    def validate(folder, *sources, seconds=0.5):
        caplog.clear()
        experiment = tiny(
            data={"sources": sources}, validation_mixtures=4, validation_seconds=seconds
        )
        catalogue = scan(folder, sources=sources)
        experiment = replace(experiment, data=catalogue.settled(experiment.data))
        validator = SeparationValidator(Leaking(sources), catalogue, experiment)
        return validator.validate(), caplog.text

    return validate


def test_songs_whose_every_source_is_named_are_validated(tmp_path, validate_songs):
    for name in ("one", "two"):
        write_song(tmp_path / "valid" / name)
    validation, printed = validate_songs(tmp_path, *SOURCES)
    assert validation.score == pytest.approx(20.0, abs=0.01)
    assert printed == ""


def test_a_silent_source_does_not_change_the_scores_of_others(tmp_path, validate_songs):
    write_song(tmp_path / "valid" / "one")
    write_song(tmp_path / "valid" / "two", {"vocals": 1.0})
    validation, printed = validate_songs(tmp_path, *SOURCES)
    assert validation.score == pytest.approx(20.0, abs=0.01)
    assert "1 of 2 mixtures have no score of vocals" in printed and "drums" not in printed
    assert "--validation-seconds above 0.5 makes them longer." in printed
    _, printed = validate_songs(tmp_path, *SOURCES, seconds=1.5)
    assert printed == ""


def test_songs_without_any_score_are_reported(tmp_path, validate_songs):
    write_song(tmp_path / "valid" / "one", {"vocals": 2.0, "bass": 2.0})
    validation, printed = validate_songs(tmp_path, *SOURCES, seconds=6.0)
    assert validation == ({}, None)
    assert "Nothing is left to validate on" in printed
    assert "--validation-seconds" not in printed  # the song is not longer


def test_a_source_that_is_silent_or_alone_has_no_improvement():
    parts = {name: sine(name, 0.5).astype(np.float32)[:, None] for name in SOURCES}
    silence = np.zeros_like(parts["bass"])

    def mixture(**changes):
        sources = {**parts, **changes}
        return Mixture(
            name="m", mixture=sum(sources.values()), sources=sources, sample_rate_hz=RATE
        )

    items = [mixture(), mixture(vocals=silence), mixture(vocals=silence, bass=silence)]
    separate = Leaking(SOURCES).separate
    gains = improvement_db(lambda audio: separate(audio[None])[0], items, SOURCES)
    wanted = np.array([[20.0, 20.0, 20.0], [20.0, 20.0, np.nan], [np.nan] * 3])
    np.testing.assert_allclose(gains, wanted, atol=0.01)


def test_one_source_beside_others_is_scored_where_both_sound(tmp_path, validate_songs):
    write_song(tmp_path / "valid" / "one")
    write_song(tmp_path / "valid" / "two", {"drums": 1.0})
    validation, printed = validate_songs(tmp_path, "drums")
    assert validation.numbers["val/si_sdr_improvement_db"] == pytest.approx(20.0, abs=0.01)
    assert (
        "1 of 2 mixtures have no score of drums, which is silent there or sounds alone." in printed
    )


def test_estimates_of_other_sources_are_an_error():
    system = SimpleNamespace(kind="search", separate=lambda mixture: mixture[:, None])
    item = Mixture(name="m", mixture=np.ones((8, 1)), sources={}, sample_rate_hz=RATE)
    with pytest.raises(ValueError, match="zip"):
        improvement_db(lambda audio: system.separate(audio[None])[0], [item], SOURCES)


def test_a_run_of_named_sources_resumes_with_the_same_settings(light, tones, new_run, tmp_path):
    sources = ("piano", "flute")
    experiment, catalogue = (
        light(data={"sources": sources}, steps=2, steps_per_epoch=2),
        scan(tones, sources=sources),
    )
    run = new_run(experiment, tmp_path / "run", of=catalogue)
    assert run.experiment.data.others == (0, 0)
    (row,) = run.train().history
    assert np.isfinite(row["val/si_sdr_improvement_db"])
    assert yaml.safe_load((tmp_path / "run" / "settings.yaml").read_text())["others"] == [0, 0]
    assert new_run(experiment, tmp_path / "run", of=catalogue).progress["step"] == 2
    # recordings with others do not fit the settings of this run
    with pytest.raises(ConfigError, match="others is 0 0"):
        new_run(
            replace(run.experiment, data=replace(run.experiment.data, sources=("piano",))),
            tmp_path / "b",
            of=catalogue,
        )
