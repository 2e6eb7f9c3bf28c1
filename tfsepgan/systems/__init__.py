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


SYSTEMS = {
    # section 3.3
    "ssepgan": Entry("tfsepgan.systems.ssepgan:SSepGAN", "tfsepgan.settings.ssepgan:SSepGANConfig"),
    # section 3.2
    "cyclegan": Entry(
        "tfsepgan.systems.cyclegan:CycleGAN", "tfsepgan.settings.cyclegan:CycleGANConfig"
    ),
    "semisupervised": Entry(  # section 2.4.2
        "tfsepgan.systems.semisupervised:SemiSupervised",
        "tfsepgan.settings.semisupervised:SemiSupervisedConfig",
    ),
    "compressed_sensing": Entry(  # section 2.2
        "tfsepgan.systems.compressed_sensing:CompressedSensing",
        "tfsepgan.settings.compressed_sensing:CompressedSensingConfig",
    ),
    "decomposition": Entry(  # section 2.3
        "tfsepgan.systems.decomposition:Decomposition",
        "tfsepgan.settings.decomposition:DecompositionConfig",
    ),
    # section 2.4.1
    "gass": Entry("tfsepgan.systems.gass:GASS", "tfsepgan.settings.gass:GASSConfig"),
    # the baseline of 2.4.1
    "nmf": Entry("tfsepgan.systems.nmf:NMF", "tfsepgan.settings.nmf:NMFConfig"),
    # section 2.1
    "wavegan": Entry("tfsepgan.systems.wavegan:WaveGAN", "tfsepgan.settings.wavegan:WaveGANConfig"),
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
