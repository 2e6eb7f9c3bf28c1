"""S-SepGAN: a generator separates the sources, a discriminator compares them with recordings.

Source: ElAraby, Ni & Tran, "S-SepGAN: GAN Based Music Source Separation", section 3.3. Defaults
without a source are from the authors' code. With generator G, discriminator D, mixture m, target x:

    discriminator   L_D = E[real(D(x))] + E[fake(D(G(m)))] + E[fake(D(m))]
    generator       L_G = 10 |G(m) - x|_1 + 1 E[adv(D(G(m)))] + 0.5 |G(x) - x|_1

The third term of L_D is the paper's own: the mixture is a fake too, so a generator that changes
nothing gets a high loss.
Departs from it:
- The objective and the paired distance are settings.
- Feature matching and a spectral term can be added (off in the `paper` preset).
- The identity term can use a share of the batch: it costs one more pass of the generator.
- With several sources, each is a window of its own for the discriminator.
- With `level_dbfs`, mixture, target and estimate have one common level in all terms.
Settings and presets: `tfsepgan/settings/ssepgan.py`.
"""

from tfsepgan.config import Experiment
from tfsepgan.losses.reconstruction import PAIRED_LOSSES, multi_resolution_spectral
from tfsepgan.systems.adversary import Adversarial
from tfsepgan.systems.base import SeparationSystem
from tfsepgan.systems.crops import gain_to_level, sources_as_windows
from tfsepgan.systems.identity import identity_loss


class SSepGAN(Adversarial, SeparationSystem):
    """One generator separates; one discriminator scores estimates, targets and mixtures.

    Source: ElAraby, Ni & Tran, "S-SepGAN", section 3.3.
    """

    losses_logged = ("generator", "paired", "identity", "adversarial", "features", "spectral")
    losses_logged += ("discriminator",)

    def __init__(self, experiment: Experiment):
        super().__init__(experiment)
        self.discriminator = self.new_discriminator()

    @property
    def players(self):
        return {"discriminator": self.discriminator, "generator": self.generator}

    def train_step(self, batch):
        start = self.random_start()
        # The discriminator steps after the estimate and before the generator: both players use the
        # same estimate, which saves a second pass of the generator.
        losses = self.minimize_after(
            self.estimates,
            self.train_discriminator,
            self.generator_losses,
            (batch["mixture"], batch["sources"], start),
            "generator",
            total="generator",
        )
        self.update_average(batch["mixture"])
        return self.log(**losses)

    def gain(self, mixture):
        """The factor that brings each mixture to the level of the losses, `[batch, 1, 1]`."""
        return gain_to_level(mixture, self.config.level_dbfs)

    def estimates(self, mixture, target, start):
        """The estimate at the level of the losses, and the identity term."""
        gain = self.gain(mixture)
        estimate = gain[:, None] * self.generator(mixture, training=True)
        rows = mixture.shape[0]
        return estimate, identity_loss(self.generator, target, gain, self.config, batch=rows)

    @property
    def plays(self) -> bool:
        """Whether any term needs the discriminator."""
        return self.config.adversarial_weight > 0 or self.config.feature_weight > 0

    def train_discriminator(self, mixture, target, start, made):
        """All steps of the discriminator, on one crop of the batch."""
        if not self.plays:
            return
        gain, (estimate, _) = self.gain(mixture), made
        windows = self.crops(start, gain * mixture, gain[:, None] * target, estimate)
        for _ in range(self.config.discriminator_steps):
            loss = self.minimize(self.discriminator_loss, windows, player="discriminator")
            self.log(discriminator=loss)

    def discriminator_loss(self, mixture, real, fake):
        """L_D: the target is real, estimate and mixture are fake."""
        third = {"mixture": mixture, "mixture_weight": self.config.mixture_as_fake_weight}
        return self.loss_of_discriminator(self.discriminator, real, fake, **third).total

    def generator_losses(self, mixture, target, start, made):
        """L_G, by the name `generator`, and its terms."""
        config, (estimate, identity) = self.config, made
        target = self.gain(mixture)[:, None] * target
        terms = {"paired": PAIRED_LOSSES[config.paired_loss](target, estimate)}
        total = config.paired_weight * terms["paired"]
        if self.plays:
            real, fake = self.crops(start, target, estimate)
            if config.feature_weight:
                terms["adversarial"], terms["features"] = self.adversarial_and_feature_loss(
                    self.discriminator, real, fake
                )
            else:
                terms["adversarial"] = self.adversarial_loss(self.discriminator, fake)
            total += config.adversarial_weight * terms["adversarial"]
            if config.feature_weight:
                total += config.feature_weight * terms["features"]
        if config.identity_weight:
            terms["identity"] = identity
            total += config.identity_weight * terms["identity"]
        if config.spectral_weight:
            compared = sources_as_windows(target), sources_as_windows(estimate)
            terms["spectral"] = multi_resolution_spectral(*compared)
            total += config.spectral_weight * terms["spectral"]
        return {"generator": total, **terms}
