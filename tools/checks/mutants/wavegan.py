"""Wrong lines of the system `wavegan`."""

from mutation import mutants_of

_CROPS = (
    "systems/test_adversary.py::test_every_discriminator_gets_another_crop_at_each_step[wavegan]"
)

WAVEGAN = (
    *mutants_of(
        "systems/wavegan.py",
        "systems/test_wavegan.py",
        (
            "wavegan-real-and-fake-swapped",
            "self.crops(self.random_start(), real, ops.stop_gradient(made))",
            "self.crops(self.random_start(), made, ops.stop_gradient(real))",
            "test_the_critics_loss_is_the_equations_on_a_linear_critic",
        ),
        (
            "wavegan-diversity-without-weight",
            "adversarial + self.config.diversity_weight * alike",
            "adversarial + alike",
            "test_the_term_against_alike_sounds_is_added_with_its_weight",
        ),
        (
            "wavegan-latents-above-zero",
            "(count, self.latent), -1.0, 1.0, seed",
            "(count, self.latent), 0.0, 1.0, seed",
            "test_latents_are_uniform_between_minus_one_and_one_and_drawn_anew",
        ),
        (
            "wavegan-one-share-for-all-steps",
            "in ops.split(recordings, self.config.discriminator_steps):",
            "in ops.split(recordings, self.config.discriminator_steps)[:1] * 2:",
            "test_each_critic_step_uses_its_own_share_of_the_batch_then_the_generator_steps_once",
        ),
        (
            "wavegan-others-are-learnt",
            'recordings = batch["solo"][:, 0]',
            'recordings = batch["solo"][:, -1]',
            "test_only_the_first_source_is_learnt",
        ),
        (
            "wavegan-sounds-of-what-learns",
            "np.asarray(self.ema_generator(latents, training=False))",
            "np.asarray(self.generator(latents, training=False))",
            "test_sounds_are_made_by_the_running_mean",
        ),
        (
            "wavegan-no-running-mean",
            "self.update_average()",
            "pass",
            "systems/test_system_contract.py::test_the_running_mean_follows_the_generator[wavegan]",
        ),
        (
            "wavegan-levels-left-out",
            "recordings = recordings * gain_to_level(recordings, self.config.level_dbfs)",
            "pass",
            "test_recordings_are_brought_to_the_level_of_the_settings",
        ),
        (
            "wavegan-always-the-first-crop",
            "self.crops(self.random_start(), real, ops",
            "self.crops(0, real, ops",
            _CROPS,
        ),
    ),
)
