"""The composition: the sum of the sources, or a learned network that starts as the sum."""

from dataclasses import replace

import keras
import numpy as np
import pytest

from tfsepgan.config import check
from tfsepgan.errors import ConfigError
from tfsepgan.networks.composition import composition
from tfsepgan.settings.decomposition import PRESETS, CompositionConfig, DecompositionConfig

LEARNED = CompositionConfig(kind="learned", taps=9, channels=4)


def noise(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize("parts", [1, 2, 4])
@pytest.mark.parametrize("config", [CompositionConfig(), LEARNED], ids=["sum", "learned"])
@pytest.mark.parametrize("time", [1, 100])
def test_every_composition_starts_as_the_sum(config, parts, time):
    sources = noise(3, parts, time, 1)
    np.testing.assert_allclose(
        composition(config, parts=parts)(sources), sources.sum(axis=1), atol=1e-6
    )


def test_a_sum_has_no_weights():
    assert not composition(CompositionConfig(), parts=2).variables


def test_a_learned_composition_learns_levels_and_delays():
    """Its filters become those of the training data: 0.5 of one source, 2 of the other, 3 late."""
    sources = noise(4, 2, 400, 1)
    late = np.pad(sources[:, 1], [(0, 0), (3, 0), (0, 0)])[:, :400]
    network = composition(CompositionConfig(kind="learned", taps=9, channels=0), parts=2)
    network.compile(optimizer=keras.optimizers.Adam(0.05), loss="mse")
    for _ in range(120):
        network.train_on_batch(sources, 0.5 * sources[:, 0] + 2 * late)
    (kernel,) = network.get_layer("filters").get_weights()
    expected = np.zeros((9, 2, 1))
    expected[4, 0] = 0.5
    expected[4 - 3, 1] = 2.0
    np.testing.assert_allclose(kernel, expected, atol=0.02)


def test_a_learned_composition_can_saturate_the_sum():
    sources = noise(3, 2, 100, 1)
    network = composition(CompositionConfig(kind="learned", taps=1, channels=1), parts=2)
    for name, weights in {
        "filters": [np.zeros((1, 2, 1))],
        "bend": [np.ones((2, 1)), np.zeros(1)],
        "bent": [np.ones((1, 1))],
    }.items():
        network.get_layer(name).set_weights(weights)
    np.testing.assert_allclose(network(sources), np.tanh(sources.sum(axis=1)), atol=1e-6)


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"taps": 8}, "composition.taps is 8"), ({"channels": -1}, "composition.channels is -1")],
)
def test_an_invalid_composition_is_named(settings, message):
    assert message in next(CompositionConfig(kind="learned", **settings).problems())


@pytest.mark.parametrize(
    ("learn", "kind", "fits"),
    [
        ("decomposition", "sum", True),
        ("composition", "learned", True),
        ("both", "learned", True),
        ("decomposition", "learned", False),
        ("composition", "sum", False),
        ("both", "sum", False),
    ],
)
def test_only_a_learned_composition_is_trained(learn, kind, fits):
    found = list(
        DecompositionConfig(learn=learn, composition=CompositionConfig(kind=kind)).problems()
    )
    assert bool(found) is not fits
    assert fits or "--composition.kind" in found[0]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"parts_cycle_weight": 0.0, "mixture_cycle_weight": 0.0},
            "no loss then relates the estimates to their mixture",
        ),
        ({"parts_weight": -1.0}, "parts_weight is -1.0"),
        ({"critic_steps": 0}, "critic_steps is 0"),
    ],
)
def test_weights_that_train_nothing_are_refused(settings, message):
    assert message in " ".join(DecompositionConfig(**settings).problems())


def test_a_problem_reaches_the_check_of_a_run():
    broken = replace(PRESETS["tiny"], model=replace(PRESETS["tiny"].model, learn="decomposition"))
    with pytest.raises(ConfigError, match="--composition.kind sum"):
        check(broken)
    for preset in PRESETS.values():
        check(preset)
