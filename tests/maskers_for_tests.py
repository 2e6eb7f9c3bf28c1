"""Filterbank maskers in NumPy with random weights, made without Keras."""

import dataclasses

import numpy as np

from tfsepgan.models.folders import Manifest
from tfsepgan.separation.numpy_masker import NumpyMasker, Weights
from tfsepgan.settings.networks import GeneratorConfig

SMALL = GeneratorConfig(
    kind="filterbank", channels=6, blocks=3, frame=64, hop=16, dilations=(1, 3), dropout=0.2
)
RATE_HZ = 16000


def random_masker(sources=("piano",), **changes) -> tuple[NumpyMasker, Manifest]:
    """Return a masker with the settings SMALL, but for some changes, and its manifest."""
    weights, manifest = random_weights(sources, **changes)
    return NumpyMasker(weights, manifest), manifest


def random_weights(sources=("piano",), **changes) -> tuple[Weights, Manifest]:
    """Return the weights and the manifest of a masker, see `random_masker`."""
    config = dataclasses.replace(SMALL, **changes)
    rng = np.random.default_rng(3)
    bins, wide = config.frame // 2 + 1, config.channels

    def random(*shape):
        return (rng.normal(size=shape) / np.sqrt(shape[0] if len(shape) > 1 else 1)).astype("f4")

    def numbered(kind, number):
        return f"{kind}_{number}" if number else kind

    weights = {
        "batch_normalization": [random(bins), np.square(random(bins)) + 0.5],
        "dense": [random(bins, wide), random(wide)],
        numbered("layer_normalization", config.blocks): [random(wide), random(wide)],
    }
    for block in range(config.blocks):
        weights[numbered("layer_normalization", block)] = [random(wide), random(wide)]
        weights[numbered("dilated_conv1d", block)] = [random(3, wide, wide), random(wide)]
        weights[f"dense_{block + 1}"] = [random(wide, wide), random(wide)]
    outputs = len(sources) * bins
    weights[f"dense_{config.blocks + 1}"] = [random(wide, outputs), random(outputs)]
    manifest = Manifest(
        name="random",
        system="ssepgan",
        network_settings=dataclasses.asdict(config),
        sample_rate_hz=RATE_HZ,
        sources=tuple(sources),
        hop=config.hop,
        context=0,
        parameters=0,
    )
    return weights, manifest
