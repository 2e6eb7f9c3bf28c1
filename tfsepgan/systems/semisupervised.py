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
from tfsepgan.losses.adversarial import fake_loss, generator_loss, real_loss
from tfsepgan.losses.penalties import one_sided_slope_penalty, slope_penalty
from tfsepgan.losses.reconstruction import PAIRED_LOSSES
from tfsepgan.networks.table import build_discriminator
from tfsepgan.systems.base import SeparationSystem
from tfsepgan.systems.crops import crops, gain_to_level, random_start

OBJECTIVE = "wgan-gp"  # the paper's; the penalty is in `critic_loss`


class SemiSupervised(SeparationSystem):
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

    def __init__(self, experiment: Experiment):
        super().__init__(experiment)
        data = experiment.data
        self.crop_length = min(data.window, self.config.discriminator.window or data.window)
        self.distance = PAIRED_LOSSES[self.config.paired_loss]
        self.heard = max(1, round(self.config.unlabelled_share * data.batch))
        self.critics = {
            f"critic_{part}": without_constants(
                build_discriminator(
                    self.config.discriminator, window=self.crop_length, seed=data.seed + 10 * k
                )
            )
            # no source may be called so
            for k, part in enumerate((*self.sources, "residual")[: self.outputs])
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
        losses = {}
        with self.tape_of("generator") as tape:
            if self.config.supervised_weight:
                losses["supervised"] = self.supervised_loss(batch["mixture"], batch["sources"])
            if self.plays or self.config.additive_weight:
                unlabelled, estimates = self.separated(batch["unlabelled"][: self.heard])
                losses["additive"] = additive_loss(unlabelled, estimates, self.distance)
            if self.plays:
                with tape.stop_recording():
                    self.train_critics(batch["solo"][: self.heard], ops.stop_gradient(estimates))
                losses["unsupervised"] = self.unsupervised_loss(estimates)
            total = sum(
                getattr(self.config, f"{name}_weight") * loss for name, loss in losses.items()
            )
        self.apply_gradients("generator", total, tape)
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
        parts = ops.concatenate(
            [sources, mixture[:, None] - ops.sum(sources, axis=1, keepdims=True)], axis=1
        )
        _, estimates = self.separated(mixture)
        return sum(self.distance(gain * parts[:, k], estimates[:, k]) for k in range(self.outputs))

    def train_critics(self, solo, estimates):
        """All steps of all critics: solos of a part are real, estimates of it are fake."""
        solo = gain_to_level(ops.sum(solo, axis=1), self.config.level_dbfs)[:, None] * solo
        for _ in range(self.config.critic_steps):
            start = random_start(self.experiment.data.window, self.crop_length, self.draws)
            for k, (player, critic) in enumerate(self.critics.items()):
                real, fake = crops(start, self.crop_length, solo[:, k], estimates[:, k])
                self.log(
                    critic=self.minimize(self.critic_loss, (critic, real, fake), player=player)
                )

    def critic_loss(self, critic, real, fake):
        """L_k: minus the distance between solos and estimates that the critic finds, plus the
        penalty on its slope."""
        heard = critic(ops.concatenate([real, fake]), training=True)["scores"]
        windows = ops.shape(real)[0]
        against = real_loss(OBJECTIVE, [scores[:windows] for scores in heard])
        against += fake_loss(OBJECTIVE, [scores[windows:] for scores in heard])
        kind = one_sided_slope_penalty if self.config.one_sided else slope_penalty
        penalty = self.gradient_penalty(critic, real, fake, kind)
        self.log(distance=-against, penalty=penalty)
        return against + self.config.penalty_weight * penalty

    def unsupervised_loss(self, estimates):
        """L_u: how far all critics together are from taking the estimates for recordings."""
        start = random_start(self.experiment.data.window, self.crop_length, self.draws)
        heard = [crops(start, self.crop_length, estimates[:, k])[0] for k in range(self.outputs)]
        return sum(
            generator_loss(OBJECTIVE, critic(windows, training=True)["scores"])
            for critic, windows in zip(self.critics.values(), heard, strict=True)
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
