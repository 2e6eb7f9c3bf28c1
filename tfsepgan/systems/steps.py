"""One optimizer step of the players of a system, on a batch that can be computed in parts.

With `accumulate` N, a batch is computed in N parts, one after the other, so that the activations
of one part are in memory at a time. A step applies the mean of the gradients of all parts, which
is the gradient of the whole batch.

A discriminator often steps between the generator's estimate and the generator's own step. Without
parts, both use one pass of the generator. With parts, the discriminator needs the estimates of all
parts first, and the activations behind them are not kept: the generator computes them again.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence

import keras
import tensorflow as tf
from keras import ops

from tfsepgan.errors import ConfigError
from tfsepgan.layers.batch_parts import joined, part_of, part_of_batch
from tfsepgan.layers.phase_shuffle import PhaseShuffle
from tfsepgan.systems.statistics import statistics_kept


class Steps:
    """The optimizer steps of a `System`, which has `players`, `optimizers` and `draws`."""

    accumulate = 1  # parts of a batch
    replicas = 1  # devices that compute the same step, each on its part of the batch

    def _set_parts(self, experiment) -> None:
        self.accumulate = experiment.training.accumulate
        self.replicas = tf.distribute.get_strategy().num_replicas_in_sync
        if self.accumulate > 1 and self.why_not_in_parts:
            raise ConfigError(
                f"accumulate is {self.accumulate}; it must be 1 for {experiment.system}:"
                f" {self.why_not_in_parts}"
            )
        reason = self.why_not_on_devices or self.why_not_in_parts
        if self.replicas > 1 and reason:
            raise ConfigError(
                f"strategy is {experiment.training.strategy!r}, and {experiment.system} trains on"
                f" one device: {reason} Leave --strategy out."
            )

    def step_of_replica(self, step: Callable, batch) -> dict:
        """A train step on this device's part of the batch.

        Returns: the losses of this part. Between workers, Keras takes their mean along an axis.
        """
        rows = self.experiment.data.batch // self.replicas  # a strategy forgets it
        batch = {key: tf.ensure_shape(own, (rows, *own.shape[1:])) for key, own in batch.items()}
        with part_of_batch(self._replica, self.replicas):
            losses = step(self, batch)
        if not isinstance(tf.distribute.get_strategy(), tf.distribute.MultiWorkerMirroredStrategy):
            return losses
        return {name: ops.reshape(loss, (1,)) for name, loss in losses.items()}

    @property
    def _replica(self):
        return tf.distribute.get_replica_context().replica_id_in_sync_group

    def all_rows(self, rows):
        """The rows `[batch, ...]` of all devices, in the order of the whole batch."""
        if self.replicas == 1:
            return rows
        place = ops.one_hot(self._replica, self.replicas, dtype=rows.dtype)
        place = ops.reshape(place, (1, self.replicas, *(1 for _ in rows.shape[1:])))
        context = tf.distribute.get_replica_context()
        every = context.all_reduce(tf.distribute.ReduceOp.SUM, place * rows[:, None])
        return ops.reshape(every, (-1, *rows.shape[1:]))

    def own_rows(self, rows):
        """This device's rows of the whole batch `[batch, ...]`."""
        if self.replicas == 1:
            return rows
        by_replica = ops.reshape(rows, (-1, self.replicas, *rows.shape[1:]))
        return ops.take(by_replica, self._replica, axis=1)

    def tape_of(self, *players: str, persistent: bool = False) -> tf.GradientTape:
        """One tape that records operations on the weights of these players only."""
        networks = [self.players[name] for name in players]
        tape = tf.GradientTape(watch_accessed_variables=False, persistent=persistent)
        with tape:
            tape.watch([v.value for network in networks for v in network.trainable_variables])
        return tape

    def minimize(self, loss: Callable, inputs: tuple, *, player: str):
        """One optimizer step of one player.

        Args:
          loss: called with `inputs`; gives a scalar, the mean over the batch.
          inputs: tensors `[batch, ...]`, of which each part gets its own rows, and anything else.
          player: whose weights are changed.
        Returns: the loss before the step.
        """

        def losses(*given):
            return {"loss": loss(*given)}, ()

        return self.minimize_together(losses, inputs, player, total="loss")[0]["loss"]

    def minimize_together(self, losses: Callable, inputs: tuple, *players: str, total: str):
        """One optimizer step of several players, by the gradients of one shared loss.

        Args:
          losses: called with `inputs`; gives scalars by name, and what was made on the way, tensors
            `[batch, ...]` in any structure.
          inputs: as in `minimize`.
          total: name of the loss whose gradients are applied.
        Returns: the losses before the step, and what was made, for the whole batch.
        """

        def computed(tape, *given):
            return losses(*given)

        return self._step(computed, inputs, players, total)

    def minimize_after(
        self,
        make: Callable,
        between: Callable,
        losses: Callable,
        inputs: tuple,
        *players: str,
        total: str,
    ) -> dict:
        """One optimizer step of players, after a step of their opponents on the same outputs.

        Args:
          make: called with `inputs`; gives the outputs of the players, tensors `[batch, ...]` or
            scalars, in any structure.
          between: called with `inputs` and the outputs, before `losses`; the opponents step here,
            and no gradient flows into the outputs.
          losses: called with `inputs` and the outputs; gives scalars by name.
          inputs, total: as in `minimize_together`.
        Returns: the losses before the step.
        """
        if self.accumulate > 1:
            networks = [self.players[name] for name in players]
            with contextlib.ExitStack() as stack:
                for network in networks:  # the second pass changes their moving statistics
                    stack.enter_context(statistics_kept(network))
                made = []
                for part in self._parts(inputs, after=made):
                    made.append(make(*part))
            between(*inputs, _joined(made))

        def computed(tape, *given):
            made = make(*given)
            if self.accumulate == 1:
                with tape.stop_recording():
                    between(*given, tf.nest.map_structure(_without_gradient, made))
            return losses(*given, made), ()

        return self._step(computed, inputs, players, total)[0]

    def _step(self, computed: Callable, inputs: tuple, players: Sequence[str], total: str):
        """Apply the mean gradient of all parts; returns losses and what was made."""
        gradients, losses, made = [], [], []
        for part in self._parts(inputs, after=gradients):
            with self.tape_of(*players) as tape:
                named, own = computed(tape, *part)
            # a network whose terms all have weight zero gets a gradient of zero
            shared = {"unconnected_gradients": "zero"} if len(players) > 1 else {}
            gradients.append(self._gradients(named[total], tape, *players, **shared))
            losses.append(named)
            made.append(own)
        self._apply(_mean(gradients))
        return _mean(losses), _joined(made)

    def _parts(self, inputs: tuple, after: Sequence = ()) -> Iterator[tuple]:
        """The inputs of each part, in turn; networks know which part they get.

        Args:
          after: a list that grows: a part is computed after all that is in it.
        """
        count = self.accumulate
        if count == 1:
            yield inputs
            return
        seeds = self._seeds_of_rows()
        start = [ops.copy(seed) for seed in seeds]
        for index in range(count):
            if index:  # rows of all parts are drawn from the same state
                for seed, value in zip(seeds, start, strict=True):
                    seed.assign(value)
            before = [value for value in tf.nest.flatten(list(after)) if tf.is_tensor(value)]
            with tf.control_dependencies(before):
                part = tf.nest.map_structure(lambda x: _rows(x, index, count), inputs)  # noqa: B023
            with part_of_batch(index, count):
                yield part

    def _seeds_of_rows(self) -> list[keras.Variable]:
        """States of the random numbers that are drawn for the rows of a batch."""
        shuffles = [
            layer
            for network in self.players.values()
            for layer in _layers_of(network, PhaseShuffle)
        ]
        return [self.draws.state, *(shuffle.draws.state for shuffle in shuffles)]

    def apply_gradients(self, loss, tape: tf.GradientTape, *players: str, **options):
        """One optimizer step of each player, by the gradients of one shared loss.

        Args:
          loss: scalar, computed under `tape`.
          tape: the players' own, see `tape_of`.
          options: of `tf.GradientTape.gradient`.
        """
        self._apply(self._gradients(loss, tape, *players, **options))

    def _gradients(self, loss, tape: tf.GradientTape, *players: str, **options) -> dict:
        """The gradients of a loss by the weights of each player."""
        weights = {
            name: [variable.value for variable in self.players[name].trainable_variables]
            for name in players
        }
        # each optimizer expects the gradients of a loss times its own scale (float16)
        scale = self._scale(players[0])
        gradients = tape.gradient(loss, weights, output_gradients=scale, **options)
        for name in players[1:] if scale is not None else ():
            ratio = self._scale(name) / scale
            gradients[name] = [None if one is None else one * ratio for one in gradients[name]]
        return gradients

    def _mean_over_devices(self, gradients: dict) -> dict:
        flat = [one for own in gradients.values() for one in own]
        given = [one for one in flat if one is not None]
        context = tf.distribute.get_replica_context()
        means = iter(context.all_reduce(tf.distribute.ReduceOp.MEAN, given))
        return {
            name: [None if one is None else next(means) for one in own]
            for name, own in gradients.items()
        }

    def _scale(self, player: str):
        """What the optimizer of a player divides gradients by, or None."""
        optimizer = self.optimizers[player]
        scaled = isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
        return ops.convert_to_tensor(optimizer.scale_loss(1.0)) if scaled else None

    def _apply(self, gradients: dict) -> None:
        if self.replicas > 1:
            gradients = self._mean_over_devices(gradients)
        for name, own in gradients.items():
            self.optimizers[name].apply(own, self.players[name].trainable_variables)


