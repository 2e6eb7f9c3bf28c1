"""Learning rates over a run, and the optimizer that follows them; Keras only, so that every backend takes the same steps."""

import keras

from tfsepgan.config import TrainingConfig


def learning_rate(training: TrainingConfig, peak: float, *, moves: int = 1):
    """The learning rate of one player over a run.

    Args:
      training: `schedule`, `warmup_steps` and `steps` are used.
      peak: the highest rate.
      moves: how often the player moves in one step of the run.
    Returns: a number, or a Keras schedule: up to `peak` in `warmup_steps`, then constant or half a cosine down to `peak` / 100.
    """
    if training.schedule == "cosine":
        return keras.optimizers.schedules.CosineDecay(
            initial_learning_rate=0.0 if training.warmup_steps else peak,
            warmup_target=peak if training.warmup_steps else None,
            warmup_steps=training.warmup_steps * moves,
            decay_steps=max(1, training.steps - training.warmup_steps) * moves,
            alpha=0.01,
        )
    if training.warmup_steps:
        return keras.optimizers.schedules.PolynomialDecay(0.0, training.warmup_steps * moves, end_learning_rate=peak)
    return peak


def adam(training: TrainingConfig, peak: float, *, moves: int = 1) -> keras.optimizers.Adam:
    """The optimizer of one player, not built.

    Args:
      training: `betas` and `clip_norm` are used, and what `learning_rate` uses.
      peak, moves: see `learning_rate`.
    """
    return keras.optimizers.Adam(
        learning_rate=learning_rate(training, peak, moves=moves),
        beta_1=training.betas[0],
        beta_2=training.betas[1],
        global_clipnorm=training.clip_norm,
    )
