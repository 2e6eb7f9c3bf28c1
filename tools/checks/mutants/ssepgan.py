"""Wrong lines of the system `ssepgan`."""

from mutation import mutants_of

_CROPS = "systems/test_adversaries.py::test_every_discriminator_is_given_another_crop_of_the_recordings_at_each_step[ssepgan]"
_SHUFFLED = "systems/test_adversaries.py::test_every_discriminator_plays_with_phase_shuffle[ssepgan]"
_QUADRATIC = (
    "systems/test_adversaries.py::test_a_critic_without_bound_has_the_loss_and_the_penalty_of_the_equations[ssepgan]"
)

SSEPGAN = (
    *mutants_of(
        "systems/ssepgan.py",
        "systems/test_ssepgan.py",
        (
            "ssepgan-adversarial-sign",
            'total += config.adversarial_weight * terms["adversarial"]',
            'total -= config.adversarial_weight * terms["adversarial"]',
            "test_the_generators_loss_is_the_weighted_sum_of_its_terms",
        ),
        (
            "ssepgan-adversarial-of-the-real",
            'generator_loss(config.objective, fake["scores"])',
            'generator_loss(config.objective, self.discriminator(real, training=True)["scores"])',
            "test_the_generators_loss_is_the_weighted_sum_of_its_terms",
        ),
        (
            "ssepgan-features-left-out",
            'total += config.feature_weight * terms["features"]',
            "pass",
            "test_the_generators_loss_is_the_weighted_sum_of_its_terms",
        ),
        (
            "ssepgan-spectral-left-out",
            'total += config.spectral_weight * terms["spectral"]',
            "pass",
            "test_the_generators_loss_is_the_weighted_sum_of_its_terms",
        ),
        (
            "ssepgan-discriminator-without-shuffle",
            "ops.concatenate([real, generated, mixture]), training=True)",
            "ops.concatenate([real, generated, mixture]), training=False)",
            _SHUFFLED,
        ),
        (
            "ssepgan-generator-judged-without-shuffle",
            "fake = self.discriminator(fake, training=True)",
            "fake = self.discriminator(fake, training=False)",
            _SHUFFLED,
        ),
        (
            "ssepgan-features-without-shuffle",
            "real = self.discriminator(real, training=True)",
            "real = self.discriminator(real, training=False)",
            _SHUFFLED,
        ),
        (
            "ssepgan-estimate-scored-as-mixture",
            "generated=[scores[windows : 2 * windows] for scores in heard]",
            "generated=[scores[2 * windows :] for scores in heard]",
            "test_the_discriminator_loss_has_the_papers_three_terms",
        ),
        (
            "ssepgan-mixture-weight-left-out",
            "mixture_weight=self.config.mixture_as_fake_weight,",
            "mixture_weight=1.0,",
            "test_the_discriminator_loss_has_the_papers_three_terms",
        ),
        (
            "ssepgan-penalty-between-real-and-mixture",
            "self.gradient_penalty(self.discriminator, real, generated)",
            "self.gradient_penalty(self.discriminator, real, mixture)",
            _QUADRATIC,
        ),
        (
            "ssepgan-penalty-without-weight",
            "loss += self.config.penalty_weight * self.gradient_penalty",
            "loss += self.gradient_penalty",
            "test_the_penalty_is_that_of_the_discriminators_own_slope",
        ),
        (
            "ssepgan-one-discriminator-step",
            "range(self.config.discriminator_steps if self.plays else 0)",
            "range(1 if self.plays else 0)",
            "test_steps_of_both_players_are_counted",
        ),
        (
            "ssepgan-schedule-of-one-step",
            'return self.config.discriminator_steps if player == "discriminator" else 1',
            "return 1",
            "systems/test_table_and_schedule.py::test_the_rate_of_each_player_is_its_own_and_falls_with_its_own_steps",
        ),
        (
            "ssepgan-no-running-mean",
            'self.follow_generator(batch["mixture"])',
            "pass",
            "systems/test_system_contract.py::test_the_running_mean_follows_the_generator[ssepgan]",
        ),
        (
            "ssepgan-always-the-first-crop",
            "start = random_start(self.experiment.data.window, self.stretch, self.draws)",
            "start = 0",
            _CROPS,
        ),
    ),
    *mutants_of(
        "systems/paired.py",
        "systems/test_ssepgan.py",
        (
            "ssepgan-estimate-at-its-own-level",
            "estimate = gain[:, None] * generator(mixture, training=True)",
            "estimate = generator(mixture, training=True)",
            "test_at_one_level_quiet_windows_count_as_much_as_loud_ones",
        ),
        (
            "ssepgan-discriminator-hears-the-mixture-at-its-own-level",
            "return Passed(gain * mixture, gain[:, None] * target",
            "return Passed(mixture, gain[:, None] * target",
            "test_at_one_level_the_discriminator_is_given_mixture_target_and_estimate_at_it",
        ),
        (
            "ssepgan-identity-at-its-own-level",
            "alone, gain = target[:heard], gain[:heard, None]",
            "alone, gain = target[:heard], ops.ones_like(gain[:heard, None])",
            "test_the_identity_term_is_measured_at_the_level_of_the_mixture",
        ),
        (
            "ssepgan-identity-of-the-wrong-source",
            "wanted = [alone[:, k] if k == index else",
            "wanted = [alone[:, k] if k != index else",
            "test_identity_is_how_far_a_source_alone_is_from_unchanged",
        ),
        (
            "ssepgan-identity-leaves-the-others-alone",
            "else ops.zeros_like(alone[:, k]) for k",
            "else alone[:, k] for k",
            "test_identity_is_how_far_a_source_alone_is_from_unchanged",
        ),
        (
            "ssepgan-identity-added-not-averaged",
            "return loss / count",
            "return loss",
            "test_identity_is_how_far_a_source_alone_is_from_unchanged",
        ),
        (
            "ssepgan-identity-without-weight",
            'total += config.identity_weight * terms["identity"]',
            'total += terms["identity"]',
            "test_the_generators_loss_is_the_weighted_sum_of_its_terms",
        ),
        (
            "ssepgan-paired-without-weight",
            'total = config.paired_weight * terms["paired"]',
            'total = terms["paired"]',
            "test_the_generators_loss_is_the_weighted_sum_of_its_terms",
        ),
        (
            "ssepgan-identity-share-is-all",
            "round(config.identity_share * batch)",
            "round(batch)",
            "test_identity_is_how_far_a_source_alone_is_from_unchanged",
        ),
    ),
    *mutants_of(
        "systems/paired.py",
        "systems/test_statistics.py",
        (
            "ssepgan-statistics-of-solos-too",
            "with statistics_kept(generator):",
            "if True:",
            "test_ssepgans_statistics_are_those_of_its_mixtures",
        ),
    ),
)
