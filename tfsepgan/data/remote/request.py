"""A trainer's request for the batch of a step: JSON with all that determines the batch.

It has settings, keys, step, recordings (by name, length and rate) and versions. Locations of files
are not sent, because they differ between the machines.
"""

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from tfsepgan import __version__
from tfsepgan.config import DataConfig, from_dict
from tfsepgan.data.batches.fingerprint import DRAWS, fingerprint
from tfsepgan.data.recordings.catalogue import Catalogue
from tfsepgan.errors import DataError

SERVER = "tfsepgan"  # what a server calls itself in its replies
VERSION = f"{__version__} (draws {DRAWS})"  # must be equal on both sides
# settings that differ between the machines
OF_THIS_MACHINE = ("data", "layout", "cache", "reader", "data_server")


def request_of(
    catalogue: Catalogue, config: DataConfig, batch_keys: Sequence[str]
) -> dict[str, Any]:
    """The request of a trainer, without a step: recordings, settings and keys of its batches."""
    settings = {key: value for key, value in asdict(config).items() if key not in OF_THIS_MACHINE}
    settings["augment"]["rooms"] = None
    return {
        "version": VERSION,
        "settings": settings,
        "rooms": bool(config.augment.rooms),
        "batch_keys": list(batch_keys),
        "layout": catalogue.layout,
        "recordings": fingerprint(catalogue, config.augment.rooms),
    }


def settings_in(request: dict[str, Any], *, cache: str | None, rooms: str | None) -> DataConfig:
    """The settings in a request, with the server's own folders.

    Raises: DataError when the trainer has another version, or uses recorded rooms and the server
      has none; ConfigError for an unknown setting.
    """
    if request["version"] != VERSION:
        raise DataError(
            f"It runs tfsepgan {VERSION}, the trainer {request['version']}: their batches could"
            " differ. Install the same version on both."
        )
    if request["rooms"] and not rooms:
        raise DataError(
            "The run uses recorded rooms, and the server has none: start it with --rooms DIR."
        )
    sent = {key: value for key, value in request["settings"].items() if key not in OF_THIS_MACHINE}
    config = from_dict(DataConfig, sent)
    augment = replace(config.augment, rooms=rooms if request["rooms"] else None)
    return replace(config, cache=cache, augment=augment)


def refuse_other_recordings(
    request: dict[str, Any], catalogue: Catalogue, config: DataConfig
) -> None:
    """Refuse a trainer with other recordings.

    Raises: DataError when the trainer's train split differs from the server's.
    """
    if catalogue.layout != request["layout"]:
        raise DataError(
            f"It reads {catalogue.directory} as {catalogue.layout}, the trainer its own data as"
            f" {request['layout']}. Use the same --layout for both."
        )
    if fingerprint(catalogue, config.augment.rooms) != request["recordings"]:
        raise DataError(
            f"The train split of {catalogue.directory} holds other recordings than the trainer's"
            " data, or the rooms differ (names, lengths or rates). Use the same --data and rooms"
            " for both."
        )
