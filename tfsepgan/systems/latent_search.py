"""The search of latents: Adam down an objective from several starts at once, in windows of a signal
of any length."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

# windows searched at once; always that many, so that a window's arithmetic never depends on its
# neighbours
GROUP = 32


def adam_step(
    count, place, slope, first, second, *, rate: float, decays=(0.9, 0.999), epsilon: float = 1e-8
):
    """One step of Adam, every number of a place going its own way.

    Args:
      count: steps taken before.
      place, slope: tensors of one shape, where the search is and the gradient there.
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
    """Look for the latents where an objective is smallest.

    Each example and each start goes its own way, for the same number of steps, so nothing depends
    on what else is searched at the same time. Starts count as places passed: the result is never
    worse than the best of them.

    Args:
      objective: `[examples * restarts, ...]` latents -> `[examples * restarts]`, an example's
        restarts side by side.
      starts: `[examples, restarts, ...]`.
      iterations: steps of Adam.
      rate: learning rate.
    Returns: the best latents, `[examples, ...]`, and their objective, `[examples]`.
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

    state = (
        tf.constant(0),
        start,
        tf.zeros_like(start),
        tf.zeros_like(start),
        start,
        objective(start),
    )
    # A loop of the graph's own: inside of Keras' `fit`, Python's are not turned into one.
    state = tf.while_loop(lambda count, *_: count < iterations, step, state, parallel_iterations=1)
    _, latents, _, _, best, least = state
    if iterations:
        best, least = _better(latents, objective(latents), best, least)
    least = tf.reshape(least, (-1, shape[1]))
    winner = tf.argmin(least, axis=1)
    best = tf.reshape(best, (-1, *shape[1:]))
    return tf.gather(best, winner, batch_dims=1), tf.gather(least, winner, batch_dims=1)


def _better(latents, value, best, least):
    """The better of two places for each example; one that is not a number never is."""
    wins = value < least
    over = tf.reshape(wins, (-1, *[1] * (len(latents.shape) - 1)))
    return tf.where(over, latents, best), tf.where(wins, value, least)


def in_windows(solve: Callable, mixture: np.ndarray, *, window: int, outputs: int) -> np.ndarray:
    """Search every window of mixtures, half a window apart, and let what is found fade into each
    other.

    Args:
      solve: a compiled search of GROUP windows, `[GROUP, window, 1]` -> `[GROUP, outputs, window,
        1]`.
      mixture: `[batch, time, 1]` float32, any time of at least one sample.
      window: samples, even.
      outputs: how many estimates `solve` gives of each window.
    Returns: `[batch, outputs, time, 1]`.
    """
    batch, time, _ = mixture.shape
    hop = window // 2
    count = -(-time // hop) + 1
    padded = np.zeros((batch, (count + 1) * hop, 1), np.float32)
    padded[:, hop : hop + time] = mixture
    windows = np.stack([padded[:, k * hop : k * hop + window] for k in range(count)], axis=1)
    found = _in_groups(solve, windows.reshape(-1, window, 1)).reshape(
        batch, count, outputs, window, 1
    )
    fade = np.sin(np.pi * (np.arange(window, dtype=np.float32) + 0.5) / window)[:, None] ** 2
    estimates = np.zeros((batch, outputs, *padded.shape[1:]), np.float32)
    for k in range(count):
        estimates[:, :, k * hop : k * hop + window] += found[:, k] * fade
    return estimates[:, :, hop : hop + time]


def _in_groups(solve: Callable, windows: np.ndarray) -> np.ndarray:
    missing = -len(windows) % GROUP
    padded = np.concatenate([windows, np.zeros((missing, *windows.shape[1:]), np.float32)])
    found = [
        solve(tf.constant(padded[k : k + GROUP])).numpy() for k in range(0, len(padded), GROUP)
    ]
    return np.concatenate(found)[: len(windows)]
