"""CycleGAN: one network takes sources out of mixtures, another makes mixtures of sources, and there
and back changes nothing.

Sources: [S] ElAraby, Ni & Tran, "S-SepGAN: GAN Based Music Source Separation", section 3.2 and
figure 4; [Z] Zhu et al. 2017, "Unpaired Image-to-Image Translation using Cycle-Consistent
Adversarial Networks" (arXiv:1703.10593), eqs. 1 to 3, sections 4 and 5.2. With the generator G
(mixture to sources, B2A in [S]), the mixer F (sources to mixture, A2B), discriminators D_x and D_m,
mixtures m and sources x:

                            preset `paper` [S], x are the sources of m        preset `zhu` [Z], x are in none of the mixtures m
    generators, one loss    0.5 |x - G(m)|_1 + 10 |m - F(G(m))|_1             5 |x - G(x)|_1 + 5 |m - F(m)|_1
                                                                              + 10 |m - F(G(m))|_1 +
                                                                              10 |x - G(F(x))|_1
                            + adv(D_x(G(m))) + adv(D_m(F(G(m))))              + adv(D_x(G(m))) + adv(D_m(F(x)))
    source discriminator    real(D_x(x)) + fake(D_x(G(m)))                    real(D_x(x)) + fake(D_x(G(m)))
    mixture discriminator   real(D_m(m)) + fake(D_m(F(G(m))))                 real(D_m(m)) + fake(D_m(F(x)))

`identity` chooses the first term (and with it whether a batch holds pairs), `mixture_fakes` what F
makes of for D_m, and every weight is a setting. The fakes of [Z] come through a pool of past ones;
those of [S] do not. No gradient flows from a discriminator's step into G or F; the one loss of the
generators flows through all that made it, so D_m judges G too where F hears its estimate. G
separates; the other three only teach it.

With several sources G has an output for each and F hears their sum: a mixture is a sum, so sources
and mixtures lie in one space and F(m) means something too. D_x hears every source as a window of
its own, and need not know which it is: the cycle and the identity term hold the outputs to their
sources.

Departs from [S]: it gives no weights but "higher on the cyclical loss"; those of the `paper` preset
are from the authors' code, which is of another variant (one generator, in which F is adding the
rest of the mixture again). The generators' adversarial term does not saturate (Goodfellow et al.
2014, section 3). Departs from [Z]: networks, windows and batches are those of S-SepGAN; the rate
does not fall.
Departs from both: batch normalisation keeps moving statistics, of what each generator makes its
fakes of; cycles and identity passes do not move them. The discriminators' losses are not halved,
which Adam would undo. docs/systems/cyclegan.md has it setting by setting.

Not in either, off in both presets: with `carry_rest` (Hoshen 2018, arXiv:1812.07504; Michelashvili
et al. 2019, arXiv:1812.06087) F does not have to invent what G takes off a mixture, but is handed
it. F(G(m)) hears the rest of m itself, so that cycle is exact and asks nothing of G. F(x) hears
what was left of a mixture that x is not in, as loud as the rest is beside x: G must find x among
what real mixtures hold. Only a share of the estimate (`taken_off`) is taken off that mixture: were
it all, what is left would be only what G knows to be rest already. No gradient flows through it, or
G would learn to leave nothing. Of a recording of the rest, nothing but its level is used. With
`level_dbfs`, every term hears all at one level. Its settings and presets are in
`tfsepgan/settings/cyclegan.py`.
"""

from typing import NamedTuple

import tensorflow as tf
from keras import KerasTensor, ops

from tfsepgan.config import Experiment
from tfsepgan.layers.past_fakes import PastFakes
from tfsepgan.losses.reconstruction import l1
from tfsepgan.networks.table import build_generator
from tfsepgan.systems.adversary import Adversarial
from tfsepgan.systems.base import SeparationSystem
from tfsepgan.systems.crops import gain_to_level, only_source, root_mean_square
from tfsepgan.systems.statistics import statistics_kept


