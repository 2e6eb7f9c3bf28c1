"""Fixtures for tests that train: runs so small that many of them fit into one session."""

import io
import os
import signal
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

SHORT = {"window": 1024, "batch": 2}


@pytest.fixture(scope="session")
def whole(tiny):
    """The preset `tiny` with every kind of state.

    Generator, discriminator with phase shuffle, running mean of the weights.
    """
    return tiny(data=SHORT)


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
    """The text that runs print."""
    return io.StringIO()


@pytest.fixture
def new_run(catalogue, printed, no_curves):
    """Opens a run as a new session does: `new_run(experiment, directory, of=catalogue)`."""
    from tfsepgan.training.run import Run

    def make(experiment, directory: Path, *, of=catalogue):
        return Run(experiment, of, directory, Console(file=printed, width=200))

    return make


@pytest.fixture
def at_step(monkeypatch):
    """Calls `action` just after a step, before the other callbacks; a later call replaces it."""
    from tfsepgan.training.callbacks import Count

    plain = Count.on_train_batch_end

    def arrange(step: int | None, action):
        def count(self, batch, logs=None):
            plain(self, batch, logs)
            if self.step == step:
                action()

        monkeypatch.setattr(Count, "on_train_batch_end", count)

    return arrange


@pytest.fixture
def interrupt_at(at_step):
    """Sends SIGINT just after a step; None sends none."""

    def arrange(step: int | None):
        at_step(step, lambda: os.kill(os.getpid(), signal.SIGINT))

    return arrange


def state_of(directory: Path) -> dict[str, np.ndarray]:
    """The variables in a checkpoint, without the progress, which holds times."""
    with np.load(directory / "state.npz") as saved:
        return {name: saved[name] for name in saved.files if name != "progress"}


@pytest.fixture(scope="session")
def saved_state():
    """The function `state_of`."""
    return state_of


@pytest.fixture(scope="session")
def uninterrupted(whole, catalogue, tmp_path_factory):
    """The variables of a run of eight steps that was not interrupted."""
    import tfsepgan.training.records
    from tfsepgan.training.run import Run

    directory = tmp_path_factory.mktemp("uninterrupted") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tfsepgan.training.records, "plot_curves", lambda history, path: None)
        outcome = Run(whole, catalogue, directory, Console(file=io.StringIO())).train()
    assert (outcome.reason, outcome.step) == ("finished", 8)
    return state_of(directory)
