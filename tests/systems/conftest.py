"""Systems of the table on short random windows."""

import numpy as np
import pytest

from tfsepgan import systems

WINDOW, BATCH = 1024, 2


@pytest.fixture(scope="session")
def short(tiny):
    """`tiny` with short windows, and no files behind it."""

    def experiment(*, data=None, **changes):
        return tiny(data={"window": WINDOW, "batch": BATCH, **(data or {})}, **changes)

    return experiment


@pytest.fixture(scope="session")
def system_of():
    """A built and compiled system of an experiment."""

    def make(experiment):
        system = systems.build(experiment)
        system.compile()
        return system

    return make


@pytest.fixture(scope="session")
def batch_of():
    """A seeded batch as the data gives it: sources, and mixtures that are more than their sum."""

    def make(experiment, seed=0):
        import tensorflow as tf

        data, random = experiment.data, np.random.default_rng(seed)
        shape = (data.batch, len(data.sources), data.window, 1)
        sources = 0.1 * random.standard_normal(shape).astype(np.float32)
        mixture = sources.sum(axis=1) + 0.1 * random.standard_normal((shape[0], *shape[2:])).astype(np.float32)
        return {"mixture": tf.constant(mixture), "sources": tf.constant(sources)}

    return make