class Windows(NamedTuple):
    """What is heard in a step, at one level; the sources are those of the mixtures, or have nothing
    to do with them."""

    mixture: KerasTensor  # [batch, time, 1]
    mixture_gain: KerasTensor  # [batch, 1, 1], what brought it to that level
    sources: KerasTensor  # [batch, sources, time, 1]
    sources_gain: KerasTensor  # [batch, 1, 1]
    rest_rms: KerasTensor  # [batch, 1, 1], how loud the rest is beside these sources


class CycleGAN(Adversarial, SeparationSystem):
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
    generators = ("generator", "mixer")

    def __init__(self, experiment: Experiment):
        super().__init__(experiment)
        data, config = experiment.data, self.config
        self.mixer = build_generator(config.mixer, sources=1, sample_rate_hz=data.sample_rate_hz)
        self.discriminators, self.pools = {}, {}
        for number, end in enumerate(("source", "mixture")):
            self.discriminators[end] = self.new_discriminator(10 * number)
            self.pools[end] = PastFakes(config.pool, self.crop_length, seed=data.seed + 10 * number)

    @property
    def batch_keys(self):
        """Mixtures with the sources in them, or mixtures and sources that have nothing to do with
        each other."""
        return (
            ("mixture", "sources") if self.config.identity == "paired" else ("unlabelled", "solo")
        )

    @property
    def players(self):
        listeners = {
            f"{end}_discriminator": network for end, network in self.discriminators.items()
        }
        return {"generator": self.generator, "mixer": self.mixer, **listeners}

    def steps_per_batch(self, player):
        return 1 if player in self.generators else self.config.discriminator_steps

    def plays(self, end: str) -> bool:
        """Whether the discriminator at an end, 'source' or 'mixture', is asked."""
        return getattr(self.config, f"adversarial_{end}_weight") > 0

    def train_step(self, batch):
        windows = self.at_one_level(batch)
        start = self.random_start()
        with self.tape_of(*self.generators) as tape:
            estimate = self.take_apart(windows.mixture, windows.mixture_gain)
            mixed = self.fake_mixture(windows, estimate)
            fakes = dict(zip(self.pools, self.crops(start, estimate, mixed), strict=True))
            losses = self.generators_losses(windows, estimate, mixed, fakes)
        # A generator whose terms all have weight zero gets a gradient of zero.
        zero = tf.UnconnectedGradients.ZERO
        self.apply_gradients(
            losses["generator"], tape, *self.generators, unconnected_gradients=zero
        )
        reals = self.crops(start, windows.sources, windows.mixture)
        for end, real in zip(self.pools, reals, strict=True):
            if self.plays(end):
                self.train_discriminator(end, real, self.pools[end](fakes[end]))
        self.update_average(windows.mixture / windows.mixture_gain)
        return self.log(**losses)

    def at_one_level(self, batch) -> Windows:
        """Mixtures at `level_dbfs`, with their sources; or mixtures, and sources as they would be
        in such a mixture."""
        if self.config.identity == "paired":
            mixture, sources = batch["mixture"], batch["sources"]
            rest = mixture - ops.sum(sources, axis=1)
        else:
            mixture, solo = batch["unlabelled"], batch["solo"]
            sources, rest = solo[:, : len(self.sources)], solo[:, -1]
        mixture_gain = gain_to_level(mixture, self.config.level_dbfs)
        sources_gain = gain_to_level(ops.sum(sources, axis=1) + rest, self.config.level_dbfs)
        return Windows(
            mixture=mixture_gain * mixture,
            mixture_gain=mixture_gain,
            sources=sources_gain[:, None] * sources,
            sources_gain=sources_gain,
            rest_rms=sources_gain * root_mean_square(rest, floor=1e-10),
        )

    def take_apart(self, mixture, gain):
        """G: a mixture at one level -> its sources at that level; the network hears it as loud as
        it was recorded."""
        return gain[:, None] * self.generator(mixture / gain, training=True)

    def mix(self, sources, rest=0.0):
        """F: sources `[batch, sources, time, 1]`, and the rest where that is carried along -> their
        mixture `[batch, time, 1]`."""
        return self.mixer(ops.sum(sources, axis=1) + rest, training=True)[:, 0]

    def fake_mixture(self, windows: Windows, estimate):
        """What F makes for D_m: of the estimates themselves, or of real sources and a rest if one
        is carried along."""
        if self.config.mixture_fakes == "estimates":
            return self.mix(estimate)
        return self.mix(windows.sources, self.borrowed_rest(windows, estimate))

    def borrowed_rest(self, windows: Windows, estimate):
        """What was left of other mixtures, as loud as it should be beside the sources; nothing
        without `carry_rest`."""
        if not self.config.carry_rest:
            return 0.0
        rest = ops.stop_gradient(
            windows.mixture - self.config.taken_off * ops.sum(estimate, axis=1)
        )
        return rest * windows.rest_rms / root_mean_square(rest, floor=1e-10)

    def generators_losses(self, windows: Windows, estimate, mixed, fakes):
        """L, as `generator`, and its terms; those whose weight is zero are not computed."""
        own_rest = windows.mixture - ops.sum(estimate, axis=1) if self.config.carry_rest else 0.0
        mixtures = {
            "sources": lambda: self.mix(windows.sources),
            "estimates": lambda: self.mix(estimate, own_rest),
        }
        mixtures[self.config.mixture_fakes] = lambda: mixed  # made already
        terms = {
            "cycle_source": lambda: l1(
                windows.sources, self.take_apart(mixtures["sources"](), windows.sources_gain)
            ),
            "cycle_mixture": lambda: l1(windows.mixture, mixtures["estimates"]()),
            "identity_source": lambda: self.source_identity(windows, estimate),
            "identity_mixture": lambda: self.mixture_identity(windows),
            "adversarial_source": lambda: self.adversarial_loss(
                self.discriminators["source"], fakes["source"]
            ),
            "adversarial_mixture": lambda: self.adversarial_loss(
                self.discriminators["mixture"], fakes["mixture"]
            ),
        }
        weights = {name: getattr(self.config, f"{name}_weight") for name in terms}
        # The moving statistics stay those of what the fakes are made of.
        with statistics_kept(self.generator), statistics_kept(self.mixer):
            losses = {name: term() for name, term in terms.items() if weights[name]}
        return {"generator": sum(weights[name] * loss for name, loss in losses.items()), **losses}

    @property
    def few(self) -> int:
        """Windows that the identity terms hear."""
        return max(1, round(self.config.identity_share * self.experiment.data.batch))

    def source_identity(self, windows: Windows, estimate):
        """|x - G(m)|_1 where x are the sources of m; else |x - G(x)|_1: a source alone must pass,
        and leave nothing for the others."""
        if self.config.identity == "paired":
            return l1(windows.sources, estimate)
        alone, gain = windows.sources[: self.few], windows.sources_gain[: self.few]
        loss = 0.0
        for index in range(len(self.sources)):
            estimate = self.take_apart(alone[:, index], gain)
            loss += l1(only_source(alone, index), estimate)
        return loss / len(self.sources)

    def mixture_identity(self, windows: Windows):
        """|F(m) - m|_1: what is a mixture already must pass unchanged."""
        mixture = windows.mixture[: self.few]
        return l1(mixture, self.mix(mixture[:, None]))

    def train_discriminator(self, end: str, real, fake):
        """All steps of one discriminator on windows of the real and the fake."""
        for _ in range(self.config.discriminator_steps):
            loss = self.minimize(
                self.discriminator_loss, (end, real, fake), player=f"{end}_discriminator"
            )
            self.log(**{f"{end}_discriminator": loss})

    def discriminator_loss(self, end: str, real, fake):
        """How far a discriminator is from telling real from fake."""
        return self.loss_of_discriminator(self.discriminators[end], real, fake).total
