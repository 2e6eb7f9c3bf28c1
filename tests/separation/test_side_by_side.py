"""Jobs run several at a time within their room; results keep the order of the jobs."""

import threading
import time

import pytest

from tfsepgan.separation.side_by_side import Cancelled, side_by_side


def run(work, jobs, *, threads=2, room=10.0, poll=lambda: None):
    return side_by_side(work, jobs, threads=threads, room=room, poll=poll)


def test_results_are_in_order_and_two_jobs_overlap():
    both = threading.Barrier(2)

    def work(job, check):
        both.wait(10)  # ends only when the other job runs too
        time.sleep(0.05 if job % 2 == 0 else 0)
        return job

    assert list(run(work, [(job, 1.0) for job in range(6)])) == list(range(6))


def test_a_job_that_fills_the_room_runs_alone():
    running, most, lock = set(), {}, threading.Lock()

    def work(job, check):
        with lock:
            running.add(job)
            for one in running:
                most[one] = max(most.get(one, 0), len(running))
        time.sleep(0.02)
        with lock:
            running.remove(job)
        return job

    jobs = [(0, 4.0), (1, 4.0), (2, 99.0), (3, 4.0), (4, 4.0)]
    assert list(run(work, jobs, threads=3)) == [0, 1, 2, 3, 4]
    assert most[2] == 1
    assert max(most.values()) <= 2


def test_an_error_of_the_caller_stops_the_jobs_and_keeps_what_is_finished():
    started, ended = threading.Event(), []

    def work(job, check):
        if job == 0:
            started.wait(10)
            return "finished"
        started.set()
        try:
            while True:
                check()
                time.sleep(0.005)
        except Cancelled:
            ended.append(job)
            raise

    def poll():
        if started.is_set():
            raise KeyboardInterrupt

    found = []
    with pytest.raises(KeyboardInterrupt):
        for one in run(work, [(0, 1.0), (1, 1.0), (2, 1.0)], poll=poll):
            found.append(one)
    assert found == ["finished"]
    assert 1 in ended


def test_the_error_of_a_job_comes_after_the_results_before_it():
    def work(job, check):
        if job == 1:
            raise OSError("no disk")
        return job

    found = []
    with pytest.raises(OSError, match="no disk"):
        for one in run(work, [(job, 1.0) for job in range(3)], threads=1):
            found.append(one)
    assert found[0] == 0
    assert 1 not in found


def test_a_caller_that_stops_early_stops_the_jobs():
    def work(job, check):
        while job:
            check()
            time.sleep(0.005)
        return job

    results = run(work, [(job, 1.0) for job in range(5)])
    assert next(results) == 0
    results.close()  # returns only when no job runs any more
    assert not [one for one in threading.enumerate() if "tfsepgan-recording" in one.name]
