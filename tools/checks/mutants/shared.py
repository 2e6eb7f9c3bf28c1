"""Wrong lines of what the systems share: steps, penalties, running means, schedules, levels, searches."""

from mutation import mutants_of

_SHUFFLED = "systems/test_adversaries.py::test_every_discriminator_plays_with_phase_shuffle[ssepgan]"
_QUADRATIC = (
    "systems/test_adversaries.py::test_a_critic_without_bound_has_the_loss_and_the_penalty_of_the_equations[ssepgan]"
)

SHARED = (
    *mutants_of(
        "systems/base.py",
        "systems/test_ssepgan.py",
        ("penalty-at-the-real-only", "between = mix_at_random(real, fake, position)", "between = real", _QUADRATIC),
        ("penalty-at-the-fake-only", "between = mix_at_random(real, fake, position)", "between = fake", _QUADRATIC),
        ("penalty-at-one-place-for-all", "(ops.shape(real)[0], 1, 1)", "(1, 1, 1)", _QUADRATIC),
        ("penalty-at-one-place-for-ever", "1, 1), seed=self.draws)", "1, 1), seed=3)", _QUADRATIC),
        (
            "penalty-without-shuffle",
            'lambda x: critic(x, training=True)["scores"]',
            'lambda x: critic(x, training=False)["scores"]',
            _SHUFFLED,
        ),
        (
            "slope-of-summed-listeners",
            "return tape.gradient(total, waveform) / len(scores)",
            "return tape.gradient(total, waveform)",
            "systems/test_adversaries.py::test_the_slope_of_several_listeners_is_that_of_their_mean",
        ),
        (
            "penalty-of-the-half-slope",
            "total = sum(ops.sum(ops.mean(",
            "total = sum(ops.sum(0.5 * ops.mean(",
            "test_the_penalty_is_that_of_the_discriminators_own_slope",
        ),
        (
            "rates-of-the-players-swapped",
            "training.learning_rate if generates else training.discriminator_learning_rate",
            "training.discriminator_learning_rate if generates else training.learning_rate",
            "systems/test_table_and_schedule.py::test_the_rate_of_each_player_is_its_own_and_falls_with_its_own_steps",
        ),
        (
            "rate-falls-by-the-runs-steps",
            "adam(training, peak, moves=self.moves(player))",
            "adam(training, peak)",
            "systems/test_table_and_schedule.py::test_the_rate_of_each_player_is_its_own_and_falls_with_its_own_steps",
        ),
        (
            "optimizer-built-late",
            "optimizer.build(network.trainable_variables)",
            "pass",
            "systems/test_system_contract.py::test_compile_builds_one_optimizer_for_each_player[ssepgan]",
        ),
        (
            "mean-and-weight-swapped",
            "mean * decay + weight * (1.0 - decay) if averaged",
            "weight * decay + mean * (1.0 - decay) if averaged",
            "systems/test_system_contract.py::test_the_running_mean_follows_the_generator[ssepgan]",
        ),
        (
            "statistics-copied-not-averaged",
            "averaged = keras.backend.is_float_dtype(weight.dtype)",
            "averaged = weight.trainable",
            "systems/test_system_contract.py::test_the_running_mean_follows_the_generator[ssepgan]",
        ),
        (
            "mean-starts-elsewhere",
            "self.ema_generator.set_weights(self.generator.get_weights())",
            "pass",
            "systems/test_system_contract.py::test_the_running_mean_follows_the_generator[ssepgan]",
        ),
        (
            "mean-never-hears-mixtures",
            "iterations % STATISTICS_EVERY == 0",
            "iterations < 0",
            "systems/test_statistics.py::test_the_running_mean_has_statistics_of_its_own",
        ),
        (
            "ships-what-learns",
            "first_sources(self.ema_generator, count) if self.outputs > count else self.ema_generator",
            "first_sources(self.generator, count) if self.outputs > count else self.generator",
            "systems/test_system_contract.py::test_what_is_called_and_ships_is_the_running_mean[ssepgan]",
        ),
        (
            "one-seed-for-every-run",
            "self.draws = keras.random.SeedGenerator(experiment.data.seed)",
            "self.draws = keras.random.SeedGenerator(0)",
            "systems/test_system_contract.py::test_another_seed_draws_other_numbers[ssepgan]",
        ),
    ),
    *mutants_of(
        "systems/schedule.py",
        "systems/test_table_and_schedule.py",
        ("cosine-to-nothing", "alpha=0.01,", "alpha=0.0,"),
        (
            "warm-up-counts-runs-steps",
            "warmup_steps=training.warmup_steps * moves,",
            "warmup_steps=training.warmup_steps,",
        ),
        (
            "cosine-ends-late",
            "max(1, training.steps - training.warmup_steps) * moves",
            "max(1, training.steps) * moves",
        ),
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
        ("no-warm-up", "initial_learning_rate=0.0 if training.warmup_steps else peak", "initial_learning_rate=peak"),
        (
            "constant-after-no-warm-up",
            "PolynomialDecay(0.0, training.warmup_steps * moves,",
            "PolynomialDecay(peak, training.warmup_steps * moves,",
        ),
    ),
    *mutants_of(
        "systems/listening.py",
        "systems/test_listening.py",
        ("level-of-amplitude-as-power", "10 ** (level_dbfs / 20)", "10 ** (level_dbfs / 10)"),
        ("level-upside-down", "/ ops.sqrt(power + 1e-10)", "* ops.sqrt(power + 1e-10)"),
        (
            "level-of-the-whole-batch",
            "ops.square(mixture), axis=(1, 2), keepdims=True)",
            "ops.square(mixture), keepdims=True)",
        ),
        ("level-of-power", "/ ops.sqrt(power + 1e-10)", "/ (power + 1e-10)"),
        ("never-the-last-place", "0, window - stretch + 1, seed", "0, window - stretch, seed"),
        ("always-the-first-place", "(0, start, 0), (x.shape[0]", "(0, 0 * start, 0), (x.shape[0]"),
        (
            "sources-mixed-up",
            "ops.reshape(windows, (-1, *windows.shape[2:]))",
            "ops.reshape(ops.swapaxes(windows, 0, 1), (-1, *windows.shape[2:]))",
        ),
    ),
    *mutants_of(
        "systems/searching.py",
        "systems/test_searching.py",
        ("adam-uphill", "return place - rate * mean", "return place + rate * mean"),
        ("adam-first-uncorrected", "first / (1 - decays[0] ** taken)", "first"),
        ("adam-second-uncorrected", "second / (1 - decays[1] ** taken)", "second"),
        ("adam-without-square", "(1 - decays[1]) * tf.square(slope)", "(1 - decays[1]) * tf.abs(slope)"),
        ("worst-restart-wins", "winner = tf.argmin(least, axis=1)", "winner = tf.argmax(least, axis=1)"),
        ("last-place-wins", "wins = value < least", "wins = value == value"),
        ("last-place-not-looked-at", "    if iterations:\n", "    if not iterations:\n"),
        ("windows-fade-in-amplitude", "+ 0.5) / window)[:, None] ** 2", "+ 0.5) / window)[:, None]"),
    ),
    *mutants_of(
        "systems/trained.py",
        "systems/test_system_contract.py",
        (
            "start-for-what-ships-only",
            "for network in (system.generator, system.ema_generator):",
            "for network in (system.ema_generator,):",
            "test_a_run_that_starts_from_a_model_learns_on_from_all_of_it[ssepgan]",
        ),
        (
            "start-for-what-searches-only",
            "(network, getattr(system, name, network))",
            "(network,)",
            "test_a_run_that_starts_from_a_model_learns_on_from_all_of_it[compressed_sensing]",
        ),
    ),
    *mutants_of(
        "systems/statistics.py",
        "systems/test_statistics.py",
        (
            "statistics-of-what-came-in-only",
            "learns = learns or bool(layer.trainable_weights)",
            "learns = False",
            "test_what_weights_made_is_told_from_what_came_in",
        ),
        ("statistics-of-all-calls", "variable.assign(value)", "pass", "test_only_calls_outside_move_the_statistics"),
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
