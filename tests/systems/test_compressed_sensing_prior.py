"""Compressed sensing with a trained prior, and settings that are refused."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
from sensing_for_tests import weights_of

from tfsepgan import systems
from tfsepgan.config import check
from tfsepgan.errors import CheckpointError, ConfigError
from tfsepgan.models.saved import load_trained, save_trained


@pytest.fixture(scope="module")
def prior(short, tmp_path_factory):
    """A trained WaveGAN of the tiny settings on short windows."""
    base, like = systems.preset("wavegan", "tiny"), short()
    system = systems.build(replace(base, data=like.data, training=like.training))
    folder = tmp_path_factory.mktemp("prior") / "model"
    save_trained(folder, system, {})
    return folder, system


@pytest.fixture(scope="module")
def with_prior(sensing_of, prior):
    def make(**changes):
        like = prior[1].config.generator
        changes = {
            "prior": str(prior[0]),
            "generator": {"latent": like.latent, "channels": like.channels},
            **changes,
        }
        return sensing_of(**changes)

    return make


@pytest.mark.parametrize("others", [False, True])
def test_a_prior_is_copied_and_not_trained(others, with_prior, prior, system_of, batch_of):
    experiment = with_prior(models_rest=others)
    system = system_of(experiment)
    system.begin(load_trained)
    wanted = weights_of(prior[1].ema_generator)
    for seed in (0, 1):
        system.train_step(batch_of(experiment, seed))
    assert set(system.players) == ({"generator", "encoder"} if others else {"encoder"})
    for network in (system.generator, system.shipped["generator"]):
        weights = weights_of(network.get_layer("maker0"))
        assert all(np.array_equal(a, b) for a, b in zip(weights, wanted, strict=True))


def test_a_saved_model_does_not_need_its_prior(with_prior, prior, tmp_path):
    there = tmp_path / "prior"
    shutil.copytree(prior[0], there)
    system = systems.build(with_prior(prior=str(there)))
    system.begin(load_trained)
    save_trained(tmp_path / "model", system, {})
    shutil.rmtree(there)
    mixture = np.random.default_rng(0).standard_normal((1, 2000, 1)).astype(np.float32)
    again = load_trained(tmp_path / "model")
    np.testing.assert_array_equal(again.separate(mixture), system.separate(mixture))
    with pytest.raises(CheckpointError):
        again.begin(load_trained)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"data": {"window": 2048}}, "window is 2048, and the prior's is 1024"),
        ({"data": {"sample_rate_hz": 8000}}, "sample_rate_hz is 8000, and the prior's is 16000"),
        ({"generator": {"latent": 9}}, "generator.latent is 9, and the prior's is 8"),
        ({"generator": {"latent": 8, "channels": 7}}, "other shapes"),
    ],
)
def test_a_prior_that_does_not_fit_is_refused(changes, message, with_prior):
    system = systems.build(with_prior(**changes))
    with pytest.raises(ConfigError, match=message):
        system.begin(load_trained)


def test_a_prior_must_make_sounds_and_be_one_sources(with_prior, sensing_of, tmp_path):
    save_trained(tmp_path / "searches", systems.build(sensing_of()), {})
    with pytest.raises(
        ConfigError, match="is a compressed_sensing model; it must be one that makes sounds"
    ):
        systems.build(with_prior(prior=str(tmp_path / "searches"))).begin(load_trained)
    with pytest.raises(ConfigError, match="prior is one generator, and there are 2 sources"):
        systems.build(with_prior(data={"sources": ("piano", "flute")}))
    with pytest.raises(ConfigError, match="take 'wavegan', or no prior"):
        check(with_prior(generator_kind="oscillators"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"adversarial_weight": 0.0, "teach_generator": False, "models_rest": False},
            "nothing to learn from",
        ),
        ({"models_rest": True, "teach_generator": False}, "models_rest"),
        ({"restarts": 0}, "restarts is 0"),
        ({"hop": 100}, "multiple of the hop"),
        ({"search_rate": 0.0}, "search_rate is 0.0"),
        ({"made_weight": -1.0}, "made_weight is -1.0"),
    ],
)
def test_settings_that_cannot_be_are_refused(changes, message, sensing_of):
    with pytest.raises(ConfigError, match=message):
        check(sensing_of(**changes))


def test_the_papers_preset_is_the_papers():
    model = systems.preset("compressed_sensing", "paper").model
    assert (model.generator.latent, model.restarts, model.iterations, model.search_rate) == (
        100,
        2,
        500,
        0.1,
    )
    assert (model.latent_weight, model.distance, model.estimate) == (0.001, "waveform", "waveform")
    assert (model.models_rest, model.teach_generator, model.paired_weight) == (False, False, 0.0)
