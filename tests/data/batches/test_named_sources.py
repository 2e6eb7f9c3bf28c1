"""From one source to all: without others, the settings, mixtures and batches have none either."""

from dataclasses import replace

import numpy as np
import pytest

from tfsepgan.config import AugmentConfig, DataConfig
from tfsepgan.data.batches.draws import draw_plan
from tfsepgan.data.batches.pipeline import mix_batch
from tfsepgan.data.batches.readers import choose_reader, read_windows
from tfsepgan.data.batches.streams import open_pool
from tfsepgan.data.recordings.catalogue import scan
from tfsepgan.data.references.fixed_mixtures import fixed_mixtures
from tfsepgan.errors import ConfigError, DataError

CONFIG = DataConfig(sample_rate_hz=8000, window=2048, batch=4, law="snr")
BAND = ("piano", "bass", "drums")
EVERYONE = ("piano", "rest", "voice")


def named(*sources, **changes) -> DataConfig:
    return replace(CONFIG, sources=sources, **changes)


@pytest.mark.parametrize(
    ("sources", "others"),
    [
        (("piano",), ("bass", "drums")),
        (("bass", "piano"), ("drums",)),
        (BAND, ()),
        (BAND[::-1], ()),
    ],
)
def test_others_are_what_no_source_names(multitrack, sources, others):
    assert scan(multitrack, sources=sources).others("train", sources) == others


def test_a_folder_of_mixtures_is_no_other(tmp_path, write):
    for number, source in enumerate(("piano", "rest", "mixture")):
        write(tmp_path / "train" / source / "a.wav", 1.0, seed=number)
    assert scan(tmp_path).others("train", ("piano", "rest")) == ()


def test_settings_are_settled_by_the_recordings(multitrack, unpaired):
    for folder, every in ((multitrack, BAND), (unpaired, EVERYONE)):
        catalogue = scan(folder, sources=every)
        settled = catalogue.settled(named(*every))
        assert settled.others == (0, 0) and not settled.has_others
        assert catalogue.settled(settled) == settled
        some = named(*every[:2])
        assert catalogue.settled(some) == some and some.has_others


def test_others_of_none_where_there_are_some_are_refused(unpaired):
    with pytest.raises(
        ConfigError, match="others is 0 0, .* also holds rest, voice. Add these to the sources"
    ):
        scan(unpaired).settled(named("piano", others=(0, 0)))


def test_a_noise_floor_is_something_else_to_learn():
    assert named(*BAND, others=(0, 0), augment=AugmentConfig(noise=0.5)).has_others


def test_one_source_and_nothing_else_is_still_refused(tmp_path, write):
    write(tmp_path / "train" / "piano" / "a.wav", 1.0)
    with pytest.raises(DataError, match="there is nothing to mix it with"):
        scan(tmp_path).require("train", ("piano",))


@pytest.mark.parametrize("law", ["paper", "snr"])
@pytest.mark.parametrize("remix", [0.0, 0.5])
def test_batches_hold_nothing_but_the_sources_and_do_not_depend_on_others(
    multitrack, unpaired, tmp_path, law, remix
):
    for folder, every in ((multitrack, BAND), (unpaired, EVERYONE)):
        catalogue = scan(folder, sources=every)
        made = []
        for config in (
            named(*every, law=law, remix=remix),
            named(*every, law=law, remix=remix, others=(0, 0)),
        ):
            pool = open_pool(catalogue, config, cache_dir=tmp_path)
            plan = draw_plan(pool, config, step=3)
            windows = read_windows(pool, plan.draws, config.window, choose_reader("memmap"))
            made.append(mix_batch(pool, config, plan, windows))
        for one, other in zip(*made, strict=True):
            np.testing.assert_array_equal(one, other)
        mixtures, sources, rest = made[0]
        assert sources.shape == (4, 3, 2048, 1) and not rest.any()
        np.testing.assert_allclose(sources.sum(axis=1), mixtures, atol=1e-6)
        assert np.all(np.abs(sources).max(axis=2) > 0)


def test_mixtures_of_named_sources_have_no_residual(multitrack, unpaired):
    for folder, every in ((multitrack, BAND), (unpaired, EVERYONE)):
        catalogue = scan(folder, sources=every)
        for config in (named(*every), catalogue.settled(named(*every))):
            for item in fixed_mixtures(catalogue, config, split="valid", count=3, seconds=0.5):
                assert tuple(item.sources) == item.scored == every
                total = np.zeros_like(item.mixture)
                for part in item.sources.values():
                    total = total + part
                np.testing.assert_array_equal(item.mixture, total)


def test_others_of_the_valid_split_do_not_come_back_into_a_run_that_has_none(tmp_path, write):
    for number, name in enumerate(("train/a", "train/b", "valid/a", "valid/b", "valid/c")):
        write(tmp_path / name / "1.wav", 1.0, seed=number)
    catalogue = scan(tmp_path, sources=("a", "b"))
    (item,) = fixed_mixtures(
        catalogue, catalogue.settled(named("a", "b")), split="valid", count=1, seconds=0.5
    )
    assert tuple(item.sources) == ("a", "b")
    (item,) = fixed_mixtures(catalogue, named("a", "b"), split="valid", count=1, seconds=0.5)
    assert tuple(item.sources) == ("a", "b", "residual")


def test_only_songs_with_others_have_a_residual(tmp_path, write):
    for number, stem in enumerate(("one/piano", "one/bass", "two/piano", "two/bass", "two/drums")):
        write(tmp_path / "test" / f"{stem}.wav", 1.0, seed=number)
    one, two = fixed_mixtures(
        scan(tmp_path, sources=("piano", "bass")), named("piano", "bass"), split="test"
    )
    assert tuple(one.sources) == ("piano", "bass")
    assert tuple(two.sources) == two.scored == ("piano", "bass", "residual")


def test_what_is_silent_or_sounds_alone_is_not_scored(tmp_path, write):
    for number, stem in enumerate(("one/piano", "one/bass", "two/piano")):
        write(tmp_path / "test" / f"{stem}.wav", 1.0, seed=number)
    write(tmp_path / "test" / "one" / "drums.wav", 1.0, level=0.0)
    one, two = fixed_mixtures(scan(tmp_path, sources=BAND), named(*BAND), split="test")
    assert one.scored == ("piano", "bass")
    assert two.scored == () and two.sources["piano"].any()
