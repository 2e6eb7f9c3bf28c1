"""The JAX trainer takes the steps of S-SepGAN on TensorFlow, on mixtures like the pipeline's.

Tests with JAX need it beside TensorFlow, or an interpreter with it in TFSEPGAN_JAX_PYTHON.
"""

import json

import numpy as np
import pytest
from jax_for_tests import JAX_PYTHON, run, with_jax
from tools_for_tests import from_tools

from tfsepgan import systems
from tfsepgan.models.saved import open_model

STEPS = """
import json, sys
import numpy as np
from pathlib import Path
from jax_state import read_state, resume, write_model, write_state
from jax_trainer import Trainer, experiment_of
here = Path(sys.argv[1])
settings = json.loads((here / "settings.json").read_text())
trainer = Trainer(experiment_of("tiny", settings))
saved = np.load(here / "given.npz")
trainer.start_from([saved[f"weight{k}"] for k in range(len(trainer.generator.variables))])
logs = []
for step in range(5):
    if step == 3:  # interrupted and resumed
        write_state(here, trainer, 30_000)
        assert read_state(here)[1]["parts"] == len(list(here.glob("state-3-*.npz"))) > 1
        if "generator.kind=tfc_tdf" in settings:
            trainer = Trainer(experiment_of("tiny", settings))
            resume(trainer, [None, here])
            assert trainer.progress["step"] == 3
    losses = trainer.step(saved[f"mixture{step}"], saved[f"sources{step}"])
    logs.append({name: float(value) for name, value in losses.items()})
weights = trainer._in_order(trainer.state["trainable"], trainer.state["untrained"])
arrays = {f"weight{k}": np.asarray(v) for k, v in enumerate(weights)}
arrays |= {f"mean{k}": np.asarray(v) for k, v in enumerate(trainer.state["mean"])}
np.savez(here / "after.npz", **arrays)
(here / "logs.json").write_text(json.dumps(logs))
write_model(here, trainer.experiment, trainer.state["mean"], {"steps": 5})
"""
CHANGES = [
    *(
        "paired_loss=mse",
        "paired_weight=100.0",
        "identity_share=0.5",
        "level_dbfs=-20.0",
        "window=2048",
        "batch=2",
    ),
    *("schedule=cosine", "warmup_steps=2", "clip_norm=0.5", "ema=0.9", "betas=[0.8,0.99]"),
]
KINDS = [
    [],
    ["generator.kind=tfc_tdf", "generator.channels=8", "generator.blocks=2"],
    ["generator.kind=band_split", "generator.channels=8", "generator.blocks=2"],
]


@with_jax
@pytest.mark.parametrize("kind", KINDS, ids=["filterbank", "tfc_tdf", "band_split"])
def test_five_steps_are_those_of_ssepgan_on_tensorflow(kind, tmp_path):
    changes = [*CHANGES, *kind]
    system = systems.build(from_tools("jax_trainer").experiment_of("tiny", changes))
    system.compile()
    random, given = np.random.default_rng(0), {}
    given |= {f"weight{k}": np.asarray(v) for k, v in enumerate(system.generator.variables)}
    for step in range(5):
        sources = 0.1 * random.standard_normal((2, 1, 2048, 1)).astype(np.float32)
        given[f"sources{step}"] = sources
        given[f"mixture{step}"] = sources[:, 0] + 0.1 * random.standard_normal((2, 2048, 1)).astype(
            np.float32
        )
    np.savez(tmp_path / "given.npz", **given)
    (tmp_path / "settings.json").write_text(json.dumps(changes))
    run(JAX_PYTHON, STEPS, tmp_path, KERAS_BACKEND="jax")
    logs = json.loads((tmp_path / "logs.json").read_text())
    for step, log in enumerate(logs):
        for tracker in system.trackers.values():
            tracker.reset_state()
        wanted = system.train_step(
            {name: given[f"{name}{step}"] for name in ("mixture", "sources")}
        )
        for name, value in log.items():
            assert value == pytest.approx(float(wanted[name]), rel=1e-4), (step, name)
    with np.load(tmp_path / "after.npz") as after:
        for name, network in (("weight", system.generator), ("mean", system.ema_generator)):
            for k, variable in enumerate(network.variables):
                wanted = np.asarray(variable, np.float64)
                error = np.linalg.norm(after[f"{name}{k}"] - wanted) / max(
                    np.linalg.norm(wanted), 1e-6
                )
                assert error < 1e-4, (name, variable.path, error)
    model, manifest = open_model(tmp_path)  # as every command does
    assert (manifest.sources, manifest.trained["steps"]) == (("piano",), 5)
    mixture = given["mixture0"]
    np.testing.assert_allclose(model(mixture), system.ema_generator(mixture), atol=1e-4)
