"""`tfsepgan-data serve`: makes batches for training runs in other processes or machines."""

import contextlib
import signal
import socket
from dataclasses import dataclass
from functools import partial

from rich.console import Console

from tfsepgan.cli.command import say
from tfsepgan.config import SetLayout
from tfsepgan.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Serve:
    """Make batches for tfsepgan-train --data-server on other machines, until Ctrl-C."""

    data: str
    """Folder of recordings, several folders separated by commas, or 'demo': the same as the runs
    use."""
    port: int = 5050
    """Port that the server listens on."""
    address: str = "localhost"
    """Interface to listen on: 'localhost' for runs on this machine and SSH tunnels, the machine's
    name or IP address in a network, 0.0.0.0 for all. There are no passwords and no encryption."""
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

    Raises: DataError when the recordings cannot be read or the port is in use; ConfigError for a
      port out of range.
    """
    if not 1 <= options.port <= 65535:
        raise ConfigError(f"port is {options.port}; it must be 1 to 65535.")
    from tfsepgan.cli.catalogue import show_catalogue
    from tfsepgan.data.recordings.opening import open_catalogue
    from tfsepgan.data.remote.server import BatchServer

    def recordings(sources, leave_out):
        return open_catalogue(
            options.data, sources, layout=options.layout, leave_out=leave_out, cache=options.cache
        )

    show_catalogue(recordings(options.sources or None, ()), console)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with (
        BatchServer(
            recordings,
            address=options.address,
            port=options.port,
            cache=options.cache,
            rooms=options.rooms,
            say=partial(say, console),
        ) as server,
        contextlib.suppress(KeyboardInterrupt),
    ):
        host = socket.gethostname() if options.address == "0.0.0.0" else options.address
        say(
            console,
            f"Batches of {options.data}, for tfsepgan-train --data-server"
            f" {host}:{options.port}. Ctrl-C stops it. Whoever reaches this port can"
            " read the recordings: use it only in networks that you trust.",
        )
        server.serve_forever()
    say(console, "Stopped.")
