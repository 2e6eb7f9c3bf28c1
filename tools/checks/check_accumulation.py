"""Checks that a batch computed in parts gives the weights of the whole batch, for every system.

    python tools/checks/check_accumulation.py [SYSTEM ...] [--steps 20] [--batch 16] [--parts 4]
        [--double]

Each system's `tiny` preset trains on random windows, with the whole batch and in parts. Batch
normalisation uses its moving statistics, so that no statistics of a batch are involved. Printed are
the largest differences of the variables

- in one step from the same variables, the largest of all steps;
- after all steps;
- after all steps, between two runs with the whole batch, one of which started with all weights
  changed by one unit in the last place: what the training makes of rounding.

With --double, a copy of the package calculates in float64 (`in_double.py`).

The exit code is 1 when the first is above 1e-5, or the second is and the third is not.
"""

import argparse
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from in_double import environment_in_double

from tfsepgan import systems
from tfsepgan.settings.presets import TINY_GENERATOR
from tfsepgan.systems.statistics import batch_normalisations
from tfsepgan.training.checkpoint import variables_of

LIMIT = 1e-5
State = dict[str, np.ndarray]  # by the names of a checkpoint
SETTINGS = {
    "ssepgan": {"objective": "wgan-gp", "discriminator_steps": 2},
    # the training of the preset's mixer amplifies rounding, see docs/scaling_training.md
    "cyclegan": {"mixer": TINY_GENERATOR, "pool": 4},
    "semisupervised": {"unlabelled_share": 0.5},
    "decomposition": {},
    "wavegan": {"discriminator_steps": 2},
}


def batch_of(experiment, seed: int) -> dict[str, tf.Tensor]:
    data, random = experiment.data, np.random.default_rng(seed)

    def noise(*shape):
        shape = (data.batch, *shape, data.window, 1)
        return 0.1 * random.standard_normal(shape).astype(keras.config.floatx())

    sources = noise(len(data.sources))
    batch = {"mixture": sources.sum(axis=1) + noise(), "sources": sources}
    batch |= {"solo": noise(len(data.sources) + 1), "unlabelled": noise()}
    return {name: tf.constant(value) for name, value in batch.items()}


class Training:
    """A system that trains on the batch in parts, from any state; it keeps none of its own."""

    def __init__(self, name: str, options: argparse.Namespace, accumulate: int) -> None:
        base = systems.preset(name, "tiny")
        self.experiment = replace(
            base,
            data=replace(base.data, batch=options.batch, window=1024),
            model=replace(base.model, **SETTINGS[name]),
            training=replace(base.training, accumulate=accumulate, ema=0.9, clip_norm=1.0),
        )
        self.system = systems.build(self.experiment)
        for network in (*self.system.players.values(), self.system.ema_generator):
            for norm in batch_normalisations(network):
                norm.trainable = False
        self.system.compile()
        self._step = tf.function(self.system.train_step, autograph=False)

    def start(self, units: int = 0) -> State:
        """All variables of a new run, with weights changed by units in the last place."""
        state = self._state()
        weights = {id(one) for net in self.system.players.values() for one in net.trainable_weights}
        for name, variable in variables_of(self.system).items():
            for _ in range(units if id(variable) in weights else 0):
                state[name] = np.nextafter(state[name], state[name].dtype.type(np.inf))
        return state

    def after(self, state: State, number: int) -> State:
        """All variables after a step from a state."""
        for name, variable in variables_of(self.system).items():
            variable.assign(state[name])
        batch = batch_of(self.experiment, number)
        self._step({key: batch[key] for key in self.system.batch_keys})
        return self._state()

    def _state(self) -> State:
        return {name: np.array(one) for name, one in variables_of(self.system).items()}

    def apart(self, one: State, other: State) -> tuple[float, str]:
        """The largest difference of the system's variables, and which it is."""
        names = {name: v.path for name, v in variables_of(self.system).items() if v.shape}
        found = [
            (float(np.abs(np.subtract(one[name], other[name], dtype=np.float64)).max()), path)
            for name, path in names.items()
            if name.startswith("system/")
        ]
        return max(found)


def compare(name: str, options: argparse.Namespace) -> bool:
    """Train a system in both ways and print the differences; returns whether they are rounding."""
    whole, parts = Training(name, options, 1), Training(name, options, options.parts)
    state, changed = whole.start(), whole.start(units=1)
    in_parts, steps = state, []
    for number in range(options.steps):
        once = parts.after(state, number)
        in_parts = parts.after(in_parts, number)
        state, changed = whole.after(state, number), whole.after(changed, number)
        steps.append(whole.apart(state, once))
    (one, where), (all_steps, at), (unit, _) = (
        max(steps),
        whole.apart(state, in_parts),
        whole.apart(state, changed),
    )
    print(f"{name}: {one:.1e} in one step ({where}), {all_steps:.1e} after {options.steps} ({at})")
    print(f"  one unit in the last place: {unit:.1e}; limit {LIMIT:.0e}", flush=True)
    return one <= LIMIT and (all_steps <= LIMIT or unit > LIMIT)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("systems", nargs="*", help="default: all")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--parts", type=int, default=4)
    parser.add_argument("--double", action="store_true")
    options = parser.parse_args()
    if options.double:
        with tempfile.TemporaryDirectory() as folder:
            line = [sys.executable, *(word for word in sys.argv if word != "--double")]
            environment = environment_in_double(Path(folder))
            return subprocess.run(line, env=environment, check=False).returncode
    failed = [name for name in options.systems or SETTINGS if not compare(name, options)]
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
