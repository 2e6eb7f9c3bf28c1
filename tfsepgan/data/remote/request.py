"""What a trainer asks a server of batches for, and when the server must refuse: one that would give
other batches.

Everything that decides a batch is in the request: settings, what is heard, the steps, and which
recordings (by name, length and rate) and versions the trainer has. Where files lie is each side's
own business and is not sent.
"""

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from tfsepgan import __version__
from tfsepgan.config import DataConfig, from_dict
from tfsepgan.data.batches.fingerprint import DRAWS, fingerprint
from tfsepgan.data.recordings.catalogue import Catalogue
from tfsepgan.errors import DataError

PROTOCOL = 1  # raise when request or reply change
# gives the bits of every other, and a graph without the paths of all recordings in it
READER = "memmap"
# settings that each side has its own of
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
    """What a trainer asks for.

    Args:
      catalogue: the recordings as the trainer sees them.
      config: of the data.
      batch_keys, first_step, every: see `pipeline.training_batches`.
      name: 32 hexadecimal digits that nobody else has.
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
    """What must be the same on both sides."""
    import tensorflow as tf

    return {"tfsepgan": __version__, "tensorflow": tf.__version__, "draws": DRAWS}


def token(name: str) -> int:
    """A request's name as a number, which every batch made for it carries."""
    return int(name[:15], 16)


def settings_in(request: dict[str, Any], *, cache: str | None, rooms: str | None) -> DataConfig:
    """The settings that a request names, with the server's own places.

    Args:
      request: as `request_of` makes it.
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
    """Raises: DataError when something that decides a batch has another version here than at the
    trainer's."""
    ours, theirs = (
        {**versions(), "protocol": PROTOCOL},
        {**request["versions"], "protocol": request["protocol"]},
    )
    for name, version in ours.items():
        if theirs.get(name) != version:
            raise DataError(
                f"It runs {name} {version}, the trainer {name} {theirs.get(name)}: their batches"
                " could differ. Install the same on both."
            )


def refuse_other_recordings(
    request: dict[str, Any], catalogue: Catalogue, config: DataConfig
) -> None:
    """Raises: DataError when the trainer's train split is not this one."""
    if catalogue.layout != request["kind"]:
        raise DataError(
            f"It reads {catalogue.directory} as {catalogue.layout}, the trainer its own data as"
            f" {request['kind']}. Give both the same --layout."
        )
    if fingerprint(catalogue, config.augment.rooms) != request["recordings"]:
        raise DataError(
            f"The train split of {catalogue.directory} holds other recordings than the trainer's"
            " data (names, lengths or rates differ"
            + (", or the rooms do" if config.augment.rooms else "")
            + "). Give both the same --data"
            + (" and rooms." if config.augment.rooms else ".")
        )
