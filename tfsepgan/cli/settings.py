"""Settings from a preset, then a YAML file, then flags; the later ones override the earlier.

The parser (tyro) gets the values of a YAML file as flags, so both are checked in the same way.
"""

import argparse
import dataclasses
from pathlib import Path
from typing import Annotated, Any

import tyro
import yaml

from tfsepgan import systems
from tfsepgan.cli.flags import read_sections
from tfsepgan.config import Experiment, flatten, nearest, to_dict
from tfsepgan.errors import ConfigError

DEFAULT_SYSTEM = "ssepgan"
DEFAULT_PRESETS = ("piano", "instrument", "demo")  # the first that a system has; all end in minutes

TOPICS = {
    "preset": ("system", "preset", "config", "seed"),
    "recordings": ("data", "sources", "layout", "leave_out", "sample_rate_hz"),
    "mixtures": ("window", "batch", "snr_db"),
    "length": ("minutes", "steps"),
    "learning": ("init_from", "learning_rate", "precision"),
    "validation": ("validation_mixtures", "keep"),
    "networks": ("generator.kind", "generator.channels", "generator.blocks"),
}
"""What `--help` shows of the settings of a run; every system has most of them."""


def read_file(path: str | None) -> dict[str, Any]:
    """Return the settings in a YAML file; empty for None.

    Raises: ConfigError when the file cannot be read or does not hold `key: value` lines.
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
    """Return the settings of a file as flags.

    Raises: ConfigError for an unknown key, with the nearest known one.
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


def parse(
    arguments: list[str], options: type, *, program: str, about: str
) -> tuple[Experiment, Any]:
    """Merge preset, file and flags.

    Args:
      arguments: the command line.
      options: a dataclass with the command's own options; every field has a default.
    Returns: the experiment and the options.
    Raises: ConfigError for an unknown system, preset or key of the file; tyro itself exits on a
      wrong flag and lists the nearest ones.
    """
    first = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    for name in ("--system", "--preset", "--config"):
        first.add_argument(name)
    chosen, other_flags = first.parse_known_args(arguments)
    in_file = read_file(chosen.config)
    system = chosen.system or in_file.pop("system", None) or DEFAULT_SYSTEM
    if not isinstance(system, str):
        raise ConfigError(f"{chosen.config} has system: {system}; wanted one name.")
    preset_name = chosen.preset or in_file.pop("preset", None) or default_preset(system)
    in_file = {key: value for key, value in in_file.items() if key not in ("system", "preset")}
    if not isinstance(preset_name, str):
        raise ConfigError(f"{chosen.config} has preset: {preset_name}; wanted one name.")
    base = systems.preset(system, preset_name)

    flags = as_flags(in_file, flatten(to_dict(base)), str(chosen.config))
    read = read_sections(
        {"start": _start(base), "run": options(), "data": base.data, "training": base.training}
        | {system: base.model},
        [*flags, *other_flags],
        program=program,
        about=f"{about}\n\nThe values below are those of the preset {preset_name} of {system}.",
        topics={**getattr(options, "TOPICS", {}), **TOPICS},
    )
    experiment = Experiment(
        system=system,
        preset=preset_name,
        model=read[system],
        data=read["data"],
        training=read["training"],
    )
    return experiment, read["run"]


def default_preset(system: str) -> str:
    """The preset of a system where none is given: for own recordings, with a limit in time."""
    return next(name for name in DEFAULT_PRESETS if name in systems.presets(system))


def _start(base: Experiment) -> Any:
    """The flags that are read first, because the defaults of all others follow from them."""
    texts = {
        "system": f"System to train: {', '.join(systems.SYSTEMS)}.",
        "preset": f"Settings to start from: {', '.join(systems.presets(base.system))}.",
        "config": "YAML file with settings that override the preset; flags override both.",
    }
    values = {"system": base.system, "preset": base.preset, "config": None}
    fields = [
        (name, Annotated[str | None, tyro.conf.arg(help=text)], values[name])
        for name, text in texts.items()
    ]
    return dataclasses.make_dataclass("Start", fields, frozen=True)()


def require_data(experiment: Experiment) -> None:
    """Raises: ConfigError when no recordings are named."""
    if experiment.data.data is None:
        raise ConfigError(
            "No recordings: give --data DIR, laid out as DIR/<split>/<source>/... (see"
            " docs/data.md), or take --preset demo, which has its own."
        )
