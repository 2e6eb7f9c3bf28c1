"""A run of a sound generator is scored by the spectra of its sounds, and resumes exactly."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from tfsepgan.data.references.fixed_windows import fixed_windows
from tfsepgan.settings.wavegan import PRESETS
from tfsepgan.training.board import Board
from tfsepgan.training.validators import VALIDATION_SEED, WINDOWS, validator_of


@pytest.fixture
def experiment(tones):
    """The preset `tiny` of `wavegan` on the tones, on windows long enough for a few frames."""
    base = PRESETS["tiny"]
    return replace(
        base,
        data=replace(base.data, data=str(tones), window=4096, batch=2),
        training=replace(base.training, tensorboard=False, steps=4, steps_per_epoch=2),
    )


@pytest.fixture
def validator_for(experiment, catalogue, printed):
    """A validator of a system that returns every second of the given sounds, `[sounds, time]`."""

    def make(sounds, experiment=experiment, of=catalogue):
        system = SimpleNamespace(
            kind="synthesis",
            generate=lambda count, *, seed: np.asarray(sounds)[::2, :, None][:count],
        )
        return validator_of(system, of, experiment)

    return make


def windows_of(catalogue, split, source, experiment):
    data = experiment.data
    return fixed_windows(
        catalogue.splits[split][source],
        window=data.window,
        count=WINDOWS,
        sample_rate_hz=data.sample_rate_hz,
        seed=VALIDATION_SEED,
        silence_db=data.silence_db,
    )


def test_recordings_of_the_source_score_better_than_another_instrument(
    validator_for, catalogue, experiment
):
    scores = {}
    for source in ("piano", "flute"):
        validation = validator_for(windows_of(catalogue, "valid", source, experiment)).validate()
        assert validation.score == -validation.numbers["val/spectral_distance_db"]
        assert (
            validation.numbers["val/mean_spectrum_distance_db"]
            <= validation.numbers["val/spectral_distance_db"]
        )
        scores[source] = validation.score
    assert -1 < scores["piano"] <= 0  # its sounds are half of the reference windows
    assert scores["flute"] < scores["piano"] - 3


def test_without_a_valid_split_the_train_split_is_the_reference(
    validator_for, catalogue, experiment, printed
):
    alone = replace(catalogue, splits={"train": catalogue.splits["train"]})
    validator = validator_for(windows_of(catalogue, "train", "piano", experiment), of=alone)
    assert "the spectra of the train split are the reference" in printed.getvalue()
    assert validator.score_name.endswith("of the train split")
    assert validator.validate().score > -1


def test_validation_can_be_turned_off(validator_for, experiment):
    off = replace(experiment, training=replace(experiment.training, validation_mixtures=0))
    validation = validator_for(np.zeros((64, 4096)), experiment=off).validate()
    assert validation.numbers == {} and validation.score is None


def test_sounds_and_spectrograms_go_to_tensorboard(validator_for, catalogue, experiment, tmp_path):
    validator = validator_for(windows_of(catalogue, "valid", "piano", experiment))
    board = Board(tmp_path)
    validator.show(board, 3)
    board.writer.close()
    written = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"sound 0" in written and b"sounds/spectrograms" in written


def test_a_run_that_is_interrupted_and_resumed_ends_with_the_same_weights(
    experiment, new_run, interrupt_at, saved_state, tmp_path
):
    uninterrupted = new_run(experiment, tmp_path / "whole").train()
    assert uninterrupted.best["score"] < 0
    interrupt_at(3)
    assert new_run(experiment, tmp_path / "parts").train().step == 3
    interrupt_at(None)
    resumed = new_run(experiment, tmp_path / "parts").train()
    assert [row["step"] for row in resumed.history] == [2, 4]
    one, other = saved_state(tmp_path / "whole"), saved_state(tmp_path / "parts")
    assert one.keys() == other.keys()
    for name in one:
        np.testing.assert_allclose(one[name], other[name], rtol=0, atol=1e-6, err_msg=name)
