"""Passing failures are repeated with growing waits, within limits; final ones are not."""

import pytest

from tfsepgan.errors import ConfigError, ServingError
from tfsepgan.serving.retry import BAD_REPLY, Patience, Refused, patiently


def failing(*codes):
    """An attempt that fails with these codes and then succeeds, and a list of its time limits."""
    left, limits = list(codes), []

    def attempt(seconds):
        limits.append(seconds)
        if left:
            raise Refused(left.pop(0), "the reason")
        return "done"

    return attempt, limits


@pytest.mark.parametrize(
    "code", ["UNAVAILABLE", "RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED", "INTERNAL", BAD_REPLY]
)
def test_a_passing_failure_is_repeated(code):
    attempt, limits = failing(code, code)
    waits = []
    assert (
        patiently(attempt, Patience(), server="it", sleep=waits.append, draw=lambda: 1.0) == "done"
    )
    assert len(limits) == 3
    assert waits == [0.1, 0.2]


@pytest.mark.parametrize(
    "code", ["INVALID_ARGUMENT", "NOT_FOUND", "FAILED_PRECONDITION", "PERMISSION_DENIED"]
)
def test_a_final_failure_is_not_repeated(code):
    attempt, limits = failing(code)
    with pytest.raises(ServingError, match=f"it answered {code}: the reason"):
        patiently(attempt, Patience(), server="it", sleep=lambda _: pytest.fail("it waited"))
    assert len(limits) == 1


def test_waits_double_up_to_a_limit_and_half_of_each_is_random():
    patience = Patience(first_wait_seconds=0.5, longest_wait_seconds=3.0)
    assert [patience.wait_seconds(failures, lambda: 1.0) for failures in range(1, 6)] == [
        0.5,
        1.0,
        2.0,
        3.0,
        3.0,
    ]
    assert patience.wait_seconds(2, lambda: 0.0) == 0.5


def test_attempts_and_time_are_limited():
    attempt, limits = failing(*["UNAVAILABLE"] * 9)
    with pytest.raises(
        ServingError, match="no usable answer in 3 attempts; the last was UNAVAILABLE"
    ):
        patiently(attempt, Patience(attempts=3), server="it", sleep=lambda _: None)
    assert len(limits) == 3
    attempt, limits = failing(*["UNAVAILABLE"] * 9)
    patience = Patience(deadline_seconds=0.2, first_wait_seconds=0.1, attempt_seconds=7)
    with pytest.raises(ServingError, match=r"in 0\.2 s"):
        patiently(attempt, patience, server="it", draw=lambda: 1.0)
    assert all(seconds <= 0.2 for seconds in limits) and len(limits) <= 2


@pytest.mark.parametrize(
    "settings", [{"attempts": 0}, {"deadline_seconds": -1.0}, {"attempt_seconds": float("nan")}]
)
def test_impossible_patience_is_refused(settings):
    with pytest.raises(ConfigError, match=next(iter(settings))):
        Patience(**settings)