def _without_gradient(value):
    return ops.stop_gradient(value) if tf.is_tensor(value) else value


def _is_batch(value) -> bool:
    return tf.is_tensor(value) and value.shape.rank != 0


def _rows(value, index: int, count: int):
    """One part of a tensor `[batch, ...]`; anything else as it is.

    Raises: ConfigError when the parts would have different sizes.
    """
    if not _is_batch(value):
        return value
    if value.shape[0] % count:
        raise ConfigError(
            f"accumulate is {count}, but a step has {value.shape[0]} windows or frames to divide;"
            " their number must be a multiple of accumulate."
        )
    return tf.identity(part_of(value, index, count))


def _joined(made: Sequence):
    """What all parts made, as one batch; the mean of scalars."""
    if len(made) == 1:
        return made[0]

    def join(*parts):
        return joined(parts) if _is_batch(parts[0]) else sum(parts) / len(parts)

    return tf.nest.map_structure(join, *made)


def _mean(parts: Sequence):
    """The mean of numbers in a structure; one part is left as it is. None has no mean."""
    if len(parts) == 1:
        return parts[0]
    return tf.nest.map_structure(
        lambda *own: None if own[0] is None else sum(own[1:], own[0]) / len(own), *parts
    )


def _layers_of(network: keras.Model, kind: type) -> Iterator[keras.layers.Layer]:
    """All layers of a kind in a network and in models inside it."""
    for layer in network.layers:
        if isinstance(layer, kind):
            yield layer
        elif isinstance(layer, keras.Model):
            yield from _layers_of(layer, kind)
