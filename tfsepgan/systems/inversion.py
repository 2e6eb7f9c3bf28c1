"""Inversion of a generator: find the latents whose sounds explain a mixture, or measurements.

Source: Bora, Jalal, Price & Dimakis 2017, arXiv:1703.03208. `compressed_sensing.py` trains the
networks and lists where this departs from the source.
"""

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from tfsepgan.dsp.measurements import back_projection
from tfsepgan.errors import ShapeError
from tfsepgan.layers.filterbank import Analysis, Synthesis
from tfsepgan.losses import recovery
from tfsepgan.networks.encoder import inference_encoder, oscillator_generator
from tfsepgan.networks.wavegan import wavegan_generator
from tfsepgan.systems.base import SearchingSystem
from tfsepgan.systems.crops import gain_to_level
from tfsepgan.systems.latent_search import in_windows, search


class GeneratorInversion(SearchingSystem):
    """Generators of tracks, an encoder that estimates their latents, and the search from there.

    A track is a source or, with `models_rest`, the sum of the others. A subclass sets `tracks`,
    `explains_all` and `shipped` (`generator` and `encoder`), then calls `_make_search`.
    """

    tracks: int  # their number
    explains_all: bool  # whether they add up to the whole mixture

    def _make_search(self):
        config, data = self.config, self.experiment.data
        self.analysis = Analysis(config.frame, config.hop, config.frame // 2 + 1)
        self.synthesis = Synthesis(config.frame, config.hop)
        shape = (config.restarts, self.tracks, config.generator.latent)
        drawn = np.random.default_rng(data.seed).uniform(-1, 1, shape)
        self.random_starts = drawn.astype(np.float32)
        self._solve = tf.function(self.solve)
        self._find = tf.function(self.find)

    @property
    def _frames(self) -> dict[str, int]:
        """Samples of a window, of a frame and between frames."""
        window, config = self.experiment.data.window, self.config
        return {"window": window, "frame": config.frame, "hop": config.hop}

    def _new_encoder(self) -> keras.Model:
        sizes = {"tracks": self.tracks, "latent": self.config.generator.latent}
        return inference_encoder(self.config.encoder, **self._frames, **sizes)

    def _new_generator(self) -> keras.Model:
        """All generators in one: `[batch, tracks, latent]` -> `[batch, tracks, window, 1]`."""
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
            drawn = {"latent": config.generator.latent, "seed": data.seed}
            maker = oscillator_generator(config.oscillators, **self._frames, **drawn)
        maker.name = f"maker{track}"
        return maker

    @property
    def hop(self):
        return self.experiment.data.window // 2

    @property
    def context(self):
        return self.experiment.data.window

    def starts(self, encoded, *, encoder_start: bool):
        """Starts of the searches of all windows, `[windows, restarts, tracks, latent]`.

        With `encoder_start` the first is the encoder's output; all others are random.
        """
        drawn = self.random_starts[:, : encoded.shape[1]]
        drawn = ops.broadcast_to(drawn, (ops.shape(encoded)[0], *drawn.shape))
        return ops.concatenate([encoded[:, None], drawn[:, 1:]], axis=1) if encoder_start else drawn

    def solve(self, windows):
        """Estimates of windows: `[windows, window, 1]` -> `[windows, sources, window, 1]`."""
        config, shipped = self.config, self.shipped
        gain = gain_to_level(windows, config.level_dbfs)
        mixture = gain * windows
        encoded = shipped["encoder"](mixture, training=False)
        starts = self.starts(encoded, encoder_start=config.encoder_start)
        repeated = ops.repeat(mixture, starts.shape[1], axis=0)
        objective = self.mixture_objective(repeated, shipped["generator"])
        found, _ = search(objective, starts, iterations=config.iterations, rate=config.search_rate)
        made = shipped["generator"](found, training=False)
        return self.estimates(mixture, made) / gain[:, None]

    def mixture_objective(self, mixture, generator):
        """The objective of a mixture's latents: distance of the sounds' sum, and latent energy.

        Args:
          mixture: `[batch, window, 1]`.
          generator: `[batch, tracks, latent]` -> `[batch, tracks, window, 1]`.
        Returns: a function of latents, which gives `[batch]`.
        """
        config = self.config
        target = mixture if config.distance == "waveform" else self.power(mixture)

        def objective(latents):
            made = generator(latents, training=False)
            if config.distance == "waveform":
                far = recovery.squared_error(target, ops.sum(made, axis=1))
            else:
                whole = ops.sum(self.power(made), axis=1)
                far = recovery.loudness_distance(
                    target, whole, unexplained_weight=config.unexplained_weight
                )
            return far + config.latent_weight * recovery.latent_energy(latents)

        return objective

    def separate(self, mixture):
        """Search overlapping windows of mixtures and cross-fade the estimates.

        Args:
          mixture: `[batch, time, 1]` float32.
        Returns: `[batch, sources, time, 1]`.
        """
        window = self.experiment.data.window
        return in_windows(self._solve, mixture, window=window, outputs=len(self.sources))

    def recover(self, measurements, matrix, *, encoder_start: bool | None = None):
        """Recover windows of the first source from linear measurements of them.

        The encoder's input is the measurements' back-projection. Nothing is brought to a level:
        windows must be at the level of the settings.

        Args:
          measurements: `[batch, m]`, see `dsp.measurements.measure`.
          matrix: `[m, window]`.
          encoder_start: as the setting of that name; None: the setting.
        Returns: the windows, `[batch, window]`, and the objective |A G(z) - y|^2 + lambda |z|^2 of
          each, `[batch]`.
        Raises: ShapeError when the matrix does not fit the measurements or the window.
        """
        measurements, matrix = np.asarray(measurements, np.float32), np.asarray(matrix, np.float32)
        window = self.experiment.data.window
        if measurements.ndim != 2 or matrix.shape != (measurements.shape[-1], window):
            raise ShapeError(
                f"Got measurements of shape {list(measurements.shape)} by a matrix of shape"
                f" {list(matrix.shape)}; they must be [batch, m] by [m, {window}], the window of"
                " this model."
            )
        guess = back_projection(measurements, matrix)[..., None]
        at_encoder = self.config.encoder_start if encoder_start is None else encoder_start
        given = (tf.constant(array) for array in (measurements, matrix, guess))
        made, least = self._find(*given, at_encoder)
        return made.numpy()[..., 0], least.numpy()

    def find(self, measurements, matrix, guess, encoder_start: bool):
        """The search of `recover`, as one graph."""
        config, shipped = self.config, self.shipped
        maker = shipped["generator"].get_layer("maker0")
        encoded = shipped["encoder"](guess, training=False)[:, :1]
        starts = self.starts(encoded, encoder_start=encoder_start)[:, :, 0]
        repeated = ops.repeat(measurements, starts.shape[1], axis=0)

        def objective(latents):
            far = recovery.measured_error(repeated, matrix, maker(latents, training=False))
            return far + config.latent_weight * recovery.latent_energy(latents)

        found, least = search(
            objective, starts, iterations=config.iterations, rate=config.search_rate
        )
        return maker(found, training=False), least

    def distance(self, tracks, made):
        """Distance of generated sounds from the tracks, `[batch]`."""
        if self.config.distance == "waveform":
            return recovery.squared_error(tracks, made)
        return recovery.loudness_distance(self.power(tracks), self.power(made))

    def power(self, windows):
        """Power of each bin of windows, `[..., frames, bins]`."""
        return recovery.spectral_power(windows, self.config.frame, self.config.hop)

    def estimates(self, mixture, made):
        """Estimates of a mixture's sources, `[batch, sources, window, 1]`.

        They are the generated sounds, or with estimate 'mask' their share of the mixture.
        """
        made_of_sources = made[:, : len(self.sources)]
        if self.config.estimate == "waveform":
            return made_of_sources
        whole = None if self.explains_all else self.power(mixture)
        masks = recovery.shares(self.power(made), whole)
        spectrum = self.analysis(mixture)
        gains = [ops.tile(masks[:, k], (1, 1, 2)) for k in range(len(self.sources))]
        return ops.stack([self.synthesis(spectrum * gain) for gain in gains], axis=1)
