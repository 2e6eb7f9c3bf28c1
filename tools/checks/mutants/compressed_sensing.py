"""Wrong lines of the system `compressed_sensing`."""

from mutation import mutants_of

_CROPS = "systems/test_adversaries.py::test_every_discriminator_is_given_another_crop_of_the_recordings_at_each_step[compressed_sensing]"
_SHUFFLED = "systems/test_adversaries.py::test_every_discriminator_plays_with_phase_shuffle[compressed_sensing]"
_QUADRATIC = "systems/test_adversaries.py::test_a_critic_without_bound_has_the_loss_and_the_penalty_of_the_equations[compressed_sensing]"

COMPRESSED_SENSING = (
    *mutants_of(
        "systems/compressed_sensing.py",
        "systems/test_compressed_sensing.py",
        (
            "sensing-search-is-no-constant",
            "return latents + ops.stop_gradient(found - start)",
            "return latents + (found - start)",
            "test_no_gradient_flows_through_the_search_into_the_generator",
        ),
        (
            "sensing-end-is-cut-off",
            "return latents + ops.stop_gradient(found - start)",
            "return ops.stop_gradient(found)",
            "test_the_way_of_the_search_is_no_part_of_the_gradient",
        ),
        (
            "sensing-not-searched",
            "return latents + ops.stop_gradient(found - start)",
            "return latents",
            "test_taught_through_the_search_the_terms_are_of_the_place_where_it_ends",
        ),
        (
            "sensing-made-teaches-the-generator",
            "found = self.encoder(ops.stop_gradient(heard), training=False)",
            "found = self.encoder(heard, training=False)",
            "test_what_was_made_teaches_the_encoder_and_not_the_generator",
        ),
        (
            "sensing-statistics-of-made-sounds",
            "found = self.encoder(ops.stop_gradient(heard), training=False)",
            "found = self.encoder(ops.stop_gradient(heard), training=True)",
            "test_the_encoders_statistics_are_those_of_mixtures",
        ),
        (
            "sensing-made-holds-no-rest",
            "(0.0 if self.explains_all else solos[:, -1])",
            "0.0",
            "test_the_encoder_is_given_what_was_made_in_the_company_of_a_rest",
        ),
        (
            "sensing-latent-energy-sign",
            "return far + config.latent_weight * recovery.latent_energy(latents)\n\n        return objective",
            "return far - config.latent_weight * recovery.latent_energy(latents)\n\n        return objective",
            "test_the_objective_of_a_mixture_is_its_numpy_twin",
        ),
        (
            "sensing-measured-latents-are-free",
            "return far + config.latent_weight * recovery.latent_energy(latents)\n\n        found",
            "return far\n\n        found",
            "test_the_objective_of_measurements_is_the_papers",
        ),
        (
            "sensing-unexplained-weight-left-out",
            "recovery.loudness_distance(heard, whole, unexplained_weight=config.unexplained_weight)",
            "recovery.loudness_distance(heard, whole)",
            "test_the_objective_of_a_mixture_is_its_numpy_twin",
        ),
        (
            "sensing-first-track-is-all",
            "far = recovery.squared_error(heard, ops.sum(made, axis=1))",
            "far = recovery.squared_error(heard, made[:, 0])",
            "test_the_objective_of_a_mixture_is_its_numpy_twin",
        ),
        (
            "sensing-rest-has-the-wrong-sign",
            "mixture[:, None] - ops.sum(sources, axis=1, keepdims=True)",
            "mixture[:, None] + ops.sum(sources, axis=1, keepdims=True)",
            "test_the_terms_are_what_they_say_and_the_total_is_their_weighted_sum",
        ),
        (
            "sensing-critic-without-shuffle",
            "network(ops.concatenate([real, fake]), training=True)",
            "network(ops.concatenate([real, fake]), training=False)",
            _SHUFFLED,
        ),
        (
            "sensing-generator-judged-without-shuffle",
            "network(fake, training=True)",
            "network(fake, training=False)",
            _SHUFFLED,
        ),
        (
            "sensing-untaught-generator-is-taught",
            'taught if player == "generator" else total',
            "total",
            "test_only_a_taught_generator_learns_from_what_the_encoder_recovers",
        ),
        (
            "sensing-estimate-at-the-level",
            "return self.estimates(mixture, made) / gain[:, None]",
            "return self.estimates(mixture, made)",
            "test_volume_does_not_matter_at_one_level",
        ),
        (
            "sensing-mean-starts-elsewhere",
            "network.set_weights(getattr(self, name).get_weights())",
            "pass",
            "test_the_running_means_follow_generator_and_encoder",
        ),
        (
            "sensing-mean-of-the-generator-only",
            "mean.assign(mean * decay + weight * (1.0 - decay) if weight.trainable else weight)",
            'mean.assign(mean * decay + weight * (1.0 - decay) if weight.trainable and name == "generator" else weight)',
            "test_the_running_means_follow_generator_and_encoder",
        ),
        (
            "sensing-prior-moves",
            "makers[0].trainable = self.config.prior is None",
            "pass",
            "test_a_prior_is_taken_as_it_is_and_does_not_move",
        ),
        (
            "sensing-encoder-start-forgotten",
            "if encoder_start else drawn",
            "if not encoder_start else drawn",
            "test_the_first_start_is_the_encoders_and_the_others_are_the_same_for_every_window",
        ),
        (
            "sensing-penalty-between-reals",
            "self.gradient_penalty(network, real, fake)",
            "self.gradient_penalty(network, real, real)",
            _QUADRATIC,
        ),
        (
            "sensing-penalty-without-weight",
            "loss += config.penalty_weight * self.gradient_penalty",
            "loss += self.gradient_penalty",
            _QUADRATIC,
        ),
        (
            "sensing-real-and-fake-swapped",
            "real_loss(config.objective, [score[: real.shape[0]] for score in scores])",
            "real_loss(config.objective, [score[real.shape[0] :] for score in scores])",
            _QUADRATIC,
        ),
        (
            "sensing-always-the-first-crop",
            "start = random_start(self.experiment.data.window, self.crop_length, self.draws)\n        real, fake",
            "start = 0\n        real, fake",
            _CROPS,
        ),
    ),
)
