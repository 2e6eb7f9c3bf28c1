"""Wrong lines of the system `gass`."""

from mutation import mutants_of

GASS = (
    *mutants_of(
        "systems/gass.py",
        "systems/test_gass.py",
        (
            "gass-critic-gets-the-running-mean",
            "compared = self.drawn(frames, loudness), self.generator(self.latents())",
            "compared = self.drawn(frames, loudness), self.ema_generator(self.latents())",
            "test_critics_and_generators_are_trained_without_the_running_mean",
        ),
        (
            "gass-generator-scored-by-its-mean",
            "[self.critic(self.generator(latents))]",
            "[self.critic(self.ema_generator(latents))]",
            "test_critics_and_generators_are_trained_without_the_running_mean",
        ),
        (
            "gass-searches-what-learns",
            "ops.reshape(self.ema_generator(latents), (*ops",
            "ops.reshape(self.generator(latents), (*ops",
            "systems/test_gass_search.py::test_what_is_searched_is_the_running_mean",
        ),
        (
            "gass-search-hates-the-critics",
            "loss -= self.config.critic_weight * ops.sum(scores)",
            "loss += self.config.critic_weight * ops.sum(scores)",
            "systems/test_gass_search.py::test_the_search_loss_is_the_sum_of_its_terms_over_frames",
        ),
        (
            "gass-search-likes-jumps",
            "loss += self.config.smoothness * ops.sum(smoothness(parts, levels))",
            "loss -= self.config.smoothness * ops.sum(smoothness(parts, levels))",
            "systems/test_gass_search.py::test_the_search_loss_is_the_sum_of_its_terms_over_frames",
        ),
        (
            "gass-likelihood-not-of-the-sum",
            "ops.sum(parts, axis=2) / levels, magnitudes / levels",
            "parts[:, :, 0] / levels, magnitudes / levels",
            "systems/test_gass_search.py::test_the_search_loss_is_the_sum_of_its_terms_over_frames",
        ),
        (
            "gass-likelihood-with-the-level",
            "poisson_loss(ops.sum(parts, axis=2) / levels, magnitudes / levels)",
            "poisson_loss(ops.sum(parts, axis=2), magnitudes)",
            "systems/test_gass_search.py::test_the_search_loss_is_the_sum_of_its_terms_over_frames",
        ),
        (
            "gass-critic-sign",
            "loss = real_loss(WASSERSTEIN, [self.critic(real)])",
            "loss = real_loss(WASSERSTEIN, [self.critic(fake)])",
            "test_the_critics_loss_is_the_difference_of_scores_and_the_penalty_of_the_slope",
        ),
        (
            "gass-penalty-without-weight",
            "loss += self.config.penalty_weight * penalty",
            "loss += penalty",
            "test_the_critics_loss_is_the_difference_of_scores_and_the_penalty_of_the_slope",
        ),
        (
            "gass-penalty-between-reals",
            "self.as_windows(real), self.as_windows(fake)",
            "self.as_windows(real), self.as_windows(real)",
            "test_the_penalty_is_taken_at_a_random_point_between_each_pair_of_frames",
        ),
        (
            "gass-clip-one-side",
            "ops.clip(weight, -self.config.clip, self.config.clip)",
            "ops.clip(weight, -1.0, self.config.clip)",
            "test_the_paper_has_no_penalty_but_bounded_weights",
        ),
        (
            "gass-unclipped",
            "        self.bound_critic()\n",
            "        pass\n",
            "test_the_paper_has_no_penalty_but_bounded_weights",
        ),
        (
            "gass-compression-not-undone",
            "generated ** (1 / self.config.compression)",
            "generated",
            "systems/test_gass_search.py::test_magnitudes_are_generated_frames_uncompressed_times_their_gain",
        ),
        (
            "gass-frames-not-compressed",
            "(magnitudes / levels) ** self.config.compression",
            "(magnitudes / levels)",
            "test_frames_have_mean_one_at_any_level_of_the_recording",
        ),
        (
            "gass-drawn-evenly",
            "keras.random.categorical(ops.log(loudness)",
            "keras.random.categorical(0 * ops.log(loudness + 1)",
            "test_frames_are_drawn_in_proportion_to_their_level",
        ),
        (
            "gass-gains-start-at-one",
            "-np.log(self.parts), dtype",
            "0.0, dtype",
            "systems/test_gass_search.py::test_the_search_starts_at_latents_of_zero_and_even_shares_of_the_mixture",
        ),
        (
            "gass-no-running-mean",
            "self.update_average()",
            "pass",
            "systems/test_gass_search.py::test_what_is_searched_is_the_running_mean",
        ),
        (
            "gass-latents-uniform",
            "return keras.random.normal(",
            "return keras.random.uniform(",
            "test_latents_are_standard_normal_and_drawn_anew",
        ),
    ),
)
