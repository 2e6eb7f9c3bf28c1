"""Steps of S-SepGAN without its adversary on Keras' JAX backend; see train_on_jax.

The terms, the schedule and the optimizer are the package's own (`losses`, `systems.identity`,
`systems.learning_rate`), called in a stateless scope.
"""

import json
from dataclasses import replace
from typing import Any

import keras
import numpy as np

from tfsepgan import systems
from tfsepgan.config import DataConfig, Experiment, TrainingConfig, check, from_dict, to_dict
from tfsepgan.errors import ConfigError
from tfsepgan.losses.reconstruction import PAIRED_LOSSES, multi_resolution_spectral
from tfsepgan.networks.table import build_generator
from tfsepgan.systems.crops import gain_to_level, sources_as_windows
from tfsepgan.systems.identity import identity_loss
from tfsepgan.systems.learning_rate import adam, learning_rate

SYSTEM = "ssepgan"


def experiment_of(preset: str, changes: list[str]) -> Experiment:
    """A preset without its adversary, with changes `KEY=VALUE`.

    Keys are the names of flags, values are JSON or plain words.

    Raises: ConfigError for an unknown key, or settings that this trainer does not support.
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
        raise ConfigError(
            "adversarial_weight and feature_weight must be 0: this trainer has no discriminator."
        )
    if experiment.model.generator.kind == "resnet" and experiment.training.ema:
        raise ConfigError(
            "The running mean of a resnet needs statistics of its own, which this trainer does not"
            " compute; set ema=0."
        )
    if experiment.data.augment.speed_semitones[1] > 11:
        raise ConfigError(
            "augment.speed_semitones is above 11; positions are exact only up to that speed."
        )
    return experiment


def experiment_from(flat: dict[str, Any]) -> Experiment:
    """The experiment of a flat dictionary, as `config.to_dict` gives it."""
    kinds = {"data": DataConfig, "training": TrainingConfig, "model": systems.settings_type(SYSTEM)}
    sections = {
        name: from_dict(
            kind, {key: value for key, value in flat.items() if key in kind.__dataclass_fields__}
        )
        for name, kind in kinds.items()
    }
    return Experiment(system=SYSTEM, preset=flat["preset"], **sections)


class Trainer:
    """A generator, its running mean and its optimizer as lists of arrays, and the compiled step.

    Args:
      experiment: all settings.
      packed: recordings from `jax_pack.read_pack`; None if batches come from elsewhere.
    """

    def __init__(self, experiment: Experiment, packed=None):
        import jax

        self.experiment, self.packed = experiment, packed
        data, training = experiment.data, experiment.training
        keras.config.set_dtype_policy(training.precision)
        keras.utils.set_random_seed(data.seed)
        self.generator = new_generator(experiment)
        constant = replace(training, schedule="constant", warmup_steps=0)  # each step sets the rate
        self.optimizer = adam(constant, training.learning_rate)
        self.optimizer.build(self.generator.trainable_variables)
        self.state = {"optimizer": [jax.numpy.copy(v.value) for v in self.optimizer.variables]}
        self.start_from(self.generator.get_weights())
        self.progress: dict[str, Any] = {"step": 0, "steps": training.steps, "seconds": 0.0}
        self._compiled_step = jax.jit(self._step, donate_argnums=0)
        self._rate = None
        if packed is not None:
            self._open_pack()

    def _open_pack(self) -> None:
        import jax
        from jax_batches import Shape, batch_of, plan_of, tables_of

        data = self.experiment.data
        faster = (
            2.0 ** (max(0.0, data.augment.speed_semitones[1]) / 12) if data.augment.speed else 1.0
        )
        shape = Shape(data, len(data.sources), int(np.ceil(data.window * faster)))
        tables = jax.device_put(tables_of(data, seed=data.seed))
        audio = jax.device_put(self.packed.samples)
        key = jax.random.key(data.seed) if data.augment.active else None
        most = max(len(plan_of(self.packed, shape, step, 1)["item"]) for step in range(16))
        rows = max(8, -(-most // 8) * 8)  # one size for nearly all steps: JAX compiles for each
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
            self._rate = (
                training.steps,
                jax.jit(schedule if callable(schedule) else lambda step: 0.0 * step + schedule),
            )
        return self._rate[1](np.float32(step))

    def losses(self, trainable, untrained, mixture, sources):
        """S-SepGAN's paired terms.

        Returns: the loss; the terms by name, and the generator's other variables after the pass.
        """
        config, generator = self.experiment.model, self.generator
        variables = [*generator.trainable_variables, *generator.non_trainable_variables]
        mapping = list(zip(variables, [*trainable, *untrained], strict=True))
        with keras.StatelessScope(state_mapping=mapping) as scope:
            gain = gain_to_level(mixture, config.level_dbfs)
            estimate = gain[:, None] * generator(mixture, training=True)
            identity = identity_loss(
                generator, sources, gain, config, batch=self.experiment.data.batch
            )
            target = gain[:, None] * sources
            terms = {"paired": PAIRED_LOSSES[config.paired_loss](target, estimate)}
            total = config.paired_weight * terms["paired"]
            if config.identity_weight:
                terms["identity"] = identity
                total += config.identity_weight * identity
            if config.spectral_weight:
                terms["spectral"] = multi_resolution_spectral(
                    sources_as_windows(target), sources_as_windows(estimate)
                )
                total += config.spectral_weight * terms["spectral"]
            after = [
                scope.get_current_value(variable) for variable in generator.non_trainable_variables
            ]
        return total, ({"generator": total, **terms}, after)

    def _step(self, state, mixture, sources, rate):
        import jax

        slope = jax.value_and_grad(self.losses, has_aux=True)
        (_, (losses, untrained)), gradients = slope(
            state["trainable"], state["untrained"], mixture, sources
        )
        of_rate = [v.path.endswith("learning_rate") for v in self.optimizer.variables]
        optimizer = [
            rate if is_rate else value
            for is_rate, value in zip(of_rate, state["optimizer"], strict=True)
        ]
        trainable, optimizer = self.optimizer.stateless_apply(
            optimizer, gradients, state["trainable"]
        )
        now = self._in_order(trainable, untrained)
        decay = self.experiment.training.ema
        mean = [
            mean * decay + value * (1.0 - decay)
            if keras.backend.is_float_dtype(value.dtype)
            else value
            for mean, value in zip(state["mean"], now, strict=True)
        ]
        return {
            "trainable": trainable,
            "untrained": untrained,
            "optimizer": optimizer,
            "mean": mean,
        }, losses

    def start_from(self, weights: list[np.ndarray]) -> None:
        """Set all weights, in the order of the generator's variables, but not the optimizer."""
        import jax

        self.generator.set_weights(weights)
        for name in ("trainable", "untrained", "mean"):
            of = {
                "trainable": self.generator.trainable_variables,
                "untrained": self.generator.non_trainable_variables,
            }
            self.state[name] = [
                jax.numpy.copy(v.value) for v in of.get(name, self.generator.variables)
            ]

    def _in_order(self, trainable, untrained) -> list:
        """Values in the order of the generator's variables."""
        split = (
            (self.generator.trainable_variables, trainable),
            (self.generator.non_trainable_variables, untrained),
        )
        values = {
            id(v): value for variables, of in split for v, value in zip(variables, of, strict=True)
        }
        return [values[id(variable)] for variable in self.generator.variables]

    def step(self, mixture, sources):
        """One step on a batch; returns its losses without waiting for them."""
        self.state, losses = self._compiled_step(
            self.state, mixture, sources, self.rate(self.progress["step"])
        )
        self.progress["step"] += 1
        return losses


def new_generator(experiment: Experiment) -> keras.Model:
    data = experiment.data
    return build_generator(
        experiment.model.generator, sources=len(data.sources), sample_rate_hz=data.sample_rate_hz
    )
