"""Decomposition: one network composes mixtures, another decomposes them; each inverts the other.

Source: Harn, Chen & Jojic 2019, "Composition and decomposition of GANs", arXiv:1901.07667:
component generators g_i, a composition c and a decomposition d. Any of them can be given; the
others are trained. With components o = (g_1(z_1), ...) and unlabelled mixtures y:

    parts are recovered      l_c-cyc = E |d(c(o)) - o|
    mixtures are recovered   l_d-cyc = E |c(d(y)) - y|
    estimates are realistic  l_d = sum_i E[D_i(o_i)] - E[D_i(d(y)_i)]     critic D_i for each part
    compositions are, too    l_c = E[D_c(y)] - E[D_c(c(o))]               critic D_c for mixtures

A part is a source, or the others. c and d minimise `parts_cycle_weight` l_c-cyc +
`mixture_cycle_weight` l_d-cyc + `parts_weight` l_d + `mixture_weight` l_c; the critics maximise l_d
and l_c. `learn` chooses which of c and d are trained. A term that depends on neither of those is
left out, with its critic.
Departs from it:
- Parts are music, and c is the sum or a trained network near it (see `networks/composition.py`).
- d separates in one pass, with an output for each source and one for the others, so it is exported
  like any other separator.
- A part without a trained generator is taken from recordings. The sounds of a generator are brought
  to the level of a recording: a generator's own level does not say how loud the part is in a
  mixture.
- Distances are L1 means over all parts. With `level_dbfs`, each mixture is brought to one level,
  with its parts.
- Critics get crops and can be any discriminator and objective of the tables; each part has its own.
- Networks, weights, rates, batch and steps per player are not the paper's: only its abstract and
  introduction could be read, and no code of its authors was found. They are from the works that it
  builds on (WGAN-GP, CycleGAN) and from S-SepGAN.
On recordings without `components`, as in `demo` and in the comparison, l_c-cyc is a paired loss on
sums of unrelated recordings. Settings and presets: `tfsepgan/settings/decomposition.py`.
"""

from dataclasses import asdict
from typing import Any, NamedTuple

import keras
from keras import ops

from tfsepgan.config import Experiment
from tfsepgan.errors import ConfigError
from tfsepgan.layers.batch_parts import drawn_by_row
from tfsepgan.losses.reconstruction import l1
from tfsepgan.networks.composition import composition
from tfsepgan.networks.wavegan import wavegan_generator
from tfsepgan.systems.adversary import Adversarial
from tfsepgan.systems.base import SeparationSystem, SynthesisSystem
from tfsepgan.systems.crops import gain_to_level, root_mean_square
from tfsepgan.systems.statistics import statistics_kept

MIXTURE = "mixture"
OTHERS = "residual"  # their name as a part; no source may have it


class RoundTrips(NamedTuple):
    """Windows before and after each round trip.

    Mixtures are `[batch, time, 1]`, parts `[batch, parts, time, 1]`.
    """

    parts: Any  # o
    composed: Any  # c(o)
    parts_again: Any  # d(c(o))
    mixture: Any  # y
    decomposed: Any  # d(y)
    mixture_again: Any  # c(d(y))


