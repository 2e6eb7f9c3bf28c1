"""The base classes of systems: players, optimizer steps, the log, and use of a trained system.

Which player steps when, and on which loss, is in each system's own `train_step`. There are three
kinds:

  SeparationSystem   one pass of a network separates a mixture; exported as SavedModel and TFLite
  SearchingSystem    separates by a search at test time, for each mixture
  SynthesisSystem    makes sounds from latents and does not separate
"""

import functools
from collections.abc import Callable, Sequence

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from tfsepgan.config import Experiment, TrainingConfig, nearest
from tfsepgan.errors import ConfigError
from tfsepgan.networks.table import build_generator, first_sources
from tfsepgan.systems.adversary import update_average
from tfsepgan.systems.learning_rate import adam
from tfsepgan.systems.statistics import (
    batch_normalisations,
    normalises_weighted_outputs,
    statistics_kept,
)
from tfsepgan.systems.steps import Steps

STATISTICS_EVERY = 4  # steps; each update costs one forward pass
STATISTICS_MOMENTUM = 0.98  # averages over about fifty batches


class System(Steps, keras.Model):
    """A model with several players; each is trained by its own optimizer.

    A subclass sets `losses_logged` and `batch_keys`, makes its networks in `__init__`, gives the
    network of each player in `players`, and writes `train_step`.

    Args:
      experiment: all settings.
    """

    kind = ""  # "generator", "search" or "synthesis": how the networks are stored and used
    losses_logged: Sequence[str] = ()
    # keys of a batch that the system needs, see `data.pipeline.training_batches`
    batch_keys: Sequence[str] = ("mixture", "sources")
    # players trained at `learning_rate`; all others at `discriminator_learning_rate`
    generators: Sequence[str] = ("generator",)
    why_not_exported: str | None = None
    why_not_in_parts: str | None = None  # why a batch cannot be computed in parts
    why_not_on_devices: str | None = None  # why it cannot be divided over devices

    def __init__(self, experiment: Experiment):
        super().__init__(name=experiment.system)
        self.experiment, self.config = experiment, experiment.model
        self.sources = tuple(experiment.data.sources)
        self._set_parts(experiment)
        keras.utils.set_random_seed(experiment.data.seed)
        self.trackers = {name: keras.metrics.Mean(name=name) for name in self.losses_logged}
        self.draws = keras.random.SeedGenerator(experiment.data.seed)
        self.optimizers: dict[str, keras.optimizers.Optimizer] = {}

    @property
    def players(self) -> dict[str, keras.Model]:
        """The network that each player trains."""
        raise NotImplementedError(f"{type(self).__name__} must define players.")

    def steps_per_batch(self, player: str) -> int:
        """How often a player steps on each batch."""
        return 1

    def begin(self, load: Callable[[str], "System"]) -> None:
        """Prepare a new run before its first step, for example load the models that it starts from.

        A resumed run and a trained model need only their own folder, so this is not done in
        `__init__`.

        Args:
          load: gives the trained system of a name or path (`models.saved.load_trained`).
        Raises: CheckpointError or ConfigError when a model cannot be loaded or does not fit.
        """

    def finish_epoch(self) -> None:
        """Finish an epoch, before the system is validated and saved."""

    @property
    def metrics(self):
        """The logged losses, averaged over an epoch."""
        return list(self.trackers.values())

    def compile(self, training: TrainingConfig | None = None):
        """Make and build the optimizer of each player; a checkpoint then has all its variables."""
        training = training or self.experiment.training
        super().compile(jit_compile=False)
        if self.replicas > 1:
            for network in self.networks_trained():
                for norm in batch_normalisations(network):
                    norm.synchronized = True  # statistics of the whole batch
            self.train_step = functools.partial(self.step_of_replica, type(self).train_step)
        for player, network in self.players.items():
            generates = player in self.generators
            peak = training.learning_rate if generates else training.discriminator_learning_rate
            optimizer = adam(training, peak, steps_per_batch=self.steps_per_batch(player))
            optimizer.build(network.trainable_variables)
            self.optimizers[player] = optimizer

    def networks_trained(self) -> list[keras.Model]:
        """The networks that a train step calls with `training=True`."""
        return list(self.players.values())

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        """Nothing: everything is built in `__init__` and `compile`.

        Keras would try to build the model from a batch, and fails with a distribution strategy
        (keras issue 20585).
        """

    def weighted_sum(self, losses: dict):
        """The sum of losses, each times the setting `NAME_weight`."""
        return sum(getattr(self.config, f"{name}_weight") * loss for name, loss in losses.items())

    def log(self, **losses) -> dict:
        """Add losses to the means of the epoch.

        Returns: the means, by name.
        Raises: ConfigError for a name that is not in `losses_logged`.
        """
        for name, value in losses.items():
            if name not in self.trackers:
                raise ConfigError(
                    f"{type(self).__name__} logs no loss {name!r}; {nearest(name, self.trackers)}"
                )
            self.trackers[name].update_state(value)
        return {name: tracker.result() for name, tracker in self.trackers.items()}


