"""Fixtures for tests of searches: the plan of a search over small runs."""

import pytest
from runs_for_tests import (  # noqa: F401  fixtures
    catalogue,
    light,
    new_run,
    no_curves,
    printed,
    saved_state,
)

from tfsepgan.settings.search import Choice, Range

RATE = {"learning_rate": Range(low=1e-4, high=1e-1, log=True)}
MANY = RATE | {"ema": Choice(values=(0.0, 0.9)), "generator.channels": Range(low=4, high=16)}


@pytest.fixture
def plan_of(light, tmp_path):  # noqa: F811
    """Makes a plan over `light` runs of four epochs."""
    from tfsepgan.tuning.plan import SearchPlan
    from tfsepgan.tuning.space import resolve

    def make(spans=MANY, *, directory="search", start=None, strict=True, **changes):
        start = start or light(steps=8, steps_per_epoch=2)
        return SearchPlan(
            start=start,
            space=resolve(spans, start, strict=strict),
            directory=tmp_path / directory,
            **changes,
        )

    return make
