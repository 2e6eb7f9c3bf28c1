"""A saved generator loads unchanged; other folders are refused; no code in a file is run."""

import json
import os
import zipfile

import numpy as np
import pytest
from bundles_for_tests import edit

from tfsepgan.errors import CheckpointError
from tfsepgan.models.bundle import (
    MANIFEST,
    WEIGHTS,
    Bundle,
    describe,
    load_bundle,
    read_manifest,
    save_bundle,
)
from tfsepgan.networks.table import generator_entry

RATE = 16000


def described(generator, config, *, sources=("piano",)):
    return describe(
        generator,
        config,
        name="x",
        system="ssepgan",
        sample_rate_hz=RATE,
        sources=sources,
        trained={"step": 3},
    )


@pytest.fixture(scope="module")
def saved(tmp_path_factory, generators):
    """The folder of a valid model; tests must not change it."""
    generator, config = generators("filterbank")
    directory = tmp_path_factory.mktemp("bundle")
    save_bundle(directory, generator, described(generator, config))
    return directory


def forget_digests(model):
    edit(model, files={})


def edit_network(model, **changes):
    edit(
        model,
        network_settings={
            **json.loads((model / MANIFEST).read_text())["network_settings"],
            **changes,
        },
    )


def test_a_saved_generator_loads_with_the_same_estimates(generator_kind, generators, tmp_path):
    generator, config = generators(generator_kind, sources=2)
    manifest = described(generator, config, sources=("piano", "voice"))
    save_bundle(tmp_path / "model", generator, manifest)
    loaded = load_bundle(tmp_path / "model")
    assert isinstance(loaded, Bundle)
    assert (loaded.manifest.sources, loaded.manifest.trained) == (("piano", "voice"), {"step": 3})
    mixture = np.random.default_rng(0).standard_normal((2, 333, 1)).astype(np.float32)
    assert np.array_equal(
        loaded.generator(mixture, training=False), generator(mixture, training=False)
    )
    for before, after in zip(generator.get_weights(), loaded.generator.get_weights(), strict=True):
        assert np.array_equal(before, after)


def test_the_manifest_describes_the_model(generator_kind, generators):
    generator, config = generators(generator_kind, sources=2)
    manifest = described(generator, config, sources=("piano", "voice"))
    entry = generator_entry(config.kind)
    assert manifest.network == config.kind
    assert (manifest.hop, manifest.context) == (entry.hop(config), entry.context(config))
    assert manifest.parameters == generator.count_params()
    assert manifest.sources == ("piano", "voice")


def test_a_model_without_a_newer_setting_loads_with_its_default(model, generators):
    generator, _ = generators("filterbank")
    settings = json.loads((model / MANIFEST).read_text())["network_settings"]
    assert settings.pop("features") == "power"
    edit(model, network_settings=settings)
    mixture = np.random.default_rng(0).standard_normal((1, 333, 1)).astype(np.float32)
    assert np.array_equal(load_bundle(model).generator(mixture), generator(mixture))


def test_the_manifest_on_disk_is_the_one_given(saved, generators):
    generator, config = generators("filterbank")
    read = read_manifest(saved)
    settings = {key: list(v) if isinstance(v, tuple) else v for key, v in vars(config).items()}
    assert vars(read) == {**vars(described(generator, config)), "network_settings": settings}


def test_saving_over_a_model_replaces_it_and_leaves_no_other_file(model, generators):
    generator, config = generators("resnet")
    save_bundle(model, generator, described(generator, config))
    assert sorted(os.listdir(model)) == sorted([MANIFEST, WEIGHTS])
    assert load_bundle(model).manifest.network == "resnet"


def test_a_full_disk_leaves_the_old_model_complete(model, generators, monkeypatch):
    before = {path.name: path.read_bytes() for path in model.iterdir()}
    generator, config = generators("filterbank", blocks=1)

    def refuse(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(CheckpointError, match="No space left on device. Free some space"):
        save_bundle(model, generator, described(generator, config))
    assert {path.name: path.read_bytes() for path in model.iterdir()} == before


# Folders other than models are refused.


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "is not a tfsepgan manifest"),
        ("[1]", "is not a tfsepgan manifest"),
        ("{}", "is not a tfsepgan manifest"),
        ("[" * 100_000, "is not a tfsepgan manifest"),
        ('{"sources": ["piano"]}', "is not a tfsepgan manifest"),
    ],
    ids=["cut", "list", "empty", "deep", "little"],
)
def test_json_other_than_a_manifest_is_refused(model, content, words):
    (model / MANIFEST).write_text(content)
    with pytest.raises(CheckpointError, match=words):
        load_bundle(model)


