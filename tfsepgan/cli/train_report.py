"""What `tfsepgan-train` prints of a run: first its main settings, at the end what to do next."""

import shlex
from pathlib import Path

from rich.console import Console

from tfsepgan.cli.command import say
from tfsepgan.config import Experiment


def show_settings(experiment: Experiment, directory: Path, console: Console) -> None:
    """Print the settings that most people change, and where all of them are."""
    data, training = experiment.data, experiment.training
    network = getattr(experiment.model, "generator", None)
    limits = {"minutes": training.minutes, "minutes of processor time": training.processor_minutes}
    length = [f"{training.steps} steps"]
    length += [f"at most {value:g} {unit}" for unit, value in limits.items() if value is not None]
    rows = {
        "system": f"{experiment.system}, preset {experiment.preset}, seed {data.seed}",
        "data": str(data.data),
        "sources": ", ".join(data.sources),
        "sample rate": f"{data.sample_rate_hz} Hz",
        "batch": f"{data.batch} windows of {data.window / data.sample_rate_hz:.2f} s",
    }
    if hasattr(network, "kind"):
        rows["generator"] = f"{network.kind}, {network.channels} channels, blocks: {network.blocks}"
    rows |= {
        "length": ", ".join(length),
        "learning rate": f"{training.learning_rate:g}, {training.schedule}",
        "validation": f"every {training.steps_per_epoch} steps; keeps the {training.keep} weights",
        "run": str(directory),
    }
    for name, value in rows.items():
        say(console, f"  {name:<13}  {value}")
    say(console, f"All settings: {directory / 'settings.yaml'}")


def show_networks(system, workers, console: Console) -> None:
    """Print the devices, and the parameters of every network that is trained or shipped."""
    import tensorflow as tf

    graphics = [
        tf.config.experimental.get_device_details(one).get("device_name", one.name)
        for one in tf.config.get_visible_devices("GPU")
    ]
    device = ", ".join(graphics) or "CPU"
    if workers.replicas > 1:
        device += f"; each batch is divided over {workers.replicas} devices"
    if workers.count > 1:
        device += f" of {workers.count} workers, this is worker {workers.index}"
    networks = {"generator": system.shipped} if system.kind == "generator" else dict(system.shipped)
    networks |= {name: network for name, network in system.players.items() if name not in networks}
    sizes = ", ".join(f"{name} {one.count_params():,}" for name, one in networks.items())
    say(console, f"  {'device':<13}  {device}")
    say(console, f"  {'parameters':<13}  {sizes}")


def show_kept(best: dict[str, float], run, console: Console) -> None:
    """Print which weights became the model, and a warning if they are worse than no model."""
    score = best["score"]
    shown = "" if score is None else f", {score:.2f} {run.validator.score_name}"
    say(console, f"Model kept: that of step {best['step']}{shown}.")
    if run.system.kind != "synthesis" and score is not None and score < 0:
        say(
            console,
            f"Warning: this model is worse than no separation. On the valid split the SI-SDR of its"
            f" estimates is {-score:.2f} dB below that of the mixture. Train for longer, and check"
            f" the recordings with tfsepgan-data check and tfsepgan-data preview.",
        )


def show_next(directory: Path, run, console: Console) -> None:
    """Print where to listen, and the commands that take this run."""
    path, data = shlex.quote(str(directory)), shlex.quote(str(run.experiment.data.data))
    if run.system.kind == "synthesis":
        lines = [f"tfsepgan-generate --model {path}"]
    else:
        if (directory / "separated").is_dir():
            say(
                console,
                f"Listen: {directory / 'separated'} has each test mixture, its estimates, and the"
                " true sources as NAME-true.wav.",
            )
        lines = [
            f"tfsepgan-separate song.mp3 --model {path}",
            f"tfsepgan-evaluate --model {path} --data {data}",
        ]
    if run.system.kind != "search":
        lines.append(f"tfsepgan-export --run {path} --output exported_models/NAME")
    say(console, "Next:")
    for line in lines:
        say(console, f"  {line}")
