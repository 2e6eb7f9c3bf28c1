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
import numpy as np
import tensorflow as tf
from keras import ops

from tfsepgan.config import Experiment
from tfsepgan.dsp.measurements import back_projection
from tfsepgan.errors import ConfigError, ShapeError
from tfsepgan.layers.filterbank import Analysis, Synthesis
from tfsepgan.losses import recovery
from tfsepgan.losses.adversarial import fake_loss, generator_loss, real_loss
from tfsepgan.losses.reconstruction import l1
from tfsepgan.networks.encoder import inference_encoder, oscillator_generator
from tfsepgan.networks.table import build_discriminator
from tfsepgan.networks.wavegan import wavegan_generator
from tfsepgan.systems.base import SearchingSystem, SynthesisSystem
from tfsepgan.systems.crops import crops, gain_to_level, random_start
from tfsepgan.systems.latent_search import in_windows, search


class CompressedSensing(SearchingSystem):
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
        self.crop_length = min(data.window, config.discriminator.window or data.window)
        self.critics = {}
        if self.plays:
            self.critics = {
                f"discriminator_{name}": build_discriminator(
                    config.discriminator, window=self.crop_length, seed=data.seed + k
                )
                for k, name in enumerate(self.sources)
            }
        self.analysis = Analysis(config.frame, config.hop, config.frame // 2 + 1)
        self.synthesis = Synthesis(config.frame, config.hop)
        drawn = np.random.default_rng(data.seed).uniform(
            -1, 1, (config.restarts, self.tracks, config.generator.latent)
        )
        self.random_starts = drawn.astype(np.float32)
        self._solve = tf.function(self.solve)
        self._find = tf.function(self.find)

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
            **self.critics,
            **{name: network for name, network in learning.items() if network.trainable_variables},
        }

    def steps_per_batch(self, player):
        return self.config.discriminator_steps if player in self.critics else 1

    def train_step(self, batch):
        mixture, tracks = self.at_one_level(
            batch["mixture"], self.with_rest(batch["mixture"], batch["sources"])
        )
        share = max(1, round(self.config.adversarial_share * mixture.shape[0]))
        solos = batch["solo"][:share]
        _, solos = self.at_one_level(ops.sum(solos, axis=1), solos)
        for _ in range(self.config.discriminator_steps):
            for number, critic in enumerate(self.critics):
                fake = ops.stop_gradient(
                    self.generator(self.random_latents(share), training=True)[:, number]
                )
                loss = self.minimize(
                    self.critic_loss, (critic, solos[:, number], fake), player=critic
                )
                self.log(discriminator=loss)
        with tf.GradientTape(watch_accessed_variables=False, persistent=True) as tape:
            learners = [player for player in self.players if player not in self.critics]
            tape.watch(
                [v.value for player in learners for v in self.players[player].trainable_variables]
            )
            losses = self.losses(mixture, tracks, solos)
            total, adversarial = (
                losses["total"],
                self.config.adversarial_weight * losses.get("adversarial", 0.0),
            )
        taught = total if self.config.teach_generator else adversarial
        for player in learners:
            self.apply_gradients(player, taught if player == "generator" else total, tape)
        self.follow()
        return self.log(**losses)

    def with_rest(self, mixture, sources):
        """The tracks that have a generator: the sources, and what they leave of the mixture where
        that is modelled."""
        if self.tracks == len(self.sources):
            return sources
        return ops.concatenate(
            [sources, mixture[:, None] - ops.sum(sources, axis=1, keepdims=True)], axis=1
        )

    def at_one_level(self, mixture, tracks):
        """Mixtures and what they are made of, at the level of the settings."""
        gain = gain_to_level(mixture, self.config.level_dbfs)
        return gain * mixture, gain[:, None] * tracks

    def random_latents(self, count: int):
        """Latents as a generator is trained on, `[count, tracks, latent]`, uniform in [-1, 1]."""
        return keras.random.uniform(
            (count, self.tracks, self.config.generator.latent), -1.0, 1.0, seed=self.draws
        )

    def critic_loss(self, critic, real, fake):
        """A source alone is real, what its generator makes of random latents is fake."""
        config, network = self.config, self.critics[critic]
        start = random_start(self.experiment.data.window, self.crop_length, self.draws)
        real, fake = crops(start, self.crop_length, real, fake)
        scores = network(ops.concatenate([real, fake]), training=True)["scores"]
        loss = real_loss(config.objective, [score[: real.shape[0]] for score in scores])
        loss += fake_loss(config.objective, [score[real.shape[0] :] for score in scores])
        if config.objective == "wgan-gp":
            loss += config.penalty_weight * self.gradient_penalty(network, real, fake)
        return loss

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
            terms["adversarial"] = self.adversarial_loss(made)
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

    def adversarial_loss(self, made):
        """How far each source's critic is from calling `made` real, averaged over sources."""
        start = random_start(self.experiment.data.window, self.crop_length, self.draws)
        losses = []
        for number, network in enumerate(self.critics.values()):
            (fake,) = crops(start, self.crop_length, made[:, number])
            losses.append(
                generator_loss(self.config.objective, network(fake, training=True)["scores"])
            )
        return sum(losses) / len(losses)

    def distance(self, tracks, made):
        """How far what was made is from the tracks, `[batch]`."""
        if self.config.distance == "waveform":
            return recovery.squared_error(tracks, made)
        return recovery.loudness_distance(self.power(tracks), self.power(made))

    def power(self, windows):
        """Power of each bin, `[..., frames, bins]`."""
        return recovery.spectral_power(windows, self.config.frame, self.config.hop)

    def estimates(self, mixture, made):
        """What found sounds become, `[batch, sources, window, 1]`: they themselves, or their share
        of the mixture."""
        made_of_sources = made[:, : len(self.sources)]
        if self.config.estimate == "waveform":
            return made_of_sources
        whole = None if self.explains_all else self.power(mixture)
        masks = recovery.shares(self.power(made), whole)
        spectrum = self.analysis(mixture)
        heard = [
            self.synthesis(spectrum * ops.tile(masks[:, k], (1, 1, 2)))
            for k in range(len(self.sources))
        ]
        return ops.stack(heard, axis=1)

    def follow(self):
        """Move the running means of generator and encoder a little toward their weights."""
        decay = self.experiment.training.ema
        for name, network in self.shipped.items():
            learning = getattr(self, name)
            if network is not learning:
                for mean, weight in zip(network.variables, learning.variables, strict=True):
                    mean.assign(
                        mean * decay + weight * (1.0 - decay) if weight.trainable else weight
                    )

    @property
    def shipped(self):
        return self._shipped

    @property
    def hop(self):
        return self.experiment.data.window // 2

    @property
    def context(self):
        return self.experiment.data.window

    def starts(self, encoded, *, encoder_start: bool):
        """Where the searches of each window start, `[windows, restarts, tracks, latent]`: at what
        the encoder says, then at random."""
        count, tracks = ops.shape(encoded)[0], encoded.shape[1]
        drawn = ops.broadcast_to(
            self.random_starts[:, :tracks], (count, *self.random_starts[:, :tracks].shape)
        )
        return ops.concatenate([encoded[:, None], drawn[:, 1:]], axis=1) if encoder_start else drawn

    def solve(self, windows):
        """Search windows of a mixture: `[windows, window, 1]` -> `[windows, sources, window, 1]`."""
        config, shipped = self.config, self.shipped
        gain = gain_to_level(windows, config.level_dbfs)
        mixture = gain * windows
        encoded = shipped["encoder"](mixture, training=False)
        starts = self.starts(encoded, encoder_start=config.encoder_start)
        objective = self.mixture_objective(
            ops.repeat(mixture, starts.shape[1], axis=0), shipped["generator"]
        )
        found, _ = search(objective, starts, iterations=config.iterations, rate=config.search_rate)
        made = shipped["generator"](found, training=False)
        return self.estimates(mixture, made) / gain[:, None]

    def mixture_objective(self, mixture, generator):
        """What latents of a mixture are judged by: how far the sum of what they make is from it,
        and how long they are."""
        config = self.config
        heard = mixture if config.distance == "waveform" else self.power(mixture)

        def objective(latents):
            made = generator(latents, training=False)
            if config.distance == "waveform":
                far = recovery.squared_error(heard, ops.sum(made, axis=1))
            else:
                whole = ops.sum(self.power(made), axis=1)
                far = recovery.loudness_distance(
                    heard, whole, unexplained_weight=config.unexplained_weight
                )
            return far + config.latent_weight * recovery.latent_energy(latents)

        return objective

    def separate(self, mixture):
        """Search every window of mixtures, half a window apart, and let the estimates fade into
        each other.

        Args:
          mixture: `[batch, time, 1]` float32.
        Returns: `[batch, sources, time, 1]`.
        """
        return in_windows(
            self._solve, mixture, window=self.experiment.data.window, outputs=len(self.sources)
        )

    def recover(self, measurements, matrix, *, encoder_start: bool | None = None):
        """Find windows of the first source by linear measurements of them.

        The encoder hears the measurements' back-projection. Nothing is levelled: windows are at the
        level of the settings.

        Args:
          measurements: `[batch, m]`, see `dsp.measurements.measure`.
          matrix: `[m, window]`.
          encoder_start: as the setting of that name, which it is by default.
        Returns: the windows, `[batch, window]`, and the objective |A G(z) - y|^2 + lambda |z|^2 of
          each, `[batch]`.
        Raises: ShapeError when the matrix does not fit the measurements or the window.
        """
        measurements, matrix = np.asarray(measurements, np.float32), np.asarray(matrix, np.float32)
        window = self.experiment.data.window
        if measurements.ndim != 2 or matrix.shape != (measurements.shape[-1], window):
            raise ShapeError(
                f"got measurements of shape {list(measurements.shape)} by a matrix of shape"
                f" {list(matrix.shape)}; wanted [batch, m] by [m, {window}], the window of this"
                " model"
            )
        guess = back_projection(measurements, matrix)[..., None]
        at_encoder = self.config.encoder_start if encoder_start is None else encoder_start
        made, least = self._find(
            tf.constant(measurements), tf.constant(matrix), tf.constant(guess), at_encoder
        )
        return made.numpy()[..., 0], least.numpy()

    def find(self, measurements, matrix, guess, encoder_start: bool):
        """Search by measurements; see `recover`."""
        config, shipped = self.config, self.shipped
        maker = shipped["generator"].get_layer("maker0")
        encoded = shipped["encoder"](guess, training=False)[:, :1]
        starts = self.starts(encoded, encoder_start=encoder_start)[:, :, 0]
        heard = ops.repeat(measurements, starts.shape[1], axis=0)

        def objective(latents):
            far = recovery.measured_error(heard, matrix, maker(latents, training=False))
            return far + config.latent_weight * recovery.latent_energy(latents)

        found, least = search(
            objective, starts, iterations=config.iterations, rate=config.search_rate
        )
        return maker(found, training=False), least
