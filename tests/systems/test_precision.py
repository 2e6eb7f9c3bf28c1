"""mixed_float16: losses are scaled, an overflow skips a step, checkpoints hold the scale."""

import numpy as np
import pytest

from tfsepgan import systems
from tfsepgan.models.keras_state import built_in
from tfsepgan.training.checkpoint import variables_of


@pytest.fixture
def stepped(short, batch_of):
    """Takes a step in float16 from a scale; gives the system and its generator's weights before."""

    def step(scale: float):
        model = {"adversarial_weight": 0.0, "identity_weight": 0.0}
        experiment = short(precision="mixed_float16", model=model)
        with built_in("mixed_float16"):
            system = systems.build(experiment)
            system.compile()
        system.optimizers["generator"].dynamic_scale.assign(scale)
        before = system.generator.get_weights()
        system.train_step(batch_of(experiment))
        return system, before

    return step


def moved(system, before) -> float:
    after = system.generator.get_weights()
    return max(np.abs(a - b).max() for a, b in zip(before, after, strict=True))


def test_a_step_divides_gradients_by_the_scale_of_the_loss(stepped):
    small, large = stepped(64.0), stepped(256.0)
    for system, before in (small, large):
        assert int(system.optimizers["generator"].iterations) == 1
        assert 0 < moved(system, before) < 0.1
        kinds = {variable.dtype for variable in system.generator.trainable_variables}
        assert kinds == {"float32"}
    inner = [system.optimizers["generator"].inner_optimizer for system, _ in (small, large)]
    moments = [optimizer.variables[3] for optimizer in inner]
    np.testing.assert_allclose(*moments, rtol=0.05, atol=1e-5)
    assert any("dynamic_scale" in one.path for one in variables_of(small[0]).values())


def test_a_gradient_that_overflows_skips_the_step_and_halves_the_scale(stepped):
    system, before = stepped(2.0**100)
    assert int(system.optimizers["generator"].iterations) == 0
    assert float(system.optimizers["generator"].dynamic_scale) == 2.0**99
    names = {variable.path for variable in system.generator.trainable_variables}
    after = {one.path: np.asarray(one) for one in system.generator.variables}
    start = dict(zip((one.path for one in system.generator.variables), before, strict=True))
    assert all(np.array_equal(after[name], start[name]) for name in names)
