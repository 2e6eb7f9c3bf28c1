"""WaveGAN: a generator makes sounds from random numbers, a critic compares them with recordings.

Source: Donahue, McAuley & Puckette 2019, "Adversarial audio synthesis", arXiv:1802.04208; the
objective is Gulrajani et al. 2017, arXiv:1704.00028, algorithm 1. With generator G, critic D, a
recording x, a latent z uniform in [-1, 1], and x' between x and G(z):

    critic      L_D = E[D(G(z))] - E[D(x)] + 10 E[(|grad D(x')| - 1)^2]     five steps
    generator   L_G = -E[D(G(z))]                                           then one step

Departs from it, in `paper` too:
- Adam's epsilon is Keras' 1e-7, where the code has 1e-8.
- Windows start anywhere in a recording, where the code cuts it into slices from a random start.
- Phase shuffle draws a shift for each example, as the text says; the code draws one for the batch.
Settings beyond it, off in `paper`:
- other objectives, and any discriminator of the table;
- a term against sounds that are all alike (`diversity_weight`);
- recordings at one level (`level_dbfs`);
- a running mean of the generator, which is then validated and exported.
Settings and presets: `tfsepgan/settings/wavegan.py`; the generator: `tfsepgan/networks/wavegan.py`.
"""

from collections.abc import Iterator

import keras
import numpy as np
from keras import ops

from tfsepgan.config import Experiment
from tfsepgan.errors import ConfigError
from tfsepgan.layers.batch_parts import drawn_by_row
from tfsepgan.losses.diversity import missing_diversity
from tfsepgan.networks.wavegan import wavegan_generator
from tfsepgan.systems.adversary import Adversarial
from tfsepgan.systems.base import SynthesisSystem
from tfsepgan.systems.crops import gain_to_level

MADE_AT_ONCE = 16  # sounds; more would need more memory


class WaveGAN(Adversarial, SynthesisSystem):
    """A generator of one source's sounds, and a discriminator of sounds and recordings.

    Source: Donahue, McAuley & Puckette 2019, arXiv:1802.04208.
    """

    batch_keys = ("solo",)
    losses_logged = ("generator", "adversarial", "diversity", "discriminator", "penalty")

    def __init__(self, experiment: Experiment):
        super().__init__(experiment)
        data, config = experiment.data, self.config
        if data.batch % config.discriminator_steps:
            raise ConfigError(
                f"batch is {data.batch} and discriminator_steps {config.discriminator_steps}: each"
                " step uses its own share of the batch, so batch must be a multiple of"
                " discriminator_steps."
            )
        if config.diversity_weight and data.batch < 2 * config.discriminator_steps:
            raise ConfigError(
                f"batch is {data.batch} and discriminator_steps {config.discriminator_steps}, so"
                " each step has one sound; diversity_weight above zero compares two. Make batch at"
                " least twice discriminator_steps."
            )
        self.latent = config.generator.latent
        self._make_averaged(lambda: wavegan_generator(config.generator, window=data.window))
        self.discriminator = self.new_discriminator()

    @property
    def players(self):
        return {"discriminator": self.discriminator, "generator": self.generator}

    def train_step(self, batch):
        recordings = batch["solo"][:, 0]  # of the first source; nothing else is used
        recordings = recordings * gain_to_level(recordings, self.config.level_dbfs)
        for real in ops.split(recordings, self.config.discriminator_steps):
            loss = self.minimize(self.discriminator_loss, (real,), player="discriminator")
            self.log(discriminator=loss)
        generator = self.minimize(self.generator_loss, (real,), player="generator")
        self.update_average()
        return self.log(generator=generator)

    def random_latents(self, rows: int):
        """Latents for some recordings, `[rows, latent]`, uniform in [-1, 1]."""
        return drawn_by_row(
            lambda count: keras.random.uniform((count, self.latent), -1.0, 1.0, seed=self.draws),
            rows,
        )

    def discriminator_loss(self, real):
        """L_D: recordings are real, sounds of new latents are fake."""
        made = self.generator(self.random_latents(real.shape[0]), training=True)
        real, fake = self.crops(self.random_start(), real, ops.stop_gradient(made))
        loss = self.loss_of_discriminator(self.discriminator, real, fake)
        self.log(penalty=loss.penalty)
        return loss.total

    def generator_loss(self, real):
        """L_G: sounds of new latents should be scored as real.

        With `diversity_weight`, the sounds should also differ as much as the recordings do.
        """
        made = self.generator(self.random_latents(real.shape[0]), training=True)
        real, fake = self.crops(self.random_start(), real, made)
        if self.config.diversity_weight:
            adversarial, alike = self.adversarial_and_feature_loss(
                self.discriminator, real, fake, compare=missing_diversity
            )
        else:
            adversarial, alike = self.adversarial_loss(self.discriminator, fake), 0.0
        self.log(adversarial=adversarial, diversity=alike)
        return adversarial + self.config.diversity_weight * alike

    def call(self, latents, training=False):
        """Make sounds: `[batch, latent]` -> `[batch, time, 1]`."""
        return self.ema_generator(latents, training=training)

    def make(self, count: int, *, seed: int) -> Iterator[np.ndarray]:
        """Make sounds one after the other, each `[time, 1]` float32.

        With the same seed, the first sounds do not depend on `count`.
        """
        draws = np.random.default_rng(seed)
        for done in range(0, count, MADE_AT_ONCE):
            latents = draws.uniform(-1.0, 1.0, (MADE_AT_ONCE, self.latent)).astype(np.float32)
            yield from np.asarray(self.ema_generator(latents, training=False))[: count - done]

    def generate(self, count, *, seed):
        return np.stack([*self.make(count, seed=seed)])
