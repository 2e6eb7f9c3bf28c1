"""Steps and networks that the tests of S-SepGAN share."""

import numpy as np

PLAIN = {"phase_shuffle": 0}  # so that a discriminator gives the same scores twice
ONE_STEP = {"discriminator_learning_rate": 1e-12}  # so that it also gives them after its own step


def step(system, batch):
    return {name: float(value) for name, value in system.train_step(batch).items()}


def estimate_of(system, mixture):
    return np.asarray(system.generator(mixture, training=True))


def scores(system, windows):
    return system.discriminator(windows, training=True)["scores"]


def open_masks(system):
    """Make the output of the generator equal its input."""
    masks = system.generator.get_layer("masks")
    kernel, bias = masks.get_weights()
    masks.set_weights([np.zeros_like(kernel), np.full_like(bias, 60.0)])


def gradients_of(system, player):
    """The gradients of a player's first step, which Adam keeps as its first moment."""
    optimizer, shapes = (
        system.optimizers[player],
        [tuple(v.shape) for v in system.players[player].trainable_variables],
    )
    moments = [np.asarray(v) for v in optimizer.variables if "momentum" in v.path]
    assert [moment.shape for moment in moments] == shapes
    return [moment / (1 - optimizer.beta_1) for moment in moments]


def weights_of(system, player):
    return [np.asarray(variable) for variable in system.players[player].trainable_variables]
