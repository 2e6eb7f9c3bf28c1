"""Trains a generator of the package on Keras' JAX backend: S-SepGAN without its adversary.

It needs JAX, Keras and a GPU, but no TensorFlow (and no soundfile, if the pack is coded 'lapped').
Run it from the top of the repository, with a pack of tools/jax/pack_for_jax.py:

    PYTHONPATH=. python3 tools/jax/train_on_jax.py --pack packed --run run --minutes 9 --fit \\
        --preset piano2d --set batch=64

It stops in time, and writes a checkpoint every `--checkpoint-minutes` and at the end:
- `state-STEP-N.npz`: the parts of one state; none is larger than `--part-megabytes`;
- `log.json`: the losses;
- `model/`: a model that every command of the package accepts as `--model`.

The same command resumes the run; `--resume` names another folder to resume from. With `--fit` the
learning rate falls to its end within `--minutes`, however long a step takes; otherwise it falls
over the steps of the preset. `--write-model` writes `model/` from a state, on any machine.

Departs from `tfsepgan-train`:
- There is no adversary and no validation.
- The pack shortens the recordings.
- Some augmentations differ or are left out, see jax_batches.
"""

import argparse
import json
import os
import queue
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "jax")

import jax
import numpy as np
from jax_batches import NOT_MADE
from jax_pack import read_pack
from jax_state import read_state, resume, write_model, write_state
from jax_trainer import SYSTEM, Trainer, experiment_from, experiment_of

from tfsepgan.errors import CheckpointError, ConfigError
from tfsepgan.files import write_whole
from tfsepgan.models.bundle import find_bundle, load_bundle

STARTED = time.monotonic()
MEASURED_STEPS = 20  # timed, after as many with compilation, for the duration of a step
RESERVE_SECONDS = 15.0  # for the last checkpoint
PLANS_AHEAD = 8
STEPS_AHEAD = 4  # started before earlier ones end


class Log:
    """`log.json`: rows of some steps each, with the mean of each loss; also printed."""

    def __init__(self, path: Path):
        self.path = path
        self.rows = json.loads(path.read_text()) if path.exists() else []

    def add(self, losses: list[dict], **facts: float) -> None:
        means = {name: float(np.mean([float(one[name]) for one in losses])) for name in losses[0]}
        self.rows.append({**facts, **means})
        print("  ".join(f"{name} {value:.5g}" for name, value in self.rows[-1].items()), flush=True)
        write_whole(
            self.path,
            lambda file: file.write(json.dumps(self.rows, indent=0).encode()),
            lasting=False,
        )


def plans(trainer: Trainer) -> Iterator[tuple[int, dict[str, np.ndarray]]]:
    """Steps and their draws, made ahead in a thread."""
    made: queue.Queue = queue.Queue(PLANS_AHEAD)

    def work() -> None:
        step = trainer.progress["step"]
        while True:
            made.put((step, trainer.plan(step)))
            step += 1

    threading.Thread(target=work, daemon=True).start()
    while True:
        yield made.get()


def train(trainer: Trainer, options: argparse.Namespace) -> None:
    """Train until the time or the steps are over."""
    deadline = STARTED + 60 * options.minutes - RESERVE_SECONDS
    log, losses, begun_steps = Log(options.run / "log.json"), [], deque(maxlen=STEPS_AHEAD)
    saved = begun = time.monotonic()
    print(
        f"{jax.devices()[0].device_kind}, {begun - STARTED:.1f} s until the first step", flush=True
    )
    for since, (step, plan) in enumerate(plans(trainer), start=1):
        losses.append(trainer.step(*trainer.batch(step, plan)))
        if len(begun_steps) == STEPS_AHEAD:  # so that the clock measures steps, not their start
            jax.block_until_ready(begun_steps[0])
        begun_steps.append(losses[-1])
        if since in (1, MEASURED_STEPS, 2 * MEASURED_STEPS) or len(losses) >= options.log_every:
            jax.block_until_ready(losses[-1])
        now = time.monotonic()
        if since == MEASURED_STEPS:
            measured = now
        if since == 2 * MEASURED_STEPS and options.fit:
            fit_steps(trainer, deadline - now, (now - measured) / MEASURED_STEPS)
        over = now >= deadline or trainer.progress["step"] >= trainer.progress["steps"]
        if over or len(losses) >= options.log_every or since == 1:
            log.add(
                losses,
                step=trainer.progress["step"],
                seconds=now - STARTED,
                left=deadline - now,
                rate=float(trainer.rate(step)),
                step_seconds=(now - begun) / len(losses),
            )
            losses, begun = [], time.monotonic()
        if over or now - saved > 60 * options.checkpoint_minutes:
            trainer.progress["seconds"] += now - saved
            write_state(options.run, trainer, round(options.part_megabytes * 1e6))
            saved = time.monotonic()
        if over:
            break
    write_model(
        options.run, trainer.experiment, trainer.state["mean"], {"steps": trainer.progress["step"]}
    )


