"""mixed_float16: losses are scaled, an overflow skips a step, checkpoints hold the scale."""

import numpy as np

from tfsepgan.training.checkpoint import variables_of


def test_a_run_in_float16_scales_its_losses_and_stays_finite(light, new_run, tmp_path):
    experiment = light(precision="mixed_float16", steps=2, steps_per_epoch=2, ema=0.0)
    run = new_run(experiment, tmp_path / "run")
    optimizer = run.system.optimizers["generator"]
    optimizer.dynamic_scale.assign(128.0)
    before = run.system.generator.get_weights()
    run.train()
    assert int(optimizer.iterations) == 2  # no step was skipped
    moved = [
        np.abs(a - b).max() for a, b in zip(before, run.system.generator.get_weights(), strict=True)
    ]
    assert 0 < max(moved) < 0.1
    assert {variable.dtype for variable in run.system.generator.trainable_variables} == {"float32"}
    names = [variable.path for variable in variables_of(run.system).values()]
    assert any("dynamic_scale" in name for name in names)


def test_a_gradient_that_overflows_skips_the_step_and_halves_the_scale(light, new_run, tmp_path):
    experiment = light(precision="mixed_float16", steps=1, steps_per_epoch=1, ema=0.0)
    run = new_run(experiment, tmp_path / "run")
    optimizer = run.system.optimizers["generator"]
    optimizer.dynamic_scale.assign(2.0**100)
    before = run.system.generator.trainable_variables[0].numpy()
    run.train()
    assert int(optimizer.iterations) == 0
    assert float(optimizer.dynamic_scale) == 2.0**99
    assert np.array_equal(before, run.system.generator.trainable_variables[0].numpy())
