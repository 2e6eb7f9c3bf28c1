"""What systems have in common: their players, how one of them takes a step, the log, and how what they learnt is used.

The plot of a system (who moves when, on which loss) stays in its own `train_step`. There are three kinds:

  SeparationSystem   a network takes a mixture apart in one pass: it ships as SavedModel and TFLite
  SearchingSystem    what it learnt is searched at test time, for each mixture anew
  SynthesisSystem    makes sounds from latents and separates nothing
"""

from collections.abc import Callable, Sequence

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from tfsepgan.config import Experiment, TrainingConfig, nearest
from tfsepgan.errors import ConfigError
from tfsepgan.losses.penalties import mix_at_random, slope_penalty
from tfsepgan.networks.bundle import first_sources
from tfsepgan.networks.table import build_generator
from tfsepgan.systems.schedule import adam
from tfsepgan.systems.statistics import batch_normalisations, normalises_what_weights_made

STATISTICS_EVERY = 4  # steps between the forward passes that this costs
STATISTICS_MOMENTUM = 0.98  # so the statistics of the running mean are those of about fifty batches


class System(keras.Model):
    """A model that is trained by players which each have an optimizer of their own.

    A subclass sets `losses_logged` and `hears`, makes its networks in `__init__`, names its players' networks in
    `players`, and writes `train_step`.

    Args:
      experiment: all settings.
    """

    kind = ""  # "generator", "search" or "synthesis": how what was learnt is stored and used
    losses_logged: Sequence[str] = ()
    hears: Sequence[str] = ("mixture", "sources")  # what of a batch it wants, see `data.pipeline.training_batches`
    generators: Sequence[str] = ("generator",)  # players that learn at `learning_rate`; the others are discriminators
    why_not_exported: str | None = None

    def __init__(self, experiment: Experiment):
        super().__init__(name=experiment.system)
        self.experiment, self.config = experiment, experiment.model
        self.sources = tuple(experiment.data.sources)
        keras.utils.set_random_seed(experiment.data.seed)
        self.trackers = {name: keras.metrics.Mean(name=name) for name in self.losses_logged}
        self.draws = keras.random.SeedGenerator(experiment.data.seed)
        self.optimizers: dict[str, keras.optimizers.Optimizer] = {}

    @property
    def players(self) -> dict[str, keras.Model]:
        """The network that each player trains."""
        raise NotImplementedError(f"{type(self).__name__} must name its players.")

    def moves(self, player: str) -> int:
        """How often a player moves in one step."""
        return 1

    def begin(self) -> None:
        """What is to be done once, before the first step of a new run, as loading other models that it builds on.

        Not in `__init__`: a resumed run and a trained model need nothing but their own folder.
        Raises: CheckpointError or ConfigError when they cannot be had or do not fit.
        """

    def finish_epoch(self) -> None:
        """What is to be done after an epoch's steps, before the system is judged and saved."""

    @property
    def metrics(self):
        """The losses that are logged, averaged over an epoch."""
        return list(self.trackers.values())

    def compile(self, training: TrainingConfig | None = None):
        """Make every player's optimizer, built, so that nothing of it is missing from a checkpoint."""
        training = training or self.experiment.training
        super().compile(jit_compile=False)
        for player, network in self.players.items():
            generates = player in self.generators
            peak = training.learning_rate if generates else training.discriminator_learning_rate
            optimizer = adam(training, peak, moves=self.moves(player))
            optimizer.build(network.trainable_variables)
            self.optimizers[player] = optimizer

    def watching(self, player: str) -> tf.GradientTape:
        """A tape that records what follows from one player's weights."""
        tape = tf.GradientTape(watch_accessed_variables=False)
        with tape:
            tape.watch([variable.value for variable in self.players[player].trainable_variables])
        return tape

    def descend(self, loss: Callable, inputs: tuple, *, player: str):
        """One step of one player down its loss.

        Args:
          loss: called with `inputs`; gives a scalar.
          player: whose weights move.
        Returns: the loss before the step.
        """
        with self.watching(player) as tape:
            value = loss(*inputs)
        self.move(player, value, tape)
        return value

    def move(self, player: str, loss, tape: tf.GradientTape):
        """Move one player's weights down a loss that was computed under its tape."""
        variables = self.players[player].trainable_variables
        gradients = tape.gradient(loss, [variable.value for variable in variables])
        self.optimizers[player].apply(gradients, variables)

    def input_gradient(self, network: Callable, waveform):
        """How the summed scores of a network change with what it hears, `[batch, time, channels]`."""
        with tf.GradientTape() as tape:
            tape.watch(waveform)
            scores = network(waveform)
            total = sum(ops.sum(ops.mean(ops.reshape(s, (ops.shape(s)[0], -1)), axis=1)) for s in scores)
        return tape.gradient(total, waveform) / len(scores)

    def gradient_penalty(self, critic: keras.Model, real, fake, penalty: Callable = slope_penalty):
        """Penalty on a critic's slope at random points between real and fake windows.

        Args:
          critic: a discriminator of `networks.table`.
          real, fake: `[batch, window, 1]`.
          penalty: of the gradient, a function of `losses.penalties`.
        Returns: scalar, without its weight.
        Source: Gulrajani et al. 2017, arXiv:1704.00028, algorithm 1.
        """
        position = keras.random.uniform((ops.shape(real)[0], 1, 1), seed=self.draws)
        between = mix_at_random(real, fake, position)
        return penalty(self.input_gradient(lambda x: critic(x, training=True)["scores"], between))

    def log(self, **losses) -> dict:
        """Add losses to the epoch's means and give the means.

        Raises: ConfigError for a loss that the system does not declare: a misspelt name would vanish.
        """
        for name, value in losses.items():
            if name not in self.trackers:
                raise ConfigError(f"{type(self).__name__} logs no loss {name!r}; {nearest(name, self.trackers)}")
            self.trackers[name].update_state(value)
        return {name: tracker.result() for name, tracker in self.trackers.items()}


