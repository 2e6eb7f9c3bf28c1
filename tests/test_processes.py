"""Scoring processes return results and errors, load no TensorFlow, and may die without loss."""

import os
import subprocess
import sys
import time

import pytest

from tfsepgan.errors import DataError, ShapeError
from tfsepgan.processes import run_jobs


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
