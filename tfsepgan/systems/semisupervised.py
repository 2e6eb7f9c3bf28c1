"""Adversarial semi-supervised separation: labelled songs say what is right, unlabelled ones must at
least sound right.

Source: Stoller, Ewert & Dixon 2018, "Adversarial semi-supervised audio source separation applied to
singing voice extraction" (arXiv:1711.00048), section 2, and its released code. One separator G
gives every part k of a mixture, the rest among them; each part has a critic D_k that tells
recordings of it from estimates of it. With labelled pairs (m, x), unlabelled mixtures u and solo
recordings s_k that belong to none of them:

    critic k     L_k = E[D_k(G_k(u))] - E[D_k(s_k)] + 10 E[max(0, |grad D_k| - 1)^2]
    separator    L = sum_k |G_k(m) - x_k|^2 + alpha sum_k E[-D_k(G_k(u))] + beta |u - sum_k G_k(u)|^2

Both squared distances are means over samples; with `paired_loss` 'l1', means of absolute
differences.
Departs from it: waveforms go in and come out, with any generator and discriminator of the tables,
where the authors' code has a U-Net and a convolutional critic on log(1 + magnitude); so the
distances and the slopes are of waveforms, the weights of the `paper` preset converted to that unit,
and the parts add up as waveforms, which is exact. Each critic step hears another stretch of one
batch instead of a batch of its own, and a share of the batch may be enough (each window costs a
whole pass of the generator). The separator has normalisation, theirs none. The gain of 0.2 to 1.2
that they give to what is not labelled is drawn in dB, for labelled mixtures too. With `level_dbfs`,
mixtures come to one level, their parts with them. docs/systems/semisupervised.md has it setting by
setting. Its settings and presets are in `tfsepgan/settings/semisupervised.py`.
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
    """One separator gives every part of the mixture; a critic for each part hears whether it could
    be a recording.

    Source: Stoller, Ewert & Dixon 2018, arXiv:1711.00048, section 2.
    """

    losses_logged = (
        "generator",
        "supervised",
        "unsupervised",
        "additive",
        "critic",
        "distance",
        "penalty",
    )
    batch_keys = ("mixture", "sources", "unlabelled", "solo")
    models_rest = True
    objective = "wgan-gp"  # the paper's; no setting

    def __init__(self, experiment: Experiment):
        super().__init__(experiment)
        self.distance = PAIRED_LOSSES[self.config.paired_loss]
        self.unlabelled_windows = max(
            1, round(self.config.unlabelled_share * experiment.data.batch)
        )
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
        """Whether the critics are asked."""
        return self.config.unsupervised_weight > 0

    def train_step(self, batch):
        solo = batch["solo"][: self.unlabelled_windows]
        losses = {}
        with self.tape_of("generator") as tape:
            if self.config.supervised_weight:
                losses["supervised"] = self.supervised_loss(batch["mixture"], batch["sources"])
            if self.plays or self.config.additive_weight:
                unlabelled, estimates = self.separated(
                    batch["unlabelled"][: self.unlabelled_windows]
                )
                losses["additive"] = additive_loss(unlabelled, estimates, self.distance)
            if self.plays:
                # The critics step here, under the paused tape: both players then use the same
                # estimates, which saves a pass of the separator.
                with tape.stop_recording():
                    self.train_critics(solo, ops.stop_gradient(estimates))
                losses["unsupervised"] = self.unsupervised_loss(estimates)
            total = sum(
                getattr(self.config, f"{name}_weight") * loss for name, loss in losses.items()
            )
        self.apply_gradients(total, tape, "generator")
        self.update_average(batch["unlabelled"])
        return self.log(generator=total, **losses)

    def separated(self, mixture):
        """A mixture and the estimates of all its parts, both at one level."""
        gain = gain_to_level(mixture, self.config.level_dbfs)
        return gain * mixture, gain[:, None] * self.generator(mixture, training=True)

    def supervised_loss(self, mixture, sources):
        """L_s: the distance of every part's estimate from the part, the rest's among them, added
        up."""
        gain = gain_to_level(mixture, self.config.level_dbfs)[:, None]
        tracks = with_residual(mixture, sources)
        _, estimates = self.separated(mixture)
        return sum(self.distance(gain * tracks[:, k], estimates[:, k]) for k in range(self.outputs))

    def train_critics(self, solo, estimates):
        """All steps of all critics: solos of a part are real, estimates of it are fake."""
        solo = gain_to_level(ops.sum(solo, axis=1), self.config.level_dbfs)[:, None] * solo
        for _ in range(self.config.critic_steps):
            start = self.random_start()
            for k, (player, critic) in enumerate(self.critics.items()):
                real, fake = self.crops(start, solo[:, k], estimates[:, k])
                loss = self.minimize(self.critic_loss, (critic, real, fake), player=player)
                self.log(critic=loss)

    def critic_loss(self, critic, real, fake):
        """L_k: minus the distance between solos and estimates by the critic's scores, plus the
        penalty on its slope."""
        penalty = one_sided_slope_penalty if self.config.one_sided else slope_penalty
        loss = self.loss_of_discriminator(critic, real, fake, penalty=penalty)
        self.log(distance=-loss.of_scores, penalty=loss.penalty)
        return loss.total

    def unsupervised_loss(self, estimates):
        """L_u: how far all critics together are from scoring the estimates as recordings."""
        start = self.random_start()
        windows = [self.crops(start, estimates[:, k])[0] for k in range(self.outputs)]
        return sum(
            self.adversarial_loss(critic, fake)
            for critic, fake in zip(self.critics.values(), windows, strict=True)
        )


def without_constants(critic):
    """The critic with the constants of its scores held at zero: no distance and no slope depends on
    them.

    Source: the released code, whose critics end in a layer without bias.
    """
    for variable in critic.trainable_variables:
        if variable.path.endswith("score/bias"):
            variable.trainable = False
    return critic
