"""Weights in 8 bits, and arrays in a file that a page reads in ten lines."""

import json
from collections.abc import Mapping

import numpy as np

from tfsepgan.separation.numpy_masker import Weights

MOST = 127  # of an 8-bit weight
TYPES = {"int8": "I8", "float32": "F32"}


def quantised(weights: Weights) -> dict[str, np.ndarray]:
    """The arrays of a network, with kernels in 8 bits and a scale for each output.

    Returns: by name of layer and array, such as 'dense_3.kernel' (int8), 'dense_3.scale' and
      'dense_3.bias' (float32).
    """
    arrays: dict[str, np.ndarray] = {}
    for layer, parts in weights.items():
        for name, array in zip(_names(layer) if parts else (), parts, strict=True):
            if name == "kernel":
                axes = tuple(range(array.ndim - 1))
                scale = np.maximum(np.abs(array).max(axis=axes) / MOST, np.float32(1e-30))
                arrays[f"{layer}.scale"] = scale
                array = np.round(array / scale).astype(np.int8)
            arrays[f"{layer}.{name}"] = array
    return arrays


def rounded(weights: Weights) -> Weights:
    """The weights that remain after `quantised`, for a `NumpyMasker`."""
    arrays = quantised(weights)
    result: dict[str, list[np.ndarray]] = {}
    for layer, parts in weights.items():
        result[layer] = [arrays[f"{layer}.{name}"] for name in _names(layer)] if parts else []
        if f"{layer}.scale" in arrays:
            result[layer][0] = result[layer][0].astype(np.float32) * arrays[f"{layer}.scale"]
    return result


def safetensors(arrays: Mapping[str, np.ndarray]) -> bytes:
    """Arrays in the format of Hugging Face's safetensors: header length, JSON header, arrays."""
    header, contents, end = {}, [], 0
    for name, array in arrays.items():
        start, end = end, end + array.nbytes
        kind, shape = TYPES[array.dtype.name], list(array.shape)
        header[name] = {"dtype": kind, "shape": shape, "data_offsets": [start, end]}
        contents.append(array.astype(array.dtype.newbyteorder("<")).tobytes())
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return b"".join([len(text).to_bytes(8, "little"), text, *contents])


def _names(layer: str) -> tuple[str, str]:
    """The names of a layer's two arrays, in the order in which Keras saves them."""
    if layer.startswith("layer_normalization"):
        return "gamma", "beta"
    if layer.startswith("batch_normalization"):
        return "mean", "variance"
    return "kernel", "bias"