class Decomposition(Adversarial, SeparationSystem):
    """A composition and a decomposition that invert each other, and critics of parts and mixtures.

    Source: Harn, Chen & Jojic 2019, arXiv:1901.07667.
    """

    batch_keys = ("unlabelled", "solo")
    generators = ("generator", "composition")
    models_others = True

    def __init__(self, experiment: Experiment):
        super().__init__(experiment)
        data, config = experiment.data, self.config
        if config.learn == "composition" and not experiment.training.init_from:
            raise ConfigError(
                "learn is 'composition', which needs a decomposition: give --init-from a run or"
                " model of this system."
            )
        self.parts = (*self.sources, OTHERS)[: self.outputs]
        self.composition = composition(config.composition, parts=self.outputs)
        scored = [name for name in (*self.parts, MIXTURE) if self.plays(term_of(name))]
        self.critics = {
            name: self.new_discriminator(10 * number) for number, name in enumerate(scored)
        }
        self.components = {
            part: wavegan_generator(config.component, window=data.window)
            for part in self.component_places()
        }

    def component_places(self) -> dict[str, str]:
        """Paths of the trained generators, by part; parts taken from recordings are left out.

        Raises: ConfigError when there are not as many as parts.
        """
        named = self.config.components or ("",) * self.outputs
        if len(named) != self.outputs:
            raise ConfigError(
                f"components has {len(named)} entries; it must have {self.outputs}:"
                f" {', '.join(self.parts)}, in this order. Write '' for a part that is taken from"
                " recordings."
            )
        return {part: place for part, place in zip(self.parts, named, strict=True) if place}

    def begin(self, load):
        """Load the trained component generators."""
        data = self.experiment.data
        for part, place in self.component_places().items():
            trained = load(place)
            if not isinstance(trained, SynthesisSystem):
                raise ConfigError(
                    f"{place} is a {trained.experiment.system} model; a component must be a"
                    " wavegan."
                )
            made = trained.experiment.data
            if (made.sample_rate_hz, made.window) != (data.sample_rate_hz, data.window):
                raise ConfigError(
                    f"{place} makes {made.window} samples at {made.sample_rate_hz} Hz, this run"
                    f" uses {data.window} at {data.sample_rate_hz} Hz. Use --window"
                    f" {made.window} --sample-rate-hz {made.sample_rate_hz}, or another"
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
                    f"The weights of {place} do not fit this run's components. Use its settings:"
                    f" {flags}."
                ) from error

    def plays(self, term: str) -> bool:
        """Whether a term has a weight and depends on a network that is trained."""
        return term in self.config.terms and getattr(self.config, f"{term}_weight") > 0

    @property
    def losses_logged(self):
        terms = [term for term in self.config.terms if self.plays(term)]
        critics = [f"{term}_critic" for term in terms if term in ("parts", "mixture")]
        return ("total", *terms, *critics)

    @property
    def learners(self) -> dict[str, keras.Model]:
        """The networks that minimise the weighted sum: decomposition, composition or both."""
        both = {"generator": self.generator, "composition": self.composition}
        given = {"decomposition": "composition", "composition": "generator"}.get(self.config.learn)
        return {name: network for name, network in both.items() if name != given}

    @property
    def players(self):
        critics = {f"critic_{name}": critic for name, critic in self.critics.items()}
        return {**critics, **self.learners}

    def steps_per_batch(self, player):
        return 1 if player in self.generators else self.config.critic_steps

    def train_step(self, batch):
        mixture, parts = batch["unlabelled"], self.components_of(batch["solo"])
        # The critics step after the round trips and before the networks: all players use the same
        # round trips, which saves a second pass of both networks.
        losses = self.minimize_after(
            self.round_trips,
            self.train_critics,
            self.network_losses,
            (mixture, parts),
            *self.learners,
            total="total",
        )
        if "generator" in self.learners:
            self.update_average(mixture)
        return self.log(**losses)

    def network_losses(self, mixture, parts, trips):
        """All terms of the networks, and their weighted sum by the name `total`."""
        losses = self.cycle_losses(trips) | self.adversarial_losses(self.pairs(trips))
        return {"total": self.weighted_sum(losses), **losses}

    def components_of(self, solo):
        """o: unrelated windows of all parts, `[batch, parts, time, 1]`.

        They are recordings, or a generator's sounds at the level of the recordings.
        """
        windows = []
        for number, name in enumerate(self.parts):
            window = solo[:, number]
            if name in self.components:
                generator = self.components[name]
                latent = self.random_latents(solo.shape[0], generator.input.shape[-1])
                sound = ops.stop_gradient(generator(latent, training=False))
                window = sound * root_mean_square(window) / (root_mean_square(sound) + 1e-5)
            windows.append(window)
        return ops.stack(windows, axis=1)

    def random_latents(self, rows: int, latent: int):
        """Latents of a component, `[rows, latent]`, uniform in [-1, 1]."""
        return drawn_by_row(
            lambda count: keras.random.uniform((count, latent), -1.0, 1.0, seed=self.draws), rows
        )

    def round_trips(self, mixture, parts):
        """Both cycles at one level: parts to a mixture and back, mixtures to parts and back."""
        trained = "generator" in self.learners
        composed = self.composition(parts, training=True)
        # The moving statistics stay those of mixtures, the inputs of the exported network.
        with statistics_kept(self.generator):
            parts_again = self.generator(composed, training=trained)
        decomposed = self.generator(mixture, training=trained)
        mixture_again = self.composition(decomposed, training=True)
        parts_gain = gain_to_level(ops.sum(parts, axis=1), self.config.level_dbfs)
        mixture_gain = gain_to_level(mixture, self.config.level_dbfs)
        return RoundTrips(
            parts=parts_gain[:, None] * parts,
            composed=parts_gain * composed,
            parts_again=parts_gain[:, None] * parts_again,
            mixture=mixture_gain * mixture,
            decomposed=mixture_gain[:, None] * decomposed,
            mixture_again=mixture_gain * mixture_again,
        )

    def cycle_losses(self, trips):
        """l_c-cyc and l_d-cyc, where they have a weight."""
        cycles = {
            "parts_cycle": l1(trips.parts, trips.parts_again),
            "mixture_cycle": l1(trips.mixture, trips.mixture_again),
        }
        return {term: loss for term, loss in cycles.items() if self.plays(term)}

    def pairs(self, trips):
        """Real and made windows for each critic, by name, both `[batch, time, 1]`."""
        pairs = {
            part: (trips.parts[:, k], trips.decomposed[:, k]) for k, part in enumerate(self.parts)
        }
        pairs[MIXTURE] = (trips.mixture, trips.composed)
        return {name: pairs[name] for name in self.critics}

    def train_critics(self, mixture, parts, trips):
        """All steps of all critics, each step on another crop."""
        pairs = self.pairs(trips)
        for _ in range(self.config.critic_steps):
            start = self.random_start()
            for name, windows in pairs.items():
                real, made = self.crops(start, *(ops.stop_gradient(window) for window in windows))
                compared = self.critics[name], real, made
                loss = self.minimize(self.critic_loss, compared, player=f"critic_{name}")
                self.log(**{f"{term_of(name)}_critic": loss})

    def critic_loss(self, critic, real, made):
        """Loss of one critic on real crops and on crops that c or d made."""
        return self.loss_of_discriminator(critic, real, made).total

    def adversarial_losses(self, pairs):
        """l_d and l_c as losses of c and d: their outputs should be scored as real."""
        losses, start = {}, self.random_start()
        for name, (_, made) in pairs.items():
            (crop,) = self.crops(start, made)
            loss = self.adversarial_loss(self.critics[name], crop)
            losses[term_of(name)] = losses.get(term_of(name), 0.0) + loss
        return losses


def term_of(critic: str) -> str:
    """The term of a critic, by its name."""
    return "mixture" if critic == MIXTURE else "parts"
