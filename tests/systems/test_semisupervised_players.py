"""The semi-supervised players: which terms train them, how often they step, what they need."""

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf
from semisupervised_for_tests import (
    CRITICS,
    batch_of,
    experiment,
    moved,
    moved_by,
    spoilt,
    step,
    weights_of,
)

from tfsepgan import systems
from tfsepgan.settings.networks import DiscriminatorConfig
from tfsepgan.settings.semisupervised import PRESETS, WINDOW_ENERGY
from tfsepgan.training.checkpoint import restore_state, save_state


def test_each_player_moves_its_own_weights_only(system_of):
    one = experiment()
    for player in (*CRITICS, "generator"):
        system = system_of(one)
        for other in set(system.optimizers) - {player}:
            system.optimizers[other].learning_rate.assign(0.0)
        which, _ = moved_by(system, batch_of(one))
        assert which == {name: name == player for name in system.players}


def test_a_critic_learns_from_solos_of_its_own_source_only(system_of):
    one, learnt = experiment(), {}
    for changed in (None, 0, 1):
        system, batch = system_of(one), batch_of(one)
        if changed is not None:
            solo = np.array(batch["solo"])
            solo[:, changed] *= 3.0
            batch["solo"] = tf.constant(solo)
        step(system, batch)
        learnt[changed] = weights_of(system)
    for changed, name in enumerate(CRITICS):
        which = moved(learnt[None], learnt[changed])
        assert {player for player in CRITICS if which[player]} == {name}


def test_critics_start_with_weights_of_their_own(system_of):
    first, second = (weights_of(system_of(experiment()))[name] for name in CRITICS)
    assert not np.array_equal(first[0], second[0])


@pytest.mark.parametrize(
    "discriminator",
    [
        {"kind": "wavegan", "spectral_norm": True},
        {"kind": "patch"},
        {"kind": "multiperiod", "periods": (2, 3)},
        {"kind": "multiresolution", "frames": (64, 128)},
    ],
    ids=lambda value: value["kind"],
)
def test_whatever_a_critic_is_its_scores_have_no_constant_and_all_else_moves(
    discriminator, system_of
):
    one = experiment(discriminator=discriminator)
    system = system_of(one)
    for critic in system.critics.values():
        held = [variable for variable in critic.weights if variable.path.endswith("score/bias")]
        assert held
        assert not any(variable.trainable or np.asarray(variable).any() for variable in held)
    before = weights_of(system)
    for seed in (0, 1):
        step(system, batch_of(one, seed))
    for player, weights in weights_of(system).items():
        assert not any(
            np.array_equal(a, b) for a, b in zip(before[player], weights, strict=True)
        ), player


@pytest.mark.parametrize(
    ("model", "unused", "moving"),
    [
        ({"supervised_weight": 0.0}, ("mixture", "sources"), {*CRITICS, "generator"}),
        (
            {"supervised_weight": 0.0, "unsupervised_weight": 0.0},
            ("mixture", "sources", "solo"),
            {"generator"},
        ),
        ({"unsupervised_weight": 0.0}, ("solo",), {"generator"}),
        (
            {"unsupervised_weight": 0.0, "additive_weight": 0.0},
            ("solo", "unlabelled"),
            {"generator"},
        ),
        (
            {"supervised_weight": 0.0, "additive_weight": 0.0},
            ("mixture", "sources"),
            {*CRITICS, "generator"},
        ),
    ],
    ids=["no labels", "additive alone", "no critics", "labels alone", "critics alone"],
)
def test_what_no_term_needs_is_not_used(model, unused, moving, system_of):
    one = experiment(model=model)
    system, batch = system_of(one), batch_of(one)
    which, log = moved_by(system, spoilt(batch, *unused))
    assert {name for name, yes in which.items() if yes} == moving
    assert all(np.isfinite(value) for value in log.values())
    for weights in weights_of(system).values():
        assert all(np.isfinite(weight).all() for weight in weights)


def test_what_a_term_needs_is_used(system_of):
    for name in ("mixture", "sources", "solo", "unlabelled"):
        one = experiment()
        assert not np.isfinite(step(system_of(one), spoilt(batch_of(one), name))["generator"]), name


