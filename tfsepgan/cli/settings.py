"""Where settings come from: a preset, then a YAML file, then flags, the later winning; one parser,
tyro, reads them all.

The values of a YAML file are handed to the parser as if they were flags, so both are checked alike.
"""

import argparse
import dataclasses
from pathlib import Path
from typing import Annotated, Any

import tyro
import yaml

from tfsepgan import systems
from tfsepgan.config import Experiment, flatten, nearest, to_dict
from tfsepgan.errors import ConfigError

DEFAULT_SYSTEM, DEFAULT_PRESET = "ssepgan", "paper"


def read_file(path: str | None) -> dict[str, Any]:
    """The settings in a YAML file; none for no file.

    Raises: ConfigError when it cannot be read or is not a list of `key: value`.
    """
    if path is None:
        return {}
    try:
        values = yaml.safe_load(Path(path).read_text())
    except OSError as error:
        raise ConfigError(f"The settings file {path} cannot be read: {error.strerror}.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"The settings file {path} is not YAML: {error}") from error
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise ConfigError(
            f"The settings file {path} must hold `key: value` lines, not a {type(values).__name__}."
        )
    return values


def as_flags(values: dict[str, Any], known: dict[str, Any], where: str) -> list[str]:
    """A file's settings as flags.

    Raises: ConfigError for a key that no setting has, naming the nearest one.
    """
    flags = []
    for key, value in flatten(values).items():
        if key not in known:
            raise ConfigError(f"{where} has an unknown setting {key!r}; {nearest(key, known)}")
        flag = "--" + key.replace("_", "-")
        if isinstance(value, bool):
            flags.append(flag if value else _negated(flag))
        elif isinstance(value, (list, tuple)):
            flags += [flag, *map(str, value)]
        else:
            flags += [flag, str(value)]
    return flags


def _negated(flag: str) -> str:
    head, dot, tail = flag.removeprefix("--").rpartition(".")
    return f"--{head}{dot}no-{tail}"


def _unprefixed(kind: type):
    return Annotated[kind, tyro.conf.arg(name="")]


def parse(
    arguments: list[str], options: type, *, program: str, about: str
) -> tuple[Experiment, Any]:
    """Put preset, file and flags together.

    Args:
      arguments: the command line.
      options: a dataclass with the command's own options beside the experiment's; all with
        defaults.
    Returns: the experiment and the options.
    Raises: ConfigError for an unknown system, preset or key of the file; tyro itself ends the
      program on a wrong flag, naming the nearest ones.
    """
    first = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    for name in ("--system", "--preset", "--config"):
        first.add_argument(name)
    chosen, rest = first.parse_known_args(arguments)
    in_file = read_file(chosen.config)
    system = chosen.system or in_file.pop("system", None) or DEFAULT_SYSTEM
    preset_name = chosen.preset or in_file.pop("preset", None) or DEFAULT_PRESET
    in_file = {key: value for key, value in in_file.items() if key not in ("system", "preset")}
    for name, value in {"system": system, "preset": preset_name}.items():
        if not isinstance(value, str):
            raise ConfigError(f"{chosen.config} has {name}: {value}; wanted one name.")
    base = systems.preset(system, preset_name)

    sections = {
        "options": options(),
        "data": base.data,
        "training": base.training,
        "model": base.model,
    }
    everything = dataclasses.make_dataclass(
        "Settings",
        [
            ("system", str, dataclasses.field(default=system)),
            ("preset", str, dataclasses.field(default=preset_name)),
            ("config", str | None, dataclasses.field(default=None)),
            *((name, _unprefixed(type(value)), value) for name, value in sections.items()),
        ],
        frozen=True,
        kw_only=True,
    )
    everything.__doc__ = (
        f"{about} The settings below are those of the preset {preset_name!r} of {system!r}; other"
        f" presets: {', '.join(systems.presets(system))}; other systems:"
        f" {', '.join(systems.SYSTEMS)}. --config FILE reads them from YAML; flags win over it."
    )
    flags = as_flags(in_file, flatten(to_dict(base)), str(chosen.config))
    parsed = tyro.cli(everything, args=[*flags, *rest], prog=program)
    experiment = Experiment(
        system=system,
        preset=preset_name,
        model=parsed.model,
        data=parsed.data,
        training=parsed.training,
    )
    return experiment, parsed.options
