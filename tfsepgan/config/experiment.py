"""All settings of one run, their form as dictionaries, and the differences between two runs."""

from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from typing import Any

from tfsepgan.config.data import DataConfig
from tfsepgan.config.names import RENAMED, nearest
from tfsepgan.config.training import TrainingConfig
from tfsepgan.errors import ConfigError

# A resumed run may differ in these: they change where recordings are or how fast a run is, never
# the weights after a step. `training.run` checks separately that the recordings are the same.
FREE_ON_RESUME = frozenset(
    {
        *("data", "layout", "augment.rooms", "cache", "reader", "data_server"),
        *("minutes", "processor_minutes", "tensorboard", "device", "strategy", "profile"),
    }
)


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """All settings of one run."""

    system: str
    preset: str
    model: Any
    data: DataConfig = field(default_factory=DataConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)


def to_dict(experiment: Experiment) -> dict[str, Any]:
    """Return settings as a dictionary: the keys of data, training and model side by side."""
    sections = (experiment.data, experiment.training, experiment.model)
    flat = {"system": experiment.system, "preset": experiment.preset}
    for section in sections:
        flat.update(listed(asdict(section)))
    return flat


def listed(value: Any) -> Any:
    """Return a value with lists in place of tuples, as JSON and YAML have it."""
    if isinstance(value, dict):
        return {key: listed(item) for key, item in value.items()}
    return [listed(item) for item in value] if isinstance(value, (list, tuple)) else value


def flatten(settings: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return `{'generator': {'hop': 4}}` as `{'generator.hop': 4}`, with the names of the flags.

    Earlier names of settings become those of now.
    """
    flat = {}
    for key, value in settings.items():
        if isinstance(value, dict):
            flat.update(flatten(value, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{RENAMED.get(key, key)}"] = value
    return flat


def from_dict(settings: type, values: dict[str, Any]) -> Any:
    """Build a settings dataclass from a plain dictionary, such as one in a manifest.

    Raises: ConfigError for a key that the dataclass does not have; the message names the nearest
      one.
    """
    by_name = {item.name: item for item in fields(settings)}
    known = {}
    for key, value in values.items():
        if key not in by_name:
            raise ConfigError(
                f"{settings.__name__} has no setting {key!r}; {nearest(key, by_name)}"
            )
        kind = by_name[key].type
        if isinstance(value, dict) and is_dataclass(kind):
            value = from_dict(kind, value)
        known[key] = tuple(value) if isinstance(value, list) else value
    return settings(**known)


def differences(experiment: Experiment, saved: dict[str, Any]) -> list[str]:
    """Return a line for each setting in which a saved run differs from an experiment.

    Settings that are free on resume are left out. If the saved run lacks a setting, because it is
    older, the default value is compared.

    Args:
      experiment: the settings given now.
      saved: the settings of the run on disk, as `to_dict` returns them.
    """
    given = flatten(to_dict(experiment))
    defaults = Experiment(system=None, preset=None, model=type(experiment.model)())
    saved = flatten(to_dict(defaults)) | flatten(saved)
    names = [name for name in given | saved if name not in FREE_ON_RESUME]
    return [
        f"{name}: the run has {saved.get(name)!r}, you asked for {given.get(name)!r}"
        for name in names
        if given.get(name) != saved.get(name)
    ]


def with_data(experiment: Experiment, **changes: Any) -> Experiment:
    """Return a copy with other data settings."""
    return replace(experiment, data=replace(experiment.data, **changes))
