"""Keeps native libraries quiet: their text on the standard error is not for the user."""

import contextlib
import io
import os
import sys
from collections.abc import Iterator
from typing import TextIO


def hide_tensorflow_log() -> None:
    """Without a log level of the user's, keep TensorFlow's native log to errors.

    It works before TensorFlow is imported.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def quiet_tensorflow() -> None:
    """Import TensorFlow without the lines that its native libraries write at start-up whatever the
    log level."""
    with quiet_libraries():
        import tensorflow  # noqa: F401


@contextlib.contextmanager
def quiet_libraries() -> Iterator[None]:
    """Within this context, stderr of native libraries is dropped; exceptions are not."""
    if sys.stderr is not None:  # as in programs without a console
        sys.stderr.flush()
    try:
        saved = os.dup(2)
    except OSError:  # the standard error is closed
        yield
        return
    null = os.open(os.devnull, os.O_WRONLY)
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
    except (OSError, ValueError, AttributeError):  # replaced, as by a test or a notebook, or None
        return sys.stderr or io.StringIO()
    return os.fdopen(os.dup(number), "w", buffering=1, encoding="utf-8", errors="replace")
