"""`tfsepgan-data serve`: makes batches for training runs in other processes or on other machines."""

import signal
import socket
import threading
from dataclasses import dataclass

from rich.console import Console

from tfsepgan.config import SetLayout
from tfsepgan.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Serve:
    """Make batches for runs elsewhere (tfsepgan-train --data-server HOST:PORT) until stopped by
    Ctrl-C."""

    data: str
    """Folder with the recordings, or several with commas between, or 'demo': the ones that the runs
    name too."""
    port: int = 5050
    """First of three ports in a row that the server listens on."""
    address: str | None = None
    """Name or IP address by which the runs reach this machine; default: its host name. 'localhost'
    for runs on this machine."""
    sources: tuple[str, ...] = ()
    """Sources that runs will separate; needed only where a folder could be read in two ways."""
    layout: SetLayout = "auto"
    """How the folder is laid out: a set by name, 'plain' for folders of one's own; 'auto' finds
    out."""
    cache: str | None = None
    """Folder for unpacked recordings; default: the user's cache folder."""
    rooms: str | None = None
    """Folder of recorded rooms, for runs with augment.rooms."""


def serve(options: Serve, console: Console) -> None:
    """Serve until Ctrl-C or SIGTERM.

    Raises: DataError when the recordings cannot be read at all, or a port is taken; ConfigError for
      a port that there is not.
    """
    if not 1 <= options.port <= 65533:
        raise ConfigError(
            f"port is {options.port}; wanted 1 to 65533: it and the next two are used."
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

    stopped = threading.Event()
    previous = {
        number: signal.signal(number, lambda *_: stopped.set())
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
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
                f" {server.address}:{server.port}. Ctrl-C ends it. Whoever reaches this port is"
                " served: use it in networks you trust.",
                markup=False,
                highlight=False,
            )
            stopped.wait()
        finally:
            server.close()
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
    console.print("Stopped.")
