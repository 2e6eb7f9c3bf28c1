"""Wrong lines of the adversarial steps and losses that the systems share."""

from mutation import mutants_of

_SHUFFLED = "test_every_call_of_a_discriminator_has_phase_shuffle"
_QUADRATIC = "test_a_critic_has_the_loss_and_the_penalty_of_the_equations"
_MEANS = "systems/test_system_contract.py::test_the_running_mean_follows_the_generator[ssepgan]"

ADVERSARY = (
    *mutants_of(
        "systems/adversary.py",
        "systems/test_adversary.py",
        (
            "penalty-at-the-real-only",
            "input_gradient(score, mix_at_random(real, fake, position))",
            "input_gradient(score, real)",
            f"{_QUADRATIC}[ssepgan]",
        ),
        (
            "schedule-of-one-step",
            "return 1 if player in self.generators else self.config.discriminator_steps",
            "return 1",
            "systems/test_learning_rate.py::test_the_rate_of_each_player_is_its_own_and_falls_with_its_own_steps",
        ),
        (
            "penalty-at-the-fake-only",
            "input_gradient(score, mix_at_random(real, fake, position))",
            "input_gradient(score, fake)",
            f"{_QUADRATIC}[ssepgan]",
        ),
        (
            "penalty-at-one-place-for-all",
            "keras.random.uniform((rows, 1, 1), seed=seed)",
            "keras.random.uniform((1, 1, 1), seed=seed)",
            f"{_QUADRATIC}[ssepgan]",
            "systems/test_gass.py::test_the_penalty_is_taken_at_a_random_point_between_each_pair_of_frames",
        ),
        (
            "penalty-at-one-place-for-ever",
            "1, 1), seed=seed)",
            "1, 1), seed=3)",
            f"{_QUADRATIC}[ssepgan]",
        ),
        (
            "penalty-between-reals",
            "real, fake, self.draws, penalty",
            "real, real, self.draws, penalty",
            f"{_QUADRATIC}[cyclegan]",
        ),
        (
            "penalty-without-weight",
            "loss + self.config.penalty_weight * slope, loss",
            "loss + slope, loss",
            f"{_QUADRATIC}[wavegan]",
        ),
        (
            "penalty-of-any-objective",
            'if self.objective != "wgan-gp":',
            "if False:",
            "systems/test_ssepgan.py::test_the_discriminator_loss_has_the_papers_three_terms",
        ),
        (
            "penalty-without-shuffle",
            'lambda x: discriminator(x, training=True)["scores"]',
            'lambda x: discriminator(x, training=False)["scores"]',
            f"{_SHUFFLED}[ssepgan]",
        ),
        (
            "slope-of-summed-heads",
            "return tape.gradient(total, inputs) / len(scores)",
            "return tape.gradient(total, inputs)",
            "test_the_slope_of_several_heads_is_that_of_their_mean",
        ),
        (
            "penalty-of-the-half-slope",
            "total = sum(ops.sum(mean) for mean in means)",
            "total = sum(0.5 * ops.sum(mean) for mean in means)",
            f"{_QUADRATIC}[ssepgan]",
        ),
        (
            "real-and-fake-swapped",
            "of_real, of_fake = score_together(discriminator, real, fake)",
            "of_fake, of_real = score_together(discriminator, real, fake)",
            f"{_QUADRATIC}[semisupervised]",
        ),
        (
            "estimate-scored-as-mixture",
            "self.objective, *scores, mixture_weight=mixture_weight",
            "self.objective, scores[0], scores[2], scores[1], mixture_weight=mixture_weight",
            "systems/test_ssepgan.py::test_the_discriminator_loss_has_the_papers_three_terms",
        ),
        (
            "third-term-without-weight",
            "self.objective, *scores, mixture_weight=mixture_weight",
            "self.objective, *scores",
            "systems/test_ssepgan.py::test_the_discriminator_loss_has_the_papers_three_terms",
        ),
        (
            "scores-of-the-first-group",
            "score[index * count : (index + 1) * count]",
            "score[:count]",
            f"{_QUADRATIC}[decomposition]",
        ),
        (
            "discriminator-trained-without-shuffle",
            "discriminator(ops.concatenate(windows), training=True)",
            "discriminator(ops.concatenate(windows), training=False)",
            f"{_SHUFFLED}[cyclegan]",
        ),
        (
            "generator-scored-without-shuffle",
            'generator_loss(self.objective, discriminator(fake, training=True)["scores"])',
            'generator_loss(self.objective, discriminator(fake, training=False)["scores"])',
            f"{_SHUFFLED}[decomposition]",
        ),
        (
            "features-of-fakes-without-shuffle",
            "of_fake = discriminator(fake, training=True)",
            "of_fake = discriminator(fake, training=False)",
            f"{_SHUFFLED}[wavegan]",
        ),
        (
            "features-of-reals-without-shuffle",
            'of_real = discriminator(real, training=True)["features"]',
            'of_real = discriminator(real, training=False)["features"]',
            f"{_SHUFFLED}[ssepgan]",
        ),
        (
            "adversarial-of-the-real",
            'generator_loss(self.objective, of_fake["scores"])',
            'generator_loss(self.objective, discriminator(real, training=True)["scores"])',
            "systems/test_ssepgan.py::test_the_generators_loss_is_the_weighted_sum_of_its_terms",
        ),
        (
            "mean-and-weight-swapped",
            "mean * decay + weight * (1.0 - decay)",
            "weight * decay + mean * (1.0 - decay)",
            _MEANS,
        ),
        (
            "all-variables-averaged",
            "if averaged(weight) else weight",
            "if True else weight",
            "systems/test_compressed_sensing.py::test_the_running_means_follow_generator_and_encoder",
        ),
        (
            "statistics-of-the-mean-averaged",
            "if id(mean) not in skipped:",
            "if True:",
            "systems/test_statistics.py::test_the_running_mean_has_statistics_of_its_own",
        ),
    ),
)
