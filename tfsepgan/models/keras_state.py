"""The state of Keras and TensorFlow that a model depends on: precision, and the process."""

import contextlib
import os
import threading
from collections.abc import Iterator, Mapping

import keras
import numpy as np

from tfsepgan.errors import TfsepganError

_processes: list[int] = []  # the first one that used TensorFlow here; a fork copies it
_one_at_a_time = threading.RLock()  # `floatx` belongs to the whole program


@contextlib.contextmanager
def built_in(policy: str = "float32") -> Iterator[None]:
    """Within this context, layers have this dtype policy and `floatx` is float32.

    The user's settings are restored afterwards.

    Args:
      policy: "float32", or "mixed_bfloat16" or "mixed_float16" for training.
    Raises: TfsepganError as `refuse_after_fork` does.
    """
    refuse_after_fork()
    with _one_at_a_time:
        saved, floatx = keras.config.dtype_policy(), keras.config.floatx()
        keras.config.set_floatx("float32")
        keras.config.set_dtype_policy(policy)
        try:
            yield
        finally:
            keras.config.set_floatx(floatx)
            keras.config.set_dtype_policy(saved)


def misfits(variables: Mapping[str, keras.Variable], arrays: Mapping[str, np.ndarray]) -> list[str]:
    """Sorted names that only one of the two has, or that have another shape in each."""
    own = {name: tuple(variable.shape) for name, variable in variables.items()}
    saved = {name: array.shape for name, array in arrays.items()}
    return sorted(name for name in own.keys() | saved.keys() if own.get(name) != saved.get(name))


def refuse_after_fork() -> None:
    """Refuse to use TensorFlow in a fork of a process that used it.

    TensorFlow would wait there for ever, for threads that exist in the other process only.

    Raises: TfsepganError.
    """
    if not _processes:
        _processes.append(os.getpid())
    if _processes[0] != os.getpid():
        raise TfsepganError(
            "this process was forked from one that used TensorFlow, which cannot run here. Start"
            " processes with the method 'spawn', or load models with runtime='litert'."
        )
