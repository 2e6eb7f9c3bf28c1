"""What all commands share: an error is one line and an exit code; signals stop them cleanly."""

import contextlib
import functools
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator

from rich.console import Console

import tfsepgan
from tfsepgan.cli.console import PlainConsole
from tfsepgan.errors import ConfigError, TfsepganError
from tfsepgan.quiet import hide_tensorflow_log, kept_stderr

OK, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130


class Stopped(Exception):
    """The user stopped the command; everything that can be kept is on disk."""


def command(main: Callable[[list[str], Console], None]) -> Callable[..., int]:
    """Turn `main(arguments, console)` into a console entry point, which also takes `--version`.

    Exit codes: 0 success; 1 failure (one line says why); 2 wrong use; 130 interrupted.
    """

    @functools.wraps(main)
    def entry(arguments: list[str] | None = None) -> int:
        hide_tensorflow_log()  # it is not for the user; errors reach Python as exceptions
        os.environ["KERAS_BACKEND"] = "tensorflow"  # whatever the user's keras.json says
        console = PlainConsole(soft_wrap=True)
        errors = PlainConsole(stderr=True, soft_wrap=True)
        given = sys.argv[1:] if arguments is None else list(arguments)
        try:
            if given == ["--version"]:
                say(console, f"tfsepgan {tfsepgan.__version__}")
                return OK
            with showing_log(console):
                main(given, console)
        except TfsepganError as error:
            say(errors, f"{type(error).__name__}: {error}")
            return USAGE if isinstance(error, ConfigError) else FAILED
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return FAILED
        # errors without a message of our own: a folder without permission, a removed disk
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            say(errors, f"{where}{error.strerror or error}")
            return FAILED
        except (KeyboardInterrupt, Stopped) as error:
            say(errors, str(error) or "Interrupted.")
            return INTERRUPTED
        return OK

    return entry


def say(console: Console, text: str) -> None:
    """Print text as it is: brackets in names of files are no markup."""
    console.print(text, markup=False, highlight=False)


class _ToConsoles(logging.Handler):
    """Shows information on one console, warnings and errors on another."""

    def __init__(self, console: Console, errors: Console) -> None:
        super().__init__()
        self._console, self._errors = console, errors

    def emit(self, record: logging.LogRecord) -> None:
        """Print the message alone."""
        console = self._console if record.levelno < logging.WARNING else self._errors
        say(console, record.getMessage())


@contextlib.contextmanager
def showing_log(console: Console) -> Iterator[None]:
    """Within this context, the log of the package is shown: on the console, warnings on stderr."""
    logger, errors = logging.getLogger("tfsepgan"), kept_stderr()
    handler = _ToConsoles(console, PlainConsole(file=errors, soft_wrap=True))
    level, propagates = logger.level, logger.propagate
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        logger.propagate = propagates
        if errors is not sys.stderr:
            errors.close()


@contextlib.contextmanager
def stopping_cleanly(*, interrupts: bool = False):
    """Within this context, SIGTERM and SIGHUP wait until the command can remove unfinished files.

    A second signal ends the process immediately.

    Args:
      interrupts: Ctrl-C waits too.
    Yields: a function to call where the command can stop; after a signal it raises Stopped, after
      Ctrl-C KeyboardInterrupt.
    """
    in_main_thread = threading.current_thread() is threading.main_thread()
    names = ["SIGTERM", "SIGHUP", *(["SIGINT"] if interrupts else [])]
    names = [name for name in names if hasattr(signal, name)]  # not all on Windows
    numbers = [getattr(signal, name) for name in names if in_main_thread]
    # nohup ignores SIGHUP
    usual = (signal.SIG_DFL, signal.default_int_handler)
    before = {number: signal.getsignal(number) for number in numbers}
    before = {number: handler for number, handler in before.items() if handler in usual}
    received: list[int] = []

    def note(number, frame):  # an exception here could break a thread that is just being started
        received.append(number)
        signal.signal(number, before[number])

    def stop_here() -> None:
        if received and received[0] == signal.SIGINT:
            raise KeyboardInterrupt
        if received:
            raise Stopped(f"Stopped by {signal.Signals(received[0]).name}.")

    for number in before:
        signal.signal(number, note)
    try:
        yield stop_here
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
