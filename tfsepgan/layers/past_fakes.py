"""A pool of past fakes, so that a discriminator still recognises earlier outputs of generators.

Source: Shrivastava et al. 2017, "Learning from Simulated and Unsupervised Images through
Adversarial Training" (arXiv:1612.07828), section 2.3; as Zhu et al. 2017 (arXiv:1703.10593),
section 4, use it: 50 fakes, one at a time.
"""

import keras
from keras import ops

from tfsepgan.layers.configured import SameShapeLayer


@keras.saving.register_keras_serializable("tfsepgan")
class PastFakes(SameShapeLayer):
    """Returns new fakes, some of them replaced by past ones, and keeps a pool of past fakes.

    Until the pool is full, every fake is kept and returned. Then one of two cases is drawn at
    random: the fake is returned and not kept, or it replaces a random past fake, which is returned
    instead.

    The pool and the state of the random draws are variables, so a resumed run continues with them.

    Call: `[batch, window, 1]` -> the same shape, without a gradient.

    Args:
      size: fakes that are kept; 0 returns every fake.
      window: length of a fake, in samples.
      seed: seed of the random draws.
    """

    def __init__(self, size: int, window: int, seed: int, **kwargs):
        super().__init__(**{"dtype": "float32", "trainable": False, **kwargs})
        self.size, self.window, self.seed = size, window, seed
        if size:
            self.coins = keras.random.SeedGenerator(seed)
            self.fakes = self.add_weight(shape=(size, window, 1), initializer="zeros", name="fakes")
            self.count = self.add_weight(shape=(), initializer="zeros", dtype="int32", name="count")
        self.built = True

    def call(self, fakes):
        fakes = ops.stop_gradient(ops.cast(fakes, "float32"))
        if not self.size:
            return fakes
        kept, count = ops.convert_to_tensor(self.fakes), ops.convert_to_tensor(self.count)
        returned = []
        for fake in ops.split(fakes, fakes.shape[0]):
            full = count >= self.size
            tails = keras.random.uniform((), seed=self.coins) < 0.5
            chosen = keras.random.randint((), 0, self.size, seed=self.coins)
            place = ops.where(full, chosen, ops.minimum(count, self.size - 1))
            past = ops.slice(kept, (place, 0, 0), (1, self.window, 1))
            returned.append(ops.where(ops.logical_and(full, tails), past, fake))
            stays = ops.logical_and(full, ops.logical_not(tails))
            new = ops.where(stays, past, fake)
            kept = ops.scatter_update(kept, ops.reshape(place, (1, 1)), new)
            count = ops.minimum(count + 1, self.size)
        self.fakes.assign(kept)
        self.count.assign(count)
        return ops.concatenate(returned)
