"""Settings that every run has: data, training and the experiment that holds all of them.

Settings are frozen, typed, keyword-only dataclasses. A system adds its own in
`tfsepgan/settings/NAME.py`. Values come from a preset, then from a YAML file, then from flags; the
later ones win. `tfsepgan.cli.settings` combines the three.
"""

from tfsepgan.config.augment import AUGMENTATIONS, AugmentConfig
from tfsepgan.config.checks import MIXTURE, RESERVED, check
from tfsepgan.config.data import NO_OTHERS, Balance, DataConfig, Law, Reader, SetLayout
from tfsepgan.config.experiment import (
    FREE_ON_RESUME,
    Experiment,
    differences,
    flatten,
    from_dict,
    listed,
    to_dict,
    with_data,
)
from tfsepgan.config.names import RENAMED, nearest
from tfsepgan.config.training import Keep, Precision, Schedule, Strategy, TrainingConfig

__all__ = [
    "AUGMENTATIONS",
    "FREE_ON_RESUME",
    "MIXTURE",
    "NO_OTHERS",
    "RENAMED",
    "RESERVED",
    "AugmentConfig",
    "Balance",
    "DataConfig",
    "Experiment",
    "Keep",
    "Law",
    "Precision",
    "Reader",
    "Schedule",
    "SetLayout",
    "Strategy",
    "TrainingConfig",
    "check",
    "differences",
    "flatten",
    "from_dict",
    "listed",
    "nearest",
    "to_dict",
    "with_data",
]
