"""Compressed sensing: finds the generated sound that best explains measurements of a source.

Source: Bora, Jalal, Price & Dimakis 2017, "Compressed sensing using generative models",
arXiv:1703.03208; S-SepGAN (ElAraby, Ni & Tran), section 2.2, applies it to mixtures and proposes an
encoder for the start of the search. With generator G, encoder E, latents z, measurements y of a
source x, and the measurement A (a random matrix; for a mixture, the addition of others):

    search      z* = argmin |A G(z) - y|^2 + lambda |z|^2, by Adam from E(y) and from random z;
                the estimate is G(z*)
    encoder     L_E = distance(G(E(m)), x) + |E(m') - z'|^2 + lambda |E(m)|^2;
                m is a mixture with x, m' is a mixture with G(z')
    generator   WaveGAN's L_G and discriminators (arXiv:1802.04208);
                or a trained `prior`, which stays as it is

`demo`, which is also the row of the comparison, has an encoder trained by paired L1, three search
steps from its output, and a mask. The search with a trained generator, as in section 2.2, is
`paper` with a `prior`. This file trains the networks; `inversion.py` makes them and has the search.

Departs from the sources:
- Long signals are searched in windows that overlap by half and are cross-faded.
- A generator with few latents cannot match the phase of a recording, so two settings do not need
  it: distance 'spectrum' compares the power of bins, and estimate 'mask' is the share of the
  mixture that G(z*) has in each bin.
- `models_rest` adds a generator for all others: the mixture is then A = [1 1] of both outputs, and
  one of them no longer has to explain it alone.
- With `teach_generator` the generator also learns from what the encoder recovers.
- `paired_weight` is S-SepGAN's L1 term on the estimate.
- The generator is WaveGAN; Bora et al. have DCGAN with batch normalisation. Random starts are
  uniform, as its latents are, and the same for every window; their code draws normal ones each
  time.
- A search returns the best point that it passed, their code the last one.
- The encoder's input is a spectrum and its output one latent, by tanh. The authors of S-SepGAN
  define four strided convolutions with a mean and a variance (`WaveGanEncoder` of their notebook)
  and never train them.
- No noise is added to measurements; Adam's epsilon in training is Keras' 1e-7.
- The squared error of a mixture is a sum over its samples, as in the equation. The code of Bora et
  al. takes means, so lambda weighs `window` times more there.
- Their code can add -log D(G(z)) to the objective; here it has no discriminator.
Settings and presets: `tfsepgan/settings/compressed_sensing.py`; the encoder:
`tfsepgan/networks/encoder.py`.
"""

import keras
from keras import ops

from tfsepgan.config import Experiment
from tfsepgan.errors import ConfigError
from tfsepgan.losses import recovery
from tfsepgan.losses.reconstruction import l1
from tfsepgan.systems.adversary import Adversarial, update_average
from tfsepgan.systems.base import SynthesisSystem
from tfsepgan.systems.crops import gain_to_level, with_residual
from tfsepgan.systems.inversion import GeneratorInversion
from tfsepgan.systems.latent_search import search