def fit_steps(trainer: Trainer, seconds_left: float, step_seconds: float) -> None:
    """Set the number of steps so that the run ends in time."""
    left = int(seconds_left / step_seconds * 0.98)
    trainer.progress["steps"] = trainer.progress["step"] + max(1, left)
    print(f"A step takes {step_seconds:.4f} s: {trainer.progress['steps']} steps", flush=True)


def flags() -> argparse.Namespace:
    """Read the flags."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--run", type=Path, required=True, help="folder of checkpoints, log and model"
    )
    parser.add_argument("--pack", type=Path, help="folder from tools/jax/pack_for_jax.py")
    parser.add_argument("--preset", default="piano", help=f"of {SYSTEM}")
    parser.add_argument(
        "--set",
        nargs="*",
        default=[],
        metavar="KEY=VALUE",
        help="settings, for example generator.channels=64",
    )
    parser.add_argument(
        "--minutes", type=float, default=9.0, help="time in total, with start and compilation"
    )
    parser.add_argument(
        "--fit", action="store_true", help="end the learning rate schedule within --minutes"
    )
    parser.add_argument(
        "--resume", type=Path, help="folder with a state to resume from, if --run has none"
    )
    parser.add_argument("--init-from", help="model or run of the package with the initial weights")
    parser.add_argument("--checkpoint-minutes", type=float, default=3.0)
    parser.add_argument(
        "--part-megabytes", type=float, default=15.0, help="largest file of a state"
    )
    parser.add_argument("--log-every", type=int, default=50, help="steps")
    parser.add_argument(
        "--write-model", action="store_true", help="only write model/ from the state in --run"
    )
    return parser.parse_args()


def main() -> None:
    """Train, or write the model of a state."""
    options = flags()
    experiment = experiment_of(options.preset, options.set)
    options.run.mkdir(parents=True, exist_ok=True)
    if options.write_model:
        write_model_of_state(options.run)
        return
    if options.pack is None:
        raise ConfigError("--pack is missing: a folder from tools/jax/pack_for_jax.py.")
    packed = read_pack(options.pack)
    data = replace(experiment.data, sources=packed.sources, sample_rate_hz=packed.sample_rate_hz)
    left_out = [name for name in NOT_MADE if getattr(data.augment, name)]
    if left_out:
        print(f"This trainer does not have augment.{', augment.'.join(left_out)}; left out.")
    trainer = Trainer(replace(experiment, data=data), packed)
    if options.init_from:
        trainer.start_from(load_bundle(find_bundle(options.init_from)).generator.get_weights())
    resume(trainer, [options.run, options.resume], fitted=options.fit)
    if options.fit and trainer.progress["step"] >= trainer.progress["steps"]:
        trainer.progress["steps"] = trainer.progress["step"] + trainer.experiment.training.steps
    train(trainer, options)


def write_model_of_state(run: Path) -> None:
    """Write `model/` from the state of a run.

    Raises: CheckpointError if there is none.
    """
    saved = read_state(run)
    if saved is None:
        raise CheckpointError(f"{run} holds no complete state.")
    arrays, progress = saved
    mean = [values for name, values in sorted(arrays.items()) if name.startswith("mean/")]
    write_model(run, experiment_from(progress["settings"]), mean, {"steps": progress["step"]})


if __name__ == "__main__":
    main()
