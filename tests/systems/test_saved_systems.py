"""What every system of the table does in checkpoints, saved models, blocks and export."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from contract_for_tests import all_of, every_separator, every_system, variables_of

import tfsepgan
from tfsepgan import systems
from tfsepgan.config import to_dict
from tfsepgan.errors import ExportError
from tfsepgan.export.exporter import export_bundle
from tfsepgan.models.saved import experiment_from, open_model, start_from
from tfsepgan.networks.table import generator_entry
from tfsepgan.separation.engine import BlockSeparator
from tfsepgan.training.checkpoint import restore_state, save_state

ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": str(Path(tfsepgan.__file__).parent.parent),
    "TF_CPP_MIN_LOG_LEVEL": "3",
}


GO_ON = """
import sys
from pathlib import Path
import numpy as np
import yaml
from tfsepgan import systems
from tfsepgan.models.saved import experiment_from
from tfsepgan.training.checkpoint import restore_state
for here in map(Path, sys.argv[1:]):
    system = systems.build(experiment_from(yaml.safe_load((here / "settings.yaml").read_text())))
    system.compile()
    assert restore_state(here, system) == {"step": 2}
    with np.load(here / "batch.npz") as batch:
        system.train_step({key: np.asarray(batch[key]) for key in batch.files})
    optimizers = [variable for one in system.optimizers.values() for variable in one.variables]
    all_of = [*system.variables, *optimizers]
    np.savez(here / "after.npz", **{f"{i:04d}": np.asarray(v) for i, v in enumerate(all_of)})
