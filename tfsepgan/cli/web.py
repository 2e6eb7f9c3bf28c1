"""`tfsepgan-web`: writes a page that separates recordings on the visitor's machine."""

from dataclasses import dataclass
from typing import Annotated

import tyro

from tfsepgan.cli.command import command, say
from tfsepgan.cli.flags import read_options
from tfsepgan.files import readable_size


@dataclass(frozen=True, kw_only=True)
class WebOptions:
    """Write a page that separates recordings in the browser, on the visitor's machine.

    Any file server can serve the folder; the page loads nothing from other servers."""

    directory: Annotated[str, tyro.conf.Positional] = "page"
    """Folder to create."""
    model: str = "piano"
    """Name of a model that ships with tfsepgan, or a folder written by tfsepgan-export; for other
    networks than filterbank with --variants web, stream.dynamic, stream.fp16 or stream."""


def _web(arguments, console):
    options = read_options(WebOptions, arguments, program="tfsepgan-web")
    from pathlib import Path

    from tfsepgan.web.site import write_site

    file = write_site(options.model, options.directory)
    files = [path for path in Path(options.directory).rglob("*") if path.is_file()]
    size = readable_size(sum(path.stat().st_size for path in files))
    say(console, f"Wrote {options.directory} with {file.name}, {size}.")
    say_how_to_open(console, options.directory)


def say_how_to_open(console, directory: str) -> None:
    """Print how to open a page that was written."""
    say(console, f"Open it here: python -m http.server -b 127.0.0.1 -d {directory} 8000")
    say(console, "then http://127.0.0.1:8000 in a browser. On other machines it needs HTTPS.")


main = command(_web)

if __name__ == "__main__":
    raise SystemExit(main())
