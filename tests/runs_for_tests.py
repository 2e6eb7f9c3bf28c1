"""Fixtures for tests that train: runs so small that many of them fit into one session."""

import io
import logging
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

SHORT = {"window": 1024, "batch": 2}


@pytest.fixture(scope="session")
def light(tiny):
    """The preset `tiny` without a discriminator, with settings changed by name."""

    def experiment(**changes):
        model = {"adversarial_weight": 0.0, "identity_weight": 0.0, **changes.pop("model", {})}
        return tiny(data={**SHORT, **changes.pop("data", {})}, model=model, **changes)

    return experiment


@pytest.fixture(scope="session")
def catalogue(tones):
    from tfsepgan.data.recordings.catalogue import scan

    return scan(tones, sources=("piano",))


@pytest.fixture
def no_curves(monkeypatch):
    """Runs draw no curves: that takes longer than the training here, and has its own test."""
    import tfsepgan.training.records

    monkeypatch.setattr(tfsepgan.training.records, "plot_curves", lambda history, path: None)


@pytest.fixture
def printed():
    """The text that runs print and log."""
    text, logger = io.StringIO(), logging.getLogger("tfsepgan")
    handler = logging.StreamHandler(text)
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield text
    logger.removeHandler(handler)
    logger.setLevel(level)


@pytest.fixture
def new_run(catalogue, printed, no_curves):
    """Opens a run as a new session does: `new_run(experiment, directory, of=catalogue)`.

    A few steps take less time than tracing them; `graph=True` traces them.
    """
    from tfsepgan.training.run import Run

    def make(experiment, directory: Path, *, of=catalogue, graph=False):
        run = Run(experiment, of, directory, Console(file=printed, width=200))
        run.system.run_eagerly = not graph
        return run

    return make


def state_of(directory: Path) -> dict[str, np.ndarray]:
    """The variables in a checkpoint, without the progress, which holds times."""
    with np.load(directory / "state.npz") as saved:
        return {name: saved[name] for name in saved.files if name != "progress"}


@pytest.fixture(scope="session")
def saved_state():
    """The function `state_of`."""
    return state_of
