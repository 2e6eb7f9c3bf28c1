"""The table of systems.

A new system needs its own file, its settings and one line here.
"""

from importlib import import_module
from typing import NamedTuple

from tfsepgan.config import Experiment, nearest
from tfsepgan.errors import ConfigError
from tfsepgan.settings.search import Span


class Entry(NamedTuple):
    """Where a system's class and settings are defined, each as `module:name`."""

    model: str
    settings: str  # the config dataclass; its module also has PRESETS and SEARCH


_CLASSES = {  # by system; the module of a system and that of its settings have its name
    "ssepgan": "SSepGAN",  # section 3.3
    "cyclegan": "CycleGAN",  # section 3.2
    "semisupervised": "SemiSupervised",  # section 2.4.2
    "compressed_sensing": "CompressedSensing",  # section 2.2
    "decomposition": "Decomposition",  # section 2.3
    "gass": "GASS",  # section 2.4.1
    "nmf": "NMF",  # the baseline of 2.4.1
    "wavegan": "WaveGAN",  # section 2.1
}
SYSTEMS = {
    name: Entry(f"tfsepgan.systems.{name}:{made}", f"tfsepgan.settings.{name}:{made}Config")
    for name, made in _CLASSES.items()
}


def entry(name: str) -> Entry:
    """The entry of a system.

    Raises: ConfigError for an unknown name; the message has the nearest known one.
    """
    if name not in SYSTEMS:
        raise ConfigError(f"There is no system {name!r}; {nearest(name, SYSTEMS)}")
    return SYSTEMS[name]


def _load(place: str):
    module, _, attribute = place.partition(":")
    return getattr(import_module(module), attribute)


def settings_type(name: str) -> type:
    """A system's config dataclass. Does not load TensorFlow."""
    return _load(entry(name).settings)


def presets(name: str) -> dict[str, Experiment]:
    """A system's presets by name. Does not load TensorFlow."""
    return _load(entry(name).settings.partition(":")[0] + ":PRESETS")


def search_space(name: str) -> dict[str, Span]:
    """The range that a search may try for each setting, by dotted name.

    Does not load TensorFlow.
    """
    return _load(entry(name).settings.partition(":")[0] + ":SEARCH")


def preset(system: str, name: str) -> Experiment:
    """One preset of a system.

    Raises: ConfigError for an unknown system or preset; the message has the nearest known name.
    """
    known = presets(system)
    if name not in known:
        raise ConfigError(f"{system} has no preset {name!r}; {nearest(name, known)}")
    return known[name]


def system_kind(name: str) -> str:
    """How a system uses its networks: "generator", "search" or "synthesis". Loads TensorFlow."""
    return _load(entry(name).model).kind


def build(experiment: Experiment):
    """Build the system of an experiment, untrained and not compiled. Loads TensorFlow."""
    return _load(entry(experiment.system).model)(experiment)
