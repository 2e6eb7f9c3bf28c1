"""The table of systems and its errors; the learning rate over a run."""

import math

import pytest

from tfsepgan import systems
from tfsepgan.config import TrainingConfig
from tfsepgan.errors import ConfigError
from tfsepgan.settings.ssepgan import PRESETS, SSepGANConfig
from tfsepgan.systems.learning_rate import learning_rate


def test_unknown_systems_and_presets_are_named_with_the_nearest():
    with pytest.raises(ConfigError, match="no system 'sepgan'; did you mean 'ssepgan'"):
        systems.preset("sepgan", "tiny")
    with pytest.raises(
        ConfigError, match="ssepgan has no preset 'papr'; did you mean 'paper'.* There is: demo"
    ):
        systems.preset("ssepgan", "papr")


def test_the_table_gives_settings_and_presets():
    assert systems.settings_type("ssepgan") is SSepGANConfig
    assert systems.preset("ssepgan", "paper") is PRESETS["paper"]


def test_the_papers_preset_is_the_papers():
    paper = PRESETS["paper"]
    assert (paper.data.sample_rate_hz, paper.data.window, paper.data.batch, paper.data.law) == (
        16000,
        16384,
        10,
        "paper",
    )
    training, model = paper.training, paper.model
    assert (training.steps, training.learning_rate, training.betas) == (100_000, 2e-4, (0.5, 0.9))
    assert training.discriminator_learning_rate == 2e-4
    assert (model.identity_weight, model.adversarial_weight, model.paired_weight) == (
        0.5,
        1.0,
        10.0,
    )
    assert (model.objective, model.mixture_as_fake_weight, model.identity_share) == (
        "vanilla",
        1.0,
        1.0,
    )
    assert (model.generator.kind, model.generator.channels, model.generator.blocks) == (
        "resnet",
        128,
        8,
    )
    assert (model.discriminator.kind, model.discriminator.channels) == ("wavegan", 64)


def rate_at(training, step, peak=0.4):
    rate = learning_rate(training, peak)
    return float(rate(step)) if callable(rate) else rate


def test_a_constant_rate_is_a_number():
    assert rate_at(TrainingConfig(steps=100), 50) == 0.4


def test_the_warm_up_rises_linearly_and_stays():
    training = TrainingConfig(steps=100, warmup_steps=10)
    for step, expected in ((0, 0), (5, 0.2), (10, 0.4), (100, 0.4), (1000, 0.4)):
        assert rate_at(training, step) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("warmup", [0, 20])
def test_the_cosine_falls_to_a_hundredth_at_the_runs_end(warmup):
    training = TrainingConfig(steps=220, warmup_steps=warmup, schedule="cosine")
    for share in (0, 0.25, 0.5, 1):
        step = warmup + share * (220 - warmup)
        expected = 0.4 * (0.01 + 0.99 * (1 + math.cos(math.pi * share)) / 2)
        assert rate_at(training, step) == pytest.approx(expected, rel=1e-4)
    assert rate_at(training, 500) == pytest.approx(0.004, rel=1e-4)
    if warmup:
        assert rate_at(training, 10) == pytest.approx(0.2, rel=1e-4)


def test_a_run_shorter_than_its_warm_up_still_has_a_rate():
    training = TrainingConfig(steps=5, warmup_steps=10, schedule="cosine")
    assert 0 <= rate_at(training, 4) <= 0.4


def test_the_rate_of_each_player_is_its_own_and_falls_with_its_own_steps(tiny):
    training = {
        "steps": 100,
        "schedule": "cosine",
        "learning_rate": 0.4,
        "discriminator_learning_rate": 0.3,
    }
    system = systems.build(
        tiny(data={"window": 1024, "batch": 2}, model={"discriminator_steps": 3}, **training)
    )
    system.compile()
    for player, peak, steps in (("generator", 0.4, 100), ("discriminator", 0.3, 300)):
        optimizer = system.optimizers[player]
        for share in (0, 0.5, 1):
            optimizer.iterations.assign(round(share * steps))
            expected = peak * (0.01 + 0.99 * (1 + math.cos(math.pi * share)) / 2)
            assert float(optimizer.learning_rate) == pytest.approx(expected, rel=1e-4)


def test_a_player_that_steps_more_often_has_the_same_rate_at_the_same_step():
    training = TrainingConfig(steps=220, warmup_steps=20, schedule="cosine")
    slow, fast = (learning_rate(training, 0.4, steps_per_batch=steps) for steps in (1, 5))
    for step in (0, 10, 20, 100, 220):
        assert float(fast(5 * step)) == pytest.approx(float(slow(step)), rel=1e-4)