def test_a_manifest_other_than_text_is_refused(model):
    (model / MANIFEST).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CheckpointError, match="is not a tfsepgan manifest"):
        load_bundle(model)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("sample_rate_hz", "16000"),
        ("sample_rate_hz", 0),
        ("hop", 0),
        ("hop", None),
        ("context", "9"),
        ("sources", []),
        ("sources", [1]),
        ("sources", None),
        ("network_settings", None),
        ("network_settings", [1]),
        ("name", {"a": 1}),
        ("trained", "well"),
    ],
)
def test_a_manifest_with_a_wrong_value_names_it(model, field, value):
    edit(model, **{field: value})
    with pytest.raises(
        CheckpointError, match=f"is not a tfsepgan manifest: .*{field if value is not None else ''}"
    ):
        load_bundle(model)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"kind": "resnetx"}, "no generator 'resnetx'; did you mean 'resnet'"),
        ({"kind": 5}, "no generator 5"),
        ({"hopp": 3}, "GeneratorConfig has no setting 'hopp'; did you mean 'hop'"),
        ({"channels": 17}, "do not fit its manifest"),
        ({"channels": -1}, "do not fit its manifest"),
        ({"channels": "16"}, "do not fit its manifest"),
        ({"blocks": 5}, "do not fit its manifest"),
        ({"dilations": []}, "do not fit its manifest"),
        ({"dilations": "ab"}, "do not fit its manifest"),
        ({"frame": 0, "hop": 0}, "frame is 0; it must be at least 4"),
    ],
)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_settings_that_do_not_fit_the_weights_are_refused(model, settings, words):
    edit_network(model, **settings)
    with pytest.raises(CheckpointError, match=words):
        load_bundle(model)


@pytest.mark.parametrize("changes", [{"hop": 8}, {"context": 16}])
def test_a_hop_or_context_other_than_the_networks_is_refused(model, changes):
    edit(model, **changes)
    with pytest.raises(CheckpointError, match="it needs hop 16 and context"):
        load_bundle(model)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_more_sources_than_the_weights_have_are_refused(model):
    edit(model, sources=["piano", "voice"])
    with pytest.raises(CheckpointError, match="do not fit its manifest"):
        load_bundle(model)


def test_a_folder_without_weights_is_refused(model):
    (model / WEIGHTS).unlink()
    with pytest.raises(CheckpointError, match=f"has a {MANIFEST} but no {WEIGHTS}"):
        load_bundle(model)


def test_a_folder_without_a_manifest_and_a_missing_one_are_refused(model, tmp_path):
    (model / MANIFEST).unlink()
    for directory in (model, tmp_path / "nowhere"):
        with pytest.raises(CheckpointError, match=f"is not a model: it has no {MANIFEST}"):
            load_bundle(directory)


@pytest.mark.parametrize("keep", [0, 10, 3000])
def test_weights_that_are_cut_short_are_refused(model, keep):
    forget_digests(model)
    (model / WEIGHTS).write_bytes((model / WEIGHTS).read_bytes()[:keep])
    with pytest.raises(CheckpointError, match="do not fit its manifest"):
        load_bundle(model)


def test_an_archive_without_weights_is_refused(model):
    forget_digests(model)
    with zipfile.ZipFile(model / WEIGHTS, "w") as archive:
        archive.writestr("config.json", "{}")
    with pytest.raises(CheckpointError, match="do not fit its manifest"):
        load_bundle(model)


# No code in a file is run.


@pytest.mark.parametrize(
    "kind",
    [
        "__import__('os').mkdir({trap!r})",
        "os:mkdir",
        "!!python/object/apply:os.mkdir [{trap!r}]",
        "../../../../etc/passwd",
    ],
)
def test_code_in_a_manifest_stays_text(model, tmp_path, kind):
    trap = tmp_path / "trap"
    edit_network(model, kind=kind.format(trap=str(trap)))
    with pytest.raises(CheckpointError, match="no generator"):
        load_bundle(model)
    assert not trap.exists()


def test_the_class_names_in_a_weights_file_are_not_followed(model, tmp_path):
    """Only arrays are read from a `model.keras` whose config names a function to call."""
    forget_digests(model)
    mixture = np.ones((1, 64, 1), np.float32)
    expected = load_bundle(model).generator(mixture, training=False)
    trap = tmp_path / "trap"
    call = {
        "module": "os",
        "class_name": "mkdir",
        "registered_name": None,
        "config": {"path": str(trap)},
    }
    source, target = model / WEIGHTS, tmp_path / "new.keras"
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            new.writestr(name, json.dumps(call) if name == "config.json" else old.read(name))
    os.replace(target, source)
    assert np.array_equal(load_bundle(model).generator(mixture, training=False), expected)
    assert not trap.exists()
