"""Decomposition: what takes a mixture apart is learnt as the inverse of what put it together.

Source: Harn, Chen & Jojic 2019, "Composition and decomposition of GANs", arXiv:1901.07667:
component generators g_i, a composition c and a decomposition d; any of them may be given, and the
others are learnt. With components o = (g_1(z_1), ...) and mixtures y that nobody took apart:

    parts come back          l_c-cyc = E |d(c(o)) - o|
    a mixture comes back     l_d-cyc = E |c(d(y)) - y|
    parts sound like parts   l_d = sum_i E[D_i(o_i)] - E[D_i(d(y)_i)]      a critic D_i for each part
    compositions like mixes  l_c = E[D_c(y)] - E[D_c(c(o))]                a critic D_c for mixtures

c and d descend `parts_cycle_weight` l_c-cyc + `mixture_cycle_weight` l_d-cyc + `parts_weight` l_d +
`mixture_weight` l_c, the critics ascend l_d and l_c. `learn` says which of c and d move; a term
that neither of those is in falls away with its critic.
Departs from it: (1) parts are music and c is the sum, or a learned one close to it (see
`networks/composition.py`). (2) d is a separator of one pass with an output for each source and one
for the rest, so it ships like any other. (3) A part without a trained generator is heard from
recordings instead; one that has a generator still takes its level from a recording, for a
generator's own level says nothing of how loud the part is in a mixture. (4) Distances are L1 means
of all parts; with `level_dbfs`, each mixture comes to one level and its parts with it. (5) Critics
hear stretches, with any discriminator and objective of the tables; each part has its own. (6)
Networks, weights, rates, batch and steps per player are not the paper's: only its abstract and
introduction could be read, and no code of its authors was found. They are those of what it builds
on (WGAN-GP, CycleGAN) and of S-SepGAN. On recordings without `components`, as in `demo` and in the
comparison, l_c-cyc is a paired loss on sums of unrelated solos. Its settings and presets are in
`tfsepgan/settings/decomposition.py`.
"""

from dataclasses import asdict
from typing import Any, NamedTuple

import keras
from keras import ops

from tfsepgan.config import Experiment
from tfsepgan.errors import ConfigError
from tfsepgan.losses.reconstruction import l1
from tfsepgan.networks.composition import composition
from tfsepgan.networks.wavegan import wavegan_generator
from tfsepgan.systems.adversary import Adversarial
from tfsepgan.systems.base import SeparationSystem, SynthesisSystem
from tfsepgan.systems.crops import gain_to_level, root_mean_square
from tfsepgan.systems.statistics import statistics_kept

MIXTURE = "mixture"
REST = "residual"  # no source may be called so


class RoundTrips(NamedTuple):
    """Windows on their way there and back; mixtures `[batch, time, 1]`, parts `[batch, parts, time,
    1]`."""

    parts: Any  # o
    composed: Any  # c(o)
    parts_again: Any  # d(c(o))
    mixture: Any  # y
    decomposed: Any  # d(y)
    mixture_again: Any  # c(d(y))


