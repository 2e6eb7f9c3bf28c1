"""Compressed sensing with a generator: a track is what the generator can make that explains what
was heard.

Source: Bora, Jalal, Price & Dimakis 2017, "Compressed sensing using generative models",
arXiv:1703.03208; S-SepGAN (ElAraby, Ni & Tran), section 2.2, brings it to mixtures and proposes an
encoder to start the search at. With generator G, encoder E, what was heard y, and A what was done
to the track before (a random matrix; or adding others to it, for a mixture):

    search      z* = argmin |A G(z) - y|^2 + lambda |z|^2, by Adam from E(y) and from random z; the track is G(z*)
    encoder     L_E = distance(G(E(m)), x) + |E(m') - z'|^2 + lambda |E(m)|^2,  m' holds G(z')
    generator   WaveGAN's L_G and critics (arXiv:1802.04208); or a trained `prior`, which stays as it is

What it is on recordings: `demo`, and so the row of the comparison, is an encoder trained by paired
L1, three search steps from what it says, and a mask. What section 2.2 has, a trained generator that
is searched, is `paper` with a `prior`.

Departs from them: (1) long signals are searched in windows that overlap by half and fade into each
other. (2) A generator of few latents cannot hit the phase of a recording, so two settings look past
it: distance 'spectrum' compares how loud bins are, and estimate 'mask' takes from the mixture the
share that G(z*) has of each bin. (3) `models_rest` gives everything else a
generator too: the mixture is then A = [1 1] of both tracks, and no longer to be explained by one of
them. (4) With `teach_generator` it also learns from what the encoder recovers. (5) `paired_weight`
is S-SepGAN's L1 term on the estimate. (6) The generator is WaveGAN, where Bora et al. have DCGAN
with batch normalisation; random starts are uniform, as its latents are, and the same for every
window, where their code draws normal ones each time. (7) A search gives the best place that it
passed, theirs the last. (8) The encoder hears spectra and gives one latent, by tanh; the authors of
S-SepGAN define four strided convolutions with a mean and a variance (`WaveGanEncoder` of their
notebook) and never train them. (9) No noise is added to what is measured; Adam's epsilon in
training is Keras' 1e-7. (10) The squared error of a mixture is a sum over its samples, as in the
equation; the code of Bora et al. takes means, so lambda weighs `window` times more there. (11)
Their code can add -log D(G(z)) to what is searched; here no discriminator has a part in it. Its
settings and presets are in `tfsepgan/settings/compressed_sensing.py`, the encoder in
`tfsepgan/networks/encoder.py`.
"""

import keras
from keras import ops

from tfsepgan.config import Experiment
from tfsepgan.errors import ConfigError
from tfsepgan.losses import recovery
from tfsepgan.losses.reconstruction import l1
from tfsepgan.networks.encoder import inference_encoder, oscillator_generator
from tfsepgan.networks.wavegan import wavegan_generator
from tfsepgan.systems.adversary import Adversarial, update_average
from tfsepgan.systems.base import SynthesisSystem
from tfsepgan.systems.crops import gain_to_level, with_residual
from tfsepgan.systems.inversion import GeneratorInversion
from tfsepgan.systems.latent_search import search


