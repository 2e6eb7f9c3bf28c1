"""Batches: shapes, dependence on seed and step only, and the same bits from every reader."""

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest

from tfsepgan.audio.wav import HEADER_BYTES
from tfsepgan.config import DataConfig
from tfsepgan.data.batches.draws import draw_plan
from tfsepgan.data.batches.pipeline import mix_batch, training_batches
from tfsepgan.data.batches.readers import READERS, choose_reader, read_windows, tfio_loads
from tfsepgan.data.batches.streams import open_pool
from tfsepgan.data.recordings.catalogue import scan
from tfsepgan.errors import ConfigError, DataError

CONFIG = DataConfig(sample_rate_hz=8000, window=4096, batch=3, law="snr", seed=5)
AVAILABLE = [reader for reader in READERS if reader != "tfio" or tfio_loads()]


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


def first(dataset, count: int) -> list[dict[str, np.ndarray]]:
    return list(islice(dataset.as_numpy_iterator(), count))


def assert_same(ones, twos):
    for one, two in zip(ones, twos, strict=True):
        for key in ("mixture", "sources"):
            np.testing.assert_array_equal(one[key], two[key])


def test_batches_have_the_promised_shapes_and_range(unpaired, cache):
    dataset = training_batches(scan(unpaired), CONFIG, cache_dir=cache)
    assert dataset.element_spec["mixture"].shape == (3, 4096, 1)
    assert dataset.element_spec["sources"].shape == (3, 1, 4096, 1)
    for batch in first(dataset, 5):
        assert batch["mixture"].dtype == batch["sources"].dtype == np.float32
        assert np.abs(batch["mixture"]).max() <= 1
        assert np.abs(batch["sources"]).max(axis=(1, 2, 3)).min() > 0


def test_the_same_seed_gives_the_same_bits(unpaired, cache, tmp_path):
    one = first(training_batches(scan(unpaired), CONFIG, cache_dir=cache), 4)
    two = first(training_batches(scan(unpaired), CONFIG, cache_dir=tmp_path), 4)
    assert_same(one, two)
    other = first(training_batches(scan(unpaired), replace(CONFIG, seed=6), cache_dir=cache), 1)
    assert not np.array_equal(one[0]["mixture"], other[0]["mixture"])


def test_a_resumed_run_sees_what_an_unbroken_one_would(unpaired, cache):
    whole = first(training_batches(scan(unpaired), CONFIG, cache_dir=cache), 9)
    resumed = first(training_batches(scan(unpaired), CONFIG, first_step=6, cache_dir=cache), 3)
    assert_same(whole[6:], resumed)


@pytest.mark.parametrize("reader", AVAILABLE)
@pytest.mark.parametrize("layout", ["unpaired", "multitrack"])
def test_every_reader_gives_the_same_bits(request, cache, reader, layout):
    catalogue = scan(request.getfixturevalue(layout))
    config = replace(CONFIG, remix=0.5)
    expected = []
    pool = open_pool(catalogue, config, cache_dir=cache)
    for step in range(30):
        plan = draw_plan(pool, config, step)
        windows = read_windows(pool, plan.draws, config.window, "soundfile")
        expected.append(
            dict(
                zip(("mixture", "sources"), mix_batch(pool, config, plan, windows)[:2], strict=True)
            )
        )
    assert_same(
        first(training_batches(catalogue, replace(config, reader=reader), cache_dir=cache), 30),
        expected,
    )


def test_the_target_lies_in_the_mixture_as_given(unpaired, cache):
    for law in ("paper", "snr"):
        config = replace(CONFIG, law=law)
        pool = open_pool(scan(unpaired), config, cache_dir=cache)
        plan = draw_plan(pool, config, 0)
        windows = read_windows(pool, plan.draws, config.window, "memmap")
        mixture, sources, residual = mix_batch(pool, config, plan, windows)
        for item in range(config.batch):
            rows = plan.draws.item == item
            target = windows[rows & (plan.draws.part == 0)][0].astype(np.float32)
            given = sources[item, 0, :, 0]
            scale = np.dot(given, target) / np.dot(target, target)
            np.testing.assert_allclose(given, scale * target, atol=1e-6)
            rest = mixture[item, :, 0] - given
            others = windows[rows & (plan.draws.part != 0)].astype(np.float64).T
            fitted = others @ np.linalg.lstsq(others, rest, rcond=None)[0]
            np.testing.assert_allclose(rest, fitted, atol=1e-5)
        np.testing.assert_allclose(mixture, sources[:, 0] + residual, atol=1e-6)


