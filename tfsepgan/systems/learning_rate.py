"""The learning rate of a player over a run, and the optimizer that follows it; Keras only."""

import keras

from tfsepgan.config import TrainingConfig


def learning_rate(training: TrainingConfig, peak: float, *, steps_per_batch: int = 1):
    """Warm-up, then a constant rate or half a cosine.

    Args:
      training: its `schedule`, `warmup_steps` and `steps` are used.
      peak: the highest rate.
      steps_per_batch: how often the player steps on each batch.
    Returns: a number, or a Keras schedule: a rise to `peak` in `warmup_steps`, then a constant rate
      or half a cosine down to `peak` / 100.
    """
    if training.schedule == "cosine":
        return keras.optimizers.schedules.CosineDecay(
            initial_learning_rate=0.0 if training.warmup_steps else peak,
            warmup_target=peak if training.warmup_steps else None,
            warmup_steps=training.warmup_steps * steps_per_batch,
            decay_steps=max(1, training.steps - training.warmup_steps) * steps_per_batch,
            alpha=0.01,
        )
    if training.warmup_steps:
        return keras.optimizers.schedules.PolynomialDecay(
            0.0, training.warmup_steps * steps_per_batch, end_learning_rate=peak
        )
    return peak


def adam(
    training: TrainingConfig, peak: float, *, steps_per_batch: int = 1
) -> keras.optimizers.Optimizer:
    """The optimizer of one player, not yet built.

    With `precision` mixed_float16, it scales the loss, so that small gradients do not become zero.

    Args:
      training: its `betas`, `clip_norm` and `precision` are used, and what `learning_rate` uses.
      peak, steps_per_batch: see `learning_rate`.
    """
    optimizer = Adam(
        learning_rate=learning_rate(training, peak, steps_per_batch=steps_per_batch),
        beta_1=training.betas[0],
        beta_2=training.betas[1],
        global_clipnorm=training.clip_norm,
    )
    if training.precision == "mixed_float16":
        return keras.optimizers.LossScaleOptimizer(optimizer)
    return optimizer


class Adam(keras.optimizers.Adam):
    """Adam whose gradients are already those of the whole batch, on every device.

    Keras' own adds the gradients of all devices after it has clipped them; the norm must be that of
    the whole batch. `systems.steps` takes their mean before.
    """

    def _all_reduce_sum_gradients(self, grads_and_vars):
        return list(grads_and_vars)