class FollowedGenerator:
    """A generator and the running mean of its weights, which is what is judged and ships.

    The subclass sets `generator` and `ema_generator`, the same network where no mean is kept.
    """

    def _follow(self, new_generator: Callable[[], keras.Model]):
        """Make the generator, and its mean with the same weights."""
        self.generator = new_generator()
        self.ema_generator = new_generator() if self.experiment.training.ema else self.generator
        self.ema_generator.set_weights(self.generator.get_weights())
        self._statistics_of_the_mean: set[int] = set()
        if self.experiment.training.ema and normalises_what_weights_made(self.ema_generator):
            for norm in batch_normalisations(self.ema_generator):
                norm.momentum = STATISTICS_MOMENTUM
                self._statistics_of_the_mean |= {id(norm.moving_mean), id(norm.moving_variance)}

    def follow_generator(self, mixture=None):
        """Move the running mean of the generator's weights a little toward the weights.

        Moving statistics that depend on weights are those of the mean itself, from mixtures that it hears now and then; others are
        averaged as weights are. What is no number to average (the state of a seed) is copied.

        Args:
          mixture: `[batch, time, 1]` as the generator heard it; None for a network without batch normalisation.
        """
        decay = self.experiment.training.ema
        if not decay:
            return
        for mean, weight in zip(self.ema_generator.variables, self.generator.variables, strict=True):
            if id(mean) not in self._statistics_of_the_mean:
                averaged = keras.backend.is_float_dtype(weight.dtype)
                mean.assign(mean * decay + weight * (1.0 - decay) if averaged else weight)
        if self._statistics_of_the_mean:
            turn = self.optimizers["generator"].iterations % STATISTICS_EVERY == 0
            tf.cond(turn, lambda: self._hear(mixture), lambda: False)

    def _hear(self, mixture) -> bool:
        self.ema_generator(mixture, training=True)
        return True


class SeparationSystem(FollowedGenerator, System):
    """A system whose generator takes a mixture apart in one pass.

    `generator` is what learns; `ema_generator` is the running mean of its weights, or itself; `shipped` gives the
    sources of the latter, and is what validates, separates and is exported.
    """

    kind = "generator"
    models_rest = False  # True: one output more, the rest of a mixture that has others, which does not ship

    def __init__(self, experiment: Experiment):
        super().__init__(experiment)
        self._follow(self._new_generator)
        count = len(self.sources)
        self.shipped = first_sources(self.ema_generator, count) if self.outputs > count else self.ema_generator

    @property
    def outputs(self) -> int:
        """Outputs of the generator: one for each source, and one for the rest where there is any and it is modelled."""
        return len(self.sources) + (self.models_rest and self.experiment.data.has_others)

    def _new_generator(self) -> keras.Model:
        rate = self.experiment.data.sample_rate_hz
        return build_generator(self.config.generator, sources=self.outputs, sample_rate_hz=rate)

    def call(self, mixture, training=False):
        """Separate: `[batch, time, channels]` -> `[batch, sources, time, channels]`; each channel by itself."""
        channels = mixture.shape[-1]
        alone = [self.shipped(mixture[..., c : c + 1], training=training) for c in range(channels)]
        return ops.concatenate(alone, axis=-1)


class SearchingSystem(System):
    """A system that separates by searching what it learnt, for each mixture anew.

    It sets `why_not_exported`, and gives `hop`, `context`, `shipped` and `separate`.
    """

    kind = "search"

    @property
    def hop(self) -> int:
        """Samples; moving the mixture by it moves the estimates by it."""
        raise NotImplementedError(f"{type(self).__name__} must name its hop.")

    @property
    def context(self) -> int:
        """Samples either side of a sample of the estimates that it depends on."""
        raise NotImplementedError(f"{type(self).__name__} must name its context.")

    @property
    def shipped(self) -> dict[str, keras.Model]:
        """Networks whose weights are all that separation needs, by name."""
        raise NotImplementedError(f"{type(self).__name__} must name what separation needs.")

    def separate(self, mixture: np.ndarray) -> np.ndarray:
        """Search: `[batch, time, 1]` float32 -> `[batch, sources, time, 1]`, the same whatever else is in the batch."""
        raise NotImplementedError(f"{type(self).__name__} must separate.")

    def call(self, mixture, training=False):
        """Separate: `[batch, time, channels]` -> `[batch, sources, time, channels]`; each channel by itself."""
        mixture = np.asarray(mixture, np.float32)
        alone = [self.separate(mixture[..., c : c + 1]) for c in range(mixture.shape[-1])]
        return ops.convert_to_tensor(np.concatenate(alone, axis=-1))


class SynthesisSystem(FollowedGenerator, System):
    """A system whose generator makes sounds from latents, `[batch, latent]` -> `[batch, time, 1]`."""

    kind = "synthesis"

    @property
    def shipped(self) -> dict[str, keras.Model]:
        """The running mean of the generator."""
        return {"generator": self.ema_generator}

    def generate(self, count: int, *, seed: int) -> np.ndarray:
        """Make sounds, `[count, time, 1]` float32; the same seed makes the same ones."""
        raise NotImplementedError(f"{type(self).__name__} must generate.")
