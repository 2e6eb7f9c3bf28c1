"""Packages that only some commands need."""

from importlib import import_module
from types import ModuleType

from tfsepgan.errors import DataError


def import_optional(name: str, *, wanted_by: str, extra: str) -> ModuleType:
    """Import a package of an extra.

    Args:
      name: of the package.
      wanted_by: what needs it, with a verb, such as "MIDI files need".
      extra: of `tfsepgan`, which installs it.
    Raises: DataError with the command to install it.
    """
    try:
        return import_module(name)
    except ImportError as error:
        raise DataError(
            f"{wanted_by} {name}, which is not installed: pip install 'tfsepgan[{extra}]'"
        ) from error
