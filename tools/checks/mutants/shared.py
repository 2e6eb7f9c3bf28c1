"""Wrong lines of what the systems share: running means, schedules, crops, searches."""

from mutation import mutants_of

SHARED = (
    *mutants_of(
        "systems/base.py",
        "systems/test_ssepgan.py",
        (
            "rates-of-the-players-swapped",
            "training.learning_rate if generates else training.discriminator_learning_rate",
            "training.discriminator_learning_rate if generates else training.learning_rate",
            "systems/test_learning_rate.py::test_the_rate_of_each_player_is_its_own_and_falls_with_its_own_steps",
        ),
        (
            "rate-falls-by-the-runs-steps",
            "adam(training, peak, steps_per_batch=self.steps_per_batch(player))",
            "adam(training, peak)",
            "systems/test_learning_rate.py::test_the_rate_of_each_player_is_its_own_and_falls_with_its_own_steps",
        ),
        (
            "tape-over-the-first-network",
            "for network in networks for v in network.trainable_variables]",
            "for network in networks[:1] for v in network.trainable_variables]",
            "systems/test_cyclegan_players.py::test_both_generators_descend_the_one_loss_they_share",
        ),
        (
            "optimizer-built-late",
            "optimizer.build(network.trainable_variables)",
            "pass",
            "systems/test_system_contract.py::test_compile_builds_one_optimizer_for_each_player[ssepgan]",
        ),
        (
            "statistics-copied-not-averaged",
            "averaged=lambda weight: keras.backend.is_float_dtype(weight.dtype)",
            "averaged=lambda weight: weight.trainable",
            "systems/test_system_contract.py::test_the_running_mean_follows_the_generator[ssepgan]",
        ),
        (
            "mean-starts-elsewhere",
            "self.ema_generator.set_weights(self.generator.get_weights())",
            "pass",
            "systems/test_system_contract.py::test_the_running_mean_follows_the_generator[ssepgan]",
        ),
        (
            "statistics-of-the-mean-never-updated",
            "iterations % STATISTICS_EVERY == 0",
            "iterations < 0",
            "systems/test_statistics.py::test_the_running_mean_has_statistics_of_its_own",
        ),
        (
            "exported-without-running-mean",
            "first_sources(self.ema_generator, count)",
            "first_sources(self.generator, count)",
            "systems/test_system_contract.py::test_what_is_called_and_exported_is_the_running_mean[ssepgan]",
        ),
        (
            "one-seed-for-every-run",
            "self.draws = keras.random.SeedGenerator(experiment.data.seed)",
            "self.draws = keras.random.SeedGenerator(0)",
            "systems/test_system_contract.py::test_another_seed_draws_other_numbers[ssepgan]",
        ),
    ),
    *mutants_of(
        "systems/learning_rate.py",
        "systems/test_learning_rate.py",
        (
            "betas-swapped",
            "beta_1=training.betas[0],\n        beta_2=training.betas[1],",
            "beta_1=training.betas[1],\n        beta_2=training.betas[0],",
            "systems/test_system_contract.py::test_compile_builds_one_optimizer_for_each_player[ssepgan]",
        ),
        (
            "gradients-unclipped",
            "global_clipnorm=training.clip_norm,",
            "global_clipnorm=None,",
            "systems/test_system_contract.py::test_the_gradient_is_clipped_to_its_norm[ssepgan]",
        ),
        ("cosine-to-nothing", "alpha=0.01,", "alpha=0.0,"),
        (
            "warm-up-counts-runs-steps",
            "warmup_steps=training.warmup_steps * steps_per_batch,",
            "warmup_steps=training.warmup_steps,",
        ),
        (
            "cosine-ends-late",
            "max(1, training.steps - training.warmup_steps) * steps_per_batch",
            "max(1, training.steps) * steps_per_batch",
        ),
        (
            "no-warm-up",
            "initial_learning_rate=0.0 if training.warmup_steps else peak",
            "initial_learning_rate=peak",
        ),
        (
            "constant-after-no-warm-up",
            "            0.0, training.warmup_steps * steps_per_batch, end",
            "            peak, training.warmup_steps * steps_per_batch, end",
        ),
    ),
    *mutants_of(
        "systems/crops.py",
        "systems/test_crops.py",
        ("level-of-amplitude-as-power", "10 ** (level_dbfs / 20)", "10 ** (level_dbfs / 10)"),
        ("level-upside-down", "/ ops.sqrt(power + 1e-10)", "* ops.sqrt(power + 1e-10)"),
        (
            "level-of-the-whole-batch",
            "ops.square(mixture), axis=(1, 2), keepdims=True)",
            "ops.square(mixture), keepdims=True)",
        ),
        ("level-of-power", "/ ops.sqrt(power + 1e-10)", "/ (power + 1e-10)"),
        (
            "other-sources-alone-too",
            "w if k == index else ops.zeros_like(w)",
            "w",
            "systems/test_ssepgan.py::test_identity_is_how_far_a_source_alone_is_from_unchanged",
        ),
        (
            "wrong-source-alone",
            "w if k == index else ops.zeros_like(w)",
            "w if k != index else ops.zeros_like(w)",
            "systems/test_cyclegan.py::test_every_term_is_that_of_the_equations",
        ),
        (
            "residual-of-the-wrong-sign",
            "residual = mixture[:, None] - ops.sum(sources",
            "residual = mixture[:, None] + ops.sum(sources",
            "systems/test_semisupervised.py::test_supervised_is_the_distance_of_every_source_and_of_the_others",
        ),
        (
            "loud-recordings-teach-more",
            "spectra.analyse(gain_to_level(windows, 0.0) * windows)",
            "spectra.analyse(windows)",
            "systems/test_nmf.py::test_quiet_recordings_teach_as_much_as_loud_ones",
        ),
        ("never-the-last-place", "0, window - length + 1, seed", "0, window - length, seed"),
        ("always-the-first-place", "(0, start, 0), (x.shape[0]", "(0, 0 * start, 0), (x.shape[0]"),
        (
            "sources-mixed-up",
            "ops.reshape(windows, (-1, *windows.shape[2:]))",
            "ops.reshape(ops.swapaxes(windows, 0, 1), (-1, *windows.shape[2:]))",
        ),
    ),
    *mutants_of(
        "systems/latent_search.py",
        "systems/test_latent_search.py",
        ("adam-uphill", "return place - rate * mean", "return place + rate * mean"),
        ("adam-first-uncorrected", "first / (1 - decays[0] ** taken)", "first"),
        ("adam-second-uncorrected", "second / (1 - decays[1] ** taken)", "second"),
        (
            "adam-without-square",
            "(1 - decays[1]) * tf.square(slope)",
            "(1 - decays[1]) * tf.abs(slope)",
        ),
        (
            "worst-restart-wins",
            "winner = tf.argmin(least, axis=1)",
            "winner = tf.argmax(least, axis=1)",
        ),
        ("last-place-wins", "wins = value < least", "wins = value == value"),
        ("last-place-not-looked-at", "    if iterations:\n", "    if not iterations:\n"),
        (
            "windows-fade-in-amplitude",
            "+ 0.5) / window)[:, None] ** 2",
            "+ 0.5) / window)[:, None]",
        ),
    ),
    *mutants_of(
        "models/saved.py",
        "systems/test_system_contract.py",
        (
            "start-for-the-running-mean-only",
            "for network in (system.generator, system.ema_generator):",
            "for network in (system.ema_generator,):",
            "systems/test_saved_systems.py::test_a_run_that_starts_from_a_model_has_all_its_weights[ssepgan]",
        ),
        (
            "start-for-the-search-only",
            "(network, getattr(system, name, network))",
            "(network,)",
            "systems/test_saved_systems.py::test_a_run_that_starts_from_a_model_has_all_its_weights[compressed_sensing]",
        ),
    ),
    *mutants_of(
        "systems/statistics.py",
        "systems/test_statistics.py",
        (
            "statistics-of-what-came-in-only",
            "learns = learns or bool(layer.trainable_weights)",
            "learns = False",
            "test_normalisation_of_weighted_outputs_is_recognised",
        ),
        (
            "statistics-of-all-calls",
            "variable.assign(value)",
            "pass",
            "test_only_calls_outside_move_the_statistics",
        ),
        (
            "statistics-of-the-mean-only",
            "[(layer.moving_mean, layer.moving_variance) for layer",
            "[(layer.moving_mean,) for layer",
            "test_only_calls_outside_move_the_statistics",
        ),
        (
            "statistics-inside-forgotten",
            "yield from batch_normalisations(layer)",
            "pass",
            "test_only_calls_outside_move_the_statistics",
        ),
        (
            "statistics-not-copied",
            "ops.copy(variable)",
            "ops.convert_to_tensor(variable)",
            "test_only_calls_outside_move_the_statistics",
        ),
    ),
)
