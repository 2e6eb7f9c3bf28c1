"""A trainer's request for batches, and when a server must refuse it.

The request contains everything that determines a batch: settings, batch keys, steps, recordings (by
name, length and rate) and versions. File locations differ between the machines and are not sent.
"""

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from tfsepgan import __version__
from tfsepgan.config import DataConfig, from_dict
from tfsepgan.data.batches.fingerprint import DRAWS, fingerprint
from tfsepgan.data.recordings.catalogue import Catalogue
from tfsepgan.errors import DataError

PROTOCOL = 1  # increase when request or reply change
# same bits as the other readers, and no paths of recordings in the graph
READER = "memmap"
# settings that differ between the machines
OF_THIS_MACHINE = ("data", "layout", "cache", "reader", "data_server")


def request_of(
    catalogue: Catalogue,
    config: DataConfig,
    *,
    batch_keys: Sequence[str],
    first_step: int,
    every: int,
    name: str,
) -> dict[str, Any]:
    """The request of a trainer.

    Args:
      catalogue: the recordings of the trainer.
      config: of the data.
      batch_keys, first_step, every: see `pipeline.training_batches`.
      name: 32 hexadecimal digits, unique.
    """
    settings = {key: value for key, value in asdict(config).items() if key not in OF_THIS_MACHINE}
    settings["augment"]["rooms"] = None
    return {
        "protocol": PROTOCOL,
        "versions": versions(),
        "name": name,
        "settings": settings,
        "rooms": bool(config.augment.rooms),
        "batch_keys": list(batch_keys),
        "first_step": first_step,
        "every": every,
        "kind": catalogue.layout,
        "recordings": fingerprint(catalogue, config.augment.rooms),
    }


def versions() -> dict[str, str | int]:
    """What must be equal on both sides."""
    import tensorflow as tf

    return {"tfsepgan": __version__, "tensorflow": tf.__version__, "draws": DRAWS}


def token(name: str) -> int:
    """A request's name as a number, which every batch of it carries."""
    return int(name[:15], 16)


def settings_in(request: dict[str, Any], *, cache: str | None, rooms: str | None) -> DataConfig:
    """The settings in a request, with the server's own folders.

    Args:
      request: from `request_of`.
      cache, rooms: folders of the server.
    Raises: DataError when the run uses recorded rooms and the server has none; ConfigError for an
      unknown setting.
    """
    if request["rooms"] and not rooms:
        raise DataError(
            "The run uses recorded rooms, and the server has none: start it with --rooms DIR."
        )
    sent = {key: value for key, value in request["settings"].items() if key not in OF_THIS_MACHINE}
    config = from_dict(DataConfig, sent)
    rooms = rooms if request["rooms"] else None
    return replace(config, cache=cache, reader=READER, augment=replace(config.augment, rooms=rooms))


def refuse_other_versions(request: dict[str, Any]) -> None:
    """Refuse a trainer with other versions.

    Raises: DataError when a version that affects batches differs.
    """
    own = {**versions(), "protocol": PROTOCOL}
    requested = {**request["versions"], "protocol": request["protocol"]}
    for name, version in own.items():
        if requested.get(name) != version:
            raise DataError(
                f"It runs {name} {version}, the trainer {name} {requested.get(name)}: their batches"
                " could differ. Install the same version on both."
            )


def refuse_other_recordings(
    request: dict[str, Any], catalogue: Catalogue, config: DataConfig
) -> None:
    """Refuse a trainer with other recordings.

    Raises: DataError when the trainer's train split differs from the server's.
    """
    if catalogue.layout != request["kind"]:
        raise DataError(
            f"It reads {catalogue.directory} as {catalogue.layout}, the trainer its own data as"
            f" {request['kind']}. Use the same --layout for both."
        )
    if fingerprint(catalogue, config.augment.rooms) != request["recordings"]:
        raise DataError(
            f"The train split of {catalogue.directory} holds other recordings than the trainer's"
            " data (names, lengths or rates differ"
            + (", or the rooms do" if config.augment.rooms else "")
            + "). Use the same --data"
            + (" and rooms" if config.augment.rooms else "")
            + " for both."
        )
