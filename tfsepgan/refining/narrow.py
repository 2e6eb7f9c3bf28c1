"""Makes a trained network narrower: fewer channels, almost the same function, no training.

Many of a trained network's channels are of no use: rectified units that are never above zero, and
directions of the residual stream without energy. `narrowed` measures both on mixtures and cuts the
weights down to the rest:

- The stream (all that the blocks add up) is turned onto its principal components and cut off. The
  normalisation of each block subtracts the mean and divides by the standard deviation. A rotation
  within the signals of zero mean changes neither, so only what is cut off is lost.
- Inside a block, the rectified units that add the most energy are kept. Those left out are
  predicted from them by least squares.

Works on generators of kind 'filterbank'. What is lost comes back by training against the wide
network, see `distil`.

Source: Ashkboos et al. 2024, "SliceGPT: compress large language models by deleting rows and
columns", arXiv:2401.15024.
Departs from it: one rotation for all blocks, so that the skip connections stay as they are; the
units inside the blocks are cut, too.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

import keras
import numpy as np

from tfsepgan.dsp.filterbank import EPSILON
from tfsepgan.errors import ConfigError
from tfsepgan.networks.table import build_generator
from tfsepgan.settings.networks import GeneratorConfig

RIDGE = 1e-6  # of the mean energy of a unit, in the least squares


class Energies(NamedTuple):
    """Products of channels, summed over frames."""

    stream: np.ndarray
    """Of the normalised stream, over all blocks, `[channels, channels]`."""
    units: list[np.ndarray]
    """Of the rectified units of each block, `[channels, channels]`."""


def narrowed(
    wide: keras.Model,
    config: GeneratorConfig,
    mixtures: Iterable[np.ndarray],
    *,
    channels: int,
    sources: int,
    sample_rate_hz: int,
) -> tuple[keras.Model, GeneratorConfig]:
    """Return a network with fewer channels that does almost the same, and its settings.

    Args:
      wide: a trained generator of kind 'filterbank'.
      config: its settings.
      mixtures: `[batch, time, 1]` each, on which channels are judged.
      channels: of the new network.
      sources, sample_rate_hz: as for `build_generator`.
    Raises: ConfigError for another kind, or a number of channels that is not smaller.
    """
    if config.kind != "filterbank":
        raise ConfigError(f"This is a {config.kind!r} generator; wanted a 'filterbank'.")
    if not 2 <= channels < config.channels:
        raise ConfigError(
            f"Got {channels} channels; wanted at least 2, and fewer than {config.channels}."
        )
    energies = measured(wide, config.blocks, mixtures)
    smaller = replace(config, channels=channels)
    narrow = build_generator(smaller, sources=sources, sample_rate_hz=sample_rate_hz)
    basis = principal_basis(energies.stream, channels)
    for layer in narrow.layers:
        if layer.weights and not layer.name.startswith(
            ("enter", "block", "norm", "masks", "turns")
        ):
            layer.set_weights(wide.get_layer(layer.name).get_weights())
    _write(narrow, "enter", *_into_stream(_weights(wide, "enter"), basis))
    for block, units in enumerate(energies.units):
        name = f"block{block}"
        norm, kernel, bias = _from_stream(wide, f"{name}_norm", f"{name}_look", basis)
        mix, mix_bias = _weights(wide, f"{name}_mix")
        kept, spread = strongest_units(units, mix, channels)
        _write(narrow, f"{name}_norm", *norm)
        _write(narrow, f"{name}_look", kernel[..., kept], bias[kept])
        _write(narrow, f"{name}_mix", *_into_stream((spread.T @ mix, mix_bias), basis))
    for head in ("masks", "turns"):
        if any(layer.name == head for layer in narrow.layers):
            norm, kernel, bias = _from_stream(wide, "norm", head, basis)
            _write(narrow, "norm", *norm)
            _write(narrow, head, kernel, bias)
    return narrow, smaller


def measured(wide: keras.Model, blocks: int, mixtures: Iterable[np.ndarray]) -> Energies:
    """Measure how strong the channels of a network are on mixtures."""
    norms = [*(f"block{block}_norm" for block in range(blocks)), "norm"]
    mixes = [f"block{block}_mix" for block in range(blocks)]
    inside = keras.Model(wide.input, [wide.get_layer(name).input for name in norms + mixes])
    stream, units = 0.0, [0.0] * blocks
    for mixture in mixtures:
        signals = [np.asarray(one, np.float64) for one in inside(mixture, training=False)]
        flat = [one.reshape(-1, one.shape[-1]) for one in signals]
        for one in flat[: blocks + 1]:
            centred = one - one.mean(axis=1, keepdims=True)
            power = np.mean(centred**2, axis=1, keepdims=True)
            centred /= np.sqrt(power + EPSILON)
            stream = stream + centred.T @ centred
        units = [old + one.T @ one for old, one in zip(units, flat[blocks + 1 :], strict=True)]
    if isinstance(stream, float):
        raise ConfigError("No mixtures to judge channels on: give one or more.")
    return Energies(stream, units)


def principal_basis(products: np.ndarray, channels: int) -> np.ndarray:
    """Return the directions of the narrow stream, `[wide channels, channels]`.

    It maps the `channels - 1` strongest components onto signals of zero mean, which a normalisation
    leaves as they are. Its columns sum to zero.
    """
    _, vectors = np.linalg.eigh(products)
    strongest = vectors[:, ::-1][:, : channels - 1]
    draw = np.random.default_rng(0).standard_normal((channels, channels - 1))
    turned, _ = np.linalg.qr(np.concatenate([np.ones((channels, 1)), draw], axis=1))
    return strongest @ turned[:, 1:].T


def strongest_units(
    products: np.ndarray, mix: np.ndarray, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """Choose the units of a block, and predict all units from them.

    Args:
      products: of the units, `[units, units]`.
      mix: weights of the units in the stream, `[units, channels]`.
      count: units to keep.
    Returns: the units that are kept, in order; a matrix `[units, kept]` that predicts all units
      from those kept.
    """
    importance = np.diag(products) * np.sum(mix**2, axis=1)
    kept = np.sort(np.argsort(importance)[::-1][:count])
    ridge = RIDGE * np.trace(products) / len(products) * np.eye(count)
    spread = np.linalg.solve(products[np.ix_(kept, kept)] + ridge, products[kept]).T
    return kept, spread


def _into_stream(weights, basis: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A layer that adds to the stream. The factor keeps the variance of its channels."""
    kernel, bias = weights
    wide, narrow = basis.shape
    down = np.sqrt(narrow / wide)
    return down * kernel @ basis, down * bias @ basis


def _from_stream(wide: keras.Model, norm: str, layer: str, basis: np.ndarray):
    """A normalisation and the layer after it, on the narrow stream.

    Returns: scale and offset of the normalisation; kernel; bias.
    """
    scale, offset = _weights(wide, norm)
    kernel, bias = _weights(wide, layer)
    back = np.sqrt(len(basis) / basis.shape[1]) * scale[:, None] * basis
    # the offset stays in the normalisation: a convolution pads after it
    shift = np.linalg.lstsq(back, offset, rcond=None)[0]
    taps = kernel.reshape(-1, *kernel.shape[-2:])
    bias = bias + np.sum((offset - back @ shift) @ taps, axis=0)
    normed = np.ones(basis.shape[1]), shift
    return normed, (back.T @ taps).reshape(*kernel.shape[:-2], -1, kernel.shape[-1]), bias


def _weights(network: keras.Model, name: str) -> list[np.ndarray]:
    return [np.asarray(one, np.float64) for one in network.get_layer(name).get_weights()]


def _write(network: keras.Model, name: str, *weights: np.ndarray) -> None:
    network.get_layer(name).set_weights([one.astype(np.float32) for one in weights])
