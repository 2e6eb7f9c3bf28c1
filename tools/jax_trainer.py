"""Steps of S-SepGAN without its adversary on Keras' JAX backend, and the files of such a run; see train_on_jax.

The objective, the schedule and the optimizer are the package's own (`systems.paired`, `systems.schedule`), called in a stateless scope.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from tfsepgan import systems
from tfsepgan.config import DataConfig, Experiment, TrainingConfig, check, from_dict, to_dict
from tfsepgan.errors import CheckpointError, ConfigError
from tfsepgan.files import write_whole
from tfsepgan.losses.reconstruction import multi_resolution_spectral
from tfsepgan.networks.bundle import describe, save_bundle
from tfsepgan.networks.table import build_generator
from tfsepgan.systems.listening import one_by_one
from tfsepgan.systems.paired import paired_losses, pass_of
from tfsepgan.systems.schedule import adam, learning_rate

SYSTEM = "ssepgan"


def experiment_of(preset: str, changes: list[str]) -> Experiment:
    """A preset without its adversary, with `KEY=VALUE` changes as the commands' flags name them, values as JSON or plain words.

    Raises: ConfigError for a key that there is not, or settings that cannot be trained with here.
    """
    like = systems.preset(SYSTEM, preset)
    flat = to_dict(like)
    flat |= {"adversarial_weight": 0.0, "feature_weight": 0.0}
    for change in changes:
        name, _, text = change.partition("=")
        *place, key = name.replace("-", "_").split(".")
        holder = flat
        for part in place:
            holder = holder.get(part, {})
        if key not in holder:
            raise ConfigError(f"There is no setting {name!r} in the preset {preset!r}.")
        try:
            holder[key] = json.loads(text)
        except ValueError:
            holder[key] = text
    experiment = experiment_from(flat)
    check(experiment)
    if experiment.model.adversarial_weight or experiment.model.feature_weight:
        raise ConfigError("adversarial_weight and feature_weight must be 0: this trainer has no discriminator.")
    if experiment.model.generator.kind == "resnet" and experiment.training.ema:
        raise ConfigError("A resnet's running mean has statistics of its own, which are not made here; set ema=0.")
    if experiment.data.augment.speed_semitones[1] > 11:
        raise ConfigError("augment.speed_semitones goes beyond 11; places are counted exactly up to there.")
    return experiment


def experiment_from(flat: dict[str, Any]) -> Experiment:
    """The experiment of a flat dictionary, as `config.to_dict` gives it."""
    kinds = {"data": DataConfig, "training": TrainingConfig, "model": systems.settings_type(SYSTEM)}
    sections = {
        name: from_dict(kind, {key: value for key, value in flat.items() if key in kind.__dataclass_fields__})
        for name, kind in kinds.items()
    }
    return Experiment(system=SYSTEM, preset=flat["preset"], **sections)


class Trainer:
    """A generator, its running mean and its optimizer as lists of arrays, and the compiled step that moves them on.

    Args:
      experiment: all settings.
      packed: recordings, of `jax_pack.read_pack`; None for one that is only given batches.
    """

    def __init__(self, experiment: Experiment, packed=None):
        import jax

        self.experiment, self.packed = experiment, packed
        data, training = experiment.data, experiment.training
        keras.config.set_dtype_policy(training.precision)
        keras.utils.set_random_seed(data.seed)
        self.generator = _new_generator(experiment)
        constant = replace(training, schedule="constant", warmup_steps=0)  # the rate is given to each step
        self.optimizer = adam(constant, training.learning_rate)
        self.optimizer.build(self.generator.trainable_variables)
        self.state = {"optimizer": [jax.numpy.copy(v.value) for v in self.optimizer.variables]}
        self.start_from(self.generator.get_weights())
        self.progress: dict[str, Any] = {"step": 0, "steps": training.steps, "seconds": 0.0}
        self.step_down = jax.jit(self._step, donate_argnums=0)
        self._rate = None
        if packed is not None:
            self._open_pack()

    def _open_pack(self) -> None:
        import jax
        from jax_batches import Shape, batch_of, plan_of, tables_of

        data = self.experiment.data
        faster = 2.0 ** (max(0.0, data.augment.speed_semitones[1]) / 12) if data.augment.speed else 1.0
        shape = Shape(data, len(data.sources), int(np.ceil(data.window * faster)))
        tables = jax.device_put(tables_of(data, seed=data.seed))
        audio = jax.device_put(self.packed.samples)
        key = jax.random.key(data.seed) if data.augment.active else None
        most = max(len(plan_of(self.packed, shape, step, 1)["item"]) for step in range(16))
        rows = max(8, -(-most // 8) * 8)  # one size for nearly all steps: every other one is compiled for anew
        self.plan = lambda step: plan_of(self.packed, shape, step, rows)
        make = jax.jit(
            lambda audio, tables, plan, step: batch_of(
                audio, plan, tables, None if key is None else jax.random.fold_in(key, step), shape
            )
        )
        self.batch = lambda step, plan: make(audio, tables, plan, step)

    def rate(self, step: int):
        """The learning rate of a step, by the package's schedule over the steps of this run."""
        import jax

        training = replace(self.experiment.training, steps=self.progress["steps"])
        if self._rate is None or self._rate[0] != training.steps:
            schedule = learning_rate(training, training.learning_rate)
            self._rate = training.steps, jax.jit(schedule if callable(schedule) else lambda step: 0.0 * step + schedule)
        return self._rate[1](np.float32(step))

    def losses(self, trainable, untrained, mixture, sources):
        """S-SepGAN's paired terms: the loss, then the terms by name and the generator's other variables after the pass."""
        config, generator = self.experiment.model, self.generator
        variables = [*generator.trainable_variables, *generator.non_trainable_variables]
        mapping = list(zip(variables, [*trainable, *untrained], strict=True))
        with keras.StatelessScope(state_mapping=mapping) as scope:
            passed = pass_of(generator, mixture, sources, config, batch=self.experiment.data.batch)
            total, terms = paired_losses(passed.estimate, passed.target, passed.identity, config)
            if config.spectral_weight:
                windows = one_by_one(passed.target), one_by_one(passed.estimate)
                terms["spectral"] = multi_resolution_spectral(*windows)
                total += config.spectral_weight * terms["spectral"]
            after = [scope.get_current_value(variable) for variable in generator.non_trainable_variables]
        return total, ({"generator": total, **terms}, after)

    def _step(self, state, mixture, sources, rate):
        import jax

        slope = jax.value_and_grad(self.losses, has_aux=True)
        (_, (losses, untrained)), gradients = slope(state["trainable"], state["untrained"], mixture, sources)
        of_rate = [v.path.endswith("learning_rate") for v in self.optimizer.variables]
        optimizer = [rate if is_rate else value for is_rate, value in zip(of_rate, state["optimizer"], strict=True)]
        trainable, optimizer = self.optimizer.stateless_apply(optimizer, gradients, state["trainable"])
        now = self._in_order(trainable, untrained)
        decay = self.experiment.training.ema
        mean = [
            mean * decay + value * (1.0 - decay) if keras.backend.is_float_dtype(value.dtype) else value
            for mean, value in zip(state["mean"], now, strict=True)
        ]
        return {"trainable": trainable, "untrained": untrained, "optimizer": optimizer, "mean": mean}, losses

    def start_from(self, weights: list[np.ndarray]) -> None:
        """Begin with other weights, in the order of the generator's variables; the optimizer stays as it is."""
        import jax

        self.generator.set_weights(weights)
        for name in ("trainable", "untrained", "mean"):
            of = {"trainable": self.generator.trainable_variables, "untrained": self.generator.non_trainable_variables}
            self.state[name] = [jax.numpy.copy(v.value) for v in of.get(name, self.generator.variables)]

    def _in_order(self, trainable, untrained) -> list:
        """Values in the order of the generator's variables."""
        split = (self.generator.trainable_variables, trainable), (self.generator.non_trainable_variables, untrained)
        values = {id(v): value for variables, of in split for v, value in zip(variables, of, strict=True)}
        return [values[id(variable)] for variable in self.generator.variables]

    def move(self, mixture, sources):
        """One step on a batch; gives its losses, which are not waited for."""
        self.state, losses = self.step_down(self.state, mixture, sources, self.rate(self.progress["step"]))
        self.progress["step"] += 1
        return losses


