"""What stops a run: a signal, a time limit, a loss that is not finite."""

import os
import signal
import threading
import time
from types import SimpleNamespace

import pytest

from tfsepgan.errors import TfsepganError
from tfsepgan.training.callbacks import Count, EndOfEpoch, Guard


@pytest.fixture
def guard():
    guard = Guard()
    guard.set_model(SimpleNamespace(stop_training=False))
    return guard


def after_step(guard, **losses):
    guard.on_train_batch_end(0, losses or {"loss": 1.0})
    return guard.reason, guard.model.stop_training


def test_a_good_step_does_not_stop_the_run(guard):
    assert after_step(guard) == (None, False)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_after_the_current_step(guard, number):
    with guard:
        os.kill(os.getpid(), number)
        assert guard.model.stop_training is False
        assert after_step(guard) == ("interrupted", True)


@pytest.mark.parametrize(("own", "others", "reason"), [(0, 2, "time"), (1, 2, "interrupted")])
def test_when_a_worker_stops_all_stop_after_the_same_step(own, others, reason):
    said = []
    guard = Guard(gathered=lambda number: said.append(number) or [number, others])
    guard.set_model(SimpleNamespace(stop_training=False))
    guard.reason = (None, "interrupted")[own]
    assert after_step(guard) == (reason, True)
    assert said == [own]


def test_a_third_signal_stops_at_once(guard):
    with guard:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


def test_the_signal_handlers_are_restored(guard):
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with guard:
        assert signal.getsignal(signal.SIGINT) != before[0]
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_a_run_in_another_thread_handles_no_signals(guard):
    failed = []

    def work():
        try:
            with guard:
                after_step(guard)
        except ValueError as error:
            failed.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert not failed


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_a_loss_that_is_not_finite_stops_the_run_and_is_named(guard, bad):
    assert after_step(guard, generator=1.0, discriminator=bad) == ("diverged", True)
    assert guard.diverged_in == ["discriminator"]


def test_a_time_limit_stops_the_run(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    guard = Guard(minutes_left=2)
    guard.set_model(SimpleNamespace(stop_training=False))
    now[0] += 119
    assert after_step(guard) == (None, False)
    now[0] += 2
    assert after_step(guard) == ("time", True)


def test_counting_continues_at_the_step_of_the_run():
    count = Count(40)
    count.on_train_batch_end(0)
    count.on_train_batch_end(1)
    assert count.step == 42


def epoch(guard, *, steps, of, finish):
    end = EndOfEpoch(finish, guard)
    end.set_params({"steps": of})
    end.on_epoch_begin(0)
    for step in range(steps):
        end.on_train_batch_end(step)
    end.on_epoch_end(0, {"loss": 2})


@pytest.mark.parametrize(
    ("reason", "steps", "finished"),
    [
        (None, 4, True),
        ("interrupted", 4, True),
        ("interrupted", 3, False),
        ("time", 3, True),
        ("diverged", 4, False),
    ],
)
def test_finish_is_called_after_complete_epochs_only(guard, reason, steps, finished):
    guard.reason = reason
    calls = []
    epoch(guard, steps=steps, of=4, finish=lambda number, losses: calls.append(losses))
    assert calls == ([{"loss": 2.0}] if finished else [])


def test_a_full_disk_at_the_end_of_an_epoch_is_a_clear_error(guard):
    def finish(number, losses):
        raise OSError(28, "No space left on device")

    with pytest.raises(
        TfsepganError, match="Could not write the run: .*No space left on device. Free some space"
    ):
        epoch(guard, steps=4, of=4, finish=finish)
