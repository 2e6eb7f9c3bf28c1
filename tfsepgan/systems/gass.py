"""GASS: a generator for the frames of each source; a search finds the latents of a mixture.

Source: Subakan & Smaragdis 2018, "Generative Adversarial Source Separation" (arXiv:1710.10779).
Numbers are from its authors' code. A part p is a source, or the others. With a generator G_p and a
critic D_p for each part, magnitudes x_p of its frames and latents z:

    learning      D_p: max E[D_p(x_p)] - E[D_p(G_p(z))]
                  G_p: max E[D_p(G_p(z))]                   (Wasserstein)
    separation    over the latents z_p,t of all parts and frames: min of the sum over t of
                  Poisson(mixture_t | sum_p s_p,t) - critic_weight sum_p D_p
                  + smoothness sum_p |s_p,t - s_p,t-1|

s_p becomes audio with the mixture's phase, or as masks (`estimate`).
Departs from it:
- Generators make frames of mean magnitude 1. A gain for each part and frame, searched with the
  latents, sets the level, because recordings differ by 30 dB. The authors scale whole signals to
  one level; a separator of blocks cannot. Frames are drawn in proportion to their level. White
  noise at the authors' level has a mean magnitude of 17, so `critic_weight` has another unit.
- Latents are drawn anew in each step; the authors draw one for each frame, once, and a stream of
  windows has no fixed frames.
- The search starts from latents of zero, not from noise, so that blocks equal one pass. It is run
  once: the authors run it ten times and keep the result nearest to the true sources.
- The smoothness term is relative to the mixture's level, see `losses.poisson`.
- A critic's high score means real in training and in the search; in the code it means generated in
  training, real in the search.
- Adam without momentum replaces RMSprop, in training and in the search: it has the same smoothing,
  and corrects the first steps, which are up to ten times as long in RMSprop. Critics are clipped
  after each step (Arjovsky et al. 2017), in the code before.
- The score has no bias (its gradient is zero). The transform is the package's, with a root Hann
  window both ways.
- The others are a part, and mixtures follow `law`; the authors add two speakers at one level.
`demo` also has a gradient penalty, compressed magnitudes, masks, a faster search, and a running
mean of the generators. Settings and presets: `tfsepgan/settings/gass.py`.
"""

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from tfsepgan.config import Experiment
from tfsepgan.layers.spectra import SILENCE, Spectra, level, shares
from tfsepgan.losses.adversarial import fake_loss, generator_loss, real_loss
from tfsepgan.losses.poisson import poisson_loss, smoothness
from tfsepgan.networks import dense
from tfsepgan.systems.adversary import gradient_penalty
from tfsepgan.systems.base import AveragedGenerator, SearchingSystem
from tfsepgan.systems.crops import magnitudes_by_source
from tfsepgan.systems.latent_search import adam_step

WASSERSTEIN = "wgan-gp"  # objective of the scores, with or without the penalty
EPSILON = 1e-7  # of Adam in the search; gradients are near 1e-3


