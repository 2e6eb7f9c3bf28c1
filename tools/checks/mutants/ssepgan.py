"""Wrong lines of the system `ssepgan`."""

from mutation import mutants_of

_CROPS = (
    "systems/test_adversary.py::test_every_discriminator_gets_another_crop_at_each_step[ssepgan]"
)

SSEPGAN = (
    *mutants_of(
        "systems/ssepgan.py",
        "systems/test_ssepgan.py",
        (
            "ssepgan-mixture-at-its-own-level",
            "self.crops(start, gain * mixture, gain[:, None] * target, estimate)",
            "self.crops(start, mixture, gain[:, None] * target, estimate)",
            "test_at_one_level_the_discriminator_is_given_mixture_target_and_estimate_at_it",
        ),
        (
            "ssepgan-estimate-at-its-own-level",
            "estimate = gain[:, None] * self.generator(mixture, training=True)",
            "estimate = self.generator(mixture, training=True)",
            "test_at_one_level_quiet_windows_count_as_much_as_loud_ones",
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
            "ssepgan-adversarial-sign",
            'total += config.adversarial_weight * terms["adversarial"]',
            'total -= config.adversarial_weight * terms["adversarial"]',
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
            "ssepgan-mixture-weight-left-out",
            '"mixture_weight": self.config.mixture_as_fake_weight',
            '"mixture_weight": 1.0',
            "test_the_discriminator_loss_has_the_papers_three_terms",
        ),
        (
            "ssepgan-one-discriminator-step",
            "for _ in range(self.config.discriminator_steps):",
            "for _ in range(1):",
            "systems/test_ssepgan_players.py::test_steps_of_both_players_are_counted",
        ),
        (
            "ssepgan-no-running-mean",
            'self.update_average(batch["mixture"])',
            "pass",
            "systems/test_system_contract.py::test_the_running_mean_follows_the_generator[ssepgan]",
        ),
        (
            "ssepgan-always-the-first-crop",
            "start = self.random_start()",
            "start = 0",
            _CROPS,
        ),
    ),
    *mutants_of(
        "systems/identity.py",
        "systems/test_ssepgan.py",
        (
            "ssepgan-identity-at-its-own-level",
            "target[:few], gain[:few, None], target.shape",
            "target[:few], keras.ops.ones_like(gain[:few, None]), len",
            "test_the_identity_term_is_measured_at_the_level_of_the_mixture",
        ),
        (
            "ssepgan-identity-added-not-averaged",
            "return loss / count",
            "return loss",
            "test_identity_is_how_far_a_source_alone_is_from_unchanged",
        ),
        (
            "ssepgan-identity-share-is-all",
            "round(config.identity_share * batch)",
            "round(batch)",
            "test_identity_is_how_far_a_source_alone_is_from_unchanged",
        ),
    ),
    *mutants_of(
        "systems/identity.py",
        "systems/test_statistics.py",
        (
            "ssepgan-statistics-of-solos-too",
            "with statistics_kept(generator):",
            "if True:",
            "test_ssepgans_statistics_are_those_of_its_mixtures",
        ),
    ),
)
