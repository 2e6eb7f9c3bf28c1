"""Searches latents by Adam from several starts, and separates long signals window by window."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

# Windows searched at once. The number is always the same, so that the result for a window does not
# depend, by rounding, on how many windows there are.
GROUP = 32


def adam_step(
    count, place, slope, first, second, *, rate: float, decays=(0.9, 0.999), epsilon: float = 1e-8
):
    """One step of Adam, on each element by itself.

    Args:
      count: steps before this one.
      place, slope: the current point and the gradient there, tensors of one shape.
      first, second: running means of the slope and of its square; zeros before the first step.
      rate, decays, epsilon: of Adam.
    Returns: the next place, first and second.
    Source: Kingma & Ba 2015 (arXiv:1412.6980), algorithm 1.
    """
    first = decays[0] * first + (1 - decays[0]) * slope
    second = decays[1] * second + (1 - decays[1]) * tf.square(slope)
    taken = tf.cast(count + 1, place.dtype)
    mean, power = first / (1 - decays[0] ** taken), second / (1 - decays[1] ** taken)
    return place - rate * mean / (tf.sqrt(power) + epsilon), first, second


def search(objective: Callable, starts, *, iterations: int, rate: float):
    """Find the latents with the smallest objective.

    Each example and each start is searched independently, with the same number of steps, so a
    result does not depend on the other examples of the batch. The starts are candidates too, so the
    result is never worse than the best start.

    Args:
      objective: latents `[examples * restarts, ...]` -> `[examples * restarts]`; the restarts of
        an example are adjacent.
      starts: `[examples, restarts, ...]`.
      iterations: steps of Adam.
      rate: learning rate.
    Returns: the best latents passed, `[examples, ...]`, and their objective, `[examples]`.
    """
    shape = starts.shape
    start = tf.reshape(starts, (-1, *shape[2:]))

    def step(count, latents, first, second, best, least):
        with tf.GradientTape() as tape:
            tape.watch(latents)
            value = objective(latents)
        best, least = _better(latents, value, best, least)
        slope = tape.gradient(value, latents)
        latents, first, second = adam_step(count, latents, slope, first, second, rate=rate)
        return count + 1, latents, first, second, best, least

    zeros = tf.zeros_like(start)
    state = (tf.constant(0), start, zeros, zeros, start, objective(start))
    # `tf.while_loop`, because Keras' `fit` does not convert Python loops to graph loops.
    state = tf.while_loop(lambda count, *_: count < iterations, step, state, parallel_iterations=1)
    _, latents, _, _, best, least = state
    if iterations:
        best, least = _better(latents, objective(latents), best, least)
    least = tf.reshape(least, (-1, shape[1]))
    winner = tf.argmin(least, axis=1)
    best = tf.reshape(best, (-1, *shape[1:]))
    return tf.gather(best, winner, batch_dims=1), tf.gather(least, winner, batch_dims=1)


def _better(latents, value, best, least):
    """The better of two points for each example; NaN is never better."""
    wins = value < least
    over = tf.reshape(wins, (-1, *[1] * (len(latents.shape) - 1)))
    return tf.where(over, latents, best), tf.where(wins, value, least)


def in_windows(solve: Callable, mixture: np.ndarray, *, window: int, outputs: int) -> np.ndarray:
    """Search overlapping windows of mixtures and cross-fade the estimates.

    Windows start half a window apart.

    Args:
      solve: compiled search of GROUP windows, `[GROUP, window, 1]` -> `[GROUP, outputs, window,
        1]`.
      mixture: `[batch, time, 1]` float32, at least one sample long.
      window: samples, an even number.
      outputs: estimates that `solve` gives for each window.
    Returns: `[batch, outputs, time, 1]`.
    """
    batch, time, _ = mixture.shape
    hop = window // 2
    count = -(-time // hop) + 1
    padded = np.zeros((batch, (count + 1) * hop, 1), np.float32)
    padded[:, hop : hop + time] = mixture
    windows = np.stack([padded[:, k * hop : k * hop + window] for k in range(count)], axis=1)
    found = _in_groups(solve, windows.reshape(-1, window, 1))
    found = found.reshape(batch, count, outputs, window, 1)
    fade = np.sin(np.pi * (np.arange(window, dtype=np.float32) + 0.5) / window)[:, None] ** 2
    estimates = np.zeros((batch, outputs, *padded.shape[1:]), np.float32)
    for k in range(count):
        estimates[:, :, k * hop : k * hop + window] += found[:, k] * fade
    return estimates[:, :, hop : hop + time]


def _in_groups(solve: Callable, windows: np.ndarray) -> np.ndarray:
    missing = -len(windows) % GROUP
    padded = np.concatenate([windows, np.zeros((missing, *windows.shape[1:]), np.float32)])
    groups = [tf.constant(padded[k : k + GROUP]) for k in range(0, len(padded), GROUP)]
    found = [solve(group).numpy() for group in groups]
    return np.concatenate(found)[: len(windows)]
