"""What adversarial systems share: scores, losses, crops, running means.

Which player steps when, on which windows and with which weights, is in each system's own file.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import tensorflow as tf
from keras import ops

from tfsepgan.layers.batch_parts import drawn_by_row
from tfsepgan.losses.adversarial import (
    fake_loss,
    feature_matching,
    generator_loss,
    real_loss,
    three_term_discriminator_loss,
)
from tfsepgan.losses.penalties import mix_at_random, slope_penalty
from tfsepgan.networks.table import build_discriminator
from tfsepgan.systems.crops import crops, random_start


class DiscriminatorLoss(NamedTuple):
    """A discriminator's loss and its terms, scalars."""

    total: Any
    of_scores: Any  # two or three terms
    penalty: Any  # without its weight; 0.0 where the objective has none


class Adversarial:
    """A system with discriminators from `networks.table`: how they are made, trained and used.

    For a `System` whose settings have `discriminator`, `objective` and `penalty_weight`.
    """

    @property
    def objective(self) -> str:
        """Name of the adversarial objective, see `losses.adversarial`."""
        return self.config.objective

    @property
    def crop_length(self) -> int:
        """Length of the crops that discriminators get, in samples."""
        window = self.experiment.data.window
        return min(window, self.config.discriminator.window or window)

    def new_discriminator(self, seed_offset: int = 0) -> keras.Model:
        """A discriminator of crops; another offset gives other initial weights."""
        seed = self.experiment.data.seed + seed_offset
        return build_discriminator(self.config.discriminator, window=self.crop_length, seed=seed)

    def steps_per_batch(self, player):
        """One step of each generator; `discriminator_steps` of each discriminator."""
        return 1 if player in self.generators else self.config.discriminator_steps

    def random_start(self):
        """First sample of a random crop; each place is equally likely."""
        return random_start(self.experiment.data.window, self.crop_length, self.draws)

    def crops(self, start, *windows):
        """The same crop of all windows, see `systems.crops`."""
        return crops(start, self.crop_length, *windows)

    def loss_of_discriminator(
        self,
        discriminator: keras.Model,
        real,
        fake,
        *,
        mixture=None,
        mixture_weight: float = 1.0,
        penalty: Callable = slope_penalty,
    ) -> DiscriminatorLoss:
        """The loss of a discriminator, from one call on all crops; a critic has a penalty too.

        Args:
          discriminator: maps windows to `scores` and `features`.
          real, fake: crops, `[batch, time, 1]`.
          mixture: further crops that are fake, S-SepGAN's third term; None: two terms.
          mixture_weight: of the third term.
          penalty: of the slope, a function of `losses.penalties`.
        """
        if mixture is None:
            of_real, of_fake = score_together(discriminator, real, fake)
            loss = real_loss(self.objective, of_real) + fake_loss(self.objective, of_fake)
        else:
            scores = score_together(discriminator, real, fake, mixture)
            loss = three_term_discriminator_loss(
                self.objective, *scores, mixture_weight=mixture_weight
            )
        if self.objective != "wgan-gp":
            return DiscriminatorLoss(loss, loss, 0.0)
        slope = gradient_penalty(
            lambda x: discriminator(x, training=True)["scores"], real, fake, self.draws, penalty
        )
        return DiscriminatorLoss(loss + self.config.penalty_weight * slope, loss, slope)

    def adversarial_loss(self, discriminator: keras.Model, fake):
        """The generator's adversarial loss on crops of its output; scalar."""
        return generator_loss(self.objective, discriminator(fake, training=True)["scores"])

    def adversarial_and_feature_loss(
        self, discriminator: keras.Model, real, fake, *, compare: Callable = feature_matching
    ):
        """The adversarial loss, and a comparison of the features of real and fake crops.

        Args:
          compare: of two lists of features; gives a scalar.
        """
        of_fake = discriminator(fake, training=True)
        of_real = discriminator(real, training=True)["features"]
        adversarial = generator_loss(self.objective, of_fake["scores"])
        return adversarial, compare(of_real, of_fake["features"])


def score_together(discriminator: keras.Model, *windows) -> list[list]:
    """Scores of several groups of windows, equal in number, from one call; a list for each."""
    scores = discriminator(ops.concatenate(windows), training=True)["scores"]
    count = ops.shape(windows[0])[0]
    return [
        [score[index * count : (index + 1) * count] for score in scores]
        for index in range(len(windows))
    ]


def input_gradient(score: Callable, inputs):
    """The gradient of the mean score by the inputs, `[batch, time, channels]`.

    Args:
      score: gives a list of scores, one for each branch, `[batch, ...]`.
      inputs: `[batch, time, channels]`.
    """
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        scores = score(inputs)
        means = [ops.mean(ops.reshape(head, (ops.shape(head)[0], -1)), axis=1) for head in scores]
        total = sum(ops.sum(mean) for mean in means)
    return tape.gradient(total, inputs) / len(scores)


def gradient_penalty(score: Callable, real, fake, seed, penalty: Callable = slope_penalty):
    """Penalty on the slope of a critic at a random point between each real and fake window.

    Args:
      score: gives a list of scores, one for each branch, `[batch, ...]`.
      real, fake: `[batch, time, channels]`.
      seed: a `keras.random.SeedGenerator`.
      penalty: of the gradient, a function of `losses.penalties`.
    Returns: scalar, without its weight.
    Source: Gulrajani et al. 2017, arXiv:1704.00028, algorithm 1.
    """
    position = drawn_by_row(
        lambda rows: keras.random.uniform((rows, 1, 1), seed=seed), ops.shape(real)[0]
    )
    return penalty(input_gradient(score, mix_at_random(real, fake, position)))


def update_average(
    average: keras.Model, network: keras.Model, decay: float, *, averaged: Callable, skipped=()
):
    """Update the running mean of a network's variables.

    Args:
      average: a network whose variables are the means, in the same order.
      decay: weight of the old mean.
      averaged: whether a variable of `network` is averaged; the others are copied.
      skipped: ids of variables of `average` that are left as they are.
    """
    for mean, weight in zip(average.variables, network.variables, strict=True):
        if id(mean) not in skipped:
            new = mean * decay + weight * (1.0 - decay) if averaged(weight) else weight
            mean.assign(new)
