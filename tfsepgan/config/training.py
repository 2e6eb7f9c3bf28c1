"""Settings of the training."""

from dataclasses import dataclass
from typing import Literal

Precision = Literal["float32", "mixed_bfloat16", "mixed_float16"]
Keep = Literal["best", "last"]
Strategy = Literal["single", "mirrored", "multiworker"]
Schedule = Literal["constant", "cosine"]


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """The training of a run: its length, optimizers, validation and checkpoints."""

    steps: int = 100_000
    """Training steps in the whole run; the learning-rate schedule ends there."""
    steps_per_epoch: int = 500
    """Steps between two validations; a checkpoint is written at each."""
    minutes: float | None = None
    """Stop, with a checkpoint, after this many minutes of training, summed over restarts."""
    processor_minutes: float | None = None
    """Stop, with a checkpoint, after this many minutes of processor time, summed over cores and
    restarts: comparable on a machine with other work."""
    learning_rate: float = 2e-4
    """Highest learning rate of the generator."""
    discriminator_learning_rate: float = 2e-4
    """Highest learning rate of the discriminator."""
    betas: tuple[float, float] = (0.5, 0.9)
    """Adam's decay rates of the first and second moment, for every player."""
    schedule: Schedule = "constant"
    """Learning rate after the warm-up: 'constant', or 'cosine', which falls to a hundredth along
    half a cosine."""
    warmup_steps: int = 0
    """Steps over which the learning rate rises linearly from zero."""
    clip_norm: float | None = None
    """Largest global norm of a player's gradient; longer gradients are scaled down."""
    ema: float = 0.999
    """Decay of the running mean of the generator's weights, which is validated and exported; closer
    to 1 averages over more steps, 0 turns it off."""
    precision: Precision = "float32"
    """Number format of the convolutions; weights, transforms and losses stay float32. mixed_float16
    scales the losses, for GPUs without bfloat16."""
    device: str | None = None
    """What to compute on: 'cpu', 'gpu', 'gpu:1', or several with commas; default: every GPU that
    TensorFlow finds, or the CPU."""
    strategy: Strategy = "single"
    """'mirrored': divide each batch over the GPUs of this machine; 'multiworker': over the
    machines in TF_CONFIG and their GPUs. `batch` stays the number of windows of all together."""
    accumulate: int = 1
    """Parts in which a batch is computed, one after the other: memory for one part, gradients of
    the whole batch. `batch` must be a multiple."""
    validation_mixtures: int = 12
    """Number of fixed mixtures of the valid split on which every epoch is scored; 0 turns
    validation off."""
    validation_seconds: float = 6.0
    """Length of a validation mixture, in seconds."""
    keep: Keep = "best"
    """Weights that become the run's model: 'best', those of the epoch that validates best; 'last',
    those of the last epoch."""
    tensorboard: bool = True
    """Write scalars, spectrogram pictures and audio for TensorBoard."""
    profile: int = 0
    """Trace this many steps of each session for the Profile page of TensorBoard; 0: none."""
    init_from: str | None = None
    """Model or run whose generator the training starts from (fine-tuning)."""
