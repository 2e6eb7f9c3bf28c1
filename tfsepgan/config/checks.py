"""Checks of settings before a run reads or writes anything."""

import math
from collections.abc import Iterator

from tfsepgan.config.data import NO_OTHERS, DataConfig
from tfsepgan.config.experiment import Experiment
from tfsepgan.config.training import TrainingConfig
from tfsepgan.errors import ConfigError

MIXTURE = "mixture"
RESERVED = (MIXTURE, "residual")  # names that no source can have
_ABOVE_ZERO = (
    *("sample_rate_hz", "window", "batch", "steps", "steps_per_epoch", "learning_rate"),
    *("discriminator_learning_rate", "validation_seconds", "minutes", "clip_norm"),
    "processor_minutes",
)
_ZERO_OR_MORE = ("variants", "seed", "warmup_steps", "validation_mixtures")
_LOW_TO_HIGH = ("snr_db", "others", "gain_db")


def check(experiment: Experiment) -> None:
    """Refuse settings that no run can use.

    Raises: ConfigError that names the setting, its value and the values it can have.
    """
    for problem in _problems(experiment):
        raise ConfigError(problem)


def _problems(experiment: Experiment) -> Iterator[str]:
    yield from _numbers(experiment.data, experiment.training)
    yield from _of_data(experiment.data)
    yield from _of_training(experiment.training)
    yield from _of_source_names(experiment.data)
    yield from experiment.model.problems()


def _numbers(data: DataConfig, training: TrainingConfig) -> Iterator[str]:
    given = {
        name: value for name, value in (vars(data) | vars(training)).items() if value is not None
    }
    for name in _ABOVE_ZERO:
        if name in given and not 0 < given[name] < math.inf:
            yield f"{name} is {given[name]}; it must be above zero."
    for name in _ZERO_OR_MORE:
        if name in given and given[name] < 0:
            yield f"{name} is {given[name]}; it must be zero or more."
    if data.seed >= 2**32:
        yield f"seed is {data.seed}; it must be below {2**32}."
    for name in _LOW_TO_HIGH:
        low, high = given[name]
        if not -math.inf < low <= high < math.inf:
            yield f"{name} is {low} to {high}; two numbers are wanted, the lower one first."


def _of_data(data: DataConfig) -> Iterator[str]:
    if data.others[0] < 1 and data.others != NO_OTHERS:
        yield (
            f"others is {data.others}; a mixture needs at least one other recording, or 0 0 where"
            " every source is named."
        )
    for name in ("remix", "songs"):
        if not 0 <= getattr(data, name) <= 1:
            yield f"{name} is {getattr(data, name)}; it must be in [0, 1]."
    if not 0 <= data.rests < 1:
        yield f"rests is {data.rests}; it must be at least 0 and below 1."
    if not 0 < data.labelled <= 1:
        yield f"labelled is {data.labelled}; it must be above 0 and at most 1."
    yield from data.augment.problems()
    for server in data.data_server.split(",") if data.data_server is not None else ():
        host, _, port = server.strip().rpartition(":")
        if not (host and port.isascii() and port.isdigit() and 0 < int(port) < 65536):
            yield (
                f"data_server is {data.data_server!r}; wanted HOST:PORT, or several separated by"
                " commas."
            )


def _of_training(training: TrainingConfig) -> Iterator[str]:
    if not 0 <= training.ema < 1:
        yield f"ema is {training.ema}; it must be in [0, 1)."
    if not all(0 <= beta < 1 for beta in training.betas):
        yield f"betas is {training.betas}; both must be in [0, 1)."


def _of_source_names(data: DataConfig) -> Iterator[str]:
    reserved = [name for name in data.sources if name in RESERVED]
    if reserved:
        yield (
            f"sources has {reserved[0]!r}, a name that tfsepgan uses for something else; rename the"
            " folder."
        )
    if not data.sources or len(set(data.sources)) != len(data.sources):
        yield f"sources is {data.sources}; name each source that the model estimates once."
