"""How much better than the mixture a generator sounds, on mixtures that stay the same all run long."""

from collections.abc import Callable, Sequence

import keras
import numpy as np
import tensorflow as tf

from tfsepgan.data.references.fixed_mixtures import Mixture
from tfsepgan.metrics.waveform import si_sdr


def separating(system) -> Callable[[np.ndarray], np.ndarray]:
    """A system as a function of one recording, `[time, channels]` -> `[sources, time, channels]`, traced once."""
    of_batch = system.separate if system.kind == "search" else _compiled(system.shipped)

    def one(mixture: np.ndarray) -> np.ndarray:
        return np.moveaxis(of_batch(mixture.T[..., None])[..., 0], 0, -1)

    return one


def _compiled(generator: keras.Model) -> Callable[[np.ndarray], np.ndarray]:
    @tf.function(input_signature=[tf.TensorSpec((None, None, 1), tf.float32)], reduce_retracing=True)
    def separate(mixture):
        return generator(mixture, training=False)

    return lambda mixture: separate(mixture).numpy()


def improvement_db(
    separate: Callable[[np.ndarray], np.ndarray], mixtures: Sequence[Mixture], sources: Sequence[str]
) -> np.ndarray:
    """SI-SDR improvement over the mixture as estimate, in dB, `[mixtures, sources]`.

    NaN where there is none: the source is silent there, or nothing else sounds, so that the mixture is the source already.
    """
    rows = []
    for item in mixtures:
        estimates, scored = separate(item.mixture), item.scored
        rows.append(
            [
                si_sdr(item.sources[name], estimate) - si_sdr(item.sources[name], item.mixture)
                if name in scored
                else np.nan
                for name, estimate in zip(sources, estimates, strict=True)
            ]
        )
    return np.array(rows, dtype=np.float64)
