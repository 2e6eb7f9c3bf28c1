"""What every system of the table promises training, checkpoints and export. A new line of the table
gets all of it."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import yaml

import tfsepgan
from tfsepgan import systems
from tfsepgan.config import to_dict
from tfsepgan.errors import ConfigError, ExportError
from tfsepgan.export.exporter import export_bundle
from tfsepgan.models.saved import experiment_from, open_model, save_trained, start_from
from tfsepgan.networks.table import generator_entry
from tfsepgan.separation.engine import BlockSeparator
from tfsepgan.training.checkpoint import save_state

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
here = Path(sys.argv[1])
system = systems.build(experiment_from(yaml.safe_load((here / "settings.yaml").read_text())))
system.compile()
assert restore_state(here, system) == {"step": 2}
with np.load(here / "batch.npz") as batch:
    system.train_step({key: np.asarray(batch[key]) for key in batch.files})
all_of = [*system.variables, *(v for optimizer in system.optimizers.values() for v in optimizer.variables)]
np.savez(here / "after.npz", **{f"{i:04d}": np.asarray(v) for i, v in enumerate(all_of)})
"""

SYSTEMS = sorted(systems.SYSTEMS)
SEPARATING = [name for name in SYSTEMS if systems.system_kind(name) != "synthesis"]
FOLLOWED = [name for name in SYSTEMS if systems.system_kind(name) != "search"]
EXPORTED = [name for name in SYSTEMS if systems.system_kind(name) == "generator"]


@pytest.fixture
def experiment_of(short):
    """A system's preset `tiny` on short windows."""

    def make(name):
        like = short()
        return replace(systems.preset(name, "tiny"), data=like.data, training=like.training)

    return make


@pytest.fixture
def experiment(request, experiment_of):
    """The experiment of the test's system: every one of the table, or those that the test names."""
    return experiment_of(request.param)


every_system = pytest.mark.parametrize("experiment", SYSTEMS, indirect=True)
every_separator = pytest.mark.parametrize("experiment", SEPARATING, indirect=True)
every_followed = pytest.mark.parametrize("experiment", FOLLOWED, indirect=True)


def weights_of(system):
    return {
        player: [np.asarray(v) for v in network.trainable_variables]
        for player, network in system.players.items()
    }


def all_of(system):
    return [np.asarray(variable) for variable in (*system.variables, *optimizer_variables(system))]


def optimizer_variables(system):
    return [
        variable for optimizer in system.optimizers.values() for variable in optimizer.variables
    ]


@every_separator
@pytest.mark.parametrize(("time", "channels"), [(1, 1), (1000, 2), (1024, 1)])
def test_a_mixture_becomes_sources_of_its_own_length_and_channels(
    experiment, system_of, time, channels
):
    mixture = np.random.default_rng(0).standard_normal((2, time, channels)).astype(np.float32)
    system = system_of(experiment)
    estimates = system(mixture)
    assert tuple(estimates.shape) == (2, len(experiment.data.sources), time, channels)
    alone = system(mixture[..., :1])
    np.testing.assert_allclose(estimates[..., :1], alone, atol=1e-5)


@every_system
def test_two_steps_move_every_weight_of_every_player_and_stay_finite(
    experiment, system_of, batch_of
):
    system = system_of(experiment)
    before = weights_of(system)
    assert before or system.kind == "search"  # only what is learnt without gradients has no player
    for seed in (0, 1):
        logs = system.train_step(batch_of(experiment, seed))
    assert all(np.isfinite(value) for value in logs.values())
    for player, weights in weights_of(system).items():
        for variable, new, old in zip(
            system.players[player].trainable_variables, weights, before[player], strict=True
        ):
            assert np.isfinite(new).all()
            assert not np.array_equal(new, old), f"{player} {variable.path} did not move"


@every_system
def test_a_step_in_a_graph_of_keras_is_the_step_as_it_is_written(experiment, system_of, batch_of):
    """What `fit` compiles knows no Python loops over tensors."""
    written, compiled = system_of(experiment), system_of(experiment)
    written.train_step(batch_of(experiment))
    compiled.fit(tf.data.Dataset.from_tensors(batch_of(experiment)), verbose=0)
    for one, other in zip(all_of(written), all_of(compiled), strict=True):
        np.testing.assert_allclose(one, other, atol=2e-3)


