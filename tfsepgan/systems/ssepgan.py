"""S-SepGAN: one generator takes the instrument out of the mixture, one discriminator hears whether it did.

Source: ElAraby, Ni & Tran, "S-SepGAN: GAN Based Music Source Separation", section 3.3; unsourced defaults are the
authors' code's. With generator G, discriminator D, mixture m and target x:

    discriminator   L_D = E[real(D(x))] + E[fake(D(G(m)))] + E[fake(D(m))]
    generator       L_G = 10 |G(m) - x|_1 + 1 E[adv(D(G(m)))] + 0.5 |G(x) - x|_1

The third term of L_D is the paper's own: the raw mixture is a fake too, so that doing nothing never pays.
Departs from it: the objective and the paired distance are settings, and so are feature matching and a spectral term (off in the
`paper` preset), the identity term may hear a share of the batch (it costs a whole pass of the generator), and with several sources
each is a window of its own to the discriminator. With `level_dbfs`, every term hears mixture, target and estimate at one common level.
Its settings and presets are in `tfsepgan/settings/ssepgan.py`.
"""

from keras import ops

from tfsepgan.config import Experiment
from tfsepgan.losses.adversarial import feature_matching, generator_loss, three_term_discriminator_loss
from tfsepgan.losses.reconstruction import multi_resolution_spectral
from tfsepgan.networks.table import build_discriminator
from tfsepgan.systems.base import SeparationSystem
from tfsepgan.systems.listening import one_by_one, random_start, stretches
from tfsepgan.systems.paired import paired_losses, pass_of


class SSepGAN(SeparationSystem):
    """One generator takes the instrument out; one discriminator hears whether it did.

    Source: ElAraby, Ni & Tran, "S-SepGAN", section 3.3.
    """

    losses_logged = (
        "generator",
        "paired",
        "identity",
        "adversarial",
        "features",
        "spectral",
        "discriminator",
    )

    def __init__(self, experiment: Experiment):
        super().__init__(experiment)
        window = experiment.data.window
        self.stretch = min(window, self.config.discriminator.window or window)
        self.discriminator = build_discriminator(
            self.config.discriminator, window=self.stretch, seed=experiment.data.seed
        )

    @property
    def players(self):
        return {"discriminator": self.discriminator, "generator": self.generator}

    def moves(self, player):
        return self.config.discriminator_steps if player == "discriminator" else 1

    def train_step(self, batch):
        mixture, target = batch["mixture"], batch["sources"]
        with self.watching("generator") as tape:
            passed = pass_of(self.generator, mixture, target, self.config, batch=self.experiment.data.batch)
            mixture, target, estimate = passed.mixture, passed.target, passed.estimate
            with tape.stop_recording():
                start = random_start(self.experiment.data.window, self.stretch, self.draws)
                for _ in range(self.config.discriminator_steps if self.plays else 0):
                    heard = stretches(start, self.stretch, mixture, target, ops.stop_gradient(estimate))
                    loss = self.descend(self.discriminator_loss, heard, player="discriminator")
                    self.log(discriminator=loss)
            losses = self.generator_losses(estimate, target, passed.identity, start)
        self.move("generator", losses["generator"], tape)
        self.follow_generator(batch["mixture"])
        return self.log(**losses)

    @property
    def plays(self) -> bool:
        """Whether any term needs the discriminator."""
        return self.config.adversarial_weight > 0 or self.config.feature_weight > 0

    def discriminator_loss(self, mixture, real, generated):
        """L_D: the target is real; the estimate is fake, and so is the mixture itself."""
        heard = self.discriminator(ops.concatenate([real, generated, mixture]), training=True)["scores"]
        windows = ops.shape(real)[0]
        loss = three_term_discriminator_loss(
            self.config.objective,
            real=[scores[:windows] for scores in heard],
            generated=[scores[windows : 2 * windows] for scores in heard],
            mixture=[scores[2 * windows :] for scores in heard],
            mixture_weight=self.config.mixture_as_fake_weight,
        )
        if self.config.objective == "wgan-gp":
            loss += self.config.penalty_weight * self.gradient_penalty(self.discriminator, real, generated)
        return loss

    def generator_losses(self, estimate, target, identity, start):
        """L_G, as `generator`, and its terms."""
        config = self.config
        total, terms = paired_losses(estimate, target, identity, config)
        if self.plays:
            real, fake = stretches(start, self.stretch, target, estimate)
            fake = self.discriminator(fake, training=True)
            terms["adversarial"] = generator_loss(config.objective, fake["scores"])
            total += config.adversarial_weight * terms["adversarial"]
            if config.feature_weight:
                real = self.discriminator(real, training=True)
                terms["features"] = feature_matching(real["features"], fake["features"])
                total += config.feature_weight * terms["features"]
        if config.spectral_weight:
            terms["spectral"] = multi_resolution_spectral(one_by_one(target), one_by_one(estimate))
            total += config.spectral_weight * terms["spectral"]
        return {"generator": total, **terms}
