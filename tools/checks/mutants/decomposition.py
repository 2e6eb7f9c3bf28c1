"""Wrong lines of the system `decomposition`."""

from mutation import mutants_of

_PAPERS = "test_every_term_is_the_papers"
_CROPS = (
    "systems/test_adversary.py::test_every_discriminator_gets_another_crop_at_each_step"
    "[decomposition]"
)

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
            "parts_again = self.generator(composed, training=trained)",
            "parts_again = self.generator(mixture, training=trained)",
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
            "decomposition-critics-get-the-cycle",
            "trips.parts[:, k], trips.decomposed[:, k])",
            "trips.parts[:, k], trips.parts_again[:, k])",
            _PAPERS,
        ),
        (
            "decomposition-mixture-critic-gets-the-cycle",
            "pairs[MIXTURE] = (trips.mixture, trips.composed)",
            "pairs[MIXTURE] = (trips.mixture, trips.mixture_again)",
            _PAPERS,
        ),
        (
            "decomposition-weights-left-out",
            "self.weighted_sum(losses)",
            "sum(losses.values())",
            _PAPERS,
        ),
        (
            "decomposition-one-critic-for-all-parts",
            "losses[term_of(name)] = losses.get(term_of(name), 0.0) + loss",
            "losses[term_of(name)] = loss",
            _PAPERS,
        ),
        (
            "decomposition-real-and-fake-swapped",
            "*(ops.stop_gradient(window) for window in windows))",
            "*reversed(windows))",
            _PAPERS,
        ),
        (
            "decomposition-component-at-its-own-level",
            "window = sound * root_mean_square(window) / (root_mean_square(sound) + 1e-5)",
            "window = sound",
            "systems/test_decomposition_components.py::test_a_component_is_a_generated_sound_at_the_level_of_a_recording",
        ),
        (
            "decomposition-given-statistics-move",
            'trained = "generator" in self.learners',
            "trained = True",
            "test_what_is_given_stays_as_it_is",
        ),
        (
            "decomposition-cycle-at-its-own-level",
            "parts_again=parts_gain[:, None] * parts_again",
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
            "start = self.random_start()\n            for name, windows",
            "start = 0\n            for name, windows",
            _CROPS,
        ),
    ),
)
