"""CycleGAN: one network takes sources out of mixtures, another makes mixtures of sources, and there and back changes nothing.

Source: ElAraby, Ni & Tran, "S-SepGAN: GAN Based Music Source Separation", section 3.2; Zhu et al. 2017, "Unpaired
Image-to-Image Translation using Cycle-Consistent Adversarial Networks" (arXiv:1703.10593), eqs. 1 to 3 and section 4. With the
generator G (mixture to sources), the mixer F (sources to mixture), discriminators D_x and D_m, mixtures m and sources x that
are in none of these mixtures:

    generators           L = adv(D_x(G(m))) + adv(D_m(F(x))) + 10 |G(F(x)) - x|_1 + 10 |F(G(m)) - m|_1 + 5 |G(x) - x|_1 + 5 |F(m) - m|_1
    source discriminator   real(D_x(x)) + fake(D_x(G(m)))
    mixture discriminator  real(D_m(m)) + fake(D_m(F(x)))

where fakes come through a pool of past ones, and every weight is a setting. G separates; the other three only teach it.

With several sources G has an output for each and F hears their sum: a mixture is a sum, so sources and mixtures lie in one space and F(m)
means something too. D_x hears every source as a window of its own, and need not know which it is: the cycle and G(x) hold
the outputs to their sources.

Departs from it: F would have to invent what G takes off a mixture. With `carry_rest` (Hoshen 2018, arXiv:1812.07504;
Michelashvili et al. 2019, arXiv:1812.06087) it is handed to F instead. F(G(m)) hears the rest of m itself, so that cycle is
exact and asks nothing of G. F(x) hears what was left of a mixture that x is not in, as loud as the rest is beside x: G must
find x among what real mixtures hold. Only a share of the estimate (`taken_off`) is taken off that mixture: were it all, what is
left would be only what G knows to be rest already. No gradient flows through it, or G would learn to leave nothing. Of a
recording of the rest, nothing but its level is used. With `level_dbfs`, every term hears all at one level. The discriminators'
losses are not halved, which Adam would undo. Its settings and presets are in `tfsepgan/settings/cyclegan.py`.
"""

from typing import NamedTuple

import tensorflow as tf
from keras import KerasTensor, ops

from tfsepgan.config import Experiment
from tfsepgan.layers.past_fakes import PastFakes
from tfsepgan.losses.adversarial import fake_loss, generator_loss, real_loss
from tfsepgan.losses.reconstruction import l1
from tfsepgan.networks.table import build_discriminator, build_generator
from tfsepgan.systems.base import SeparationSystem
from tfsepgan.systems.listening import gain_to_level, random_start, stretches


class Heard(NamedTuple):
    """What is heard in a step, at one level; mixtures and sources have nothing to do with each other."""

    mixture: KerasTensor  # [batch, time, 1]
    mixture_gain: KerasTensor  # [batch, 1, 1], what brought it to that level
    sources: KerasTensor  # [batch, sources, time, 1]
    sources_gain: KerasTensor  # [batch, 1, 1]
    rest_rms: KerasTensor  # [batch, 1, 1], how loud the rest is beside these sources