def test_the_paper_law_draws_its_weight_uniformly(unpaired, cache):
    config = replace(CONFIG, law="paper", batch=1000)
    weights = draw_plan(open_pool(scan(unpaired), config, cache_dir=cache), config, 0).weights
    np.testing.assert_allclose(
        np.quantile(weights[:, 1], [0.25, 0.5, 0.75]), [0.25, 0.5, 0.75], atol=0.05
    )


def test_songs_are_mixed_from_one_place(multitrack, cache):
    config = replace(CONFIG, sources=("piano", "bass"))
    for batch in first(training_batches(scan(multitrack), config, cache_dir=cache), 2):
        assert batch["sources"].shape == (3, 2, 4096, 1)


def test_variants_are_for_training_only(unpaired, cache):
    config = replace(CONFIG, variants=2)
    for split, versions in (("train", 3), ("valid", 1)):
        pool = open_pool(scan(unpaired), config, split=split, cache_dir=cache)
        assert len(pool.recordings) == versions * 6


def test_only_short_files_are_refused(tmp_path, write, cache):
    for number, seconds in enumerate((0.3, 0.2)):
        write(tmp_path / "train" / "piano" / f"take{number}.wav", seconds, seed=number)
    write(tmp_path / "train" / "rest" / "a.wav", 1.0, seed=9)
    with pytest.raises(DataError) as caught:
        training_batches(scan(tmp_path), CONFIG, cache_dir=cache)
    assert str(caught.value) == (
        f"{tmp_path}/train/piano holds 2 files but none is longer than the window"
        " (0.51 s at 8000 Hz);\nthe longest is take0.wav, 0.30 s."
        " Use --window 2048 or longer recordings."
    )


def test_a_reader_that_does_not_load_is_refused():
    with pytest.raises(
        ConfigError, match="reader is 'sox'; it must be auto, tfio, soundfile, memmap"
    ):
        choose_reader("sox")
    assert choose_reader("auto") in AVAILABLE
    if not tfio_loads():
        with pytest.raises(ConfigError, match="tensorflow-io's operators do not load here"):
            choose_reader("tfio")


@pytest.mark.parametrize("reader", ["soundfile", "memmap"])
def test_a_cache_that_was_deleted_during_a_run_is_named(unpaired, tmp_path, reader):
    pool = open_pool(scan(unpaired), CONFIG, cache_dir=tmp_path)
    plan = draw_plan(pool, CONFIG, 0)
    for path in tmp_path.glob("*.wav"):
        path.unlink()
    with pytest.raises(DataError, match=r"\(unpacked from train/.*\) can no longer be read"):
        read_windows(pool, plan.draws, CONFIG.window, reader)


@pytest.mark.parametrize("reader", ["soundfile", "memmap"])
def test_a_cache_that_was_cut_short_during_a_run_is_named(unpaired, tmp_path, reader):
    shutil.copytree(unpaired, tmp_path / "data")  # mono WAV at the rate is read where it lies
    pool = open_pool(scan(tmp_path / "data"), CONFIG, cache_dir=tmp_path / "cache")
    plan = draw_plan(pool, CONFIG, 0)
    path, start = pool.recordings[plan.draws.recording[0]].path, int(plan.draws.start[0])
    # one sample is left, which must not fill the window
    os.truncate(path, HEADER_BYTES + 2 * (start + 1))
    with pytest.raises(DataError, match="can no longer be read"):
        read_windows(pool, plan.draws, CONFIG.window, reader)


def test_a_program_can_end_while_batches_are_being_made(unpaired, cache):
    program = f"""
from tfsepgan.config import DataConfig
from tfsepgan.data.recordings.catalogue import scan
from tfsepgan.data.batches.pipeline import training_batches
config = DataConfig(sample_rate_hz=8000, window=16000, batch=16, law="snr", others=(6, 6))
iterator = iter(training_batches(scan({str(unpaired)!r}), config, cache_dir={str(cache)!r}))
next(iterator)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
