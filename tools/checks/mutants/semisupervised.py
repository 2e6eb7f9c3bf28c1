"""Wrong lines of the system `semisupervised`."""

from mutation import mutants_of

_CROPS = (
    "systems/test_adversary.py::test_every_discriminator_gets_another_crop_at_each_step"
    "[semisupervised]"
)

SEMISUPERVISED = (
    *mutants_of(
        "systems/semisupervised.py",
        "systems/test_semisupervised.py",
        (
            "semisupervised-others-left-out",
            "estimates[:, k]) for k in range(self.outputs)",
            "estimates[:, k]) for k in range(len(self.sources))",
            "test_supervised_is_the_distance_of_every_source_and_of_the_others",
        ),
        (
            "semisupervised-real-and-fake-swapped",
            "real, fake = self.crops(start, solo[:, k], estimates[:, k])",
            "fake, real = self.crops(start, solo[:, k], estimates[:, k])",
            "test_each_critic_scores_solos_of_its_source_above_estimates",
        ),
        (
            "semisupervised-penalty-of-the-other-kind",
            "one_sided_slope_penalty if self.config.one_sided else slope_penalty",
            "slope_penalty if self.config.one_sided else one_sided_slope_penalty",
            "test_the_penalty_is_that_of_the_critics_own_slopes",
        ),
        (
            "semisupervised-critics-crossed",
            "self.crops(start, solo[:, k], estimates[:, k])",
            "self.crops(start, solo[:, k], estimates[:, -1 - k])",
            "test_each_critic_scores_solos_of_its_source_above_estimates",
        ),
        (
            "semisupervised-solos-at-their-own-level",
            "solo = gain_to_level(ops.sum(solo, axis=1), self.config.level_dbfs)[:, None] * solo",
            "pass",
            "test_solos_come_to_the_level_of_a_mixture_of_their_own",
        ),
        (
            "semisupervised-weights-left-out",
            "self.weighted_sum(losses)",
            "sum(losses.values())",
            "test_the_separators_loss_is_the_weighted_sum_of_its_terms",
        ),
        (
            "semisupervised-constants-learn",
            "variable.trainable = False",
            "pass",
            "systems/test_semisupervised_players.py::test_whatever_a_critic_is_its_scores_have_no_constant_and_all_else_moves",
        ),
        (
            "semisupervised-one-critic-step",
            "for _ in range(self.config.critic_steps):",
            "for _ in range(1):",
            "systems/test_semisupervised_players.py::test_critics_take_several_steps_for_each_of_the_separator",
        ),
        (
            "semisupervised-always-the-first-crop",
            "start = self.random_start()\n            for k, (player",
            "start = 0\n            for k, (player",
            _CROPS,
        ),
        (
            "semisupervised-additive-of-nothing",
            "additive_loss(*used, self.distance)",
            "additive_loss(0 * used[0], used[1], self.distance)",
            "test_additive_is_what_estimates_of_unlabelled_mixtures_miss_of_them",
        ),
        (
            "semisupervised-additive-in-another-distance",
            "additive_loss(*used, self.distance)",
            "additive_loss(*used)",
            "test_additive_is_what_estimates_of_unlabelled_mixtures_miss_of_them",
        ),
        (
            "semisupervised-always-absolute",
            "self.distance = PAIRED_LOSSES[self.config.paired_loss]",
            'self.distance = PAIRED_LOSSES["l1"]',
            "test_supervised_is_the_distance_of_every_source_and_of_the_others",
        ),
    ),
)
