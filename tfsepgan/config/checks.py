"""Checks of settings before a run reads or writes anything."""

import math
import re
from collections.abc import Iterator

from tfsepgan.config.data import NO_OTHERS, DataConfig
from tfsepgan.config.experiment import Experiment
from tfsepgan.config.limits import low_to_high, outside, shares
from tfsepgan.config.training import TrainingConfig
from tfsepgan.errors import ConfigError

MIXTURE = "mixture"
RESERVED = (MIXTURE, "residual")  # names that no source can have


def check(experiment: Experiment) -> None:
    """Refuse settings that no run can use.

    Raises: ConfigError that names the setting, its value and the values it can have.
    """
    for problem in _problems(experiment):
        raise ConfigError(problem)


def _problems(experiment: Experiment) -> Iterator[str]:
    yield from _of_data(experiment.data)
    yield from _of_training(experiment.training)
    yield from _of_device(experiment.training.device)
    yield from _of_parts(experiment)
    yield from experiment.model.problems()


def _of_device(device: str | None) -> Iterator[str]:
    names = [] if device is None else device.lower().replace(" ", "").split(",")
    if not all(re.fullmatch(r"(cpu|gpu)(:\d+)?", name) for name in names):
        yield f"device is {device!r}; wanted cpu, gpu, gpu:0 or several separated by commas."


def _of_parts(experiment: Experiment) -> Iterator[str]:
    batch, parts = experiment.data.batch, experiment.training.accumulate
    if batch % parts:
        yield (
            f"batch is {batch} and accumulate {parts}: parts have equal sizes, so batch must be a"
            " multiple of accumulate."
        )


def _above_zero(config: DataConfig | TrainingConfig, *names: str) -> Iterator[str]:
    yield from outside(config, names, lambda value: 0 < value < math.inf, "above zero")


def _zero_or_more(config: DataConfig | TrainingConfig, *names: str) -> Iterator[str]:
    yield from outside(config, names, lambda value: not value < 0, "zero or more")


def _of_data(data: DataConfig) -> Iterator[str]:
    yield from _above_zero(data, "sample_rate_hz", "window", "batch")
    yield from _zero_or_more(data, "variants", "seed")
    yield from outside(data, ["seed"], lambda seed: seed < 2**32, f"below {2**32}")
    yield from low_to_high(data, "snr_db", "others", "gain_db")
    if data.others[0] < 1 and data.others != NO_OTHERS:
        yield (
            f"others is {data.others}; a mixture needs at least one other recording, or 0 0 where"
            " every source is named."
        )
    yield from shares(data, "remix", "songs")
    yield from outside(data, ["rests"], lambda share: 0 <= share < 1, "at least 0 and below 1")
    labelled = "above 0 and at most 1"
    yield from outside(data, ["labelled"], lambda share: 0 < share <= 1, labelled)
    yield from data.augment.problems()
    for server in data.data_server.split(",") if data.data_server is not None else ():
        host, _, port = server.strip().rpartition(":")
        if not (host and port.isascii() and port.isdigit() and 0 < int(port) < 65536):
            yield (
                f"data_server is {data.data_server!r}; wanted HOST:PORT, or several separated by"
                " commas."
            )
    reserved = [name for name in data.sources if name in RESERVED]
    if reserved:
        yield (
            f"sources has {reserved[0]!r}, a name that tfsepgan uses for something else; rename the"
            " folder."
        )
    if not data.sources or len(set(data.sources)) != len(data.sources):
        yield f"sources is {data.sources}; name each source that the model estimates once."


def _of_training(training: TrainingConfig) -> Iterator[str]:
    rates = ("learning_rate", "discriminator_learning_rate", "clip_norm")
    lengths = ("steps", "steps_per_epoch", "validation_seconds", "minutes", "processor_minutes")
    lengths += ("accumulate",)
    yield from _above_zero(training, *rates, *lengths)
    yield from _zero_or_more(training, "warmup_steps", "validation_mixtures", "profile")
    yield from outside(training, ["ema"], lambda decay: 0 <= decay < 1, "in [0, 1)")
    if not all(0 <= beta < 1 for beta in training.betas):
        yield f"betas is {training.betas}; both must be in [0, 1)."
