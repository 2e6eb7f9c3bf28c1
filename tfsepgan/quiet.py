"""Keeping native libraries quiet: what they write to the standard error is not for the user."""

import contextlib
import os
import sys
from typing import TextIO


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


def kept_stderr() -> TextIO:
    """The standard error as a file that `quiet_libraries` does not silence."""
    try:
        number = sys.stderr.fileno()
    except (OSError, ValueError, AttributeError):  # replaced, as by a test or a notebook
        return sys.stderr
    return os.fdopen(os.dup(number), "w", buffering=1, encoding="utf-8", errors="replace")