class Decomposition(Adversarial, SeparationSystem):
    """One network puts parts together, one takes mixtures apart, and each must undo the other.

    Source: Harn, Chen & Jojic 2019, arXiv:1901.07667.
    """

    batch_keys = ("unlabelled", "solo")
    generators = ("generator", "composition")
    models_rest = True

    def __init__(self, experiment: Experiment):
        super().__init__(experiment)
        data, config = experiment.data, self.config
        if config.learn == "composition" and not experiment.training.init_from:
            raise ConfigError(
                "learn is 'composition', which needs a decomposition: give --init-from a run or"
                " model of this system."
            )
        self.parts = (*self.sources, REST)[: self.outputs]
        self.composition = composition(config.composition, parts=self.outputs)
        scored = [
            *(self.parts if self.plays("parts") else ()),
            *([MIXTURE] if self.plays("mixture") else ()),
        ]
        self.critics = {
            name: self.new_discriminator(10 * number) for number, name in enumerate(scored)
        }
        self.components = {
            part: wavegan_generator(config.component, window=data.window)
            for part in self.component_places()
        }

    def component_places(self) -> dict[str, str]:
        """Where the trained generators lie, by part; parts that are heard from recordings are left
        out.

        Raises: ConfigError when there are not as many as parts.
        """
        named = self.config.components or ("",) * self.outputs
        if len(named) != self.outputs:
            raise ConfigError(
                f"components names {len(named)} generators; {self.outputs} are wanted:"
                f" {', '.join(self.parts)}, in that order. Write '' for a part whose recordings are"
                " to be heard."
            )
        return {part: place for part, place in zip(self.parts, named, strict=True) if place}

    def begin(self, load):
        """Load the components."""
        data = self.experiment.data
        for part, place in self.component_places().items():
            trained = load(place)
            if not isinstance(trained, SynthesisSystem):
                raise ConfigError(
                    f"{place} is a {trained.experiment.system} model; a component must be a"
                    " wavegan."
                )
            theirs = trained.experiment.data
            if (theirs.sample_rate_hz, theirs.window) != (data.sample_rate_hz, data.window):
                raise ConfigError(
                    f"{place} makes {theirs.window} samples at {theirs.sample_rate_hz} Hz, this run"
                    f" hears {data.window} at {data.sample_rate_hz} Hz. Use --window"
                    f" {theirs.window} --sample-rate-hz {theirs.sample_rate_hz}, or another"
                    " component."
                )
            try:
                self.components[part].set_weights(trained.ema_generator.get_weights())
            except ValueError as error:
                flags = " ".join(
                    f"--component.{k.replace('_', '-')} {v}"
                    for k, v in asdict(trained.config.generator).items()
                )
                raise ConfigError(
                    f"{place} has other shapes than this run's components. Give its settings:"
                    f" {flags}."
                ) from error

    def plays(self, term: str) -> bool:
        """Whether a term moves what is learnt."""
        return term in self.config.terms and getattr(self.config, f"{term}_weight") > 0

    @property
    def losses_logged(self):
        terms = [term for term in self.config.terms if self.plays(term)]
        critics = [f"{term}_critic" for term in terms if term in ("parts", "mixture")]
        return ("total", *terms, *critics)

    @property
    def learners(self) -> dict[str, keras.Model]:
        """What moves down the weighted sum of all terms: decomposition, composition or both."""
        both = {"generator": self.generator, "composition": self.composition}
        still = {"decomposition": "composition", "composition": "generator"}.get(self.config.learn)
        return {name: network for name, network in both.items() if name != still}

    @property
    def players(self):
        return {
            **{f"critic_{name}": critic for name, critic in self.critics.items()},
            **self.learners,
        }

    def steps_per_batch(self, player):
        return 1 if player in self.generators else self.config.critic_steps

    def train_step(self, batch):
        mixture, parts = batch["unlabelled"], self.components_of(batch["solo"])
        with self.tape_of(*self.learners) as tape:
            trips = self.round_trips(mixture, parts)
            pairs = self.pairs(trips)
            # The critics step here, under the paused tape: both sides then use one set of round
            # trips, which saves a second pass of both networks.
            with tape.stop_recording():
                self.train_critics(pairs)
            losses = self.cycle_losses(trips) | self.adversarial_losses(pairs)
            total = sum(
                getattr(self.config, f"{term}_weight") * loss for term, loss in losses.items()
            )
        self.apply_gradients(total, tape, *self.learners)
        if "generator" in self.learners:
            self.update_average(mixture)
        return self.log(total=total, **losses)

    def components_of(self, solo):
        """o: windows of every part, drawn apart, `[batch, parts, time, 1]`; the recordings', or a
        generator's at their level."""
        windows = []
        for number, name in enumerate(self.parts):
            window = solo[:, number]
            if name in self.components:
                generator = self.components[name]
                latent = keras.random.uniform(
                    (solo.shape[0], generator.input.shape[-1]), -1.0, 1.0, seed=self.draws
                )
                sound = ops.stop_gradient(generator(latent, training=False))
                window = sound * root_mean_square(window) / (root_mean_square(sound) + 1e-5)
            windows.append(window)
        return ops.stack(windows, axis=1)

    def round_trips(self, mixture, parts):
        """Parts to a mixture and back, a mixture to parts and back; then everything at one level."""
        learns = "generator" in self.learners
        composed = self.composition(parts, training=True)
        # d ships with those of mixtures; what c makes of parts may be unlike any
        with statistics_kept(self.generator):
            parts_again = self.generator(composed, training=learns)
        decomposed = self.generator(mixture, training=learns)
        mixture_again = self.composition(decomposed, training=True)
        of_parts = gain_to_level(ops.sum(parts, axis=1), self.config.level_dbfs)
        of_mixture = gain_to_level(mixture, self.config.level_dbfs)
        return RoundTrips(
            parts=of_parts[:, None] * parts,
            composed=of_parts * composed,
            parts_again=of_parts[:, None] * parts_again,
            mixture=of_mixture * mixture,
            decomposed=of_mixture[:, None] * decomposed,
            mixture_again=of_mixture * mixture_again,
        )

    def cycle_losses(self, trips):
        """l_c-cyc and l_d-cyc, those that have a weight."""
        cycles = {
            "parts_cycle": l1(trips.parts, trips.parts_again),
            "mixture_cycle": l1(trips.mixture, trips.mixture_again),
        }
        return {term: loss for term, loss in cycles.items() if self.plays(term)}

    def pairs(self, trips):
        """Real and made windows of each critic, by its name, `[batch, time, 1]`."""
        pairs = {
            part: (trips.parts[:, k], trips.decomposed[:, k]) for k, part in enumerate(self.parts)
        }
        pairs[MIXTURE] = (trips.mixture, trips.composed)
        return {name: pairs[name] for name in self.critics}

    def train_critics(self, pairs):
        """All steps of all critics, each step on another crop."""
        for _ in range(self.config.critic_steps):
            start = self.random_start()
            for name, windows in pairs.items():
                real, made = self.crops(start, *(ops.stop_gradient(window) for window in windows))
                loss = self.minimize(
                    self.critic_loss, (self.critics[name], real, made), player=f"critic_{name}"
                )
                self.log(**{f"{term_of(name)}_critic": loss})

    def critic_loss(self, critic, real, made):
        """How far a critic is from telling what is real from what c or d made."""
        return self.loss_of_discriminator(critic, real, made).total

    def adversarial_losses(self, pairs):
        """l_d and l_c for the learners: how far the critics are from scoring what they made as
        real."""
        losses, start = {}, self.random_start()
        for name, (_, made) in pairs.items():
            (crop,) = self.crops(start, made)
            loss = self.adversarial_loss(self.critics[name], crop)
            losses[term_of(name)] = losses.get(term_of(name), 0.0) + loss
        return losses


def term_of(critic: str) -> str:
    """The term that a critic belongs to."""
    return "mixture" if critic == MIXTURE else "parts"