class CompressedSensing(Adversarial, GeneratorInversion):
    """Generators and an encoder; the latents whose sounds add up to the mixture are searched.

    Source: Bora et al. 2017, arXiv:1703.03208; ElAraby, Ni & Tran, "S-SepGAN", section 2.2.
    """

    batch_keys = ("mixture", "sources", "solo")
    losses_logged = ("total", "distance", "paired", "made", "latent", "adversarial")
    losses_logged += ("discriminator",)
    generators = ("generator", "encoder")
    why_not_exported = (
        "It searches the generator's latents for each window; an exported model is one pass of a"
        " network."
    )
    why_not_in_parts = "its players share one tape of two losses."

    def __init__(self, experiment: Experiment):
        super().__init__(experiment)
        data, config = experiment.data, self.config
        models_rest = config.models_rest and data.has_others
        self.tracks = len(self.sources) + models_rest
        # whether the tracks add up to the whole mixture
        self.explains_all = models_rest or not data.has_others
        self._check(data)
        self.generator, self.encoder = self._new_generator(), self._new_encoder()
        self._shipped = {"generator": self.generator, "encoder": self.encoder}
        if experiment.training.ema:
            self._shipped = {"generator": self._new_generator(), "encoder": self._new_encoder()}
            for name, network in self._shipped.items():
                network.set_weights(getattr(self, name).get_weights())
        self.discriminators = {
            f"discriminator_{name}": self.new_discriminator(number)
            for number, name in enumerate(self.sources if self.plays else ())
        }
        self._make_search()

    def _check(self, data) -> None:
        if data.window % (2 * self.config.hop):
            raise ConfigError(
                f"window is {data.window} and hop {self.config.hop} samples; windows overlap by"
                " half, so half a window must be a multiple of the hop."
            )
        if self.config.prior and len(self.sources) > 1:
            raise ConfigError(
                f"prior is one generator, and there are {len(self.sources)} sources; train without"
                " a prior, or one source at a time."
            )

    def begin(self, load):
        """Copy the prior's weights: a checkpoint of this system has them."""
        if self.config.prior is None:
            return
        prior, data = load(self.config.prior), self.experiment.data
        if not isinstance(prior, SynthesisSystem):
            raise ConfigError(
                f"prior {self.config.prior} is a {prior.experiment.system} model; it must be one"
                " that makes sounds, such as wavegan."
            )
        maker = prior.ema_generator
        for name, own, wanted in (
            ("sample_rate_hz", data.sample_rate_hz, prior.experiment.data.sample_rate_hz),
            ("window", data.window, maker.output_shape[1]),
            ("generator.latent", self.config.generator.latent, maker.input_shape[1]),
        ):
            if own != wanted:
                raise ConfigError(f"{name} is {own}, and the prior's is {wanted}; use the prior's.")
        try:
            for network in (self.generator, self.shipped["generator"]):
                network.get_layer("maker0").set_weights(maker.get_weights())
        except ValueError as error:
            raise ConfigError(
                f"The prior's generator has other shapes ({error}); use its settings:"
                f" {prior.config.generator}."
            ) from error

    @property
    def plays(self) -> bool:
        """Whether the generators are trained against discriminators."""
        return self.config.prior is None and self.config.adversarial_weight > 0

    @property
    def players(self):
        learning = {"generator": self.generator, "encoder": self.encoder}
        learning = {name: own for name, own in learning.items() if own.trainable_variables}
        return {**self.discriminators, **learning}

    def train_step(self, batch):
        mixture, sources, solo = batch["mixture"], batch["sources"], batch["solo"]
        mixture, tracks = self.at_one_level(mixture, self.targets(mixture, sources))
        solo = solo[: max(1, round(self.config.adversarial_share * solo.shape[0]))]
        _, solo = self.at_one_level(ops.sum(solo, axis=1), solo)
        for _ in range(self.config.discriminator_steps):
            self.train_discriminators(solo)
        learners = [player for player in self.players if player not in self.discriminators]
        with self.tape_of(*learners, persistent=True) as tape:
            losses = self.losses(mixture, tracks, solo)
            adversarial = self.config.adversarial_weight * losses.get("adversarial", 0.0)
        for player in learners:
            untaught = player == "generator" and not self.config.teach_generator
            self.apply_gradients(adversarial if untaught else losses["total"], tape, player)
        self.update_averages()
        return self.log(**losses)

    def train_discriminators(self, solo):
        """One step of each discriminator: recordings are real, generated sounds are fake."""
        for number, (player, network) in enumerate(self.discriminators.items()):
            made = self.generator(self.random_latents(solo.shape[0]), training=True)[:, number]
            windows = network, solo[:, number], ops.stop_gradient(made)
            self.log(discriminator=self.minimize(self.discriminator_loss, windows, player=player))

    def targets(self, mixture, sources):
        """The targets of all generators: the sources, and with `models_rest` their residual."""
        return sources if self.tracks == len(self.sources) else with_residual(mixture, sources)

    def at_one_level(self, mixture, tracks):
        """Mixtures and their tracks, at `level_dbfs`."""
        gain = gain_to_level(mixture, self.config.level_dbfs)
        return gain * mixture, gain[:, None] * tracks

    def random_latents(self, count: int):
        """Random latents for training, `[count, tracks, latent]`, uniform in [-1, 1]."""
        shape = (count, self.tracks, self.config.generator.latent)
        return keras.random.uniform(shape, -1.0, 1.0, seed=self.draws)

    def discriminator_loss(self, network, real, fake):
        """Loss of one discriminator on a new crop of real and fake windows."""
        real, fake = self.crops(self.random_start(), real, fake)
        return self.loss_of_discriminator(network, real, fake).total

    def losses(self, mixture, tracks, solo):
        """The terms of generator and encoder, and their weighted sum by the name `total`."""
        config = self.config
        latents = self.searched(self.encoder(mixture, training=True), mixture)
        made = self.generator(latents, training=True)
        terms = {
            "distance": ops.mean(self.distance(tracks, made)),
            "latent": ops.mean(recovery.latent_energy(latents)),
        }
        if config.paired_weight:
            terms["paired"] = l1(tracks[:, : len(self.sources)], self.estimates(mixture, made))
        if self.plays or config.made_weight:
            latents = self.random_latents(solo.shape[0])
            made = self.generator(latents, training=True)
        if self.plays:
            terms["adversarial"] = self.generator_loss(made)
        if config.made_weight:
            mixed = ops.sum(made, axis=1) + (0.0 if self.explains_all else solo[:, -1])
            # its moving statistics stay those of mixtures
            found = self.encoder(ops.stop_gradient(mixed), training=False)
            terms["made"] = ops.mean(ops.square(found - latents))
        return {"total": self.weighted_sum(terms), **terms}

    def searched(self, latents, mixture):
        """The end of a short search from the encoder's latents.

        The search counts as a constant step: the gradient goes to the encoder alone.
        """
        config = self.config
        if not config.taught_iterations:
            return latents
        objective = self.mixture_objective(mixture, self.generator)
        start = ops.stop_gradient(latents)
        steps = {"iterations": config.taught_iterations, "rate": config.search_rate}
        found, _ = search(objective, start[:, None], **steps)
        return latents + ops.stop_gradient(found - start)

    def generator_loss(self, made):
        """How far `made` is from being scored as real; mean over sources."""
        start = self.random_start()
        losses = []
        for number, network in enumerate(self.discriminators.values()):
            (fake,) = self.crops(start, made[:, number])
            losses.append(self.adversarial_loss(network, fake))
        return sum(losses) / len(losses)

    def update_averages(self):
        """Update the running means of generator and encoder."""
        decay = self.experiment.training.ema
        for name, network in self.shipped.items():
            trained = getattr(self, name)
            if network is not trained:
                update_average(network, trained, decay, averaged=lambda weight: weight.trainable)

    @property
    def shipped(self):
        return self._shipped
