"""CycleGAN: one network separates mixtures, another mixes sources; together they return the input.

Sources: [S] ElAraby, Ni & Tran, "S-SepGAN: GAN Based Music Source Separation", section 3.2 and
figure 4; [Z] Zhu et al. 2017, "Unpaired Image-to-Image Translation using Cycle-Consistent
Adversarial Networks" (arXiv:1703.10593), eqs. 1 to 3, sections 4 and 5.2. With the generator G
(mixture to sources, B2A in [S]), the mixer F (sources to mixture, A2B), discriminators D_x and D_m,
mixtures m and sources x:

                             preset `paper` [S]               preset `zhu` [Z]
    sources x                are the sources of m             are in none of the mixtures m
    generators, one loss     0.5 |x - G(m)|_1                 5 |x - G(x)|_1 + 5 |m - F(m)|_1
                             + 10 |m - F(G(m))|_1             + 10 |m - F(G(m))|_1
                                                              + 10 |x - G(F(x))|_1
                             + adv(D_x(G(m)))                 + adv(D_x(G(m)))
                             + adv(D_m(F(G(m))))              + adv(D_m(F(x)))
    source discriminator     real(D_x(x)) + fake(D_x(G(m)))   real(D_x(x)) + fake(D_x(G(m)))
    mixture discriminator    real(D_m(m))                     real(D_m(m))
                             + fake(D_m(F(G(m))))             + fake(D_m(F(x)))

`identity` chooses the first term, and with it whether a batch has pairs. `mixture_fakes` chooses
the input of F for the fakes of D_m. Every weight is a setting. [Z] keeps past fakes in a pool for
the discriminators, [S] does not. No gradient flows from a discriminator's step into G or F. The one
loss of the generators flows through both networks, so D_m trains G too where F gets the estimate.
G separates; the other three networks are used in training only.

With several sources, G has an output for each and F gets their sum: a mixture is a sum, so F(m) is
defined too. D_x gets every source as a window of its own, without its name: the cycle and identity
terms assign outputs to sources.

Departs from [S]:
- [S] gives no weights but "higher on the cyclical loss". Those of the `paper` preset are from the
  authors' code, which is of another variant: one generator, where F adds the residual back.
- The generators' adversarial term does not saturate (Goodfellow et al. 2014, section 3).
Departs from [Z]: networks, windows and batches are those of S-SepGAN; the learning rate does not
fall.
Departs from both:
- Batch normalisation keeps moving statistics. Only the passes that make fakes change them, not
  those of cycles and identity terms.
- The discriminators' losses are not halved: Adam would undo the factor.

Not in either, off in both presets:
- `carry_rest` (Hoshen 2018, arXiv:1812.07504; Michelashvili et al. 2019, arXiv:1812.06087): F gets
  the residual that G left, instead of making it up. For F(G(m)) it is the residual of m, so that
  cycle is exact and gives G no gradient. For F(x) it is the residual of a mixture without x, at the
  level that others have beside x: G has to find x among the others of real mixtures. Only the share
  `taken_off` of the estimate is subtracted. If all of it were subtracted, the residual would hold
  only sound that G already assigns to others. No gradient flows through the residual;
  otherwise G would learn to leave nothing. Of recordings of others, only the level is used.
- `level_dbfs`: all terms are computed at one level.
docs/systems/cyclegan.md has all this setting by setting. Settings and presets:
`tfsepgan/settings/cyclegan.py`.
"""

from typing import NamedTuple

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
    """The windows of a step, at one level.

    The sources are those of the mixtures, or of none of them.
    """

    mixture: KerasTensor  # [batch, time, 1]
    mixture_gain: KerasTensor  # [batch, 1, 1], the factor of `gain_to_level`
    sources: KerasTensor  # [batch, sources, time, 1]
    sources_gain: KerasTensor  # [batch, 1, 1]
    others_rms: KerasTensor  # [batch, 1, 1], level of the others beside these sources


