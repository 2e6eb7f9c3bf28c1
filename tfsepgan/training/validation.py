"""How much better than the mixture a generator sounds, on mixtures that stay the same all run long."""

from collections.abc import Callable, Sequence

import keras
import numpy as np
import tensorflow as tf

from tfsepgan.data.mixtures import Mixture
from tfsepgan.metrics.waveform import si_sdr


def compiled(generator: keras.Model) -> Callable[[np.ndarray], np.ndarray]:
    """A generator as a function of one recording, `[time, channels]` -> `[sources, time, channels]`, traced once."""

    @tf.function(input_signature=[tf.TensorSpec((None, None, 1), tf.float32)], reduce_retracing=True)
    def separate(mixture):
        return generator(mixture, training=False)

    def one(mixture: np.ndarray) -> np.ndarray:
        return np.moveaxis(separate(mixture.T[..., None]).numpy()[..., 0], 0, -1)

    return one


def improvement_db(
    separate: Callable[[np.ndarray], np.ndarray], mixtures: Sequence[Mixture], sources: Sequence[str]
) -> np.ndarray:
    """SI-SDR improvement over the mixture as estimate, in dB, `[mixtures, sources]`."""
    rows = []
    for item in mixtures:
        estimates = separate(item.mixture)
        rows.append(
            [
                si_sdr(item.sources[name], estimate) - si_sdr(item.sources[name], item.mixture)
                for name, estimate in zip(sources, estimates, strict=True)
            ]
        )
    return np.array(rows, dtype=np.float64)
