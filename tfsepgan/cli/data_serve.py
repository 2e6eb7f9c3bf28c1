"""`tfsepgan-data serve`: makes batches for training runs in other processes or machines."""

import contextlib
import signal
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass

from rich.console import Console

from tfsepgan.config import SetLayout
from tfsepgan.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Serve:
    """Make batches for tfsepgan-train --data-server on other machines, until Ctrl-C."""

    data: str
    """Folder of recordings, several folders separated by commas, or 'demo': the same as the runs
    use."""
    port: int = 5050
    """First of three ports in a row that the server listens on."""
    address: str | None = None
    """Name or IP address at which the runs reach this machine; default: its host name. Use
    'localhost' for runs on this machine."""
    sources: tuple[str, ...] = ()
    """Sources to separate; needed only when the layout is ambiguous."""
    layout: SetLayout = "auto"
    """Layout of the folder: the name of a public set, 'plain' for your own folders, or 'auto' to
    detect it."""
    cache: str | None = None
    """Folder for unpacked recordings; default: the user's cache folder."""
    rooms: str | None = None
    """Folder of room impulse responses, for runs with augment.rooms."""


def serve(options: Serve, console: Console) -> None:
    """Serve until Ctrl-C or SIGTERM.

    Raises: DataError when the recordings cannot be read or a port is in use; ConfigError for a port
      out of range.
    """
    if not 1 <= options.port <= 65533:
        raise ConfigError(
            f"port is {options.port}; it must be 1 to 65533: this port and the next two are used."
        )
    from tfsepgan.cli.catalogue import show_catalogue
    from tfsepgan.data.recordings.opening import open_catalogue
    from tfsepgan.quiet import quiet_tensorflow

    def recordings(sources, leave_out):
        return open_catalogue(
            options.data, sources, layout=options.layout, leave_out=leave_out, cache=options.cache
        )

    show_catalogue(recordings(options.sources or None, ()), console)
    quiet_tensorflow()
    from tfsepgan.data.remote.server import BatchServer

    with _stop_signals() as stopped:
        server = BatchServer(
            recordings,
            port=options.port,
            address=options.address or socket.gethostname(),
            cache=options.cache,
            rooms=options.rooms,
            say=lambda text: console.print(text, markup=False, highlight=False),
        )
        try:
            console.print(
                f"Batches of {options.data}, for tfsepgan-train --data-server"
                f" {server.address}:{server.port}. Ctrl-C stops it. Anyone who reaches this port"
                " gets batches: use it only in networks that you trust.",
                markup=False,
                highlight=False,
            )
            stopped.wait()
        finally:
            server.close()
    console.print("Stopped.")


@contextlib.contextmanager
def _stop_signals() -> Iterator[threading.Event]:
    """Within this context, SIGINT and SIGTERM set the event that it yields."""
    stopped = threading.Event()
    previous = {
        number: signal.signal(number, lambda *_: stopped.set())
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield stopped
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
