"""A dictionary of spectra for each source as a network: from activations to magnitudes.

Source: Lee & Seung, "Learning the parts of objects by non-negative matrix factorization", Nature
401 (1999).
"""

import keras
from keras import ops

from tfsepgan.layers.configured import ConfiguredLayer


@keras.saving.register_keras_serializable("tfsepgan")
class Dictionary(ConfiguredLayer):
    """Adds spectra up: activations `[frames, parts, rank]` -> magnitudes `[frames, parts, bins]`.

    Its weight `spectra`, `[parts, rank, bins]`, is not trained by gradients. It starts as uniform
    noise in [0.5, 1.5].

    Args:
      parts: number of sources, the residual included.
      rank: spectra of each source.
      bins: bins of a spectrum.
      seed: seed of the noise.
    """

    def __init__(self, parts: int, rank: int, bins: int, seed: int, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.parts, self.rank, self.bins, self.seed = parts, rank, bins, seed

    def build(self, shape):
        noise = keras.initializers.RandomUniform(0.5, 1.5, seed=self.seed)
        shape = (self.parts, self.rank, self.bins)
        self.spectra = self.add_weight(shape, noise, trainable=False, name="spectra")

    def call(self, activations):
        return ops.einsum("npr,prb->npb", activations, self.spectra)

    def compute_output_shape(self, shape):
        return (shape[0], self.parts, self.bins)


def dictionary(*, parts: int, rank: int, bins: int, seed: int) -> keras.Model:
    """Build a model of one `Dictionary` layer, named "dictionary", whose weights can be saved."""
    activations = keras.Input((parts, rank), name="activations")
    magnitudes = Dictionary(parts, rank, bins, seed, name="dictionary")(activations)
    return keras.Model(activations, magnitudes, name="dictionary")
