"""Trains a generator of the package on Keras' JAX backend, for S-SepGAN's objective without its adversary: a GPU of minutes, not days.

On a machine with JAX, Keras and a GPU (TensorFlow is not needed, nor soundfile where the pack is coded 'lapped'), from the top of the
repository, with a pack of tools/pack_for_jax.py that lies in `packed`:

    PYTHONPATH=. python3 tools/train_on_jax.py --pack packed --run "$OUT" --minutes 9 --fit --preset piano2d --set batch=64

Stops in time, writes a checkpoint every --checkpoint-minutes and at the end: `state-STEP-N.npz` (all parts of one step belong together;
none is larger than --part-megabytes, to be carried), `log.json`, and `model/`, which every command of the package takes as --model.
The same command goes on where the run stands; --resume names another folder to go on from. With --fit the rate falls to its end within
--minutes, whatever a step takes; else after the preset's steps. --write-model makes `model/` of a state, on any machine.

Departs from the run of `tfsepgan-train`: no adversary, no validation, recordings cut short by the pack, see jax_batches for the changes.
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
from jax_trainer import SYSTEM, Trainer, experiment_from, experiment_of, go_on, read_state, write_model, write_state

from tfsepgan.errors import CheckpointError, ConfigError
from tfsepgan.files import write_whole
from tfsepgan.networks.bundle import find_bundle, load_bundle

STARTED = time.monotonic()
MEASURED_STEPS = 20  # after as many that compile; they tell what a step takes
RESERVE_SECONDS = 15.0  # for the last checkpoint
PLANS_AHEAD = 8
STEPS_AHEAD = 4  # begun before the one before them is done


class Log:
    """`log.json`: a row for some steps, with the mean of each loss over them; printed too."""

    def __init__(self, path: Path):
        self.path = path
        self.rows = json.loads(path.read_text()) if path.exists() else []

    def add(self, losses: list[dict], **facts: float) -> None:
        means = {name: float(np.mean([float(one[name]) for one in losses])) for name in losses[0]}
        self.rows.append({**facts, **means})
        print("  ".join(f"{name} {value:.5g}" for name, value in self.rows[-1].items()), flush=True)
        write_whole(self.path, lambda file: file.write(json.dumps(self.rows, indent=0).encode()), lasting=False)


def plans(trainer: Trainer) -> Iterator[tuple[int, dict[str, np.ndarray]]]:
    """Steps and their draws, made ahead in a thread of their own."""
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
    """Take steps until the time or the steps are over."""
    deadline = STARTED + 60 * options.minutes - RESERVE_SECONDS
    log, losses, begun_steps = Log(options.run / "log.json"), [], deque(maxlen=STEPS_AHEAD)
    saved = begun = time.monotonic()
    print(f"{jax.devices()[0].device_kind}, {begun - STARTED:.1f} s until the first step", flush=True)
    for since, (step, plan) in enumerate(plans(trainer), start=1):
        losses.append(trainer.move(*trainer.batch(step, plan)))
        if len(begun_steps) == STEPS_AHEAD:  # so that the clock is that of the steps, not of their beginning
            jax.block_until_ready(begun_steps[0])
        begun_steps.append(losses[-1])
        if since in (1, MEASURED_STEPS, 2 * MEASURED_STEPS) or len(losses) >= options.log_every:
            jax.block_until_ready(losses[-1])
        now = time.monotonic()
        if since == MEASURED_STEPS:
            measured = now
        if since == 2 * MEASURED_STEPS and options.fit:
            left = int((deadline - now) / ((now - measured) / MEASURED_STEPS) * 0.98)
            trainer.progress["steps"] = trainer.progress["step"] + max(1, left)
            print(
                f"A step takes {(now - measured) / MEASURED_STEPS:.4f} s: {trainer.progress['steps']} steps", flush=True
            )
        over = now >= deadline or trainer.progress["step"] >= trainer.progress["steps"]
        if over or len(losses) >= options.log_every or since == 1:
            facts = {"step": trainer.progress["step"], "seconds": now - STARTED, "left": deadline - now}
            log.add(losses, **facts, rate=float(trainer.rate(step)), step_seconds=(now - begun) / len(losses))
            losses, begun = [], time.monotonic()
        if over or now - saved > 60 * options.checkpoint_minutes:
            trainer.progress["seconds"] += now - saved
            write_state(options.run, trainer, round(options.part_megabytes * 1e6))
            saved = time.monotonic()
        if over:
            break
    write_model(options.run, trainer.experiment, trainer.state["mean"], {"steps": trainer.progress["step"]})


def main() -> None:
    """Read the flags and train."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, required=True, help="folder of checkpoints, log and model")
    parser.add_argument("--pack", type=Path, help="folder that tools/pack_for_jax.py wrote")
    parser.add_argument("--preset", default="piano", help=f"of {SYSTEM}")
    parser.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE", help="settings, as generator.channels=64")
    parser.add_argument("--minutes", type=float, default=9.0, help="until the end, with start and compilation")
    parser.add_argument("--fit", action="store_true", help="let the learning rate fall to its end within --minutes")
    parser.add_argument("--resume", type=Path, help="folder with a state to go on from, where --run has none")
    parser.add_argument("--init-from", help="model or run of the package to begin with")
    parser.add_argument("--checkpoint-minutes", type=float, default=3.0)
    parser.add_argument("--part-megabytes", type=float, default=15.0, help="largest file of a state")
    parser.add_argument("--log-every", type=int, default=50, help="steps")
    parser.add_argument("--write-model", action="store_true", help="only make model/ of the state in --run")
    options = parser.parse_args()
    experiment = experiment_of(options.preset, options.set)
    options.run.mkdir(parents=True, exist_ok=True)
    if options.write_model:
        saved = read_state(options.run)
        if saved is None:
            raise CheckpointError(f"{options.run} holds no state of which all parts are there.")
        values = [values for name, values in sorted(saved[0].items()) if name.startswith("mean/")]
        write_model(options.run, experiment_from(saved[1]["settings"]), values, {"steps": saved[1]["step"]})
        return
    if options.pack is None:
        raise ConfigError("--pack is missing: a folder that tools/pack_for_jax.py wrote.")
    packed = read_pack(options.pack)
    data = replace(experiment.data, sources=packed.sources, sample_rate_hz=packed.sample_rate_hz)
    left_out = [name for name in NOT_MADE if getattr(data.augment, name)]
    if left_out:
        print(f"Not made here, so left out: augment.{', augment.'.join(left_out)}")
    trainer = Trainer(replace(experiment, data=data), packed)
    if options.init_from:
        trainer.start_from(load_bundle(find_bundle(options.init_from)).generator.get_weights())
    go_on(trainer, [options.run, options.resume], fitted=options.fit)
    if options.fit and trainer.progress["step"] >= trainer.progress["steps"]:
        trainer.progress["steps"] = trainer.progress["step"] + trainer.experiment.training.steps
    train(trainer, options)


if __name__ == "__main__":
    main()
