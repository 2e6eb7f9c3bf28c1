"""Systems on mixtures of their sources alone: no output for others, masks share all of it."""

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from tfsepgan import systems
from tfsepgan.models.saved import open_model, save_trained

SOURCES = ("accompaniment", "vocals")
SEPARATING = [name for name in sorted(systems.SYSTEMS) if systems.system_kind(name) != "synthesis"]
MODEL_OTHERS = ("semisupervised", "decomposition")  # with one more output of the generator


@pytest.fixture
def settled(short):
    """A system's preset `tiny` on short windows, with two sources and no others."""

    def make(name, **data):
        like = short()
        data = replace(like.data, **{"sources": SOURCES, "others": (0, 0), **data})
        return replace(systems.preset(name, "tiny"), data=data, training=like.training)

    return make


@pytest.fixture
def named_batch():
    """A batch without others: mixtures are the sum of their sources, the last solo is silence."""

    def make(experiment, seed=0):
        data, random = experiment.data, np.random.default_rng(seed)
        drawn = 0.1 * random.standard_normal(
            (3, data.batch, len(data.sources), data.window, 1)
        ).astype(np.float32)
        batch = {
            "mixture": drawn[0].sum(axis=1),
            "sources": drawn[0],
            "unlabelled": drawn[1].sum(axis=1),
        }
        batch["solo"] = np.concatenate([drawn[2], np.zeros_like(drawn[2][:, :1])], axis=1)
        return {name: tf.constant(value) for name, value in batch.items()}

    return make


@pytest.mark.parametrize("name", SEPARATING)
def test_it_trains_and_has_no_output_for_others(name, settled, system_of, named_batch):
    experiment = settled(name)
    system = system_of(experiment)
    logs = [system.train_step(named_batch(experiment, seed)) for seed in (0, 1)][-1]
    system.finish_epoch()
    assert all(np.isfinite(value) for value in logs.values())
    assert not any("residual" in player for player in system.players)
    mixture = named_batch(experiment, 2)["mixture"]
    estimates = np.asarray(system(mixture))
    assert estimates.shape == (experiment.data.batch, 2, experiment.data.window, 1)
    assert np.isfinite(estimates).all()
    if system.kind == "generator":
        assert system.outputs == 2 and tuple(system.generator(mixture).shape) == estimates.shape


@pytest.mark.parametrize("name", ["nmf", "gass", "compressed_sensing"])
def test_masks_of_all_sources_give_the_whole_mixture(
    name, settled, system_of, named_batch, tmp_path
):
    experiment = settled(name)
    wanted = {"estimate": "mask"} if hasattr(experiment.model, "estimate") else {}
    experiment = replace(experiment, model=replace(experiment.model, **wanted))
    system = system_of(experiment)
    system.train_step(named_batch(experiment))
    system.finish_epoch()
    mixture = np.asarray(named_batch(experiment, 1)["mixture"])
    estimates = system.separate(mixture)
    np.testing.assert_allclose(np.sum(estimates, axis=1), mixture, atol=1e-5)
    save_trained(tmp_path / "model", system, {})
    again, manifest = open_model(tmp_path / "model")
    assert manifest.sources == SOURCES
    np.testing.assert_allclose(again.separate(mixture), estimates, atol=1e-6)


@pytest.mark.parametrize("name", MODEL_OTHERS)
@pytest.mark.parametrize("changes", [{"others": (1, 3)}, {"noise": 0.5}])
def test_others_are_modelled_where_there_are_any(name, changes, settled, system_of):
    experiment = settled(name)
    changes = (
        {"augment": replace(experiment.data.augment, **changes)} if "noise" in changes else changes
    )
    system = system_of(settled(name, **changes))
    assert system.outputs == 3 and any("residual" in player for player in system.players)
    assert system.shipped(np.zeros((1, 64, 1), np.float32)).shape[1] == 2


@pytest.mark.parametrize("name", ["nmf", "gass"])
def test_others_are_searched_only_where_there_are_any(name, settled):
    sizes = [
        sum(
            network.count_params()
            for network in systems.build(settled(name, others=others)).shipped.values()
        )
        for others in ((0, 0), (1, 3))
    ]
    assert sizes[0] * 3 == sizes[1] * 2  # two parts and three of them, all of one size


def test_a_carried_residual_is_silent_where_there_are_no_others(settled, system_of, named_batch):
    """`carry_rest` brings the residual to the level of the others, which is zero here."""
    experiment = settled("cyclegan")
    experiment = replace(
        experiment, model=replace(experiment.model, carry_rest=True, level_dbfs=-20.0)
    )
    system, batch = system_of(experiment), named_batch(experiment)
    windows = system.at_one_level(batch)
    estimate = system.unmix(windows.mixture, windows.mixture_gain)
    residual = np.asarray(system.borrowed_residual(windows, estimate))
    assert np.abs(residual).max() < 1e-3 * np.abs(np.asarray(windows.mixture)).max()
    losses = system.train_step(batch)
    assert all(np.isfinite(value) for value in losses.values())
