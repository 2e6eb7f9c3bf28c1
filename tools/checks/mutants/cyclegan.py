"""Wrong lines of the system `cyclegan`."""

from mutation import mutants_of

_TERMS = "test_every_term_is_that_of_the_equations"
_CROPS = (
    "systems/test_adversary.py::test_every_discriminator_gets_another_crop_at_each_step[cyclegan]"
)

CYCLEGAN = (
    *mutants_of(
        "systems/cyclegan.py",
        "systems/test_cyclegan.py",
        (
            "cyclegan-identity-of-F-on-sources",
            "return l1(mixture, self.mix(mixture[:, None]))",
            "return l1(mixture, self.mix(windows.sources[:1]))",
            _TERMS,
        ),
        (
            "cyclegan-weights-left-out",
            "self.weighted_sum(losses)",
            "sum(losses.values())",
            "test_the_generators_loss_is_the_weighted_sum_of_its_terms",
        ),
        (
            "cyclegan-F-gets-the-mean",
            "self.mixer(ops.sum(sources, axis=1) + residual, training=True)",
            "self.mixer(ops.mean(sources, axis=1) + residual, training=True)",
            _TERMS,
        ),
        (
            "cyclegan-F-gets-no-residual",
            "self.mixer(ops.sum(sources, axis=1) + residual, training=True)",
            "self.mixer(ops.sum(sources, axis=1), training=True)",
            "test_a_carried_residual_is_that_of_another_mixture_at_the_level_of_the_others",
        ),
        (
            "cyclegan-own-residual-without-gradient",
            "residual = windows.mixture - ops.sum(estimate, axis=1) if",
            "residual = windows.mixture - ops.stop_gradient(ops.sum(estimate, axis=1)) if",
            "systems/test_cyclegan_players.py::test_each_term_moves_its_own_players_only",
        ),
        (
            "cyclegan-borrowed-residual-teaches-G",
            "residual = ops.stop_gradient(",
            "residual = ops.convert_to_tensor(",
            "systems/test_cyclegan_players.py::test_each_term_moves_its_own_players_only",
        ),
        (
            "cyclegan-all-is-taken-off",
            "self.config.taken_off * ops.sum(estimate, axis=1)",
            "ops.sum(estimate, axis=1)",
            "test_a_carried_residual_is_that_of_another_mixture_at_the_level_of_the_others",
        ),
        (
            "cyclegan-residual-at-its-own-level",
            "return residual * windows.others_rms / root_mean_square(residual, floor=1e-10)",
            "return residual",
            "test_a_carried_residual_is_that_of_another_mixture_at_the_level_of_the_others",
        ),
        (
            "cyclegan-G-gets-one-level",
            "gain[:, None] * self.generator(mixture / gain, training=True)",
            "self.generator(mixture, training=True)",
            "test_at_one_level_the_generator_is_given_mixtures_as_loud_as_they_were_recorded",
        ),
        (
            "cyclegan-ends-swapped",
            "self.crops(start, estimate, mixed)",
            "self.crops(start, mixed, estimate)",
            _TERMS,
        ),
        (
            "cyclegan-no-pool",
            "self.pools[end](self.all_rows(fakes))",
            "ops.stop_gradient(self.all_rows(fakes))",
            "systems/test_cyclegan_players.py::test_discriminators_get_past_fakes_and_generators_the_newest",
        ),
        (
            "cyclegan-F-stands-still",
            "(windows, start), *self.generators, total",
            '(windows, start), "generator", total',
            "systems/test_cyclegan_players.py::test_both_generators_descend_the_one_loss_they_share",
        ),
        (
            "cyclegan-always-the-first-crop",
            "start = self.random_start()",
            "start = 0",
            _CROPS,
        ),
        (
            "cyclegan-cycle-of-the-estimate",
            'windows.sources, self.unmix(mixtures["sources"](), windows.sources_gain)',
            'estimate, self.unmix(mixtures["sources"](), windows.sources_gain)',
            _TERMS,
        ),
        (
            "cyclegan-cycle-of-the-mixed",
            'l1(windows.mixture, mixtures["estimates"]())',
            'l1(windows.mixture, mixtures["sources"]())',
            _TERMS,
        ),
        (
            "cyclegan-one-cycle-for-both",
            'self.unmix(mixtures["sources"](), windows',
            "self.unmix(mixed, windows",
            "systems/test_cyclegan_paper.py::test_with_both_cycles_each_is_of_its_own_signal",
        ),
        (
            "cyclegan-paper-identity-of-the-source",
            "return l1(windows.sources, estimate)",
            "return l1(windows.sources, self.unmix(windows.mixture, windows.mixture_gain) * 0.5)",
            "systems/test_cyclegan_paper.py::test_every_term_is_that_of_section_3_2",
        ),
        (
            "cyclegan-paper-fakes-of-sources",
            'if self.config.mixture_fakes == "estimates":',
            'if self.config.mixture_fakes == "none":',
            "systems/test_cyclegan_paper.py::test_every_term_is_that_of_section_3_2",
        ),
        (
            "cyclegan-paper-cycle-spares-the-generator",
            "return self.mix(estimate)\n",
            "return self.mix(ops.stop_gradient(estimate))\n",
            "systems/test_cyclegan_paper.py::test_each_term_moves_its_own_players_only",
        ),
        (
            "cyclegan-paper-unpaired",
            '("mixture", "sources") if paired',
            '("unlabelled", "solo") if paired',
            "systems/test_cyclegan_paper.py::test_only_pairs_are_used",
        ),
        (
            "cyclegan-statistics-of-all-passes",
            "with statistics_kept(self.generator), statistics_kept(self.mixer):",
            "if True:",
            "systems/test_statistics_in_training.py::test_cyclegans_generator_keeps_the_statistics_of_mixtures",
        ),
        (
            "cyclegan-mixers-statistics-of-all-passes",
            "with statistics_kept(self.generator), statistics_kept(self.mixer):",
            "with statistics_kept(self.generator):",
            "systems/test_statistics_in_training.py::test_cyclegans_mixer_keeps_the_statistics_of_what_it_makes_fakes_of",
        ),
    ),
)