@every_system
def test_the_same_seed_gives_the_same_bits_and_another_does_not(experiment, system_of, batch_of):
    def after_two_steps(seed):
        changed = replace(experiment, data=replace(experiment.data, seed=seed))
        system = system_of(changed)
        for step in (0, 1):
            system.train_step(batch_of(changed, step))
        return all_of(system)

    one, two, other = after_two_steps(0), after_two_steps(0), after_two_steps(1)
    assert all(np.array_equal(mine, yours) for mine, yours in zip(one, two, strict=True))
    assert not all(np.array_equal(mine, yours) for mine, yours in zip(one, other, strict=True))


@every_system
def test_another_seed_draws_other_numbers(experiment, system_of):
    states = [
        system_of(replace(experiment, data=replace(experiment.data, seed=seed))).draws.state
        for seed in (3, 4)
    ]
    assert not np.array_equal(*states)


@every_system
def test_compile_builds_one_optimizer_for_each_player(experiment, system_of):
    system = system_of(experiment)
    assert set(system.optimizers) == set(system.players)
    for player, network in system.players.items():
        optimizer = system.optimizers[player]
        assert optimizer.built
        moments = [tuple(v.shape) for v in optimizer.variables if tuple(v.shape)]
        assert sorted(moments) == sorted([tuple(v.shape) for v in network.trainable_variables] * 2)
        assert tuple(np.float32([optimizer.beta_1, optimizer.beta_2])) == tuple(
            np.float32(experiment.training.betas)
        )


@every_system
def test_training_makes_no_new_variables(experiment, system_of, batch_of):
    system = system_of(experiment)
    before = len(all_of(system))
    system.train_step(batch_of(experiment))
    assert len(all_of(system)) == before


@every_system
def test_the_log_holds_the_declared_losses_and_refuses_others(experiment, system_of, batch_of):
    system = system_of(experiment)
    logs = system.train_step(batch_of(experiment))
    assert logs and set(logs) == set(system.losses_logged)
    assert [metric.name for metric in system.metrics] == list(system.losses_logged)
    first = system.losses_logged[0]
    with pytest.raises(ConfigError, match=f"logs no loss '{first}x'; did you mean '{first}'"):
        system.log(**{f"{first}x": 1.0})


@every_followed
def test_the_running_mean_follows_the_generator(experiment, system_of, batch_of):
    decay = 0.75
    changed = replace(experiment, training=replace(experiment.training, ema=decay))
    system = system_of(changed)
    assert system.ema_generator is not system.generator
    mean = [np.asarray(v) for v in system.generator.variables]
    for one, other in zip(mean, system.ema_generator.get_weights(), strict=True):
        assert np.array_equal(one, other)
    for step in range(3):
        system.train_step(batch_of(changed, step))
        now = [np.asarray(v) for v in system.generator.variables]
        # Moving statistics are averaged as weights are; a seed's state, two whole numbers, is the
        # newest.
        mean = [
            decay * m + (1 - decay) * v if v.dtype == np.float32 else v
            for m, v in zip(mean, now, strict=True)
        ]
    for variable, expected in zip(system.ema_generator.variables, mean, strict=True):
        np.testing.assert_allclose(variable, expected, atol=1e-6)


@every_followed
def test_without_a_running_mean_the_generator_itself_is_judged(experiment, system_of, batch_of):
    changed = replace(experiment, training=replace(experiment.training, ema=0.0))
    system = system_of(changed)
    system.train_step(batch_of(changed))
    assert system.ema_generator is system.generator


@pytest.mark.parametrize("experiment", EXPORTED, indirect=True)
def test_what_is_called_and_ships_is_the_running_mean(experiment, system_of, batch_of):
    system = system_of(experiment)
    system.train_step(batch_of(experiment))
    mixture = batch_of(experiment)["mixture"]
    everything = np.asarray(system.ema_generator(mixture, training=False))
    assert everything.shape[1] == system.outputs
    np.testing.assert_allclose(system(mixture), everything[:, : len(system.sources)], atol=1e-6)
    np.testing.assert_allclose(
        system.shipped(mixture), everything[:, : len(system.sources)], atol=1e-6
    )


@every_system
def test_the_gradient_is_clipped_to_its_norm(experiment, system_of):
    changed = replace(experiment, training=replace(experiment.training, clip_norm=0.5))
    for optimizer in system_of(changed).optimizers.values():
        assert optimizer.global_clipnorm == 0.5


@every_system
def test_a_system_hears_nothing_else_than_it_says(experiment, system_of, batch_of):
    system, batch = system_of(experiment), batch_of(experiment)
    logs = system.train_step({key: batch[key] for key in system.batch_keys})
    assert all(np.isfinite(value) for value in logs.values())


