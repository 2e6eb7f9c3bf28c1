"""Fixtures for tests of runs: interruptions, and a run without any."""

import io
import os
import signal

import pytest
from rich.console import Console
from runs_for_tests import (  # noqa: F401  fixtures
    SHORT,
    catalogue,
    light,
    new_run,
    no_curves,
    printed,
    saved_state,
    state_of,
)


@pytest.fixture(scope="session")
def whole(tiny):
    """The preset `tiny` with every kind of state.

    Generator, discriminator with phase shuffle, running mean of the weights.
    """
    return tiny(data=SHORT, steps=4, steps_per_epoch=2)


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


@pytest.fixture(scope="session")
def uninterrupted(whole, catalogue, tmp_path_factory):  # noqa: F811
    """The variables of a run of four steps that was not interrupted."""
    import tfsepgan.training.records
    from tfsepgan.training.run import Run

    directory = tmp_path_factory.mktemp("uninterrupted") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tfsepgan.training.records, "plot_curves", lambda history, path: None)
        run = Run(whole, catalogue, directory, Console(file=io.StringIO()))
        run.system.run_eagerly = True
        outcome = run.train()
    assert (outcome.reason, outcome.step) == ("finished", 4)
    return state_of(directory)
