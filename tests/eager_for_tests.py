"""Functions of TensorFlow run step by step: for a few steps that takes less time than tracing."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def eagerly() -> Iterator[None]:
    """Run functions eagerly, also those of `fit`; what is exported is traced as ever.

    `trained_run`, `test_a_step_in_a_graph_of_keras_is_the_step_as_it_is_written` and a test of
    resuming train in graphs.
    """
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(False)
