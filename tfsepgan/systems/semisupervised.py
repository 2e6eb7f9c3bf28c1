"""Semi-supervised separation: labelled songs have targets, unlabelled songs train with critics.

Source: Stoller, Ewert & Dixon 2018, "Adversarial semi-supervised audio source separation applied to
singing voice extraction" (arXiv:1711.00048), section 2, and its released code. One separator G
estimates every source k of a mixture and the others, which count as a source here. A critic D_k for
each compares recordings of the source with estimates of it. With labelled pairs (m, x), unlabelled
mixtures u, and recordings s_k of a source alone that are in none of them:

    critic k     L_k = E[D_k(G_k(u))] - E[D_k(s_k)] + 10 E[max(0, |grad D_k| - 1)^2]
    separator    L = sum_k |G_k(m) - x_k|^2 + alpha sum_k E[-D_k(G_k(u))]
                     + beta |u - sum_k G_k(u)|^2

Both squared distances are means over samples; with `paired_loss` 'l1', means of absolute
differences.
Departs from it:
- Inputs and outputs are waveforms, with any generator and discriminator of the tables; the authors'
  code has a U-Net and a convolutional critic on log(1 + magnitude). So distances and slopes are of
  waveforms, the weights of the `paper` preset are converted to that unit, and the estimates' sum is
  compared as a waveform, which is exact.
- Each critic step uses another crop of one batch instead of a batch of its own. A share of the
  batch can be used (each window costs a whole pass of the generator).
- The separator has normalisation layers; the authors' has none.
- Their gain of 0.2 to 1.2 for unlabelled recordings is drawn in dB, for labelled mixtures too.
- With `level_dbfs`, mixtures are brought to one level, with their sources.
docs/systems/semisupervised.md has all this setting by setting. Settings and presets:
`tfsepgan/settings/semisupervised.py`.
"""

from keras import ops

from tfsepgan.config import Experiment
from tfsepgan.losses.additive import additive_loss
from tfsepgan.losses.penalties import one_sided_slope_penalty, slope_penalty
from tfsepgan.losses.reconstruction import PAIRED_LOSSES
from tfsepgan.systems.adversary import Adversarial
from tfsepgan.systems.base import SeparationSystem
from tfsepgan.systems.crops import gain_to_level, with_residual


class SemiSupervised(Adversarial, SeparationSystem):
    """One separator for all sources and the others, and a critic for each.

    Source: Stoller, Ewert & Dixon 2018, arXiv:1711.00048, section 2.
    """

    losses_logged = ("generator", "supervised", "unsupervised", "additive", "critic", "distance")
    losses_logged += ("penalty",)
    batch_keys = ("mixture", "sources", "unlabelled", "solo")
    models_others = True
    objective = "wgan-gp"  # the paper's; no setting

    def __init__(self, experiment: Experiment):
        super().__init__(experiment)
        self.distance = PAIRED_LOSSES[self.config.paired_loss]
        names = (*self.sources, "residual")[: self.outputs]  # no source may be called residual
        self.critics = {
            f"critic_{name}": without_constants(self.new_discriminator(10 * number))
            for number, name in enumerate(names)
        }

    @property
    def players(self):
        return {**self.critics, "generator": self.generator}

    def steps_per_batch(self, player):
        return 1 if player == "generator" else self.config.critic_steps

    @property
    def plays(self) -> bool:
        """Whether the critics have a weight."""
        return self.config.unsupervised_weight > 0

    def train_step(self, batch):
        windows = batch["mixture"], batch["sources"], batch["unlabelled"], batch["solo"]
        # The critics step after the estimates and before the separator: all players use the same
        # estimates, which saves a second pass of the separator.
        losses = self.minimize_after(
            self.estimates,
            self.train_critics,
            self.separator_losses,
            windows,
            "generator",
            total="generator",
        )
        self.update_average(batch["unlabelled"])
        return self.log(**losses)

    def used(self, windows):
        """The share of unlabelled mixtures or solos that is used; at least one window."""
        return windows[: max(1, round(self.config.unlabelled_share * windows.shape[0]))]

    def estimates(self, mixture, sources, unlabelled, solo):
        """The supervised loss, and unlabelled mixtures with their estimates, at one level."""
        supervised, unlabelled_used = 0.0, None
        if self.config.supervised_weight:
            supervised = self.supervised_loss(mixture, sources)
        if self.plays or self.config.additive_weight:
            unlabelled_used = self.separated(self.used(unlabelled))
        return supervised, unlabelled_used

    def separator_losses(self, mixture, sources, unlabelled, solo, made):
        """L, by the name `generator`, and its terms."""
        (supervised, used), losses = made, {}
        if self.config.supervised_weight:
            losses["supervised"] = supervised
        if used is not None:
            losses["additive"] = additive_loss(*used, self.distance)
        if self.plays:
            losses["unsupervised"] = self.unsupervised_loss(used[1])
        return {"generator": self.weighted_sum(losses), **losses}

    def separated(self, mixture):
        """A mixture and all its estimates, both at one level."""
        gain = gain_to_level(mixture, self.config.level_dbfs)
        return gain * mixture, gain[:, None] * self.generator(mixture, training=True)

    def supervised_loss(self, mixture, sources):
        """L_s: the sum of the distances between estimates and targets, the others included."""
        gain = gain_to_level(mixture, self.config.level_dbfs)[:, None]
        targets = with_residual(mixture, sources)
        _, estimates = self.separated(mixture)
        return sum(
            self.distance(gain * targets[:, k], estimates[:, k]) for k in range(self.outputs)
        )

    def train_critics(self, mixture, sources, unlabelled, solo, made):
        """All steps of all critics: recordings of a source alone are real, estimates are fake."""
        if not self.plays:
            return
        (_, (_, estimates)), solo = made, self.used(solo)
        solo = gain_to_level(ops.sum(solo, axis=1), self.config.level_dbfs)[:, None] * solo
        for _ in range(self.config.critic_steps):
            start = self.random_start()
            for k, (player, critic) in enumerate(self.critics.items()):
                real, fake = self.crops(start, solo[:, k], estimates[:, k])
                loss = self.minimize(self.critic_loss, (critic, real, fake), player=player)
                self.log(critic=loss)

    def critic_loss(self, critic, real, fake):
        """L_k: the mean score of estimates minus that of recordings, plus the penalty."""
        penalty = one_sided_slope_penalty if self.config.one_sided else slope_penalty
        loss = self.loss_of_discriminator(critic, real, fake, penalty=penalty)
        self.log(distance=-loss.of_scores, penalty=loss.penalty)
        return loss.total

    def unsupervised_loss(self, estimates):
        """L_u: the sum over critics of minus the mean score of the estimates."""
        start = self.random_start()
        windows = [self.crops(start, estimates[:, k])[0] for k in range(self.outputs)]
        pairs = zip(self.critics.values(), windows, strict=True)
        return sum(self.adversarial_loss(critic, fake) for critic, fake in pairs)


def without_constants(critic):
    """The critic, with the biases of its scores fixed at zero: no term depends on them.

    Source: the released code, whose critics end in a layer without bias.
    """
    for variable in critic.trainable_variables:
        if variable.path.endswith("score/bias"):
            variable.trainable = False
    return critic