def _new_generator(experiment: Experiment) -> keras.Model:
    data = experiment.data
    return build_generator(experiment.model.generator, sources=len(data.sources), sample_rate_hz=data.sample_rate_hz)


def write_state(directory: Path, trainer: Trainer, part_bytes: int) -> None:
    """Write all that a run goes on from, in files of a largest size; the last ones are removed when the new ones are whole.

    Raises: CheckpointError where a value is not finite: what was there is then the last good state.
    """
    arrays = {f"{name}/{i:04d}": np.asarray(v) for name, of in trainer.state.items() for i, v in enumerate(of)}
    bad = [name for name, values in arrays.items() if values.dtype.kind == "f" and not np.isfinite(values).all()]
    if bad:
        raise CheckpointError(f"The weights stopped being finite ({bad[0]}). Try a lower learning_rate or a clip_norm.")
    parts: list[dict[str, np.ndarray]] = [{}]
    for name, values in arrays.items():
        if parts[-1] and values.nbytes + sum(value.nbytes for value in parts[-1].values()) > part_bytes:
            parts.append({})
        parts[-1][name] = values
    told = {**trainer.progress, "parts": len(parts), "settings": to_dict(trainer.experiment)}
    step, old = trainer.progress["step"], list(directory.glob("state-*.npz"))
    for number, part in enumerate(parts):
        part["progress"] = np.frombuffer(json.dumps(told).encode(), np.uint8)
        path = directory / f"state-{step}-{number}.npz"
        write_whole(path, lambda file, part=part: np.savez(file, **part))
        old = [other for other in old if other != path]
    for path in old:
        path.unlink()