class CycleGAN(SeparationSystem):
    """Two generators, there and back, and a discriminator at each end.

    Source: ElAraby, Ni & Tran, "S-SepGAN", section 3.2; Zhu et al. 2017, arXiv:1703.10593.
    """

    losses_logged = (
        "generator",
        "cycle_source",
        "cycle_mixture",
        "identity_source",
        "identity_mixture",
        "adversarial_source",
        "adversarial_mixture",
        "source_discriminator",
        "mixture_discriminator",
    )
    hears = ("unlabelled", "solo")
    generators = ("generator", "mixer")

    def __init__(self, experiment: Experiment):
        super().__init__(experiment)
        data, config = experiment.data, self.config
        self.mixer = build_generator(config.mixer, sources=1, sample_rate_hz=data.sample_rate_hz)
        self.stretch = min(data.window, config.discriminator.window or data.window)
        self.discriminators, self.pools = {}, {}
        for number, end in enumerate(("source", "mixture")):
            seed = data.seed + 10 * number
            self.discriminators[end] = build_discriminator(config.discriminator, window=self.stretch, seed=seed)
            self.pools[end] = PastFakes(config.pool, self.stretch, seed=seed)

    @property
    def players(self):
        listeners = {f"{end}_discriminator": network for end, network in self.discriminators.items()}
        return {"generator": self.generator, "mixer": self.mixer, **listeners}

    def moves(self, player):
        return 1 if player in self.generators else self.config.discriminator_steps

    def plays(self, end: str) -> bool:
        """Whether the discriminator at an end, 'source' or 'mixture', is asked."""
        return getattr(self.config, f"adversarial_{end}_weight") > 0

    def train_step(self, batch):
        heard = self.at_one_level(batch)
        start = random_start(self.experiment.data.window, self.stretch, self.draws)
        with self.watching("generator") as tape:
            tape.watch([variable.value for variable in self.mixer.trainable_variables])
            estimate = self.take_apart(heard.mixture, heard.mixture_gain)
            mixed = self.mix(heard.sources, self.borrowed_rest(heard, estimate))
            fakes = dict(zip(self.pools, stretches(start, self.stretch, estimate, mixed), strict=True))
            losses = self.generators_losses(heard, estimate, mixed, fakes)
        self.move_both(losses["generator"], tape)
        self.follow_generator()
        reals = stretches(start, self.stretch, heard.sources, heard.mixture)
        for end, real in zip(self.pools, reals, strict=True):
            if self.plays(end):
                self.train_discriminator(end, real, self.pools[end](fakes[end]))
        return self.log(**losses)

    def at_one_level(self, batch) -> Heard:
        """Mixtures at `level_dbfs`, and sources as they would be in such a mixture."""
        level, solo = self.config.level_dbfs, batch["solo"]
        mixture_gain = gain_to_level(batch["unlabelled"], level)
        sources_gain = gain_to_level(ops.sum(solo, axis=1), level)
        return Heard(
            mixture=mixture_gain * batch["unlabelled"],
            mixture_gain=mixture_gain,
            sources=sources_gain[:, None] * solo[:, : len(self.sources)],
            sources_gain=sources_gain,
            rest_rms=sources_gain * root_mean_square(solo[:, -1]),
        )

    def take_apart(self, mixture, gain):
        """G: a mixture at one level -> its sources at that level; the network hears it as loud as it was recorded."""
        return gain[:, None] * self.generator(mixture / gain, training=True)

    def mix(self, sources, rest=0.0):
        """F: sources `[batch, sources, time, 1]`, and the rest where that is carried along -> their mixture `[batch, time, 1]`."""
        return self.mixer(ops.sum(sources, axis=1) + rest, training=True)[:, 0]

    def borrowed_rest(self, heard: Heard, estimate):
        """What was left of other mixtures, as loud as it should be beside the sources; nothing without `carry_rest`."""
        if not self.config.carry_rest:
            return 0.0
        rest = ops.stop_gradient(heard.mixture - self.config.taken_off * ops.sum(estimate, axis=1))
        return rest * heard.rest_rms / root_mean_square(rest)

    def generators_losses(self, heard: Heard, estimate, mixed, fakes):
        """L, as `generator`, and its terms; those whose weight is zero are not computed."""
        own_rest = heard.mixture - ops.sum(estimate, axis=1) if self.config.carry_rest else 0.0
        terms = {
            "cycle_source": lambda: l1(heard.sources, self.take_apart(mixed, heard.sources_gain)),
            "cycle_mixture": lambda: l1(heard.mixture, self.mix(estimate, own_rest)),
            "identity_source": lambda: self.source_identity(heard),
            "identity_mixture": lambda: self.mixture_identity(heard),
            "adversarial_source": lambda: self.adversarial_loss("source", fakes),
            "adversarial_mixture": lambda: self.adversarial_loss("mixture", fakes),
        }
        weights = {name: getattr(self.config, f"{name}_weight") for name in terms}
        losses = {name: term() for name, term in terms.items() if weights[name]}
        return {"generator": sum(weights[name] * loss for name, loss in losses.items()), **losses}

    @property
    def few(self) -> int:
        """Windows that the identity terms hear."""
        return max(1, round(self.config.identity_share * self.experiment.data.batch))

    def source_identity(self, heard: Heard):
        """|G(x) - x|_1: a source alone must pass unchanged, and leave nothing for the other sources."""
        alone, gain, count, loss = heard.sources[: self.few], heard.sources_gain[: self.few], len(self.sources), 0.0
        for index in range(count):
            wanted = [alone[:, k] if k == index else ops.zeros_like(alone[:, k]) for k in range(count)]
            loss += l1(ops.stack(wanted, axis=1), self.take_apart(alone[:, index], gain))
        return loss / count

    def mixture_identity(self, heard: Heard):
        """|F(m) - m|_1: what is a mixture already must pass unchanged."""
        mixture = heard.mixture[: self.few]
        return l1(mixture, self.mix(mixture[:, None]))

    def adversarial_loss(self, end: str, fakes):
        """How far the newest fakes at an end are from being called real."""
        return generator_loss(self.config.objective, self.discriminators[end](fakes[end], training=True)["scores"])

    def move_both(self, loss, tape: tf.GradientTape):
        """One step of both generators down the one loss they share."""
        variables = {player: self.players[player].trainable_variables for player in self.generators}
        watched = {player: [variable.value for variable in of] for player, of in variables.items()}
        # A generator whose terms all have weight zero stays as it is.
        gradients = tape.gradient(loss, watched, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        for player in self.generators:
            self.optimizers[player].apply(gradients[player], variables[player])

    def train_discriminator(self, end: str, real, fake):
        """All steps of one discriminator on windows of the real and the fake."""
        for _ in range(self.config.discriminator_steps):
            loss = self.descend(self.discriminator_loss, (end, real, fake), player=f"{end}_discriminator")
            self.log(**{f"{end}_discriminator": loss})

    def discriminator_loss(self, end: str, real, fake):
        """How far a discriminator is from telling real from fake."""
        network, windows = self.discriminators[end], ops.shape(real)[0]
        scores = network(ops.concatenate([real, fake]), training=True)["scores"]
        loss = real_loss(self.config.objective, [score[:windows] for score in scores])
        loss += fake_loss(self.config.objective, [score[windows:] for score in scores])
        if self.config.objective == "wgan-gp":
            loss += self.config.penalty_weight * self.gradient_penalty(network, real, fake)
        return loss


def root_mean_square(windows):
    """How loud each window is: `[batch, time, 1]` -> `[batch, 1, 1]`, never quite zero."""
    return ops.sqrt(ops.mean(ops.square(windows), axis=(1, 2), keepdims=True) + 1e-10)
