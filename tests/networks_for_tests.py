"""Small networks of every kind in the tables, with weights that are not zero."""

import keras
import numpy as np
import pytest

from tfsepgan.networks.table import DISCRIMINATORS, GENERATORS, build_discriminator, build_generator
from tfsepgan.settings.networks import DiscriminatorConfig, GeneratorConfig

RATE = 16000
FILTERBANK = {"channels": 16, "blocks": 4, "frame": 64, "hop": 16}
SMALL_GENERATORS = {
    "resnet": {"channels": 8, "blocks": 2},
    "filterbank": FILTERBANK,
    "filterbank with frequencies": {
        **FILTERBANK,
        "kind": "filterbank",
        "features": "instantaneous_frequency",
    },
}
SMALL_GENERATORS |= {
    "tfc_tdf at any level": {
        **FILTERBANK,
        "kind": "tfc_tdf",
        "blocks": 2,
        "patch": 2,
        "levels": 2,
        "features": "complex",
        "level_frames": 4,
    },
    "filterbank at any level": {**FILTERBANK, "kind": "filterbank", "level_frames": 3},
    "band_split at any level": {
        **FILTERBANK,
        "kind": "band_split",
        "narrowest": 2,
        "bands": 3,
        "level_frames": 2,
        "features": "instantaneous_frequency",
    },
    "filterbank with low latency": {
        **FILTERBANK,
        "kind": "filterbank",
        "synthesis_frame": 32,
        "look_ahead_frames": 0,
        "level_frames": 3,
    },
    "tfc_tdf": {**FILTERBANK, "blocks": 2, "patch": 2, "levels": 2},
    "tfc_tdf turning": {
        **FILTERBANK,
        "kind": "tfc_tdf",
        "features": "complex",
        "mask": "complex",
        "dilations": (1, 3),
    },
    "band_split": {**FILTERBANK, "narrowest": 2, "bands": 3},
    "band_split turning": {
        **FILTERBANK,
        "kind": "band_split",
        "features": "instantaneous_frequency",
        "mask": "complex",
    },
    "filterbank turning": {
        **FILTERBANK,
        "kind": "filterbank",
        "features": "complex",
        "mask": "complex",
    },
}
SMALL_DISCRIMINATORS = {
    "wavegan": {"channels": 4},
    "patch": {"channels": 4},
    "multiperiod": {"channels": 4, "periods": (2, 3)},
    "multiresolution": {"channels": 4, "frames": (64, 128)},
    "projections": {"channels": 4, "projections": 3},
    "instantaneous_frequency": {"channels": 4, "frames": (64, 128)},
}


def stir(model):
    """Add random values to biases and scales, as after training.

    With zeros a wrong edge could look right.
    """
    random = np.random.default_rng(0)
    model.set_weights(
        [w + 0.1 * random.random(w.shape) if w.ndim == 1 else w for w in model.get_weights()]
    )
    return model


def at_full_strength(model):
    """Scale every kernel so that a layer keeps the power of its input.

    With a start of 0.02 a small network's signal would vanish.
    """
    scaled = [
        w / np.sqrt(np.sum(np.square(w)) / w.shape[-1]) if w.ndim > 1 else w
        for w in model.get_weights()
    ]
    model.set_weights(scaled)
    return model


MADE = {}  # small generators, their settings and first weights
MADE_DISCRIMINATORS = {}  # small discriminators, with the first values of their variables


def small_generator(kind, *, sources=1, **changes):
    """Return a small generator and its settings.

    The same arguments give the same generator, with its first weights; `new_generator` a new one.
    """
    key = (kind, sources, repr(sorted(changes.items())))
    if key not in MADE:
        generator, config = new_generator(kind, sources=sources, **changes)
        MADE[key] = generator, config, generator.get_weights()
    generator, config, weights = MADE[key]
    generator.set_weights(weights)
    return generator, config


def new_generator(kind, *, sources=1, **changes):
    """Return a new small generator and its settings."""
    keras.utils.set_random_seed(0)
    config = GeneratorConfig(**{"kind": kind, **SMALL_GENERATORS[kind], **changes})
    generator = stir(build_generator(config, sources=sources, sample_rate_hz=RATE))
    return (at_full_strength(generator) if config.kind == "resnet" else generator), config


def small_discriminator(kind, *, window=2048, **changes):
    """Return a small discriminator; the same arguments give the same one, as it was at first."""
    key = (kind, window, repr(sorted(changes.items())))
    if key not in MADE_DISCRIMINATORS:
        keras.utils.set_random_seed(0)
        config = DiscriminatorConfig(kind=kind, **{**SMALL_DISCRIMINATORS[kind], **changes})
        made = build_discriminator(config, window=window, seed=0)
        MADE_DISCRIMINATORS[key] = made, [np.array(variable) for variable in made.variables]
    made, first = MADE_DISCRIMINATORS[key]
    for variable, value in zip(made.variables, first, strict=True):
        variable.assign(value)
    return made


@pytest.fixture(params=sorted({*GENERATORS, *SMALL_GENERATORS}))
def generator_kind(request):
    """Every generator of the table and its variants.

    A new one needs an entry in `SMALL_GENERATORS` and gets every test.
    """
    return request.param


@pytest.fixture(params=sorted(DISCRIMINATORS))
def discriminator_kind(request):
    """Every discriminator of the table."""
    return request.param


@pytest.fixture(scope="session")
def generators():
    """`small_generator`."""
    return small_generator


@pytest.fixture(scope="session")
def discriminators():
    """`small_discriminator`."""
    return small_discriminator