def read_state(directory: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]] | None:
    """The newest state in a folder of which all parts are there, as arrays and progress; None where there is none."""
    found = [path.stem.split("-") for path in directory.glob("state-*-*.npz")]
    for step in sorted({int(name[1]) for name in found}, reverse=True):
        arrays, progress = {}, {}
        paths = sorted(directory.glob(f"state-{step}-*.npz"))
        for path in paths:
            with np.load(path, allow_pickle=False) as saved:
                arrays |= {name: saved[name] for name in saved.files}
            progress = json.loads(arrays.pop("progress").tobytes())
        if progress["parts"] == len(paths):
            return arrays, progress
    return None


def go_on(trainer: Trainer, directories: list[Path | None], *, fitted: bool = False) -> None:
    """Give a trainer the first state that is found.

    Args:
      directories: where to look; None is passed over.
      fitted: keep the number of steps that the state was saved with, and not that of the settings.

    Raises: CheckpointError where it is of another network.
    """
    saved = next((state for directory in directories if directory and (state := read_state(directory))), None)
    if saved is None:
        return
    arrays, progress = saved
    import jax

    wanted = {f"{name}/{i:04d}": value for name, of in trainer.state.items() for i, value in enumerate(of)}
    misfits = [name for name in wanted.keys() | arrays.keys() if name not in wanted or name not in arrays]
    misfits = misfits or [name for name in wanted if wanted[name].shape != arrays[name].shape]
    if misfits:
        raise CheckpointError(
            f"The state is of another network: {sorted(misfits)[0]} does not fit. Use its settings or another --run."
        )
    for name, values in trainer.state.items():
        trainer.state[name] = [jax.device_put(arrays[f"{name}/{i:04d}"]) for i in range(len(values))]
    trainer.progress["step"], trainer.progress["seconds"] = progress["step"], progress["seconds"]
    trainer.progress["steps"] = progress["steps"] if fitted else trainer.experiment.training.steps


def write_model(directory: Path, experiment: Experiment, values: list[np.ndarray], facts: dict[str, Any]) -> None:
    """Write the running mean as a model of the package; without `ema` it follows the weights at once."""
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    generator, data = _new_generator(experiment), experiment.data
    keras.config.set_dtype_policy(policy)
    for variable, value in zip(generator.variables, values, strict=True):
        variable.assign(np.asarray(value))
    told = {name: value for name, value in to_dict(experiment).items() if name not in ("generator", "cache", "data")}
    manifest = describe(
        generator,
        experiment.model.generator,
        name=experiment.preset,
        system=SYSTEM,
        sample_rate_hz=data.sample_rate_hz,
        sources=data.sources,
        trained={**facts, "settings": told},
    )
    save_bundle(directory / "model", generator, manifest)
