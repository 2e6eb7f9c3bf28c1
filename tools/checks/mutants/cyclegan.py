"""Wrong lines of the system `cyclegan`."""

from mutation import mutants_of

_TERMS = "test_every_term_is_that_of_the_equations"
_CROPS = "systems/test_adversaries.py::test_every_discriminator_is_given_another_crop_of_the_recordings_at_each_step[cyclegan]"
_SHUFFLED = "systems/test_adversaries.py::test_every_discriminator_plays_with_phase_shuffle[cyclegan]"
_QUADRATIC = (
    "systems/test_adversaries.py::test_a_critic_without_bound_has_the_loss_and_the_penalty_of_the_equations[cyclegan]"
)

CYCLEGAN = (
    *mutants_of(
        "systems/cyclegan.py",
        "systems/test_cyclegan.py",
        (
            "cyclegan-identity-of-the-wrong-source",
            "wanted = [alone[:, k] if k == index else",
            "wanted = [alone[:, k] if k != index else",
            _TERMS,
        ),
        (
            "cyclegan-identity-of-F-on-sources",
            "return l1(mixture, self.mix(mixture[:, None]))",
            "return l1(mixture, self.mix(heard.sources[: self.few]))",
            _TERMS,
        ),
        (
            "cyclegan-weights-left-out",
            "sum(weights[name] * loss for name, loss in losses.items())",
            "sum(losses.values())",
            "test_the_generators_loss_is_the_weighted_sum_of_its_terms",
        ),
        (
            "cyclegan-F-hears-the-mean",
            "self.mixer(ops.sum(sources, axis=1) + rest, training=True)",
            "self.mixer(ops.mean(sources, axis=1) + rest, training=True)",
            _TERMS,
        ),
        (
            "cyclegan-F-hears-no-rest",
            "self.mixer(ops.sum(sources, axis=1) + rest, training=True)",
            "self.mixer(ops.sum(sources, axis=1), training=True)",
            "test_a_rest_that_is_carried_along_is_that_of_another_mixture_as_loud_as_it_should_be",
        ),
        (
            "cyclegan-own-rest-moves-nothing",
            "own_rest = heard.mixture - ops.sum(estimate, axis=1) if",
            "own_rest = heard.mixture - ops.stop_gradient(ops.sum(estimate, axis=1)) if",
            "systems/test_cyclegan_players.py::test_each_term_moves_its_own_players_only",
        ),
        (
            "cyclegan-borrowed-rest-teaches-G",
            "rest = ops.stop_gradient(heard.mixture - self.config.taken_off * ops.sum(estimate, axis=1))",
            "rest = heard.mixture - self.config.taken_off * ops.sum(estimate, axis=1)",
            "systems/test_cyclegan_players.py::test_each_term_moves_its_own_players_only",
        ),
        (
            "cyclegan-all-is-taken-off",
            "self.config.taken_off * ops.sum(estimate, axis=1)",
            "ops.sum(estimate, axis=1)",
            "test_a_rest_that_is_carried_along_is_that_of_another_mixture_as_loud_as_it_should_be",
        ),
        (
            "cyclegan-rest-at-its-own-level",
            "return rest * heard.rest_rms / root_mean_square(rest)",
            "return rest",
            "test_a_rest_that_is_carried_along_is_that_of_another_mixture_as_loud_as_it_should_be",
        ),
        (
            "cyclegan-G-hears-the-level",
            "gain[:, None] * self.generator(mixture / gain, training=True)",
            "self.generator(mixture, training=True)",
            "test_at_one_level_the_generator_is_given_mixtures_as_loud_as_they_were_recorded",
        ),
        (
            "cyclegan-discriminator-without-shuffle",
            "network(ops.concatenate([real, fake]), training=True)",
            "network(ops.concatenate([real, fake]), training=False)",
            _SHUFFLED,
        ),
        (
            "cyclegan-generators-judged-without-shuffle",
            "self.discriminators[end](fakes[end], training=True)",
            "self.discriminators[end](fakes[end], training=False)",
            _SHUFFLED,
        ),
        (
            "cyclegan-ends-swapped",
            "fakes = dict(zip(self.pools, crops(start, self.crop_length, estimate, mixed), strict=True))",
            "fakes = dict(zip(self.pools, crops(start, self.crop_length, mixed, estimate), strict=True))",
            _TERMS,
        ),
        (
            "cyclegan-no-pool",
            "self.train_discriminator(end, real, self.pools[end](fakes[end]))",
            "self.train_discriminator(end, real, ops.stop_gradient(fakes[end]))",
            "systems/test_cyclegan_players.py::test_discriminators_hear_past_fakes_and_generators_the_newest",
        ),
        (
            "cyclegan-real-and-fake-swapped",
            "real_loss(self.config.objective, [score[:windows] for score in scores])",
            "real_loss(self.config.objective, [score[windows:] for score in scores])",
            _TERMS,
        ),
        (
            "cyclegan-penalty-between-reals",
            "self.gradient_penalty(network, real, fake)",
            "self.gradient_penalty(network, real, real)",
            _QUADRATIC,
        ),
        (
            "cyclegan-penalty-without-weight",
            "loss += self.config.penalty_weight * self.gradient_penalty",
            "loss += self.gradient_penalty",
            "test_the_penalty_is_that_of_the_discriminators_own_slope",
        ),
        (
            "cyclegan-F-stands-still",
            "for player in self.generators:\n            self.optimizers",
            'for player in ("generator",):\n            self.optimizers',
            "systems/test_cyclegan_players.py::test_both_generators_descend_the_one_loss_they_share",
        ),
        (
            "cyclegan-always-the-first-crop",
            "start = random_start(self.experiment.data.window, self.crop_length, self.draws)",
            "start = 0",
            _CROPS,
        ),
        (
            "cyclegan-cycle-of-the-estimate",
            'l1(heard.sources, self.take_apart(mixtures["sources"](), heard.sources_gain))',
            'l1(estimate, self.take_apart(mixtures["sources"](), heard.sources_gain))',
            _TERMS,
        ),
        (
            "cyclegan-cycle-of-the-mixed",
            'l1(heard.mixture, mixtures["estimates"]())',
            'l1(heard.mixture, mixtures["sources"]())',
            _TERMS,
        ),
        (
            "cyclegan-one-cycle-for-both",
            'self.take_apart(mixtures["sources"](), heard',
            "self.take_apart(mixed, heard",
            "systems/test_cyclegan_paper.py::test_where_both_cycles_are_asked_for_each_is_of_its_own_signal",
        ),
        (
            "cyclegan-paper-identity-of-the-source",
            "return l1(heard.sources, estimate)",
            "return l1(heard.sources, self.take_apart(heard.mixture, heard.mixture_gain) * 0.5)",
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
            "cyclegan-paper-hears-unpaired",
            '("mixture", "sources") if self.config.identity == "paired"',
            '("unlabelled", "solo") if self.config.identity == "paired"',
            "systems/test_cyclegan_paper.py::test_nothing_but_pairs_is_heard",
        ),
        (
            "cyclegan-statistics-of-all-passes",
            "with statistics_kept(self.generator), statistics_kept(self.mixer):",
            "if True:",
            "systems/test_statistics_of_mixtures.py::test_cyclegans_generator_keeps_the_statistics_of_mixtures",
        ),
        (
            "cyclegan-mixers-statistics-of-all-passes",
            "with statistics_kept(self.generator), statistics_kept(self.mixer):",
            "with statistics_kept(self.generator):",
            "systems/test_statistics_of_mixtures.py::test_cyclegans_mixer_keeps_the_statistics_of_what_it_makes_fakes_of",
        ),
    ),
)
