"""WaveGAN's losses against their equations, the steps of its players, and its sounds."""

from dataclasses import replace

import keras
import numpy as np
import pytest

from tfsepgan import systems
from tfsepgan.errors import ConfigError
from tfsepgan.networks.table import DISCRIMINATORS
from tfsepgan.settings.networks import DiscriminatorConfig
from tfsepgan.settings.wavegan import PRESETS, WaveGANConfig

WINDOW, BATCH = 1024, 4


@pytest.fixture(scope="module")
def experiment_of():
    """The preset `tiny` with settings of the model changed by name, and of the data by `data`."""

    def make(*, data=None, **model):
        base = PRESETS["tiny"]
        values = {"window": WINDOW, "batch": BATCH, **(data or {})}
        return replace(base, model=replace(base.model, **model), data=replace(base.data, **values))

    return make


@pytest.fixture(scope="module")
def built(experiment_of):
    def make(**changes):
        system = systems.build(experiment_of(**changes))
        system.compile()
        return system

    return make


@pytest.fixture
def linear(built):
    """A system with the critic `w . x + 0.5` under 'wgan-gp', and that w `[window]`."""
    system = built(objective="wgan-gp", penalty_weight=10.0, discriminator_steps=1)
    waveform = keras.Input((WINDOW, 1))
    score = keras.layers.Dense(1)(keras.layers.Flatten()(waveform))
    system.discriminator = keras.Model(waveform, {"scores": [score], "features": []})
    slope = np.random.default_rng(3).standard_normal(WINDOW).astype(np.float32) / 16
    system.discriminator.set_weights([slope[:, None], np.array([0.5], np.float32)])
    return system, slope


def recordings(count=BATCH, sources=1, seed=0):
    noise = np.random.default_rng(seed).standard_normal((count, sources + 1, WINDOW, 1))
    return (0.1 * noise).astype(np.float32)


def fixed_latents(system, count, seed=5):
    """Fix the system's latents; returns the sounds of its generator for them, `[count, window]`."""
    latents = np.random.default_rng(seed).uniform(-1, 1, (count, system.latent)).astype(np.float32)
    system.random_latents = lambda rows: keras.ops.convert_to_tensor(latents)
    return np.asarray(system.generator(latents))[:, :, 0]


def test_the_critics_loss_is_the_equations_on_a_linear_critic(linear):
    system, slope = linear
    real = recordings()[:, 0]
    made = fixed_latents(system, BATCH)
    loss = float(system.discriminator_loss(keras.ops.convert_to_tensor(real)))
    penalty = (np.linalg.norm(slope) - 1) ** 2  # a linear critic has the same slope everywhere
    expected = np.mean(made @ slope) - np.mean(real[:, :, 0] @ slope) + 10 * penalty
    assert loss == pytest.approx(expected, rel=1e-4)
    assert float(system.trackers["penalty"].result()) == pytest.approx(penalty, rel=1e-4)


def test_the_penalty_is_nothing_when_the_slope_is_one(linear):
    system, slope = linear
    system.discriminator.set_weights(
        [slope[:, None] / np.linalg.norm(slope), np.zeros(1, np.float32)]
    )
    fixed_latents(system, BATCH)
    system.discriminator_loss(keras.ops.convert_to_tensor(recordings()[:, 0]))
    assert float(system.trackers["penalty"].result()) == pytest.approx(0, abs=1e-6)


def test_the_generators_loss_is_minus_its_mean_score(linear):
    system, slope = linear
    made = fixed_latents(system, BATCH)
    loss = float(system.generator_loss(keras.ops.convert_to_tensor(recordings()[:, 0])))
    assert loss == pytest.approx(-np.mean(made @ slope + 0.5), rel=1e-4)


def test_the_term_against_alike_sounds_is_added_with_its_weight(built):
    system = built(diversity_weight=3.0)
    real = keras.ops.convert_to_tensor(recordings()[:, 0])
    one = np.full((BATCH, system.latent), 0.5, np.float32)  # one latent: all sounds are the same
    system.random_latents = lambda rows: keras.ops.convert_to_tensor(one)
    system.discriminator = without_shuffle(system.discriminator)
    loss = float(system.generator_loss(real))
    assert float(system.trackers["diversity"].result()) == pytest.approx(1.0, abs=1e-3)
    assert loss == pytest.approx(float(system.trackers["adversarial"].result()) + 3.0, rel=1e-3)


def without_shuffle(discriminator):
    """A critic as at inference, without phase shuffle."""
    return lambda waveform, training: discriminator(waveform, training=False)


def test_latents_are_uniform_between_minus_one_and_one_and_drawn_anew(built):
    system = built()
    one, two = (np.asarray(system.random_latents(1000)) for _ in range(2))
    assert one.shape == (1000, system.latent)
    assert not np.array_equal(one, two)
    assert -1 <= one.min() < -0.99 and 0.99 < one.max() <= 1
    assert np.mean(one) == pytest.approx(0, abs=0.03) and np.var(one) == pytest.approx(
        1 / 3, abs=0.02
    )


def test_each_critic_step_uses_its_own_share_of_the_batch_then_the_generator_steps_once(built):
    system = built(discriminator_steps=2)
    shares = []
    loss = system.discriminator_loss

    def recording(real):
        shares.append(np.asarray(real))
        return loss(real)

    system.discriminator_loss = recording
    batch = recordings()
    system.train_step({"solo": keras.ops.convert_to_tensor(batch)})
    np.testing.assert_array_equal(np.concatenate(shares), batch[:, 0])
    assert [len(share) for share in shares] == [2, 2]
    steps = {player: int(optimizer.iterations) for player, optimizer in system.optimizers.items()}
    assert steps == {"discriminator": 2, "generator": 1}