"""


@every_system
def test_settings_survive_the_file(experiment):
    saved = yaml.safe_load(yaml.safe_dump(to_dict(experiment)))
    assert experiment_from(saved) == experiment


@every_system
def test_a_checkpoint_restores_everything(experiment, stepped, system_of, batch_of, tmp_path):
    """Weights, optimizers, running means and seeds: the next step has the same bits.

    The other system has started from another seed.
    """
    third, system = batch_of(experiment, 2), stepped.system
    other = system_of(replace(experiment, data=replace(experiment.data, seed=7)))
    before = all_of(system)
    save_state(tmp_path, system, {"step": 2})
    assert restore_state(tmp_path, other) == {"step": 2}
    other.train_step(third)
    system.train_step(third)
    for index, (mine, theirs) in enumerate(zip(all_of(system), all_of(other), strict=True)):
        assert np.array_equal(mine, theirs), f"variable {index}"
    for variable, value in zip(variables_of(system), before, strict=True):
        variable.assign(value)  # other tests use the system


def test_a_checkpoint_restores_everything_in_a_new_process(
    experiment_of, stepped_systems, batch_of, tmp_path
):
    """Nothing is left in the memory of the first process that the next step needs."""
    expected = {}
    for name in ("cyclegan", "gass"):  # with past fakes; with other first steps
        experiment, here = experiment_of(name), tmp_path / name
        here.mkdir()
        system = stepped_systems[name].system
        before = all_of(system)
        save_state(here, system, {"step": 2})
        (here / "settings.yaml").write_text(yaml.safe_dump(to_dict(experiment)))
        third = batch_of(experiment, 2)
        np.savez(here / "batch.npz", **{key: np.asarray(value) for key, value in third.items()})
        system.train_step(third)
        expected[here] = all_of(system)
        for variable, value in zip(variables_of(system), before, strict=True):
            variable.assign(value)  # other tests use the system
    there = subprocess.run(
        [sys.executable, "-c", GO_ON, *map(str, expected)],
        capture_output=True,
        text=True,
        check=False,
        env=ENVIRONMENT,
    )
    assert there.returncode == 0, there.stderr[-2000:]
    for here, variables in expected.items():
        with np.load(here / "after.npz") as after:
            for index, mine in enumerate(variables):
                assert np.array_equal(after[f"{index:04d}"], mine), f"{here.name}, variable {index}"


@every_system
def test_a_saved_model_separates_or_sounds_the_same(experiment, stepped, batch_of):
    system = stepped.system
    loaded, manifest = open_model(stepped.model)
    assert (manifest.system, manifest.kind, manifest.sources) == (
        experiment.system,
        system.kind,
        system.sources,
    )
    if system.kind == "synthesis":
        np.testing.assert_allclose(
            loaded.generate(2, seed=1), system.generate(2, seed=1), atol=1e-6
        )
        return
    mixture = np.asarray(batch_of(experiment)["mixture"])[0]
    stems = tfsepgan.load(stepped.model).separate(mixture, experiment.data.sample_rate_hz)
    for estimate, name in zip(np.asarray(system(mixture[None]))[0], system.sources, strict=True):
        np.testing.assert_allclose(stems[name], estimate, atol=1e-5)


@every_system
def test_a_run_that_starts_from_a_model_has_all_its_weights(experiment, stepped, system_of):
    """Trained networks get the weights too, else the running mean drifts back to random ones."""
    trained = stepped.system
    system = system_of(replace(experiment, data=replace(experiment.data, seed=7)))
    start_from(system, stepped.model)
    if system.kind == "search":
        saved, started = trained.shipped, {name: getattr(system, name) for name in trained.shipped}
    else:
        saved, started = {"generator": trained.ema_generator}, {"generator": system.generator}
    for name, network in saved.items():
        for one, other in zip(
            started[name].trainable_variables, network.trainable_variables, strict=True
        ):
            np.testing.assert_array_equal(one, other, err_msg=name)


@every_separator
def test_blocks_equal_one_pass(experiment, stepped):
    """A signal of several blocks, with context and discard, against one pass."""
    system = stepped.system
    if system.kind == "search":
        network, hop, context = system.separate, system.hop, system.context
    else:
        network = lambda mixture: np.asarray(system.shipped(mixture, training=False))  # noqa: E731
        line = generator_entry(experiment.model.generator.kind)
        hop, context = (
            line.hop(experiment.model.generator),
            line.context(experiment.model.generator),
        )
    block = -(-4 * max(context, hop) // hop) * hop
    mixture = 0.1 * np.random.default_rng(5).standard_normal(
        (1, 2 * block + 2 * context + 77, 1)
    ).astype(np.float32)
    engine = BlockSeparator(
        network, channels=1, sources=len(system.sources), hop=hop, context=context, block=block
    )
    blocks = np.concatenate([*engine.push(mixture[0]), *engine.finish()], axis=1)
    np.testing.assert_allclose(blocks, network(mixture)[0], atol=2e-5)


@every_separator
def test_it_exports_in_parity_or_says_why_not(experiment, stepped, tmp_path):
    system = stepped.system
    audio = 0.1 * np.random.default_rng(0).standard_normal(
        (experiment.data.sample_rate_hz // 2, 1)
    ).astype(np.float32)
    if system.why_not_exported:
        assert system.kind == "search"
        with pytest.raises(ExportError) as error:
            export_bundle(open_model(stepped.model), tmp_path / "out", audio)
        assert system.why_not_exported in str(error.value)
        assert not (tmp_path / "out").exists()
    else:
        figures = export_bundle(open_model(stepped.model), tmp_path / "out", audio)
        assert (
            figures["saved_model"] < 1e-4
            and figures["tflite"] < 1e-4
            and figures["tflite_fp16"] < 1e-2
        )


def test_a_new_system_takes_one_class_and_one_line(monkeypatch, step_by_step, tones, tmp_path):
    """A toy system is trained, resumed, scored and exported by the same command."""
    from toy_system import TOY

    from tfsepgan.cli.train import main

    monkeypatch.setitem(systems.SYSTEMS, "toy", TOY)
    run = tmp_path / "run"
    arguments = [
        "--system",
        "toy",
        "--preset",
        "tiny",
        "--data",
        str(tones),
        "--run",
        str(run),
        "--test-mixtures",
        "1",
    ]
    assert main([*arguments, "--test-seconds", "1"]) == 0
    report = json.loads((run / "test" / "report.json").read_text())
    assert report
    assert (run / "exported" / "tiny" / "tiny.tflite").is_file()
    assert main([*arguments, "--test-seconds", "1", "--no-finish"]) == 0  # a finished run
