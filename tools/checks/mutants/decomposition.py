"""Wrong lines of the system `decomposition`."""

from mutation import mutants_of

_PAPERS = "test_every_term_is_the_papers"
_CROPS = "systems/test_adversaries.py::test_every_discriminator_is_given_another_crop_of_the_recordings_at_each_step[decomposition]"
_SHUFFLED = "systems/test_adversaries.py::test_every_discriminator_plays_with_phase_shuffle[decomposition]"
_QUADRATIC = "systems/test_adversaries.py::test_a_critic_without_bound_has_the_loss_and_the_penalty_of_the_equations[decomposition]"

DECOMPOSITION = (
    *mutants_of(
        "systems/decomposition.py",
        "systems/test_decomposition.py",
        (
            "decomposition-parts-do-not-come-back",
            '"parts_cycle": l1(trips.parts, trips.parts_again)',
            '"parts_cycle": l1(trips.parts, trips.decomposed)',
            _PAPERS,
        ),
        (
            "decomposition-mixture-does-not-come-back",
            '"mixture_cycle": l1(trips.mixture, trips.mixture_again)',
            '"mixture_cycle": l1(trips.mixture, trips.composed)',
            _PAPERS,
        ),
        (
            "decomposition-parts-again-of-the-mixture",
            "parts_again = self.generator(composed, training=learns)",
            "parts_again = self.generator(mixture, training=learns)",
            _PAPERS,
        ),
        (
            "decomposition-statistics-of-compositions",
            "with statistics_kept(self.generator):",
            "if True:",
            "test_it_ships_with_the_statistics_of_mixtures_alone",
        ),
        (
            "decomposition-mixture-again-of-the-parts",
            "mixture_again = self.composition(decomposed, training=True)",
            "mixture_again = self.composition(parts_again, training=True)",
            _PAPERS,
        ),
        (
            "decomposition-critics-hear-the-cycle",
            "trips.parts[:, k], trips.decomposed[:, k])",
            "trips.parts[:, k], trips.parts_again[:, k])",
            _PAPERS,
        ),
        (
            "decomposition-mixture-critic-hears-the-cycle",
            "pairs[MIXTURE] = (trips.mixture, trips.composed)",
            "pairs[MIXTURE] = (trips.mixture, trips.mixture_again)",
            _PAPERS,
        ),
        (
            "decomposition-weights-left-out",
            'getattr(self.config, f"{term}_weight") * loss for term, loss',
            "loss for term, loss",
            _PAPERS,
        ),
        (
            "decomposition-one-critic-for-all-parts",
            "losses[term] = losses.get(term, 0.0) + loss",
            "losses[term] = loss",
            _PAPERS,
        ),
        (
            "decomposition-real-and-fake-swapped",
            "*(ops.stop_gradient(window) for window in windows))",
            "*reversed(windows))",
            _PAPERS,
        ),
        (
            "decomposition-critic-without-shuffle",
            "critic(ops.concatenate([real, made]), training=True)",
            "critic(ops.concatenate([real, made]), training=False)",
            _SHUFFLED,
        ),
        (
            "decomposition-judged-without-shuffle",
            "self.critics[name](heard, training=True)",
            "self.critics[name](heard, training=False)",
            _SHUFFLED,
        ),
        (
            "decomposition-penalty-between-reals",
            "self.gradient_penalty(critic, real, made)",
            "self.gradient_penalty(critic, real, real)",
            _QUADRATIC,
        ),
        (
            "decomposition-penalty-without-weight",
            "loss += self.config.penalty_weight * self.gradient_penalty",
            "loss += self.gradient_penalty",
            "test_the_paper_plays_for_the_wasserstein_distance",
        ),
        (
            "decomposition-component-at-its-own-level",
            "window = sound * rms(window) / (rms(sound) + 1e-5)",
            "window = sound",
            "test_a_component_is_what_its_generator_makes_as_loud_as_a_recording",
        ),
        (
            "decomposition-given-statistics-move",
            'learns = "generator" in self.learners',
            "learns = True",
            "test_what_is_given_stays_as_it_is",
        ),
        (
            "decomposition-cycle-at-its-own-level",
            "parts_again=of_parts[:, None] * parts_again",
            "parts_again=parts_again",
            "test_at_one_level_quiet_windows_count_as_much_as_loud_ones",
        ),
        (
            "decomposition-what-is-given-learns",
            '{"decomposition": "composition", "composition": "generator"}',
            '{"decomposition": "generator", "composition": "composition"}',
            "test_what_is_given_stays_as_it_is",
        ),
        (
            "decomposition-always-the-first-crop",
            "start = random_start(self.experiment.data.window, self.crop_length, self.draws)\n            for name, windows",
            "start = 0\n            for name, windows",
            _CROPS,
        ),
    ),
)
