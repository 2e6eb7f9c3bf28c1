"""Phase shuffle: random shifts, so that a discriminator cannot learn the generator's grid."""

import keras
from keras import ops

from tfsepgan.errors import ConfigError
from tfsepgan.layers.batch_parts import drawn_by_row
from tfsepgan.layers.configured import ConfiguredLayer


@keras.saving.register_keras_serializable("tfsepgan")
class PhaseShuffle(ConfiguredLayer):
    """Shifts each example in time by a random number of samples; edges are reflected.

    Call: `[batch, time, channels]` -> the same shape. It shuffles at every call with
    `training=True`, which is how discriminators are always called; with `training=False` it does
    nothing.

    Args:
      reach: largest shift either way, in samples of this layer.
      seed: seed of the shifts; its state is a variable, so that a resumed run continues the draws.

    Raises: ConfigError when built for a signal that is not longer than `reach`.

    Source: Donahue, McAuley & Puckette, "Adversarial audio synthesis" (WaveGAN), arXiv:1802.04208,
      section 3.3.
    Departs from it: one shift for each example, as the text says, not one for the batch, as its
      code does.
    """

    def __init__(self, reach: int = 2, seed: int | None = None, **kwargs):
        super().__init__(**kwargs)
        self.reach, self.seed = reach, seed
        self.draws = keras.random.SeedGenerator(seed)

    def build(self, shape):
        if shape[1] is not None and shape[1] <= self.reach:
            raise ConfigError(
                f"phase_shuffle is {self.reach}, but it meets a layer of {shape[1]} samples; it"
                " must be shorter. Use a longer window or a smaller phase_shuffle."
            )

    def call(self, signal, training=False):
        if not training or self.reach == 0:
            return signal
        batch, time, channels = *ops.shape(signal)[:2], signal.shape[2]
        shifts = drawn_by_row(self._shifts, batch)
        padded = ops.pad(signal, [[0, 0], [self.reach, self.reach], [0, 0]], mode="reflect")
        choice = ops.cast(ops.one_hot(shifts, 2 * self.reach + 1), signal.dtype)[:, :, None, None]
        # ops.slice instead of indexing: its gradient costs a fifth.
        moved = [
            choice[:, k] * ops.slice(padded, (0, k, 0), (batch, time, channels))
            for k in range(2 * self.reach + 1)
        ]
        return sum(moved[1:], moved[0])

    def _shifts(self, rows):
        return keras.random.randint((rows,), 0, 2 * self.reach + 1, seed=self.draws)
