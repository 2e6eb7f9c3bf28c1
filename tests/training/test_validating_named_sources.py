"""A run of songs whose every source is named is validated on them; a source that is silent for a
while costs the others nothing."""

import io
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
import yaml
from rich.console import Console

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
    """Two seconds of sines, which are orthogonal over half a second, each silent for its first
    seconds."""
    folder.mkdir(parents=True)
    for name in SOURCES:
        samples = sine(name, 2.0)
        samples[: round((silent_seconds or {}).get(name, 0) * RATE)] = 0
        soundfile.write(folder / f"{name}.wav", samples, RATE, subtype="FLOAT")


class Leaking:
    """A system that knows the sources' pitches, and leaves a tenth of all others in each."""

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
def judged(tiny):
    """The validation of a folder of songs, and what was said."""

    def judge(folder, *sources, seconds=0.5):
        console = Console(file=io.StringIO(), width=200)
        experiment = tiny(
            data={"sources": sources}, validation_mixtures=4, validation_seconds=seconds
        )
        catalogue = scan(folder, sources=sources)
        experiment = replace(experiment, data=catalogue.settled(experiment.data))
        judge = SeparationValidator(Leaking(sources), catalogue, experiment, console)
        return judge.validate(), console.file.getvalue()

    return judge


def test_songs_whose_every_source_is_named_are_validated(tmp_path, judged):
    for name in ("one", "two"):
        write_song(tmp_path / "valid" / name)
    validation, said = judged(tmp_path, *SOURCES)
    assert validation.score == pytest.approx(20.0, abs=0.01)
    assert said == ""


def test_a_silent_source_costs_the_others_nothing(tmp_path, judged):
    write_song(tmp_path / "valid" / "one")
    write_song(tmp_path / "valid" / "two", {"vocals": 1.0})
    validation, said = judged(tmp_path, *SOURCES)
    assert validation.score == pytest.approx(20.0, abs=0.01)
    assert "1 of 2 mixtures have no score of vocals" in said and "drums" not in said
    assert "--validation-seconds above 0.5 makes them longer." in said
    _, said = judged(tmp_path, *SOURCES, seconds=1.5)
    assert said == ""


def test_nothing_to_validate_on_is_said(tmp_path, judged):
    write_song(tmp_path / "valid" / "one", {"vocals": 2.0, "bass": 2.0})
    validation, said = judged(tmp_path, *SOURCES, seconds=6.0)
    assert validation == ({}, None)
    assert "Nothing is left to validate on" in said
    assert "--validation-seconds" not in said  # the song is not longer


def test_improvements_are_of_sources_that_sound_beside_something():
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


def test_the_same_numbers_as_before_where_all_sound_beside_a_residual(tmp_path, judged):
    """One source and others: the mean over mixtures in which both sound, as ever."""
    write_song(tmp_path / "valid" / "one")
    write_song(tmp_path / "valid" / "two", {"drums": 1.0})
    validation, said = judged(tmp_path, "drums")
    assert validation.numbers["val/si_sdr_improvement_db"] == pytest.approx(20.0, abs=0.01)
    assert "1 of 2 mixtures have no score of drums, which is silent there or sounds alone." in said


def test_a_system_of_other_sources_is_an_error():
    system = SimpleNamespace(kind="search", separate=lambda mixture: mixture[:, None])
    item = Mixture(name="m", mixture=np.ones((8, 1)), sources={}, sample_rate_hz=RATE)
    with pytest.raises(ValueError, match="zip"):
        improvement_db(lambda audio: system.separate(audio[None])[0], [item], SOURCES)


def test_a_run_of_named_sources_is_the_same_run_when_it_is_opened_again(
    light, tones, new_run, tmp_path
):
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
    # its settings on recordings that have others
    with pytest.raises(ConfigError, match="others is 0 0"):
        new_run(
            replace(run.experiment, data=replace(run.experiment.data, sources=("piano",))),
            tmp_path / "b",
            of=catalogue,
        )
