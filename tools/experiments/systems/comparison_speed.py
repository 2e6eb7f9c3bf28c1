"""Parameters and speed of rows, measured in a process of its own."""

import json
import os
import sys
import time
from pathlib import Path

import numpy as np

SPEED_SECONDS = 60
SPEED_ROUNDS = 5
SLOW_SECONDS = 20.0  # a pass longer than this is measured in fewer rounds
SLOW_ROUNDS = 3


def measure(rows: dict[str, dict], data: str, split: str, source: str) -> dict:
    """Parameters of each row, and its speed on a minute of mixtures, the rows in rotation.

    Args:
      rows: by name, `run` (its folder) and `arguments` (of its training).
    Returns: by name, `parameters` and `speed`.
    """
    from tfsepgan.separation.separator import load

    audio, rate_hz = _a_minute(data, split, source)
    separators = {name: load(row["run"]) for name, row in rows.items()}
    rounds = {}
    for name, separator in separators.items():
        first = _seconds(separator, audio, rate_hz)[0]  # traces the network; not counted
        rounds[name] = SLOW_ROUNDS if first > SLOW_SECONDS else SPEED_ROUNDS
    taken: dict[str, list] = {name: [] for name in rows}
    for number in range(SPEED_ROUNDS):
        for name, separator in separators.items():
            if number < rounds[name]:
                taken[name].append(_seconds(separator, audio, rate_hz))
    return {
        name: {"parameters": _parameters(row, separators[name]), "speed": _speed(taken[name])}
        for name, row in rows.items()
    }


def _a_minute(data: str, split: str, source: str) -> tuple[np.ndarray, int]:
    from tfsepgan.data.recordings.opening import open_catalogue
    from tfsepgan.evaluation.scoring import scoring_mixtures

    rate_hz = 16000
    catalogue = open_catalogue(data, (source,))
    mixtures = scoring_mixtures(
        catalogue, (source,), rate_hz, split=split, count=6, seconds=SPEED_SECONDS / 6
    )
    audio = np.concatenate([item.mixture[:, 0] for item in mixtures])
    return np.resize(audio, SPEED_SECONDS * rate_hz), rate_hz


def _seconds(separator, audio: np.ndarray, rate_hz: int) -> tuple[float, float]:
    wall, processor = time.perf_counter(), time.process_time()
    separator.separate(audio, rate_hz)
    return time.perf_counter() - wall, time.process_time() - processor


def _speed(taken: list[tuple[float, float]]) -> dict:
    wall, processor = np.median(np.array(taken), axis=0)
    return {
        "times_real_time": round(float(SPEED_SECONDS / wall), 2),
        "processor_seconds_a_minute": round(float(processor * 60 / SPEED_SECONDS), 3),
        "rounds": len(taken),
    }


def _parameters(row: dict, separator) -> dict[str, int]:
    """Parameters that ship, and those used in training only."""
    from tfsepgan import systems
    from tfsepgan.cli.settings import parse
    from tfsepgan.cli.train import TrainOptions

    experiment, _ = parse(row["arguments"], TrainOptions, program="compare_systems", about="")
    players = systems.build(experiment).players
    counts = {name: network.count_params() for name, network in players.items()}
    if not _plays(experiment):
        counts.pop("discriminator", None)
    shipped = separator.manifest.parameters
    return {"shipped": shipped, "training_only": max(0, sum(counts.values()) - shipped), **counts}


def _plays(experiment) -> bool:
    """Whether the discriminator is part of the generator's loss."""
    weights = ("adversarial_weight", "feature_weight")
    return any(getattr(experiment.model, name, 1) for name in weights)


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    Path(sys.argv[2]).write_text(json.dumps(measure(**json.loads(sys.argv[1]))))
