"""Weights are those that the manifest describes; numbers that no model has are refused early."""

import json
import shutil

import pytest
from bundles_for_tests import edit, random_bundle

from tfsepgan.errors import CheckpointError
from tfsepgan.models.bundle import WEIGHTS, load_bundle, save_bundle
from tfsepgan.models.folders import MANIFEST, read_manifest

SETTINGS = {"channels": 16, "blocks": 1, "frame": 64, "hop": 16}


def save_random(folder, seed):
    import numpy as np

    bundle = random_bundle("filterbank", rate_hz=16000, sources=("piano",), **SETTINGS)
    random = np.random.default_rng(seed)
    bundle.generator.set_weights(
        [weights + random.random(weights.shape) for weights in bundle.generator.get_weights()]
    )
    save_bundle(folder, bundle.generator, bundle.manifest)
    return folder


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    return save_random(tmp_path_factory.mktemp("digests") / "one", 1)


def edit_network(model, **changes):
    edit(model, network_settings={**read_manifest(model).network_settings, **changes})


def test_weights_of_another_model_of_the_same_shape_are_refused_by_name(model, tmp_path):
    other = save_random(tmp_path / "two", 2)
    shutil.copy(other / WEIGHTS, model / WEIGHTS)
    with pytest.raises(CheckpointError, match=r"model\.keras is not the file that its manifest"):
        load_bundle(model)


def test_a_manifest_without_digests_is_accepted(model):
    values = json.loads((model / MANIFEST).read_text())
    assert list(values.pop("files")) == [WEIGHTS]
    (model / MANIFEST).write_text(json.dumps(values))
    assert load_bundle(model).manifest.sources == ("piano",)


@pytest.mark.parametrize(
    "changes",
    [
        {"sample_rate_hz": 10**12},
        {"sample_rate_hz": True},
        {"hop": 1 << 40},
        {"context": 10**10},
        {"context": -1},
        {"outputs": 10**9},
    ],
    ids=str,
)
def test_a_number_that_no_model_has_is_named(model, changes):
    edit(model, **changes)
    name = next(iter(changes))
    with pytest.raises(CheckpointError, match=f"is not a tfsepgan manifest: .*{name}"):
        load_bundle(model)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"channels": 10**6}, "channels is 1000000; it must be at most 8192"),
        ({"frame": 1 << 40, "hop": 1 << 39}, "frame is 1099511627776; it must be at most 65536"),
        ({"channels": 8192, "blocks": 1000}, "at least 67108864000 weights"),
        ({"dropout": 2.0}, "dropout is 2.0"),
        ({"dilations": [1 << 50]}, "it needs hop 16 and context"),
    ],
    ids=["channels", "frame", "many blocks", "dropout", "dilations"],
)
def test_a_network_that_would_fill_the_memory_is_refused_before_it_is_built(model, changes, words):
    edit_network(model, **changes)
    edit(model, context=1 << 20)  # enough for any of these but the dilations
    with pytest.raises(CheckpointError, match=words):
        load_bundle(model)
