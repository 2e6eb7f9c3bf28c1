"""Settings, batches and networks that the tests of the semi-supervised system share."""

from dataclasses import replace

import numpy as np
import tensorflow as tf

from tfsepgan import systems

WINDOW, BATCH = 1024, 2
PLAIN = {"phase_shuffle": 0}  # so that a critic gives the same scores twice
SLOW = {"discriminator_learning_rate": 1e-12}  # so that it also gives them after its own steps
CRITICS = ("critic_piano", "critic_residual")


def experiment(*, discriminator=None, data=None, model=None, **training):
    """The preset `tiny` on short windows, with settings changed by name."""
    base = systems.preset("semisupervised", "tiny")
    critic = replace(base.model.discriminator, **(discriminator or {}))
    return replace(
        base,
        model=replace(base.model, **{"discriminator": critic, "critic_steps": 1, **(model or {})}),
        data=replace(base.data, **{"window": WINDOW, "batch": BATCH, **(data or {})}),
        training=replace(base.training, **training),
    )


def noise(random, *shape):
    return tf.constant(0.1 * random.standard_normal(shape).astype(np.float32))


def batch_of(one, seed=0):
    """A seeded batch of unrelated noise; mixtures are more than their sources' sum."""
    random, data = np.random.default_rng(seed), one.data
    count, shape = len(data.sources), (data.window, 1)
    sources = noise(random, data.batch, count, *shape)
    return {
        "mixture": tf.reduce_sum(sources, axis=1) + noise(random, data.batch, *shape),
        "sources": sources,
        "unlabelled": noise(random, data.batch, *shape),
        "solo": noise(random, data.batch, count + 1, *shape),
    }


def step(system, batch):
    for tracker in system.metrics:
        tracker.reset_state()
    return {name: float(value) for name, value in system.train_step(batch).items()}


def scores(critic, windows):
    """Every window's score, `[batch]`, of a critic with one number a window."""
    (head,) = critic(windows, training=True)["scores"]
    return np.asarray(head)[:, 0]


def estimates_of(system, mixture):
    return np.asarray(system.generator(mixture, training=True))


def weights_of(system):
    return {
        player: [np.asarray(v) for v in network.trainable_variables]
        for player, network in system.players.items()
    }


def moved(before, after):
    return {
        player: any(
            not np.array_equal(a, b) for a, b in zip(before[player], after[player], strict=True)
        )
        for player in before
    }


def moved_by(system, batch):
    before = weights_of(system)
    log = step(system, batch)
    return moved(before, weights_of(system)), log


def spoilt(batch, *names):
    """A batch in which some entries are NaN, so that every use of them shows."""
    return {name: value * np.nan if name in names else value for name, value in batch.items()}


def open_masks(system):
    """Make every output of the generator equal its input."""
    masks = system.generator.get_layer("masks")
    kernel, bias = masks.get_weights()
    masks.set_weights([np.zeros_like(kernel), np.full_like(bias, 60.0)])


def steeper(critic, factor):
    """Multiply a critic's slope."""
    layer = critic.get_layer("score")
    layer.set_weights([factor * weight for weight in layer.get_weights()])
