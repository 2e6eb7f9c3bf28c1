"""Makes a model smaller: a narrower network that learns to give the estimates of the wide one.

The network starts as `narrow` cuts it, and is trained on mixtures without their sources: its
estimates come close to those of the wide network. The wide network carries what it learned from all
its recordings, so fewer recordings are needed than for a training. The batches are made with the
settings that the model was trained with. Of the weights, a running mean is kept.

Source: Hinton, Vinyals & Dean 2015, "Distilling the knowledge in a neural network",
arXiv:1503.02531.
Departs from it: the mean square error of estimates, with mixtures at one level; no classes.
"""

import math
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from tfsepgan.config import from_dict
from tfsepgan.config.data import DataConfig
from tfsepgan.data.batches.pipeline import training_batches
from tfsepgan.data.recordings.opening import open_catalogue
from tfsepgan.errors import CheckpointError, ConfigError
from tfsepgan.models.bundle import describe, load_bundle, save_bundle
from tfsepgan.models.folders import find_bundle
from tfsepgan.models.saved import experiment_from
from tfsepgan.refining.average import refuse_existing
from tfsepgan.refining.narrow import narrowed
from tfsepgan.refining.settings import NarrowSettings
from tfsepgan.settings.networks import GeneratorConfig
from tfsepgan.systems.crops import gain_to_level

FACT = "narrowed"  # in the manifest
LEVEL_DBFS = -20.0  # of a mixture, as in the presets
WARM_UP = 0.02  # of the time, in which the learning rate rises
CLIP_NORM = 5.0
EMA = 0.999
LOSS_WEIGHT = 100.0  # of the mean square error, as in the presets


class Distilled(NamedTuple):
    """What came out: the parameters of both networks, steps, and errors before and after."""

    wide_parameters: int
    parameters: int
    steps: int
    before: float
    """Energy of the difference from the wide network's estimates, as a share of theirs: of the
    network as it was cut."""
    after: float
    """The same for the network after training."""


def distil(
    model: str | os.PathLike,
    data: Sequence[str],
    output: Path,
    settings: NarrowSettings,
    *,
    report: Callable[[str], None] = lambda text: None,
) -> Distilled:
    """Cut a model's network down, train it against the wide one and write it.

    Args:
      model: a run, a model folder or a name; its generator is a 'filterbank'.
      data: folders of recordings, as for training.
      output: folder to create.
      settings: how narrow, and how long to train.
      report: called with a line of text from time to time.
    Raises: ConfigError for settings that cannot be used; CheckpointError when there is no such
      model, it has no record of its training, or `output` exists; DataError for recordings that
      cannot be used.
    """
    refuse_existing(output)
    settings.check()
    wide, manifest = load_bundle(find_bundle(model))
    config = from_dict(GeneratorConfig, manifest.network_settings)
    recordings = _data_of(model, manifest.trained, data)
    batches = _mixtures(recordings)
    held = [next(batches) for _ in range(settings.measured_batches)]
    report("cutting the network")
    narrow, smaller = narrowed(
        wide,
        config,
        held,
        channels=settings.channels,
        sources=len(manifest.sources),
        sample_rate_hz=manifest.sample_rate_hz,
    )
    before = _difference(wide, narrow, held)
    steps = _train(wide, narrow, batches, settings, report)
    after = _difference(wide, narrow, held)
    trained = {key: value for key, value in manifest.trained.items() if key != "scores"}
    fact = {"channels": settings.channels, "from": config.channels, "steps": steps}
    described = describe(
        narrow,
        smaller,
        name=manifest.name,
        system=manifest.system,
        sample_rate_hz=manifest.sample_rate_hz,
        sources=manifest.sources,
        trained={**trained, FACT: fact},
        outputs=manifest.outputs,
    )
    save_bundle(output, narrow, replace(described, low_rank=manifest.low_rank))
    return Distilled(wide.count_params(), narrow.count_params(), steps, before, after)


def _data_of(model, trained: dict, data: Sequence[str]) -> DataConfig:
    """The settings of the batches the model was trained on, with other recordings."""
    if "settings" not in trained:
        raise CheckpointError(
            f"{model} has no settings of its training in its manifest; they say how mixtures are"
            " made. Give a run or a model that tfsepgan-train made."
        )
    if not data:
        raise ConfigError("No recordings: give --data DIR.")
    flat = {"preset": None, **trained["settings"], "data": ",".join(data)}
    return experiment_from(flat).data


def _mixtures(config: DataConfig) -> Iterator[np.ndarray]:
    """Endless mixtures at one level, `[batch, time, 1]`."""
    catalogue = open_catalogue(config.data, config.sources)
    for batch in training_batches(catalogue, config).as_numpy_iterator():
        mixture = batch["mixture"]
        yield mixture * np.asarray(gain_to_level(mixture, LEVEL_DBFS))


def _train(wide, narrow, batches, settings: NarrowSettings, report) -> int:
    """Train until the time is over; the weights become their running mean. Returns the steps."""
    weights = narrow.trainable_variables
    means = [tf.Variable(one) for one in weights]
    optimizer = keras.optimizers.Adam(beta_2=0.99, global_clipnorm=CLIP_NORM)
    optimizer.build(weights)

    @tf.function
    def learn(mixture, decay):
        wanted = wide(mixture, training=False)
        with tf.GradientTape() as tape:
            # inference mode: the normalisation of the features is that of the wide network
            error = tf.reduce_mean(tf.square(narrow(mixture, training=False) - wanted))
            loss = LOSS_WEIGHT * error
        optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
        for mean, value in zip(means, weights, strict=True):
            mean.assign(decay * mean + (1 - decay) * value)
        return error / tf.reduce_mean(tf.square(wanted))

    start, step, share = time.process_time(), 0, 0.0 if settings.minutes else 1.0
    while share < 1:
        optimizer.learning_rate = settings.learning_rate * rate_at(share)
        decay = min(EMA, (1 + step) / (10 + step))
        error = float(learn(tf.constant(next(batches)), tf.constant(decay, tf.float32)))
        step += 1
        share = (time.process_time() - start) / (60 * settings.minutes)
        report(
            f"step {step}, {min(share, 1):.0%} of the time: differs by {error:.2%} of the energy"
        )
    for mean, value in zip(means, weights, strict=True):
        value.assign(mean)
    return step


def rate_at(share: float) -> float:
    """The learning rate after a share of the time: a linear rise to 1, then half a cosine to 0."""
    if share < WARM_UP:
        return max(share / WARM_UP, 0.02)
    return (1 + math.cos(math.pi * min(1.0, (share - WARM_UP) / (1 - WARM_UP)))) / 2


def _difference(wide, narrow, mixtures: Sequence[np.ndarray]) -> float:
    """Energy of the difference of both networks' estimates, as a share of the wide one's."""
    difference = energy = 0.0
    for mixture in mixtures:
        wanted, got = (np.asarray(one(mixture, training=False)) for one in (wide, narrow))
        difference += float(np.sum(np.square(got - wanted), dtype=np.float64))
        energy += float(np.sum(np.square(wanted), dtype=np.float64))
    return difference / max(energy, np.finfo(float).tiny)