def test_a_batch_that_the_critics_steps_cannot_share_is_refused(experiment_of):
    with pytest.raises(
        ConfigError, match="batch is 4 and discriminator_steps 3: .* must be a multiple"
    ):
        systems.build(experiment_of(discriminator_steps=3))


def test_diversity_needs_two_sounds_a_step(experiment_of):
    with pytest.raises(ConfigError, match="each step has one sound"):
        systems.build(experiment_of(diversity_weight=1.0, discriminator_steps=4))


def test_only_the_first_source_is_learnt(built):
    def weights_after(batch):
        system = built()
        system.train_step({"solo": keras.ops.convert_to_tensor(batch)})
        return [np.asarray(variable) for variable in system.variables]

    batch = recordings()
    other = batch.copy()
    other[:, 1] = 0.5
    assert all(
        np.array_equal(a, b)
        for a, b in zip(weights_after(batch), weights_after(other), strict=True)
    )
    other[:, 0] *= 2
    assert not all(
        np.array_equal(a, b)
        for a, b in zip(weights_after(batch), weights_after(other), strict=True)
    )


def test_recordings_are_brought_to_the_level_of_the_settings(built):
    system = built(level_dbfs=-20.0, discriminator_steps=1)
    windows = []
    loss = system.discriminator_loss
    system.discriminator_loss = lambda real: (windows.append(np.asarray(real)), loss(real))[1]
    gains = np.array([1e-3, 0.1, 1.0, 3.0], np.float32)[:, None, None, None]
    system.train_step({"solo": keras.ops.convert_to_tensor(recordings() * gains)})
    levels = 10 * np.log10(np.mean(windows[0] ** 2, axis=(1, 2)))
    np.testing.assert_allclose(levels, -20, atol=0.1)


@pytest.mark.parametrize("kind", sorted(DISCRIMINATORS))
def test_every_discriminator_of_the_table_can_be_used(kind, built):
    network = DiscriminatorConfig(
        kind=kind, channels=2, frames=(256,), periods=(3,), projections=2, levels=3
    )
    system = built(discriminator=network, objective="wgan-gp")
    before = [np.asarray(variable) for variable in system.generator.trainable_variables]
    logs = system.train_step({"solo": keras.ops.convert_to_tensor(recordings())})
    assert all(np.isfinite(float(value)) for value in logs.values())
    assert float(logs["penalty"]) > 0
    after = system.generator.trainable_variables
    assert all(not np.array_equal(old, new) for old, new in zip(before, after, strict=True))


def test_a_critic_with_a_window_of_its_own_gets_a_crop(built):
    system = built(
        data={"window": 4096}, discriminator=DiscriminatorConfig(channels=2, window=1024, levels=3)
    )
    assert system.discriminator.input_shape == (None, 1024, 1)
    logs = system.train_step(
        {"solo": keras.ops.convert_to_tensor(np.tile(recordings(), (1, 1, 4, 1)))}
    )
    assert all(np.isfinite(float(value)) for value in logs.values())


def test_a_seed_makes_the_same_sounds_and_the_first_of_more_are_those_of_fewer(built):
    system = built()
    sounds = system.generate(20, seed=1)
    assert sounds.shape == (20, WINDOW, 1) and sounds.dtype == np.float32
    assert np.abs(sounds).max() < 1
    np.testing.assert_array_equal(system.generate(20, seed=1), sounds)
    np.testing.assert_array_equal(system.generate(3, seed=1), sounds[:3])
    assert not np.array_equal(system.generate(3, seed=2), sounds[:3])
    assert len(np.unique(sounds[:, 500, 0])) == 20  # all different


def test_sounds_are_made_by_the_running_mean(built):
    system = built()
    before = system.generate(2, seed=0)
    system.generator.set_weights([weights * 0 for weights in system.generator.get_weights()])
    np.testing.assert_array_equal(system.generate(2, seed=0), before)


def test_the_papers_preset_is_the_papers():
    paper = PRESETS["paper"]
    model, data, training = paper.model, paper.data, paper.training
    assert (model.generator.latent, model.generator.channels, model.generator.kernel) == (
        100,
        64,
        25,
    )
    assert (model.generator.upsample, model.generator.start, model.generator.post_filter) == (
        "transposed",
        "glorot",
        0,
    )
    discriminator = model.discriminator
    assert (discriminator.kind, discriminator.channels, discriminator.phase_shuffle) == (
        "wavegan",
        64,
        2,
    )
    assert (model.objective, model.penalty_weight, model.discriminator_steps) == (
        "wgan-gp",
        10.0,
        5,
    )
    assert (data.sample_rate_hz, data.window, data.batch // model.discriminator_steps) == (
        16000,
        16384,
        64,
    )
    assert (training.learning_rate, training.discriminator_learning_rate, training.betas) == (
        1e-4,
        1e-4,
        (0.5, 0.9),
    )
    assert (training.ema, model.diversity_weight, model.level_dbfs) == (0, 0, None)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"penalty_weight": -1.0}, "penalty_weight is -1.0"),
        ({"diversity_weight": -1.0}, "diversity_weight is -1.0"),
        ({"discriminator_steps": 0}, "discriminator_steps is 0"),
        ({"level_dbfs": 0.0}, "level_dbfs is 0.0"),
    ],
)
def test_settings_that_cannot_be_trained_with_are_named(settings, words):
    assert [words in problem for problem in WaveGANConfig(**settings).problems()] == [True]
