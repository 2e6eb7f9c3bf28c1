"""Streams: labelled mixtures, solos and unlabelled mixtures are drawn independently."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

from tfsepgan.config import DataConfig
from tfsepgan.data.batches.pipeline import training_batches
from tfsepgan.data.batches.readers import tfio_loads
from tfsepgan.data.batches.streams import BATCH_KEYS, open_streams, share_out
from tfsepgan.data.recordings.catalogue import scan
from tfsepgan.data.references.fixed_mixtures import fixed_mixtures
from tfsepgan.errors import ConfigError, DataError

READERS = ("soundfile", "memmap", *(("tfio",) if tfio_loads() else ()))
CONFIG = DataConfig(
    sources=("piano",), sample_rate_hz=8000, window=2000, batch=3, law="snr", reader="memmap"
)


def batches(folder, cache, *, batch_keys, count=3, config=CONFIG, **options):
    made = training_batches(
        scan(folder), config, batch_keys=batch_keys, cache_dir=cache, **options
    ).take(count)
    return [{name: value.numpy() for name, value in batch.items()} for batch in made]


@pytest.fixture(scope="session")
def streams_cache(tmp_path_factory):
    return tmp_path_factory.mktemp("streams_cache")


@pytest.mark.parametrize("reader", READERS)
def test_every_key_has_its_shape_and_every_reader_the_same_bits(unpaired, streams_cache, reader):
    config = replace(CONFIG, reader=reader)
    made = batches(unpaired, streams_cache, batch_keys=BATCH_KEYS, config=config)
    shapes = {
        "mixture": (3, 2000, 1),
        "sources": (3, 1, 2000, 1),
        "solo": (3, 2, 2000, 1),
        "unlabelled": (3, 2000, 1),
    }
    assert {name: value.shape for name, value in made[0].items()} == shapes
    for one, other in zip(
        made, batches(unpaired, streams_cache, batch_keys=BATCH_KEYS), strict=True
    ):
        for name in BATCH_KEYS:
            assert np.array_equal(one[name], other[name]), name


def test_other_batch_keys_do_not_change_the_labelled_mixtures(unpaired, streams_cache):
    alone = batches(unpaired, streams_cache, batch_keys=("mixture", "sources"))
    for one, other in zip(
        alone,
        batches(unpaired, streams_cache, batch_keys=("solo", "sources", "mixture")),
        strict=True,
    ):
        assert np.array_equal(one["mixture"], other["mixture"])
        assert np.array_equal(one["sources"], other["sources"])


def test_the_streams_do_not_tell_of_each_other(unpaired, streams_cache):
    """No solo is a source of the labelled mixture of its place, and no unlabelled mixture is a
    labelled one."""
    for batch in batches(unpaired, streams_cache, batch_keys=BATCH_KEYS, count=5):
        for item in range(3):
            pairs = [("mixture", "unlabelled"), ("sources", "solo"), ("unlabelled", "solo")]
            for one, other in pairs:
                a, b = batch[one][item], batch[other][item]
                a, b = (x[0] if x.ndim == 3 else x for x in (a, b))
                assert not np.allclose(a, b)
                assert abs(np.corrcoef(a[:, 0], b[:, 0])[0, 1]) < 0.3


def test_the_rest_stands_last_among_the_solos(multitrack, streams_cache):
    config = replace(CONFIG, sources=("piano", "bass"))
    batch = batches(multitrack, streams_cache, batch_keys=("solo",), count=1, config=config)[0]
    assert batch["solo"].shape == (3, 3, 2000, 1)
    assert (np.abs(batch["solo"]).max(axis=(2, 3)) > 0).all()


def test_a_resumed_run_gets_the_batches_of_an_uninterrupted_one(unpaired, streams_cache):
    whole = batches(unpaired, streams_cache, batch_keys=BATCH_KEYS, count=5)
    resumed = batches(unpaired, streams_cache, batch_keys=BATCH_KEYS, count=2, first_step=3)
    for one, other in zip(whole[3:], resumed, strict=True):
        assert all(np.array_equal(one[name], other[name]) for name in BATCH_KEYS)


def test_unlabelled_windows_are_only_from_a_folder_of_mixtures(unpaired, write, tmp_path):
    folder = tmp_path / "data"
    shutil.copytree(unpaired, folder)
    square = np.sign(write(folder / "train/mixture/live.wav", 3.0, seed=900))
    import soundfile

    soundfile.write(folder / "train/mixture/live.wav", 0.25 * square, 8000)
    write(folder / "valid/mixture/live.wav", 3.0, seed=901, level=0.3)
    for batch in batches(folder, tmp_path / "cache", batch_keys=BATCH_KEYS, count=8):
        assert np.allclose(
            np.abs(batch["unlabelled"]),
            np.abs(batch["unlabelled"]).max(axis=1, keepdims=True),
            rtol=1e-3,
        )
        rest = batch["mixture"] - batch["sources"][:, 0]
        assert not np.allclose(np.abs(rest), np.abs(rest).max(axis=1, keepdims=True), rtol=1e-2)
    fixed = fixed_mixtures(scan(folder), CONFIG, split="valid", count=4, seconds=0.5)
    before = fixed_mixtures(scan(unpaired), CONFIG, split="valid", count=4, seconds=0.5)
    for one, other in zip(fixed, before, strict=True):
        assert np.array_equal(one.mixture, other.mixture)


@pytest.fixture
def many(write, tmp_path):
    for source, count in (("piano", 4), ("rest/cello", 4), ("rest/drums", 1)):
        for number in range(count):
            write(tmp_path / "many" / "train" / source / f"{number}.wav", 1.0, seed=number)
    return tmp_path / "many"


def test_of_songs_with_and_without_a_source_each_have_their_share(write, tmp_path):
    for number in range(20):
        for source in ("piano", "drums", "bass") if number < 5 else ("drums", "bass"):
            write(tmp_path / "train" / f"song{number:02d}" / f"{source}.wav", 1.0, seed=number)
    for seed in range(10):
        labelled, others = share_out(
            scan(tmp_path), replace(CONFIG, labelled=0.1, seed=seed), "train"
        )
        assert sum(name.endswith("piano.wav") for name in labelled) == 1
        assert sum(name.endswith("piano.wav") for name in others) == 4


def test_no_unlabelled_others_are_refused(write, tmp_path):
    for name in ("piano/a", "piano/b", "rest/flute/a", "rest/sax/a"):
        write(tmp_path / "train" / f"{name}.wav", 1.0, seed=len(name))
    with pytest.raises(DataError, match="no others are left for the unlabelled mixtures"):
        share_out(scan(tmp_path), replace(CONFIG, labelled=0.5), "train")


def test_recorded_mixtures_are_unchanged_by_the_paper_law(unpaired, write, tmp_path):
    shutil.copytree(unpaired, tmp_path / "data")
    write(tmp_path / "data" / "train" / "mixture" / "live.wav", 3.0, seed=900)
    config = replace(CONFIG, law="paper")
    stream = open_streams(
        scan(tmp_path / "data"), config, ("unlabelled",), "train", tmp_path / "cache"
    )[0]
    np.testing.assert_array_equal(
        stream.plan(config, 0, config.window).weights, [[1.0, 0.0]] * config.batch
    )


@pytest.mark.parametrize("share", [0.25, 0.5])
def test_a_share_of_every_folder_is_labelled_and_the_others_are_not(many, share):
    labelled, others = share_out(scan(many), replace(CONFIG, labelled=share), "train")
    assert not labelled & others
    for folder, count in (("piano", 4), ("rest/cello", 4)):
        assert sum(f"/{folder}/" in name for name in labelled) == share * count
        assert sum(f"/{folder}/" in name for name in others) == (1 - share) * count
    # the only one there is: a mixture needs others
    assert sum("drums" in name for name in labelled) == 1


def test_with_fewer_labels_the_streams_draw_from_recordings_of_their_own(many, tmp_path):
    config = replace(CONFIG, labelled=0.5)
    streams = open_streams(scan(many), config, BATCH_KEYS, "train", tmp_path / "cache")
    drawn = []
    for stream in streams:
        draws = [stream.plan(config, step, config.window).draws.recording for step in range(40)]
        drawn.append({str(stream.pool.recordings[number].path) for number in np.concatenate(draws)})
    labelled, solos, unlabelled = drawn
    assert solos == unlabelled and len(solos) == 4
    assert not labelled & solos


def test_songs_are_shared_out_whole(multitrack):
    labelled, others = share_out(scan(multitrack), replace(CONFIG, labelled=0.5), "train")
    assert {name.split("/")[1] for name in labelled} ^ {name.split("/")[1] for name in others} == {
        "one",
        "two",
    }
    assert len(labelled) == len(others) == 3


def test_no_recording_left_unlabelled_is_an_error_that_says_so(many, tmp_path):
    config = replace(CONFIG, labelled=0.9)
    with pytest.raises(DataError, match="labelled is 0.9, which makes all 4 recordings of 'piano'"):
        open_streams(scan(many), config, BATCH_KEYS, "train", tmp_path / "cache")
    assert open_streams(scan(many), config, ("mixture", "sources"), "train", tmp_path / "cache")


def test_an_unknown_key_is_named(unpaired, streams_cache):
    with pytest.raises(ConfigError, match="did you mean 'solo'"):
        training_batches(scan(unpaired), CONFIG, batch_keys=("solos",), cache_dir=streams_cache)
