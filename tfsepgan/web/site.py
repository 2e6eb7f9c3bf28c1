"""Writes the page and a model to a folder that any file server can serve.

The page is built from `web/` at the top of the repository. `prebuilt/` has the result, so nobody
who installs the package needs the tools that build it.
"""

import base64
import gzip
import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

from tfsepgan.errors import CheckpointError, ExportError
from tfsepgan.files import put_folder_in_place
from tfsepgan.models.digests import WEIGHTS
from tfsepgan.models.folders import check_new_folder, find_bundle
from tfsepgan.ondevice.description import describe
from tfsepgan.web.network import page_network, why_not_page

PREBUILT = Path(__file__).parent / "prebuilt"
SOURCES_DIGEST = "sources.sha256"  # of the sources that the page was built from; for the tests
FACTS = "model.json"
SERVICE_WORKER = "service-worker.js"
# The files that LiteRT can run in a browser, the best one first: fixed shapes, and few bytes.
ENDS = (".web.tflite", ".stream.dynamic.tflite", ".stream.fp16.tflite", ".stream.tflite")
LITERT = "litert"  # the folder of LiteRT, which only some models need
# what the service worker leaves to be filled in
_FILES, _VERSION = "__FILES__", "__VERSION__"


def write_site(model: str | os.PathLike[str], target: str | os.PathLike[str]) -> Path:
    """Write the page with a model.

    Args:
      model: the name of a model that ships with the package, a model folder or an address on the
        Hub, as `find_bundle` takes it.
      target: does not exist yet, or is an empty folder; it appears when it is complete.
    Returns: the file that the model was read from: the weights, if the page's own WebAssembly can
      run the network; else a TFLite file.
    Raises: CheckpointError when there is no such model, the page cannot run it, its files are
      damaged, or the target holds anything; ExportError when writing fails.
    """
    folder, target = find_bundle(model), Path(target)
    own = why_not_page(folder) is None
    file = folder / WEIGHTS if own else browser_file(folder)
    facts, content = page_network(folder) if own else (_facts(file), file.read_bytes())
    check_new_folder(target)
    if not (PREBUILT / "index.html").is_file():
        raise ExportError(f"{PREBUILT} has no page; install tfsepgan again.")
    try:
        with put_folder_in_place(target) as made:
            unused = shutil.ignore_patterns(SOURCES_DIGEST, *([LITERT] if own else []))
            shutil.copytree(PREBUILT, made, ignore=unused)
            (made / facts["file"]).write_bytes(gzip.compress(content, mtime=0))
            (made / FACTS).write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
            _list_files(made)
    except OSError as error:
        raise ExportError(
            f"Could not write the page to {target}: {error.strerror or error}. Free some space or"
            " choose another folder."
        ) from error
    return file


def browser_file(folder: Path) -> Path:
    """The file that LiteRT runs in browsers: fixed shapes, with the state of a stream outside.

    Raises: CheckpointError when the folder has none.
    """
    found = [path for end in ENDS for path in sorted(Path(folder).glob(f"*{end}"))]
    if not found:
        raise CheckpointError(
            f"{folder} has no file that a browser can run (NAME{ENDS[0]} or NAME{ENDS[1]}). Export"
            " the model with `tfsepgan-export ... --variants web`, and give that folder."
        )
    return found[0]


def _facts(file: Path) -> dict[str, Any]:
    """The facts about a model that the page needs."""
    described = describe(file)
    try:
        return {
            "name": str(described["name"]),
            "licence": str(described.get("licence") or ""),
            "sources": list(described["sources"]),
            "sample_rate_hz": int(described["sample_rate_hz"]),
            "context": int(described["context"]),
            "delay_samples": int(described["streaming"]["delay_samples"]),
            # no suffix of its own: some servers would decompress .gz on the way
            "file": f"{file.name}.gzip",
        }
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"{file} is not a streaming model ({error}); export it again with `tfsepgan-export ..."
            " --variants web`."
        ) from error


def _list_files(made: Path) -> None:
    """Give the service worker the files that it keeps, with their digests."""
    worker = made / SERVICE_WORKER
    files = [path for path in sorted(made.rglob("*")) if path.is_file() and path != worker]
    listed = {path.relative_to(made).as_posix(): _integrity(path) for path in files}
    text, listing = worker.read_text(encoding="utf-8"), json.dumps(listed)
    if _FILES not in text or _VERSION not in text:
        raise ExportError(f"{PREBUILT / SERVICE_WORKER} is damaged; install tfsepgan again.")
    version = hashlib.sha256(listing.encode()).hexdigest()[:16]
    text = text.replace(_FILES, listing).replace(_VERSION, json.dumps(version))
    worker.write_text(text, encoding="utf-8")


def _integrity(path: Path) -> str:
    """The digest of a file as browsers check it."""
    digest = hashlib.sha256(path.read_bytes()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"
