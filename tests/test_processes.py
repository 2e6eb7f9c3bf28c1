"""Scoring processes return results and errors, load no TensorFlow, and may die without loss."""

import os
import signal
import subprocess
import sys
import time

import pytest

from tfsepgan.errors import DataError, ShapeError
from tfsepgan.processes import WorkerDied, run_in_workers, run_jobs, stop_if_asked


def end_process(_job):
    os._exit(1) if os.getpid() != MAIN else None
    return "done here"


MAIN = int(os.environ.setdefault("TFSEPGAN_TEST_MAIN", str(os.getpid())))


def raise_shape_error(job):
    raise ShapeError(f"job {job} is wrong")


def pause(seconds):
    time.sleep(seconds)
    return os.getpid()


def test_jobs_of_processes_that_die_run_in_this_process():
    deaths = []
    jobs = ((key, None) for key in range(6))
    results = sorted(
        run_jobs(end_process, jobs, workers=2, after_death=lambda: deaths.append("told"))
    )
    assert results == [(key, "done here", None) for key in range(6)]
    assert deaths == ["told"]


def test_a_death_is_an_error_unless_told_otherwise():
    with pytest.raises(DataError, match="A worker died, possibly from lack of memory"):
        list(run_jobs(end_process, [("a", None)], workers=1))


@pytest.mark.parametrize("workers", [0, 1])
def test_an_error_is_returned_with_its_key(workers):
    [(key, result, error)] = list(run_jobs(raise_shape_error, [("a", 7)], workers=workers))
    assert (key, result) == ("a", None)
    assert isinstance(error, ShapeError) and str(error) == "job 7 is wrong"


def test_jobs_are_taken_when_a_process_is_free():
    taken = []

    def jobs():
        for key in range(6):
            taken.append(key)
            yield key, 0.05

    results = run_jobs(pause, jobs(), workers=2)
    next(results)
    assert len(taken) <= 4
    others = list(results)
    assert len(others) == 5 and {pid for _, pid, _ in others}.isdisjoint({os.getpid()})


def test_a_worker_loads_no_tensorflow():
    program = (
        "import sys, tfsepgan.evaluation.track,"
        " tfsepgan.evaluation.score\nprint(sorted(sys.modules))"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment
    )
    assert "'tfsepgan.metrics.bss'" in done.stdout, done.stderr
    for heavy in ("tensorflow", "keras", "matplotlib", "museval", "musdb"):
        assert f"'{heavy}'" not in done.stdout


def prepare():
    return os.getpid()


def refuse_to_start():
    raise DataError("no model")


def kill_at_three(prepared, job):
    """Returns what the process prepared and its number; job 3 kills its process."""
    if job == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return prepared, os.getpid()


def die(_prepared, _job):
    os._exit(1)


def work_until_asked(folder, job):
    with open(f"{job}.running", "w"):
        for _ in range(3000):
            time.sleep(0.01)
            stop_if_asked()


def test_a_worker_that_dies_costs_its_job_and_is_replaced():
    ended = list(run_in_workers(prepare, kill_at_three, range(8), workers=2))
    assert sorted(job for job, _, _ in ended) == list(range(8))
    assert [(job, type(error)) for job, _, error in ended if error] == [(3, WorkerDied)]
    numbers = {result for _, result, error in ended if not error}
    assert all(prepared == number for prepared, number in numbers)  # prepared once each
    assert len(numbers) in (2, 3) and os.getpid() not in dict(numbers)


def test_a_start_that_fails_ends_the_run():
    with pytest.raises(DataError, match="no model"):
        list(run_in_workers(refuse_to_start, kill_at_three, range(8), workers=2))


def test_processes_that_die_one_after_the_other_end_the_run():
    ended = []
    with pytest.raises(DataError, match="5 worker processes died one after the other"):
        ended.extend(iter(run_in_workers(prepare, die, range(9), workers=1)))
    assert [(job, type(error)) for job, _, error in ended] == [(n, WorkerDied) for n in range(5)]


def test_jobs_stop_when_the_caller_does(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def poll():
        if len(list(tmp_path.glob("*.running"))) == 2:
            raise KeyboardInterrupt

    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        list(run_in_workers(prepare, work_until_asked, range(9), workers=2, poll=poll))
    assert time.monotonic() - started < 20  # a job takes 30 s


def test_a_job_in_this_process_is_never_asked_to_stop():
    assert stop_if_asked() is None
