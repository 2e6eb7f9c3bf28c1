"""Layers of the filterbank masker as functions on arrays, `[frames, channels]` float32."""

import numpy as np

from tfsepgan.dsp.filterbank import AMPLIFIED, EPSILON, FLOOR, KERNEL

FRAMES_PER_TRANSFORM = 64  # at a time: they stay in the processor's cache


def chunks(frames: int) -> list[slice]:
    """Ranges of frames that are transformed together."""
    starts = range(0, frames, FRAMES_PER_TRANSFORM)
    return [slice(first, min(first + FRAMES_PER_TRANSFORM, frames)) for first in starts]


def gain_to_one_level(mean_power: np.ndarray, before: int, after: int) -> np.ndarray:
    """The factor of each frame's power that `AtOneLevel` applies.

    `[before + frames + after, channels]` -> `[frames, channels]`.
    """
    if len(mean_power) == before + after:
        return np.zeros((0, mean_power.shape[1]), np.float32)
    around = np.lib.stride_tricks.sliding_window_view(mean_power, before + 1 + after, axis=0)
    return np.float32(AMPLIFIED**2) / (around.mean(axis=-1) + np.float32(FLOOR))


def dense(signal: np.ndarray, kernel: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """`keras.layers.Dense` without an activation."""
    output = signal @ kernel
    output += bias
    return output


def centred(kernel: np.ndarray, bias: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The layer with outputs of mean zero, which normalisation subtracts anyway."""
    return kernel - kernel.mean(axis=1, keepdims=True), bias - bias.mean()


def layer_norm(centred: np.ndarray, gamma: np.ndarray, beta: np.ndarray) -> np.ndarray:
    """`keras.layers.LayerNormalization` of frames of mean zero, `[frames, channels]`."""
    variance = np.einsum("fc,fc->f", centred, centred) / centred.shape[1]
    normal = centred * (1 / np.sqrt(variance + np.float32(EPSILON)))[:, None]
    normal *= gamma
    normal += beta
    return normal


def side_by_side(extended: np.ndarray, dilation: int) -> np.ndarray:
    """The inputs of the three taps of a convolution, `[frames, 3 * channels]`."""
    frames = len(extended) - (KERNEL - 1) * dilation
    starts = [tap * dilation for tap in range(KERNEL)]
    return np.concatenate([extended[start : start + frames] for start in starts], axis=1)


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """The logistic function, in place."""
    with np.errstate(over="ignore"):  # exp(large) is infinite, and the mask zero
        np.exp(np.negative(logits, out=logits), out=logits)
    logits += 1
    return np.reciprocal(logits, out=logits)
