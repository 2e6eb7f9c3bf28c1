"""Scoring processes return results and errors, load no TensorFlow, and may die without loss."""

import os
import subprocess
import sys

import pytest

from tfsepgan.errors import ShapeError
from tfsepgan.evaluation.pool import ScoringPool


def end_process(_job):
    os._exit(1) if os.getpid() != MAIN else None
    return "done here"


MAIN = int(os.environ.setdefault("TFSEPGAN_TEST_MAIN", str(os.getpid())))


def raise_shape_error(job):
    raise ShapeError(f"job {job} is wrong")


def test_jobs_of_processes_that_die_run_in_this_process():
    with ScoringPool(end_process, workers=2) as pool:
        for key in range(3):
            pool.submit(key, None)
        with pytest.warns(RuntimeWarning, match="ended abruptly"):
            results = sorted(pool.results(leave=0))
    assert results == [(key, "done here", None) for key in range(3)]


@pytest.mark.parametrize("workers", [0, 1])
def test_an_error_is_returned_with_its_key(workers):
    with ScoringPool(raise_shape_error, workers=workers) as pool:
        pool.submit("a", 7)
        [(key, result, error)] = list(pool.results(leave=0))
    assert (key, result) == ("a", None)
    assert isinstance(error, ShapeError) and str(error) == "job 7 is wrong"


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
