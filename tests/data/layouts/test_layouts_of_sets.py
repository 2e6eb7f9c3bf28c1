"""Published data sets are detected by folders, names and metadata."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
from set_files_for_tests import write
from sets_for_tests import MAKERS

from tfsepgan.config import DataConfig
from tfsepgan.data.batches.draws import draw_plan
from tfsepgan.data.batches.pipeline import mix_batch
from tfsepgan.data.batches.readers import read_windows
from tfsepgan.data.batches.streams import open_pool
from tfsepgan.data.layouts.splitting import held_out, split_groups
from tfsepgan.data.recordings.catalogue import scan
from tfsepgan.errors import DataError


def test_every_layout_is_tested():
    from typing import get_args

    from tfsepgan.config import SetLayout
    from tfsepgan.data.layouts.table import PLAIN, SETS

    assert set(get_args(SetLayout)) == {"auto", PLAIN, *SETS}
    assert set(SETS) == set(MAKERS)


@pytest.mark.parametrize("name", MAKERS)
def test_a_set_is_recognised_and_gives_windows(name, sets, tmp_path):
    sources = MAKERS[name][1]
    catalogue = scan(sets[name], sources=sources)
    assert catalogue.sets == (name,)
    assert catalogue.splits == scan(sets[name], sources=sources, layout=name).splits
    names = [
        file.name
        for parts in catalogue.splits.values()
        for files in parts.values()
        for file in files
    ]
    assert len(set(names)) == len(names)
    rate_hz = 8000
    config = DataConfig(
        sources=sources, sample_rate_hz=rate_hz, window=4096, batch=4, others=(0, 1), law="snr"
    )
    # a piano alone: nothing to mix it with, which is said before training; its windows are tried
    if name == "maestro":
        with pytest.raises(DataError, match="holds piano and nothing else"):
            catalogue.require("train", sources)
        catalogue = replace(
            catalogue,
            splits={
                "train": catalogue.splits["train"] | {"rest": catalogue.splits["valid"]["piano"]}
            },
        )
    pool = open_pool(catalogue, config, cache_dir=tmp_path)
    plan = draw_plan(pool, config, 0)
    mixtures, found, rest = mix_batch(
        pool, config, plan, read_windows(pool, plan.draws, config.window, "memmap")
    )
    np.testing.assert_array_equal(mixtures, found.sum(axis=1, dtype=np.float32) + rest)
    assert np.all(np.std(found, axis=2) > 0.01)


@pytest.mark.parametrize("name", MAKERS)
def test_a_set_is_found_in_the_folder_that_it_was_unpacked_into(name, sets):
    root = sets[name]
    parent = (
        root.parent
        if root.name in ("MIR-1K", "slakh2100_flac_redux", "MedleyDB", "maestro-v3.0.0")
        else root
    )
    assert scan(parent, sources=MAKERS[name][1]).sets == (name,)


@pytest.mark.parametrize("name", MAKERS)
def test_a_layout_that_a_folder_has_not_is_refused(name, unpaired):
    with pytest.raises(DataError, match=f"is not laid out as {name}: "):
        scan(unpaired, layout=name)


def test_a_folder_of_two_sets_is_refused(tmp_path):
    MAKERS["mir1k"][0](tmp_path)
    MAKERS["maestro"][0](tmp_path)
    with pytest.raises(
        DataError,
        match=(
            r"can be read as mir1k and as maestro\. Choose one with --layout, or .*--data DIR1,DIR2"
        ),
    ):
        scan(tmp_path)
    assert scan(tmp_path, layout="maestro").sets == ("maestro",)
    write(tmp_path / "train" / "piano" / "a.wav", 0)
    with pytest.raises(DataError, match="as mir1k and as maestro and as plain"):
        scan(tmp_path)
    shutil.rmtree(tmp_path / "maestro-v3.0.0")
    assert scan(tmp_path, layout="plain").sets == ("plain",)


def test_songs_with_a_valid_folder_of_their_own_are_plain(tmp_path):
    root = MAKERS["musdb18hq"][0](tmp_path)
    (root / "valid").mkdir()
    shutil.move(root / "train" / "Music Delta - 80s Rock", root / "valid")
    catalogue = scan(root)
    assert catalogue.sets == ("plain",)
    assert catalogue.layout == "multitrack"
    assert list(catalogue.tracks("valid")) == ["Music Delta - 80s Rock"]


def test_a_distributed_set_with_a_double_loses_it_from_training_and_says_so(tmp_path):
    root = MAKERS["mir1k"][0](tmp_path)
    shutil.copy(root / "Wavfile" / "Ani_1_01.wav", root / "Wavfile" / "amy_2_01.wav")
    catalogue = scan(root)
    assert "amy_2_01" not in {**catalogue.tracks("train"), **catalogue.tracks("valid")}
    assert "Ani_1_01" in catalogue.tracks("test")
    assert any(
        "amy_2_01 is left out: it is also test/Ani_1_01/" in note for note in catalogue.notes
    )


def test_held_out_groups_are_the_same_however_many_there_are():
    names = [f"artist {number}" for number in range(100)]
    held = held_out(names, 0.1)
    assert len(held) == 10
    assert held_out(names[::-1] + names[:50], 0.1) == held
    assert len(held_out([name for name in names if name not in sorted(held)[:1]], 0.1) & held) == 9
    assert held_out(["alone"]) == frozenset()
    assert set(split_groups(["one", "two"]).values()) == {"train", "valid"}
    assert split_groups(["one"]) == {"one": "train"}