class CycleGAN(Adversarial, SeparationSystem):
    """A generator and a mixer, inverse to each other, and a discriminator for the output of each.

    Source: ElAraby, Ni & Tran, "S-SepGAN", section 3.2; Zhu et al. 2017, arXiv:1703.10593.
    """

    losses_logged = ("generator", "cycle_source", "cycle_mixture", "identity_source")
    losses_logged += ("identity_mixture", "adversarial_source", "adversarial_mixture")
    losses_logged += ("source_discriminator", "mixture_discriminator")
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
        """Mixtures with their own sources, or mixtures and sources that are unrelated."""
        paired = self.config.identity == "paired"
        return ("mixture", "sources") if paired else ("unlabelled", "solo")

    @property
    def players(self):
        networks = {f"{end}_discriminator": own for end, own in self.discriminators.items()}
        return {"generator": self.generator, "mixer": self.mixer, **networks}

    def plays(self, end: str) -> bool:
        """Whether the discriminator of an end, 'source' or 'mixture', has a weight."""
        return getattr(self.config, f"adversarial_{end}_weight") > 0

    def train_step(self, batch):
        windows = self.at_one_level(batch)
        start = self.random_start()
        losses, made = self.minimize_together(
            self.generators_losses, (windows, start), *self.generators, total="generator"
        )
        fakes = dict(zip(self.pools, self.crops(start, *made), strict=True))
        reals = self.crops(start, windows.sources, windows.mixture)
        for end, real in zip(self.pools, reals, strict=True):
            if self.plays(end):
                self.train_discriminator(end, real, self.past_fakes(end, fakes[end]))
        self.update_average(windows.mixture / windows.mixture_gain)
        return self.log(**losses)

    def at_one_level(self, batch) -> Windows:
        """Mixtures at `level_dbfs`, and sources at their level in a mixture of that level."""
        if self.config.identity == "paired":
            mixture, sources = batch["mixture"], batch["sources"]
            others = mixture - ops.sum(sources, axis=1)
        else:
            mixture, solo = batch["unlabelled"], batch["solo"]
            sources, others = solo[:, : len(self.sources)], solo[:, -1]
        mixture_gain = gain_to_level(mixture, self.config.level_dbfs)
        sources_gain = gain_to_level(ops.sum(sources, axis=1) + others, self.config.level_dbfs)
        return Windows(
            mixture=mixture_gain * mixture,
            mixture_gain=mixture_gain,
            sources=sources_gain[:, None] * sources,
            sources_gain=sources_gain,
            others_rms=sources_gain * root_mean_square(others, floor=1e-10),
        )

    def unmix(self, mixture, gain):
        """G: a mixture at one level -> estimates at that level.

        The network's input has the level of the recording.
        """
        return gain[:, None] * self.generator(mixture / gain, training=True)

    def mix(self, sources, residual=0.0):
        """F: sources `[batch, sources, time, 1]` and a residual -> a mixture `[batch, time, 1]`."""
        return self.mixer(ops.sum(sources, axis=1) + residual, training=True)[:, 0]

    def fake_mixture(self, windows: Windows, estimate):
        """F of the estimates, or of sources (with `carry_rest` and a residual): the fake of D_m."""
        if self.config.mixture_fakes == "estimates":
            return self.mix(estimate)
        return self.mix(windows.sources, self.borrowed_residual(windows, estimate))

    def borrowed_residual(self, windows: Windows, estimate):
        """The residual of other mixtures, at the level of the others drawn for these sources.

        Zero without `carry_rest`.
        """
        if not self.config.carry_rest:
            return 0.0
        taken_off = self.config.taken_off * ops.sum(estimate, axis=1)
        residual = ops.stop_gradient(windows.mixture - taken_off)
        return residual * windows.others_rms / root_mean_square(residual, floor=1e-10)

    def generators_losses(self, windows: Windows, start):
        """The loss, by the name `generator`, and its terms that have a weight.

        Returns: the losses, and the estimates and mixtures that the discriminators compare.
        """
        estimate = self.unmix(windows.mixture, windows.mixture_gain)
        mixed = self.fake_mixture(windows, estimate)
        fakes = dict(zip(self.pools, self.crops(start, estimate, mixed), strict=True))
        residual = windows.mixture - ops.sum(estimate, axis=1) if self.config.carry_rest else 0.0
        mixtures = {
            "sources": lambda: self.mix(windows.sources),
            "estimates": lambda: self.mix(estimate, residual),
        }
        mixtures[self.config.mixture_fakes] = lambda: mixed  # already computed

        def source_cycle():
            return l1(windows.sources, self.unmix(mixtures["sources"](), windows.sources_gain))

        def adversarial(end: str):
            return self.adversarial_loss(self.discriminators[end], fakes[end])

        terms = {
            "cycle_source": source_cycle,
            "cycle_mixture": lambda: l1(windows.mixture, mixtures["estimates"]()),
            "identity_source": lambda: self.source_identity(windows, estimate),
            "identity_mixture": lambda: self.mixture_identity(windows),
            "adversarial_source": lambda: adversarial("source"),
            "adversarial_mixture": lambda: adversarial("mixture"),
        }
        weights = {name: getattr(self.config, f"{name}_weight") for name in terms}
        # The moving statistics stay those of the inputs that fakes are made from.
        with statistics_kept(self.generator), statistics_kept(self.mixer):
            losses = {name: term() for name, term in terms.items() if weights[name]}
        return {"generator": self.weighted_sum(losses), **losses}, (estimate, mixed)

    def identity_windows(self, rows: int) -> int:
        """How many of a number of windows are in the identity terms."""
        return max(1, round(self.config.identity_share * rows))

    def source_identity(self, windows: Windows, estimate):
        """|x - G(m)|_1 where x are the sources of m; else |x - G(x)|_1 for one source at a time."""
        if self.config.identity == "paired":
            return l1(windows.sources, estimate)
        count = self.identity_windows(windows.sources.shape[0])
        alone, gain = windows.sources[:count], windows.sources_gain[:count]
        loss = 0.0
        for index in range(len(self.sources)):
            estimate = self.unmix(alone[:, index], gain)
            loss += l1(only_source(alone, index), estimate)
        return loss / len(self.sources)

    def mixture_identity(self, windows: Windows):
        """|m - F(m)|_1: a mixture stays as it is."""
        mixture = windows.mixture[: self.identity_windows(windows.mixture.shape[0])]
        return l1(mixture, self.mix(mixture[:, None]))

    def past_fakes(self, end: str, fakes):
        """Past fakes in place of some new ones; the pool holds those of all devices."""
        return self.own_rows(self.pools[end](self.all_rows(fakes)))

    def train_discriminator(self, end: str, real, fake):
        """All steps of one discriminator on the same windows."""
        player = f"{end}_discriminator"
        for _ in range(self.config.discriminator_steps):
            loss = self.minimize(self.discriminator_loss, (end, real, fake), player=player)
            self.log(**{player: loss})

    def discriminator_loss(self, end: str, real, fake):
        """Loss of one discriminator on real and fake crops."""
        return self.loss_of_discriminator(self.discriminators[end], real, fake).total
