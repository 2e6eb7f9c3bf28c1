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
    """A seeded batch as the data gives it, with all that a system may hear: mixtures are more than
    their sources' sum."""

    def make(experiment, seed=0):
        import tensorflow as tf

        data, random = experiment.data, np.random.default_rng(seed)

        def noise(*shape):
            return 0.1 * random.standard_normal((data.batch, *shape, data.window, 1)).astype(
                np.float32
            )

        sources = noise(len(data.sources))
        batch = {"mixture": sources.sum(axis=1) + noise(), "sources": sources}
        batch |= {"solo": noise(len(data.sources) + 1), "unlabelled": noise()}
        return {name: tf.constant(value) for name, value in batch.items()}

    return make
