"""Keeping native libraries quiet: what they write to the standard error is not for the user."""

import contextlib
import os
import sys


def quiet_tensorflow() -> None:
    """Import TensorFlow without the lines that its native libraries write at start-up whatever the
    log level."""
    with quiet_libraries():
        import tensorflow  # noqa: F401


@contextlib.contextmanager
def quiet_libraries():
    """Inside, what native libraries write to the standard error is dropped; exceptions are not."""
    sys.stderr.flush()
    saved, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(null)