@every_system
def test_settings_survive_the_file(experiment):
    told = yaml.safe_load(yaml.safe_dump(to_dict(experiment)))
    assert experiment_from(told) == experiment


@every_system
def test_all_there_is_survives_in_a_new_process(experiment, system_of, batch_of, tmp_path):
    """Weights, optimizers, running means and seeds, by their bits; the next step, made there, is
    the one made here."""
    system = system_of(experiment)
    for step in (0, 1):
        system.train_step(batch_of(experiment, step))
    system.finish_epoch()
    save_state(tmp_path, system, {"step": 2})
    (tmp_path / "settings.yaml").write_text(yaml.safe_dump(to_dict(experiment)))
    third = {key: np.asarray(value) for key, value in batch_of(experiment, 2).items()}
    np.savez(tmp_path / "batch.npz", **third)
    there = subprocess.run(
        [sys.executable, "-c", GO_ON, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        env=ENVIRONMENT,
    )
    assert there.returncode == 0, there.stderr[-2000:]
    system.train_step(batch_of(experiment, 2))
    with np.load(tmp_path / "after.npz") as after:
        for index, mine in enumerate(all_of(system)):
            assert np.array_equal(after[f"{index:04d}"], mine), f"variable {index}"


@every_system
def test_what_was_learnt_is_saved_and_separates_or_sounds_the_same(
    experiment, system_of, batch_of, tmp_path
):
    system = system_of(experiment)
    system.train_step(batch_of(experiment))
    system.finish_epoch()
    save_trained(tmp_path, system, {"steps": 1})
    loaded, manifest = open_model(tmp_path)
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
    stems = tfsepgan.load(tmp_path).separate(mixture, experiment.data.sample_rate_hz)
    for estimate, name in zip(np.asarray(system(mixture[None]))[0], system.sources, strict=True):
        np.testing.assert_allclose(stems[name], estimate, atol=1e-5)


@every_system
def test_a_run_that_starts_from_a_model_learns_on_from_all_of_it(
    experiment, system_of, batch_of, tmp_path
):
    """Networks that learn take the weights too, not only those that ship: else a running mean
    drifts back to random ones."""
    trained = system_of(experiment)
    trained.train_step(batch_of(experiment))
    trained.finish_epoch()
    save_trained(tmp_path, trained, {"steps": 1})
    system = system_of(replace(experiment, data=replace(experiment.data, seed=7)))
    start_from(system, tmp_path)
    if system.kind == "search":
        ships, learns = trained.shipped, {name: getattr(system, name) for name in trained.shipped}
    else:
        ships, learns = {"generator": trained.ema_generator}, {"generator": system.generator}
    for name, network in ships.items():
        for mine, theirs in zip(
            learns[name].trainable_variables, network.trainable_variables, strict=True
        ):
            np.testing.assert_array_equal(mine, theirs, err_msg=name)


@every_separator
def test_blocks_equal_one_pass(experiment, system_of, batch_of):
    """A signal of several blocks, with context and discard, and the same in one pass."""
    system = system_of(experiment)
    for step in (0, 1):
        system.train_step(batch_of(experiment, step))
    system.finish_epoch()
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
def test_it_exports_in_parity_or_says_why_not(experiment, system_of, tmp_path):
    system = system_of(experiment)
    save_trained(tmp_path / "model", system, {})
    audio = 0.1 * np.random.default_rng(0).standard_normal(
        (experiment.data.sample_rate_hz // 2, 1)
    ).astype(np.float32)
    if system.why_not_exported:
        assert system.kind == "search"
        with pytest.raises(ExportError) as error:
            export_bundle(open_model(tmp_path / "model"), tmp_path / "out", audio)
        assert system.why_not_exported in str(error.value)
        assert not (tmp_path / "out").exists()
    else:
        figures = export_bundle(open_model(tmp_path / "model"), tmp_path / "out", audio)
        assert (
            figures["saved_model"] < 1e-4
            and figures["tflite"] < 1e-4
            and figures["tflite_fp16"] < 1e-2
        )


def test_a_new_system_takes_one_class_and_one_line(monkeypatch, tones, tmp_path):
    """A toy that only scales the mixture is trained, resumed, scored and exported by the command
    that trains all."""
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
    assert main([*arguments, "--test-seconds", "1"]) == 0  # nothing is left to do, and it says so
