"""Settings, batches and networks that the tests of the decomposition share."""

from dataclasses import replace

import numpy as np
import tensorflow as tf

from tfsepgan import systems
from tfsepgan.settings.decomposition import CompositionConfig

WINDOW, BATCH = 1024, 2
PLAIN = {"phase_shuffle": 0}  # so that a critic gives the same scores twice
SLOW = {"discriminator_learning_rate": 1e-12}  # so that it also gives them after its own step
SUM = CompositionConfig()


def experiment(*, discriminator=PLAIN, data=None, model=None, **training):
    """The preset `tiny` on short windows, with settings changed by name."""
    base = systems.preset("decomposition", "tiny")
    critic = replace(base.model.discriminator, **discriminator)
    return replace(
        base,
        model=replace(base.model, **{"discriminator": critic, **(model or {})}),
        data=replace(base.data, **{"window": WINDOW, "batch": BATCH, **(data or {})}),
        training=replace(base.training, **training),
    )


def noise(*shape, seed=0):
    return (0.1 * np.random.default_rng(seed).standard_normal(shape)).astype(np.float32)


def batch_with(*, unlabelled=None, solo=None, parts=2, seed=0):
    if solo is None:
        solo = noise(BATCH, parts, WINDOW, 1, seed=2 * seed)
    if unlabelled is None:
        unlabelled = noise(BATCH, WINDOW, 1, seed=2 * seed + 1)
    return {"unlabelled": tf.constant(unlabelled), "solo": tf.constant(solo)}


def step(system, batch):
    for tracker in system.metrics:
        tracker.reset_state()
    return {name: float(value) for name, value in system.train_step(batch).items()}


def same_masks(system, *values):
    """Make d give the mixture times one number for each part."""
    masks = system.generator.get_layer("masks")
    kernel, bias = masks.get_weights()
    values = np.repeat(values, len(bias) // len(values))
    masks.set_weights([np.zeros_like(kernel), np.log(values / (1 - values))])


def stirred(system):
    """Change a learned composition, so that it is not the sum."""
    random = np.random.default_rng(5)
    weights = [w + 0.1 * random.standard_normal(w.shape) for w in system.composition.get_weights()]
    system.composition.set_weights(weights)
    return system


def score(system, critic, windows):
    return np.asarray(system.critics[critic](windows, training=True)["scores"][0])


def weights_of(network):
    return [np.array(variable) for variable in network.variables]


def moved(before, network):
    return any(
        not np.array_equal(old, new) for old, new in zip(before, weights_of(network), strict=True)
    )
