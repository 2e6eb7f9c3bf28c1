"""Runs small and quick enough to train many of them."""

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
    """Every player and every kind of state: generator, discriminator with phase shuffle, running
    mean."""
    return tiny(data=SHORT)


@pytest.fixture(scope="session")
def light(tiny):
    """`tiny` without its discriminator, for what does not depend on it; changes by name."""

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
    """Drawing the curves takes longer than all else in these runs, and has its own test."""
    import tfsepgan.training.run

    monkeypatch.setattr(tfsepgan.training.run, "plot_curves", lambda history, path: None)


@pytest.fixture
def said():
    """What runs print."""
    return io.StringIO()


@pytest.fixture
def new_run(catalogue, said, no_curves):
    """A run as a new session starts it."""
    from tfsepgan.training.run import Run

    def make(experiment, directory: Path, *, of=catalogue):
        return Run(experiment, of, directory, Console(file=said, width=200))

    return make


@pytest.fixture
def at_step(monkeypatch):
    """Does something just after a step was taken, before anything looks at it; the last arrangement
    counts."""
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
    """Ctrl-C just after a step; after none for None."""

    def arrange(step: int | None):
        at_step(step, lambda: os.kill(os.getpid(), signal.SIGINT))

    return arrange


def state_of(directory: Path) -> dict[str, np.ndarray]:
    """Everything in a run's checkpoint but its progress, which holds clock times."""
    with np.load(directory / "state.npz") as saved:
        return {name: saved[name] for name in saved.files if name != "progress"}


@pytest.fixture(scope="session")
def saved_state():
    """`state_of`."""
    return state_of


@pytest.fixture(scope="session")
def uninterrupted(whole, catalogue, tmp_path_factory):
    """The checkpoint of a run of eight steps that nobody disturbed."""
    import tfsepgan.training.run
    from tfsepgan.training.run import Run

    directory = tmp_path_factory.mktemp("uninterrupted") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tfsepgan.training.run, "plot_curves", lambda history, path: None)
        outcome = Run(whole, catalogue, directory, Console(file=io.StringIO())).train()
    assert (outcome.reason, outcome.step) == ("finished", 8)
    return state_of(directory)
