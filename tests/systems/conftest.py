"""Systems of the table on short random windows."""

from collections import Counter
from dataclasses import replace

import keras
import numpy as np
import pytest
from contract_for_tests import Stepped, all_of, variables_of, weights_of

from tfsepgan import systems
from tfsepgan.models.saved import save_trained

WINDOW, BATCH = 1024, 2


@pytest.fixture(scope="session")
def short(tiny):
    """`tiny` with short windows, and no files behind it."""

    def experiment(*, data=None, **changes):
        return tiny(data={"window": WINDOW, "batch": BATCH, **(data or {})}, **changes)

    return experiment


def new_system(experiment):
    """A built and compiled system of an experiment."""
    system = systems.build(experiment)
    system.compile()
    return system


class Kept:
    """A system that tests use one after the other, each in its first state."""

    OF_FIT = {"train_function", "history", "stop_training", "_epoch_iterator"}

    def __init__(self, experiment):
        self.system = new_system(experiment)
        self.first, self.attributes = all_of(self.system), self._attributes()

    def _attributes(self):
        return {name: id(value) for name, value in vars(self.system).items()}

    @property
    def usable(self) -> bool:
        """Whether no test replaced an attribute, such as a network."""
        changed = self.attributes.items() ^ self._attributes().items()
        same = {name for name, _ in changed} <= self.OF_FIT
        return same and len(variables_of(self.system)) == len(self.first)

    def again(self):
        keras.utils.set_random_seed(self.system.experiment.data.seed)  # as when it was built
        for variable, value in zip(variables_of(self.system), self.first, strict=True):
            variable.assign(value)
        return self.system


@pytest.fixture(scope="module")
def kept_systems():
    return {}


@pytest.fixture
def system_of(kept_systems):
    """A built and compiled system of an experiment, at each call another one.

    Building takes as long as a step: the next test gets the systems of earlier tests of the module.
    """
    given = Counter()

    def make(experiment):
        key = repr(experiment)
        kept, count = kept_systems.setdefault(key, []), given[key]
        kept[count:] = [one for one in kept[count:] if one.usable]
        if count == len(kept):
            kept.append(Kept(experiment))
        given[key] += 1
        return kept[count].again()

    return make


@pytest.fixture(scope="session")
def batch_of():
    """A seeded batch with all keys; its mixtures have others beside their sources."""

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


@pytest.fixture(scope="session")
def sensing_of(short):
    """Gives compressed sensing's preset `tiny` on short windows, with settings changed by name."""

    def make(*, data=None, generator=None, **model):
        base, like = systems.preset("compressed_sensing", "tiny"), short(data=data)
        changed = replace(base.model, **model)
        if generator:
            changed = replace(changed, generator=replace(changed.generator, **generator))
        return replace(base, model=changed, data=like.data, training=like.training)

    return make


@pytest.fixture(scope="session")
def experiment_of(short):
    """A system's preset `tiny` on short windows, with a quick running mean and clipping."""

    def make(name):
        like = short(ema=0.75, clip_norm=0.5)
        return replace(systems.preset(name, "tiny"), data=like.data, training=like.training)

    return make


@pytest.fixture
def experiment(request, experiment_of):
    """The experiment of the test's system: every one of the table, or those of the marker."""
    return experiment_of(request.param)


@pytest.fixture(scope="session")
def stepped_systems(experiment_of, batch_of, tmp_path_factory):
    """A `Stepped` of each system by name, made when a test asks; not to be changed."""

    class Systems(dict):
        def __missing__(self, name):
            experiment = experiment_of(name)
            system = new_system(experiment)
            weights, variables = weights_of(system), [all_of(system)]
            logs = [system.train_step(batch_of(experiment, 0))]
            variables.append(all_of(system))
            second = batch_of(experiment, 1)
            logs.append(system.train_step({key: second[key] for key in system.batch_keys}))
            variables.append(all_of(system))
            system.finish_epoch()
            model = tmp_path_factory.mktemp(name)
            save_trained(model, system, {"steps": 2})
            self[name] = Stepped(system, model, weights, variables, logs)
            return self[name]

    return Systems()


@pytest.fixture
def stepped(experiment, stepped_systems):
    """A `Stepped` of the test's system."""
    return stepped_systems[experiment.system]
