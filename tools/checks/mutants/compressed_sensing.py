"""Wrong lines of the system `compressed_sensing`."""

from mutation import mutants_of

_CROPS = (
    "systems/test_adversary.py::test_every_discriminator_gets_another_crop_at_each_step"
    "[compressed_sensing]"
)

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
            "test_the_search_is_a_constant_in_the_encoders_gradient",
        ),
        (
            "sensing-not-searched",
            "return latents + ops.stop_gradient(found - start)",
            "return latents",
            "test_with_a_search_the_terms_are_of_the_point_where_it_ends",
        ),
        (
            "sensing-made-teaches-the-generator",
            "found = self.encoder(ops.stop_gradient(mixed), training=False)",
            "found = self.encoder(mixed, training=False)",
            "test_generated_mixtures_teach_the_encoder_and_not_the_generator",
        ),
        (
            "sensing-statistics-of-made-sounds",
            "found = self.encoder(ops.stop_gradient(mixed), training=False)",
            "found = self.encoder(ops.stop_gradient(mixed), training=True)",
            "test_the_encoders_statistics_are_those_of_mixtures",
        ),
        (
            "sensing-made-without-others",
            "(0.0 if self.explains_all else solo[:, -1])",
            "0.0",
            "test_the_encoder_gets_generated_sounds_mixed_with_others",
        ),
        (
            "sensing-untaught-generator-is-taught",
            'adversarial if untaught else losses["total"]',
            'losses["total"]',
            "test_only_a_taught_generator_learns_from_what_the_encoder_recovers",
        ),
        (
            "sensing-mean-starts-elsewhere",
            "network.set_weights(getattr(self, name).get_weights())",
            "pass",
            "test_the_running_means_follow_generator_and_encoder",
        ),
        (
            "sensing-always-the-first-crop",
            "self.crops(self.random_start(), real, fake)",
            "self.crops(0, real, fake)",
            _CROPS,
        ),
    ),
    *mutants_of(
        "systems/inversion.py",
        "systems/test_inversion.py",
        (
            "sensing-latent-energy-sign",
            "+ config.latent_weight * recovery.latent_energy(latents)\n\n        return objective",
            "- config.latent_weight * recovery.latent_energy(latents)\n\n        return objective",
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
            "target, whole, unexplained_weight=config.unexplained_weight",
            "target, whole",
            "test_the_objective_of_a_mixture_is_its_numpy_twin",
        ),
        (
            "sensing-first-track-is-all",
            "far = recovery.squared_error(target, ops.sum(made, axis=1))",
            "far = recovery.squared_error(target, made[:, 0])",
            "test_the_objective_of_a_mixture_is_its_numpy_twin",
        ),
        (
            "sensing-estimate-at-the-level",
            "return self.estimates(mixture, made) / gain[:, None]",
            "return self.estimates(mixture, made)",
            "test_volume_does_not_matter_at_one_level",
        ),
        (
            "sensing-prior-moves",
            "makers[0].trainable = self.config.prior is None",
            "pass",
            "systems/test_compressed_sensing_prior.py::test_a_prior_is_copied_and_not_trained",
        ),
        (
            "sensing-encoder-start-forgotten",
            "if encoder_start else drawn",
            "if not encoder_start else drawn",
            "test_the_first_start_is_the_encoders_and_the_others_are_the_same_for_every_window",
        ),
    ),
)
