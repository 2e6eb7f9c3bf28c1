"""What every separation system has in common: its players, how one of them takes a step, and the log.

The plot of a system (who moves when, on which loss) stays in its own `train_step`.
"""

from collections.abc import Callable, Sequence

import keras
import tensorflow as tf
from keras import ops

from tfsepgan.config import Experiment, TrainingConfig, nearest
from tfsepgan.errors import ConfigError
from tfsepgan.networks.table import build_generator
from tfsepgan.systems.schedule import learning_rate


class SeparationSystem(keras.Model):
    """A model that takes mixtures apart, trained by players that each have an optimizer of their own.

    A subclass sets `losses_logged`, makes its networks in `__init__`, names its players' networks in `players`, and writes
    `train_step`. `generator` is what separates and ships; `ema_generator` is the running mean of its weights, or itself.

    Args:
      experiment: all settings.
    """

    losses_logged: Sequence[str] = ()

    def __init__(self, experiment: Experiment):
        super().__init__(name=experiment.system)
        self.experiment, self.config = experiment, experiment.model
        self.sources = tuple(experiment.data.sources)
        keras.utils.set_random_seed(experiment.data.seed)
        self.generator = self._new_generator()
        self.ema_generator = self._new_generator() if experiment.training.ema else self.generator
        self.ema_generator.set_weights(self.generator.get_weights())
        self.trackers = {name: keras.metrics.Mean(name=name) for name in self.losses_logged}
        self.draws = keras.random.SeedGenerator(experiment.data.seed)
        self.optimizers: dict[str, keras.optimizers.Optimizer] = {}

    def _new_generator(self) -> keras.Model:
        return build_generator(
            self.config.generator,
            sources=len(self.sources),
            sample_rate_hz=self.experiment.data.sample_rate_hz,
        )

    @property
    def players(self) -> dict[str, keras.Model]:
        """The network that each player trains."""
        raise NotImplementedError(f"{type(self).__name__} must name its players.")

    def moves(self, player: str) -> int:
        """How often a player moves in one step."""
        return 1

    @property
    def metrics(self):
        """The losses that are logged, averaged over an epoch."""
        return list(self.trackers.values())

    def compile(self, training: TrainingConfig | None = None):
        """Make every player's optimizer, built, so that nothing of it is missing from a checkpoint."""
        training = training or self.experiment.training
        super().compile(jit_compile=False)
        rates = {"generator": training.learning_rate}
        for player, network in self.players.items():
            peak = rates.get(player, training.discriminator_learning_rate)
            optimizer = keras.optimizers.Adam(
                learning_rate=learning_rate(training, peak, moves=self.moves(player)),
                beta_1=training.betas[0],
                beta_2=training.betas[1],
                global_clipnorm=training.clip_norm,
            )
            optimizer.build(network.trainable_variables)
            self.optimizers[player] = optimizer

    def call(self, mixture, training=False):
        """Separate: `[batch, time, channels]` -> `[batch, sources, time, channels]`; each channel by itself."""
        channels = mixture.shape[-1]
        alone = [self.ema_generator(mixture[..., c : c + 1], training=training) for c in range(channels)]
        return ops.concatenate(alone, axis=-1)

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

    def follow_generator(self):
        """Move the running mean of the generator's weights a little toward the weights."""
        decay = self.experiment.training.ema
        if not decay:
            return
        for mean, weight in zip(self.ema_generator.variables, self.generator.variables, strict=True):
            mean.assign(mean * decay + weight * (1.0 - decay) if weight.trainable else weight)

    def log(self, **losses) -> dict:
        """Add losses to the epoch's means and give the means.

        Raises: ConfigError for a loss that the system does not declare: a misspelt name would vanish.
        """
        for name, value in losses.items():
            if name not in self.trackers:
                raise ConfigError(f"{type(self).__name__} logs no loss {name!r}; {nearest(name, self.trackers)}")
            self.trackers[name].update_state(value)
        return {name: tracker.result() for name, tracker in self.trackers.items()}