class CompressedSensing(Adversarial, GeneratorInversion):
    """Finds the latents whose sound, added to the rest's, comes closest to the mixture.

    Source: Bora et al. 2017, arXiv:1703.03208; ElAraby, Ni & Tran, "S-SepGAN", section 2.2.
    """

    batch_keys = ("mixture", "sources", "solo")
    losses_logged = (
        "total",
        "distance",
        "paired",
        "made",
        "latent",
        "adversarial",
        "discriminator",
    )
    generators = ("generator", "encoder")
    why_not_exported = (
        "It searches the generator's latents anew for every window, and an exported model is one"
        " pass of a network."
    )

    def __init__(self, experiment: Experiment):
        super().__init__(experiment)
        data, config = experiment.data, self.config
        models_rest = config.models_rest and data.has_others
        self.tracks = len(self.sources) + models_rest
        # the tracks' sum is the whole mixture
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

    def _new_encoder(self) -> keras.Model:
        config = self.config
        return inference_encoder(
            config.encoder,
            window=self.experiment.data.window,
            frame=config.frame,
            hop=config.hop,
            tracks=self.tracks,
            latent=config.generator.latent,
        )

    def _new_generator(self) -> keras.Model:
        """One network of all tracks' generators, `[batch, tracks, latent]` -> `[batch, tracks,
        window, 1]`."""
        makers = [self._new_maker(track) for track in range(self.tracks)]
        latents = keras.Input((self.tracks, self.config.generator.latent), name="latents")
        made = [maker(latents[:, track]) for track, maker in enumerate(makers)]
        network = keras.Model(latents, ops.stack(made, axis=1), name="generators")
        makers[0].trainable = self.config.prior is None
        return network

    def _new_maker(self, track: int) -> keras.Model:
        config, data = self.config, self.experiment.data
        if config.generator_kind == "wavegan":
            maker = wavegan_generator(config.generator, window=data.window)
        else:
            maker = oscillator_generator(
                config.oscillators,
                latent=config.generator.latent,
                window=data.window,
                frame=config.frame,
                hop=config.hop,
                seed=data.seed,
            )
        maker.name = f"maker{track}"
        return maker

    def begin(self, load):
        """Take the prior's weights: from here on they are part of this system's."""
        if self.config.prior is None:
            return
        prior, data = load(self.config.prior), self.experiment.data
        if not isinstance(prior, SynthesisSystem):
            raise ConfigError(
                f"prior {self.config.prior} is a {prior.experiment.system} model; wanted one that"
                " makes sounds, as wavegan."
            )
        theirs = {
            "sample_rate_hz": prior.experiment.data.sample_rate_hz,
            "window": prior.ema_generator.output_shape[1],
            "generator.latent": prior.ema_generator.input_shape[1],
        }
        ours = {
            "sample_rate_hz": data.sample_rate_hz,
            "window": data.window,
            "generator.latent": self.config.generator.latent,
        }
        for name, wanted in theirs.items():
            if ours[name] != wanted:
                raise ConfigError(
                    f"{name} is {ours[name]}, and the prior's is {wanted}; take the prior's."
                )
        try:
            for network in (self.generator, self.shipped["generator"]):
                network.get_layer("maker0").set_weights(prior.ema_generator.get_weights())
        except ValueError as error:
            raise ConfigError(
                f"The prior's generator has other shapes ({error}); take its settings:"
                f" {prior.config.generator}."
            ) from error

    @property
    def plays(self) -> bool:
        """Whether a generator of the run's own has critics."""
        return self.config.prior is None and self.config.adversarial_weight > 0

    @property
    def players(self):
        learning = {"generator": self.generator, "encoder": self.encoder}
        return {
            **self.discriminators,
            **{name: network for name, network in learning.items() if network.trainable_variables},
        }

    def steps_per_batch(self, player):
        return self.config.discriminator_steps if player in self.discriminators else 1

    def train_step(self, batch):
        mixture, tracks = self.at_one_level(
            batch["mixture"], self.with_rest(batch["mixture"], batch["sources"])
        )
        share = max(1, round(self.config.adversarial_share * mixture.shape[0]))
        solo = batch["solo"][:share]
        _, solo = self.at_one_level(ops.sum(solo, axis=1), solo)
        for _ in range(self.config.discriminator_steps):
            self.train_discriminators(solo)
        learners = [player for player in self.players if player not in self.discriminators]
        with self.tape_of(*learners, persistent=True) as tape:
            losses = self.losses(mixture, tracks, solo)
            taught = losses["total"]
            adversarial = self.config.adversarial_weight * losses.get("adversarial", 0.0)
        for player in learners:
            spared = player == "generator" and not self.config.teach_generator
            self.apply_gradients(adversarial if spared else taught, tape, player)
        self.follow()
        return self.log(**losses)

    def train_discriminators(self, solo):
        """One step of each discriminator: its source alone is real, what its generator makes of
        random latents is fake."""
        for number, (player, network) in enumerate(self.discriminators.items()):
            made = self.generator(self.random_latents(solo.shape[0]), training=True)[:, number]
            windows = network, solo[:, number], ops.stop_gradient(made)
            self.log(discriminator=self.minimize(self.discriminator_loss, windows, player=player))

    def with_rest(self, mixture, sources):
        """The tracks that have a generator: the sources, and their residual with `models_rest`."""
        return sources if self.tracks == len(self.sources) else with_residual(mixture, sources)

    def at_one_level(self, mixture, tracks):
        """Mixtures and what they are made of, at the level of the settings."""
        gain = gain_to_level(mixture, self.config.level_dbfs)
        return gain * mixture, gain[:, None] * tracks

    def random_latents(self, count: int):
        """Latents as a generator is trained on, `[count, tracks, latent]`, uniform in [-1, 1]."""
        return keras.random.uniform(
            (count, self.tracks, self.config.generator.latent), -1.0, 1.0, seed=self.draws
        )

    def discriminator_loss(self, network, real, fake):
        """How far a discriminator is from telling real from fake, on a crop of its own."""
        real, fake = self.crops(self.random_start(), real, fake)
        return self.loss_of_discriminator(network, real, fake).total

    def losses(self, mixture, tracks, solos):
        """All that generator and encoder learn from, with the weighted sum as `total`."""
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
            latents = self.random_latents(solos.shape[0])
            made = self.generator(latents, training=True)
        if self.plays:
            terms["adversarial"] = self.generator_loss(made)
        if config.made_weight:
            heard = ops.sum(made, axis=1) + (0.0 if self.explains_all else solos[:, -1])
            # its statistics are those of mixtures
            found = self.encoder(ops.stop_gradient(heard), training=False)
            terms["made"] = ops.mean(ops.square(found - latents))
        return {
            "total": sum(getattr(config, f"{name}_weight") * term for name, term in terms.items()),
            **terms,
        }

    def searched(self, latents, mixture):
        """What the encoder says, moved to where a short search from there ends; the way is taken as
        given."""
        config = self.config
        if not config.taught_iterations:
            return latents
        objective = self.mixture_objective(mixture, self.generator)
        start = ops.stop_gradient(latents)
        found, _ = search(
            objective, start[:, None], iterations=config.taught_iterations, rate=config.search_rate
        )
        return latents + ops.stop_gradient(found - start)

    def generator_loss(self, made):
        """How far `made` is from being called real, averaged over sources."""
        start = self.random_start()
        losses = []
        for number, network in enumerate(self.discriminators.values()):
            (fake,) = self.crops(start, made[:, number])
            losses.append(self.adversarial_loss(network, fake))
        return sum(losses) / len(losses)

    def follow(self):
        """Move the running means of generator and encoder a little toward their weights."""
        decay = self.experiment.training.ema
        for name, network in self.shipped.items():
            if network is not getattr(self, name):
                update_average(
                    network, getattr(self, name), decay, averaged=lambda weight: weight.trainable
                )

    @property
    def shipped(self):
        return self._shipped