class AveragedGenerator:
    """A generator and the running mean of its weights, which is validated and exported.

    `_make_averaged` sets `generator` and `ema_generator`: one network where no mean is kept.
    """

    def _make_averaged(self, new_generator: Callable[[], keras.Model]):
        """Make the generator and, with `ema`, a second network for the mean."""
        self.generator = new_generator()
        self.ema_generator = new_generator() if self.experiment.training.ema else self.generator
        self.ema_generator.set_weights(self.generator.get_weights())
        self._statistics_of_the_mean: set[int] = set()
        if self.experiment.training.ema and normalises_weighted_outputs(self.ema_generator):
            for norm in batch_normalisations(self.ema_generator):
                norm.momentum = STATISTICS_MOMENTUM
                self._statistics_of_the_mean |= {id(norm.moving_mean), id(norm.moving_variance)}

    def update_average(self, mixture=None):
        """Update the running mean of the generator's weights.

        Batch normalisation after a layer with weights needs moving statistics of the mean network
        itself: they come from a forward pass every few steps. All other moving statistics are
        averaged as weights are. Integers, such as the state of a seed, are copied.

        Args:
          mixture: `[batch, time, 1]`, the generator's input; None for a network without batch
            normalisation.
        """
        decay = self.experiment.training.ema
        if not decay:
            return
        update_average(
            self.ema_generator,
            self.generator,
            decay,
            averaged=lambda weight: keras.backend.is_float_dtype(weight.dtype),
            skipped=self._statistics_of_the_mean,
        )
        if self._statistics_of_the_mean:
            turn = self.optimizers["generator"].iterations % STATISTICS_EVERY == 0
            if self.replicas > 1:  # devices cannot meet inside a condition
                self._update_statistics(mixture, turn)
            else:
                tf.cond(turn, lambda: self._update_statistics(mixture), lambda: False)

    def _update_statistics(self, mixture, turn=True) -> bool:
        with statistics_kept(self.ema_generator, unless=turn):
            self.ema_generator(mixture, training=True)
        return True

    def networks_trained(self):
        return [*super().networks_trained(), self.ema_generator]


class SeparationSystem(AveragedGenerator, System):
    """A system whose generator separates a mixture in one pass.

    `generator` is trained; `ema_generator` is the running mean of its weights, or the generator
    itself. `shipped` has the outputs of `ema_generator` that are sources: it is validated,
    separates and is exported.
    """

    kind = "generator"
    # True: the generator has one more output, for the others; it is not exported
    models_others = False

    def __init__(self, experiment: Experiment):
        super().__init__(experiment)
        self._make_averaged(self._new_generator)
        count = len(self.sources)
        self.shipped = first_sources(self.ema_generator, count)

    @property
    def outputs(self) -> int:
        """Outputs of the generator: one for each source, and with `models_others` one for others.

        Without others in the data there is no output for them.
        """
        return len(self.sources) + (self.models_others and self.experiment.data.has_others)

    def _new_generator(self) -> keras.Model:
        rate = self.experiment.data.sample_rate_hz
        return build_generator(self.config.generator, sources=self.outputs, sample_rate_hz=rate)

    def call(self, mixture, training=False):
        """Separate `[batch, time, channels]` into `[batch, sources, time, channels]`.

        Each channel is separated by itself.
        """
        channels = mixture.shape[-1]
        alone = [self.shipped(mixture[..., c : c + 1], training=training) for c in range(channels)]
        return ops.concatenate(alone, axis=-1)


class SearchingSystem(System):
    """A system that separates by a search at test time, for each mixture.

    A subclass sets `why_not_exported` and defines `hop`, `context`, `shipped` and `separate`.
    """

    kind = "search"

    @property
    def hop(self) -> int:
        """Samples. Estimates shift with the mixture, in steps of `hop` samples."""
        raise NotImplementedError(f"{type(self).__name__} must define hop.")

    @property
    def context(self) -> int:
        """Samples of the mixture on either side that a sample of an estimate depends on."""
        raise NotImplementedError(f"{type(self).__name__} must define context.")

    @property
    def shipped(self) -> dict[str, keras.Model]:
        """The networks that separation needs, by name."""
        raise NotImplementedError(f"{type(self).__name__} must define shipped.")

    def separate(self, mixture: np.ndarray) -> np.ndarray:
        """Search: `[batch, time, 1]` float32 -> `[batch, sources, time, 1]`.

        An estimate does not depend on the other mixtures of the batch.
        """
        raise NotImplementedError(f"{type(self).__name__} must define separate.")

    def call(self, mixture, training=False):
        """Separate `[batch, time, channels]` into `[batch, sources, time, channels]`.

        Each channel is separated by itself.
        """
        mixture = np.asarray(mixture, np.float32)
        alone = [self.separate(mixture[..., c : c + 1]) for c in range(mixture.shape[-1])]
        return ops.convert_to_tensor(np.concatenate(alone, axis=-1))


class SynthesisSystem(AveragedGenerator, System):
    """A system whose generator makes sounds: latents `[batch, latent]` -> `[batch, time, 1]`."""

    kind = "synthesis"

    @property
    def shipped(self) -> dict[str, keras.Model]:
        """The running mean of the generator."""
        return {"generator": self.ema_generator}

    def generate(self, count: int, *, seed: int) -> np.ndarray:
        """Make sounds, `[count, time, 1]` float32; the same seed gives the same sounds."""
        raise NotImplementedError(f"{type(self).__name__} must define generate.")
