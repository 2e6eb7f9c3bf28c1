"""The tables of generators and discriminators, and the functions that build them."""

from collections.abc import Callable
from typing import NamedTuple

import keras

from tfsepgan.config import nearest
from tfsepgan.errors import ConfigError
from tfsepgan.layers.framing import FirstSources
from tfsepgan.networks import discriminators
from tfsepgan.networks.filterbank import filterbank
from tfsepgan.networks.masking import masker_context
from tfsepgan.networks.resnet import HOP as RESNET_HOP
from tfsepgan.networks.resnet import resnet, resnet_context
from tfsepgan.networks.time_frequency import band_split, tfc_tdf, tfc_tdf_context
from tfsepgan.settings.networks import DiscriminatorConfig, GeneratorConfig


class GeneratorEntry(NamedTuple):
    """A generator: how to build it, and what `separation.engine` needs for exact blocks."""

    build: Callable[..., keras.Model]
    # samples; the estimates shift with the mixture, in steps of `hop`
    hop: Callable[[GeneratorConfig], int]
    # samples on either side that an output sample depends on
    context: Callable[[GeneratorConfig], int]


GENERATORS = {
    "resnet": GeneratorEntry(resnet, lambda config: RESNET_HOP, resnet_context),
    "filterbank": GeneratorEntry(filterbank, lambda config: config.hop, masker_context),
    "tfc_tdf": GeneratorEntry(tfc_tdf, lambda config: config.hop, tfc_tdf_context),
    "band_split": GeneratorEntry(band_split, lambda config: config.hop, masker_context),
}

DISCRIMINATORS = {
    "wavegan": discriminators.wavegan,
    "patch": discriminators.patch,
    "multiperiod": discriminators.multiperiod,
    "multiresolution": discriminators.multiresolution,
    "projections": discriminators.projections,
    "instantaneous_frequency": discriminators.instantaneous_frequency,
}


def build_generator(config: GeneratorConfig, *, sources: int, sample_rate_hz: int) -> keras.Model:
    """Build the generator that the settings name.

    Returns: `[batch, time, 1]` -> `[batch, sources, time, 1]`, any time of at least one sample.
    Raises: ConfigError for a kind that is not in the table.
    """
    build = generator_entry(config.kind).build
    return build(config, sources=sources, sample_rate_hz=sample_rate_hz)


def first_sources(generator: keras.Model, count: int) -> keras.Model:
    """Return a model with the first `count` sources of a generator; it shares the weights."""
    if generator.output.shape[1] == count:
        return generator
    first = FirstSources(count, dtype="float32")(generator.output)
    return keras.Model(generator.input, first, name=generator.name)


def generator_entry(kind: str) -> GeneratorEntry:
    """Return the entry of a generator.

    Raises: ConfigError for a kind that is not in the table.
    """
    if kind not in GENERATORS:
        raise ConfigError(f"There is no generator {kind!r}; {nearest(kind, GENERATORS)}")
    return GENERATORS[kind]


def build_discriminator(config: DiscriminatorConfig, *, window: int, seed: int) -> keras.Model:
    """Build the discriminator that the settings name.

    Returns: `[batch, window, 1]` -> `{"scores": [...], "features": [...]}`.
    Raises: ConfigError for a kind that is not in the table.
    """
    if config.kind not in DISCRIMINATORS:
        raise ConfigError(
            f"There is no discriminator {config.kind!r}; {nearest(config.kind, DISCRIMINATORS)}"
        )
    return DISCRIMINATORS[config.kind](config, window=window, seed=seed)