def test_a_share_of_the_unlabelled_windows_is_used_and_all_labelled_ones(system_of):
    one = experiment(model={"unlabelled_share": 0.5})
    batch = batch_of(one)
    second = tf.constant([[[0.0]], [[np.nan]]])
    unused = {"unlabelled": batch["unlabelled"] + second, "solo": batch["solo"] + second[:, None]}
    assert np.isfinite(step(system_of(one), {**batch, **unused})["generator"])
    assert not np.isfinite(
        step(system_of(one), {**batch, "mixture": batch["mixture"] + second})["generator"]
    )


def test_critics_take_several_steps_for_each_of_the_separator(system_of):
    system = system_of(experiment(model={"critic_steps": 3}))
    for seed in (0, 1):
        step(system, batch_of(system.experiment, seed))
    assert {name: int(one.iterations) for name, one in system.optimizers.items()} == {
        **dict.fromkeys(CRITICS, 6),
        "generator": 2,
    }


def test_a_resumed_run_has_the_same_bits(system_of, tmp_path):
    one = experiment(
        discriminator={"kind": "patch", "window": 512}, model={"unlabelled_share": 0.5}
    )
    straight, resumed = system_of(one), system_of(one)
    for seed in range(2):
        step(straight, batch_of(one, seed))
    save_state(tmp_path, straight, {"step": 2})
    assert restore_state(tmp_path, resumed) == {"step": 2}
    assert step(straight, batch_of(one, 2)) == step(resumed, batch_of(one, 2))
    for player, weights in weights_of(straight).items():
        assert all(
            np.array_equal(a, b) for a, b in zip(weights, weights_of(resumed)[player], strict=True)
        ), player


def test_the_papers_preset_is_the_authors_code():
    paper = PRESETS["paper"]
    model, data, training = paper.model, paper.data, paper.training
    assert (model.paired_loss, model.one_sided, model.penalty_weight, model.critic_steps) == (
        "mse",
        True,
        10.0,
        5,
    )
    assert (model.unlabelled_share, model.level_dbfs) == (1.0, None)
    assert (data.sample_rate_hz, data.window, data.batch) == (8192, 64 * 256, 64)
    assert (model.generator.frame, model.generator.hop, model.discriminator.frames) == (
        512,
        256,
        (512,),
    )
    assert training.learning_rate == training.discriminator_learning_rate == 5e-5
    assert (training.betas, training.schedule, training.clip_norm, training.ema) == (
        (0.9, 0.999),
        "constant",
        None,
        0.0,
    )


def test_the_papers_weights_are_the_authors_by_the_magnitudes_of_quiet_bins():
    """In NumPy: energy of log(1 + magnitude), and of the magnitudes, over that of the waveform."""
    waveform = 1e-5 * np.random.default_rng(0).standard_normal(64 * 256 + 256)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(512) / 512)
    frames = np.lib.stride_tricks.sliding_window_view(waveform, 512)[::256] * window
    features = np.log1p(
        np.abs(np.fft.rfft(frames))[:, :256]
    )  # the authors leave out the highest bin
    assert features.shape == (64, 256)
    assert np.mean(features**2) / np.mean(waveform**2) == pytest.approx(WINDOW_ENERGY, rel=0.03)
    assert np.sum(features**2) / np.sum(waveform**2) == pytest.approx(WINDOW_ENERGY, rel=0.03)
    model = PRESETS["paper"].model
    assert model.supervised_weight == pytest.approx(1.0 * WINDOW_ENERGY)
    assert model.unsupervised_weight == pytest.approx(0.001 * np.sqrt(WINDOW_ENERGY))
    assert model.additive_weight == pytest.approx(0.001 * WINDOW_ENERGY)


@pytest.mark.parametrize("preset", ["tiny", "paper", "demo"])
def test_presets_are_settings_that_can_be_trained_with(preset):
    assert not list(systems.preset("semisupervised", preset).model.problems())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"penalty_weight": -1.0}, "penalty_weight is -1.0"),
        ({"critic_steps": 0}, "--unsupervised-weight 0 leaves the critics out"),
        (
            {"discriminator": DiscriminatorConfig(floor=0.0)},
            "discriminator.floor is 0.0; it must be above zero",
        ),
        ({"unlabelled_share": 0.0}, "unlabelled_share is 0.0; it must be above 0 and at most 1"),
        (
            {"supervised_weight": 0.0, "unsupervised_weight": 0.0, "additive_weight": 0.0},
            "nothing to learn from",
        ),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_settings_that_teach_nothing_are_refused(change, said):
    model = replace(systems.preset("semisupervised", "tiny").model, **change)
    assert any(said in problem for problem in model.problems())
