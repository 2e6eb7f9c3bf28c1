"""Errors of TensorFlow during training, as errors of the package that say what to do."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import tensorflow as tf

from tfsepgan.errors import DataError, TfsepganError
from tfsepgan.training.workers import LOST, Workers, lost_worker


@contextlib.contextmanager
def explained(
    steps: Callable[[], tuple[int, int]], directory: Path, workers: Workers
) -> Iterator[None]:
    """Within this context, errors of TensorFlow become errors of the package.

    Args:
      steps: gives the last complete step and that of the last checkpoint.
      directory: the folder of the run.
      workers: that train the run.
    Raises: TfsepganError when memory runs out or a worker is lost; DataError when a batch could
      not be made.
    """
    try:
        yield
    except tf.errors.ResourceExhaustedError as error:
        raise TfsepganError(
            f"Out of memory at step {steps()[0] + 1}. Take a higher --accumulate, or a smaller"
            " --batch or --window, in a new run."
        ) from error
    except tf.errors.OpError as error:  # tf.data wraps what its functions raise
        if workers.count > 1 and isinstance(error, LOST):
            raise lost_worker(error) from error
        reason = (str(error.message).strip() or type(error).__name__).splitlines()[-1]
        step, saved = steps()
        # Not saved: variables that do not depend on the batch (counters, seeds) may have
        # changed already.
        raise DataError(
            f"A batch could not be made after step {step}: {reason}. {directory} holds step"
            f" {saved}; repair the recordings or the cache, then repeat the command to resume."
        ) from error


def divergence(losses: list[str], step: int, saved: int, directory: Path) -> TfsepganError:
    """What diverged, which weights are left, and what to try."""
    left, start = "Nothing was saved yet", ""
    if saved:
        left = f"{directory} still holds the good weights of step {saved}"
        start = ", with --init-from this one"
    return TfsepganError(
        f"The losses {', '.join(losses)} stopped being finite at step {step}. {left}; try a"
        f" lower --learning-rate or a --clip-norm in a new run{start}."
    )