class GASS(AveragedGenerator, SearchingSystem):
    """A generator and a critic for each part; separation is a search for latents.

    Source: Subakan & Smaragdis 2018, arXiv:1710.10779.
    """

    batch_keys = ("solo",)
    losses_logged = ("critic", "generator")
    why_not_exported = (
        "GASS searches the latents of each mixture by gradient descent when it separates; no"
        " network does this in one pass."
    )
    why_not_on_devices = "a step draws its frames from those of the whole batch."

    def __init__(self, experiment: Experiment):
        super().__init__(experiment)
        config = self.config
        self.parts = len(self.sources) + experiment.data.has_others  # others are one
        self.spectra = Spectra(config.frame, config.hop)
        self._make_averaged(self._new_generator)
        self.critic = dense.critic(
            parts=self.parts,
            bins=self.spectra.bins,
            hidden=config.critic_hidden,
            start=config.start,
        )
        signature = [tf.TensorSpec((None, None, self.spectra.bins), tf.float32)]
        self.searched = tf.function(self.search, input_signature=signature)

    def _new_generator(self) -> keras.Model:
        config = self.config
        sizes = {"latent": config.latent, "hidden": config.hidden, "bins": self.spectra.bins}
        return dense.generator(parts=self.parts, start=config.start, **sizes)

    @property
    def players(self):
        return {"critic": self.critic, "generator": self.generator}

    def steps_per_batch(self, player):
        return self.config.critic_steps if player == "critic" else 1

    @property
    def shipped(self):
        return {"generator": self.ema_generator, "critic": self.critic}

    @property
    def hop(self):
        return self.config.hop

    @property
    def context(self):
        """Through the smoothness term, each iteration depends on one more frame."""
        reach = self.config.iterations if self.config.smoothness else 0
        return self.config.frame + reach * self.config.hop

    def train_step(self, batch):
        # without others in the data, the last window of `solo` is silence
        frames, loudness = self.frames(batch["solo"][:, : self.parts])
        for _ in range(self.config.critic_steps):
            self.critic_step(frames, loudness)
        if self.config.first_critic_steps:
            self.further_critic_steps(frames, loudness)
        loss = self.minimize(self.generator_loss, (self.latents(),), player="generator")
        self.update_average()
        return self.log(generator=loss)

    def critic_step(self, frames, loudness):
        """One step of the critics, on newly drawn frames and latents."""
        compared = self.drawn(frames, loudness), self.generator(self.latents())
        self.log(critic=self.minimize(self.critic_loss, compared, player="critic"))
        self.bound_critic()

    def further_critic_steps(self, frames, loudness):
        """At the start of a run, take the critic steps up to `first_critic_steps`.

        Without them the first generator steps would follow untrained critics. The generator's
        optimizer counts the steps, so a resumed run continues the count.
        """
        early = self.optimizers["generator"].iterations < self.config.first_steps
        missing = ops.where(early, self.config.first_critic_steps - self.config.critic_steps, 0)

        def step(count):
            self.critic_step(frames, loudness)
            return (count + 1,)

        tf.while_loop(lambda count: count < missing, step, (tf.constant(0),), parallel_iterations=1)

    def frames(self, solo):
        """Frames of each part as the networks get them, and their levels.

        Args:
          solo: windows of each part alone, `[batch, parts, time, 1]`.
        Returns: compressed frames of mean 1, `[parts, frames, bins]`, and the levels that they had
          in windows of one level, `[parts, frames]`.
        """
        magnitudes = magnitudes_by_source(self.spectra, solo)
        levels = level(magnitudes)
        return (magnitudes / levels) ** self.config.compression, levels[..., 0]

    def drawn(self, frames, loudness):
        """Random frames of each part, `[frames, parts, bins]`, in proportion to their level."""
        chosen = keras.random.categorical(ops.log(loudness), self.config.frames, seed=self.draws)
        return ops.transpose(tf.gather(frames, chosen, batch_dims=1), (1, 0, 2))

    def latents(self):
        """Standard normal latents, `[frames, parts, latent]`."""
        shape = (self.config.frames, self.parts, self.config.latent)
        return keras.random.normal(shape, seed=self.draws)

    def critic_loss(self, real, fake):
        """Loss of the critics on real and generated frames; mean over parts."""
        loss = real_loss(WASSERSTEIN, [self.critic(real)])
        loss += fake_loss(WASSERSTEIN, [self.critic(fake)])
        if self.config.objective == "wgan-gp":
            real, fake = self.as_windows(real), self.as_windows(fake)
            penalty = gradient_penalty(self.score_frames, real, fake, self.draws)
            loss += self.config.penalty_weight * penalty
        return loss

    def as_windows(self, frames):
        """Frames of all parts as examples of their own, `[frames * parts, bins, 1]`."""
        return ops.reshape(frames, (-1, self.spectra.bins, 1))

    def score_frames(self, windows):
        """Scores of `as_windows`, as a list of one branch, `[frames * parts, 1]`."""
        frames = ops.reshape(windows, (-1, self.parts, self.spectra.bins))
        return [ops.reshape(self.critic(frames), (-1, 1))]

    def bound_critic(self):
        """Clip the critic's weights, which bounds its slope.

        Source: Arjovsky, Chintala & Bottou 2017, arXiv:1701.07875, algorithm 1.
        """
        if self.config.objective == "wgan":
            for weight in self.critic.trainable_variables:
                weight.assign(ops.clip(weight, -self.config.clip, self.config.clip))

    def generator_loss(self, latents):
        """How far generated frames are from being scored as real; mean over parts."""
        return generator_loss(WASSERSTEIN, [self.critic(self.generator(latents))])

    def separate(self, mixture):
        spectrum = self.spectra.analyse(mixture)
        magnitudes = self.spectra.magnitude(spectrum)
        parts = self.searched(magnitudes)
        if self.config.estimate == "mask":
            gains = shares(parts, self.config.mask_power)
        else:
            gains = parts / (magnitudes[:, :, None] + SILENCE)
        wanted = gains[:, :, : len(self.sources)]
        return np.asarray(self.spectra.masked(spectrum, wanted, mixture.shape[1]))

    def search(self, magnitudes):
        """Magnitudes of a mixture `[batch, frames, bins]` -> `[batch, frames, parts, bins]`."""
        levels = level(magnitudes)
        points = self.found_points(magnitudes, levels)
        return self.magnitudes(self.generated(points), points, levels)

    def found_points(self, magnitudes, levels):
        """Points, see `start`, after a fixed number of Adam steps down `search_loss`."""
        config = self.config
        adam = {"rate": config.search_rate, "decays": config.search_betas, "epsilon": EPSILON}

        def step(count, points, mean, square):
            with tf.GradientTape() as tape:
                tape.watch(points)
                loss = self.search_loss(points, magnitudes, levels)
            slope = tape.gradient(loss, points)
            return count + 1, *adam_step(count, points, slope, mean, square, **adam)

        start = self.start(magnitudes)
        state = (tf.constant(0), start, ops.zeros_like(start), ops.zeros_like(start))
        _, points, *_ = tf.while_loop(
            lambda count, *_: count < config.iterations, step, state, parallel_iterations=1
        )
        return points

    def start(self, magnitudes):
        """Start of the search for every frame, `[batch, frames, parts, latent + 1]`.

        Latents are zero; the last number, a log gain, gives each part an equal share of the level.
        """
        batch, frames = ops.shape(magnitudes)[:2]
        latents = ops.zeros((batch, frames, self.parts, self.config.latent))
        gains = ops.full((batch, frames, self.parts, 1), -np.log(self.parts), dtype="float32")
        return ops.concatenate([latents, gains], axis=-1)

    def search_loss(self, points, magnitudes, levels):
        """The objective of the search: the mixture's likelihood, critic scores and smoothness.

        Args:
          points: `[batch, frames, parts, latent + 1]`, see `start`.
          magnitudes, levels: of the mixture, `[batch, frames, bins]` and `[batch, frames, 1]`.
        Returns: scalar, a weighted sum over frames.
        """
        generated = self.generated(points)
        parts = self.magnitudes(generated, points, levels)
        loss = ops.sum(poisson_loss(ops.sum(parts, axis=2) / levels, magnitudes / levels))
        if self.config.critic_weight:
            scores = self.critic(ops.reshape(generated, (-1, self.parts, self.spectra.bins)))
            loss -= self.config.critic_weight * ops.sum(scores)
        if self.config.smoothness:
            loss += self.config.smoothness * ops.sum(smoothness(parts, levels))
        return loss

    def generated(self, points):
        """Output of the generators, frames of mean 1, `[batch, frames, parts, bins]`."""
        latents = ops.reshape(points[..., :-1], (-1, self.parts, self.config.latent))
        return ops.reshape(self.ema_generator(latents), (*ops.shape(points)[:3], self.spectra.bins))

    def magnitudes(self, generated, points, levels):
        """Magnitudes of the parts, `[batch, frames, parts, bins]`: generated frames times gains.

        Gains are relative to the level of the mixture.
        """
        gains = levels[..., None] * ops.exp(points[..., -1:])
        return gains * generated ** (1 / self.config.compression)
