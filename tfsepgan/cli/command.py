"""What every command shares: one clear line for an error, and an exit code that scripts can rely
on."""

import contextlib
import functools
import os
import signal
import sys
import threading
from collections.abc import Callable

from rich.console import Console

from tfsepgan.errors import ConfigError, TfsepganError

OK, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130


class Stopped(Exception):
    """The user stopped the command, and all that can be kept is kept."""


def command(main: Callable[[list[str], Console], None]) -> Callable[..., int]:
    """Make a console entry point of `main(arguments, console)`.

    Exit codes: 0 done; 1 could not be done (one line says why); 2 wrong use; 130 interrupted.
    """

    @functools.wraps(main)
    def entry(arguments: list[str] | None = None) -> int:
        # TensorFlow's native log is not for the user; what goes wrong reaches Python as an
        # exception.
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        os.environ["KERAS_BACKEND"] = "tensorflow"  # whatever the user's Keras is set to elsewhere
        console = Console(soft_wrap=True)
        try:
            main(sys.argv[1:] if arguments is None else list(arguments), console)
        except TfsepganError as error:
            Console(stderr=True, soft_wrap=True).print(
                f"{type(error).__name__}: {error}", markup=False, highlight=False
            )
            return USAGE if isinstance(error, ConfigError) else FAILED
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return FAILED
        # what no part could say more of: a folder without permission, a disk that went away
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            Console(stderr=True, soft_wrap=True).print(
                f"{where}{error.strerror or error}", markup=False, highlight=False
            )
            return FAILED
        except (KeyboardInterrupt, Stopped) as error:
            Console(stderr=True).print(str(error) or "Interrupted.", markup=False)
            return INTERRUPTED
        return OK

    return entry


@contextlib.contextmanager
def stopping_cleanly():
    """Inside, SIGTERM and SIGHUP wait for a place to stop at, so that half-written files go too; a
    second one ends at once.

    Yields: what to call at such a place; it raises Stopped when a signal has come.
    """
    # Windows has no SIGHUP
    names = [name for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    numbers = (
        [getattr(signal, name) for name in names]
        if threading.current_thread() is threading.main_thread()
        else []
    )
    # nohup ignores SIGHUP
    asked = [number for number in numbers if signal.getsignal(number) is signal.SIG_DFL]
    came: list[int] = []

    def note(number, frame):  # raising here could break a thread that is just being started
        came.append(number)
        signal.signal(number, signal.SIG_DFL)

    def stop_here() -> None:
        if came:
            raise Stopped(f"Stopped by {signal.Signals(came[0]).name}.")

    for number in asked:
        signal.signal(number, note)
    try:
        yield stop_here
    finally:
        for number in asked:
            signal.signal(number, signal.SIG_DFL)
