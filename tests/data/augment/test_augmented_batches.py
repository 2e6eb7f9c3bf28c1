"""Batches after augmentation: sources still sum to the mixture, and a seed gives the same bits."""

from dataclasses import replace

import numpy as np
import pytest
from augment_for_tests import CONFIG, EVERYTHING, WINDOW, batches, with_

from tfsepgan.config import AUGMENTATIONS, AugmentConfig, DataConfig, check, with_data
from tfsepgan.data.augment.augmenter import Augmenter, longer_window
from tfsepgan.data.batches.pipeline import batches_at_a_time
from tfsepgan.data.batches.readers import READERS, tfio_loads
from tfsepgan.errors import ConfigError
from tfsepgan.systems import preset


def test_nothing_is_changed_by_default(unpaired, cache):
    assert not DataConfig().augment.active
    plain = batches(unpaired, CONFIG, cache)
    ranges_only = batches(
        unpaired, with_(speed_semitones=(-1.0, 1.0), noise_db=(-10.0, 0.0)), cache
    )
    for one, other in zip(plain, ranges_only, strict=True):
        np.testing.assert_array_equal(one["mixture"], other["mixture"])


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_each_change_changes_windows_and_leaves_their_sum_the_mixture(unpaired, cache, name):
    config = with_(**{name: 1.0}, low_pass_hz=(2000.0, 3000.0))
    batch_keys = ("mixture", "sources", "solo")
    plain, after = (
        batches(unpaired, one, cache, 1, batch_keys=batch_keys)[0] for one in (CONFIG, config)
    )
    assert not np.allclose(plain["mixture"], after["mixture"], atol=1e-4)
    if name == "noise":  # all of it is in the rest
        direction = [np.vdot(plain["sources"][k], after["sources"][k]) for k in range(CONFIG.batch)]
        lengths = [
            np.linalg.norm(plain["sources"][k]) * np.linalg.norm(after["sources"][k])
            for k in range(CONFIG.batch)
        ]
        np.testing.assert_allclose(direction, lengths, rtol=1e-4)
    else:
        assert not np.allclose(plain["sources"], after["sources"], atol=1e-4)
    assert np.isfinite(after["mixture"]).all() and np.abs(after["mixture"]).max() <= 1


@pytest.mark.parametrize("layout", ["unpaired", "multitrack"])
def test_with_everything_on_the_same_seed_gives_the_same_bits_with_every_reader(
    request, cache, layout
):
    folder = request.getfixturevalue(layout)
    config = replace(CONFIG, augment=EVERYTHING, remix=0.5)
    one = batches(folder, replace(config, reader="memmap"), cache)
    for reader in (name for name in READERS if name != "tfio" or tfio_loads()):
        for mine, yours in zip(
            one, batches(folder, replace(config, reader=reader), cache), strict=True
        ):
            np.testing.assert_array_equal(mine["mixture"], yours["mixture"])
    resumed = batches(folder, replace(config, reader="memmap"), cache, 1, first_step=2)
    np.testing.assert_array_equal(one[2]["mixture"], resumed[0]["mixture"])
    other = batches(folder, replace(config, seed=6, reader="memmap"), cache, 1)
    assert not np.array_equal(one[0]["mixture"], other[0]["mixture"])


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, 1),
        ({"polarity": 0.5}, 1),
        *(({name: 0.5}, 2) for name in AUGMENTATIONS if name != "polarity"),
    ],
)
def test_two_batches_are_made_at_a_time_only_where_windows_are_filtered_or_moved(changes, expected):
    config = with_(**changes)
    assert batches_at_a_time(Augmenter(config) if config.augment.active else None) == expected


@pytest.mark.parametrize(
    ("only", "source", "other"),
    [("all", True, True), ("sources", True, False), ("others", False, True)],
)
def test_only_the_parts_that_are_named_are_changed(only, source, other):
    augmenter = Augmenter(with_(only=only))
    assert (augmenter.changes(source=True), augmenter.changes(source=False)) == (source, other)


def test_only_others_leaves_the_sources_as_recorded(unpaired, cache):
    """Up to their gain: the law levels the others to the source, and a mixture over full scale is
    brought down."""
    plain = batches(unpaired, CONFIG, cache, 1)[0]["sources"][:, 0, :, 0]
    after = batches(unpaired, with_(equaliser=1.0, room=1.0, only="others"), cache, 1)[0][
        "sources"
    ][:, 0, :, 0]
    for one, two in zip(plain, after, strict=True):
        np.testing.assert_allclose(two, one * (np.vdot(two, one) / np.vdot(one, one)), atol=1e-5)


def test_silence_stays_silence_and_is_no_error():
    silent = np.zeros(longer_window(replace(CONFIG, augment=EVERYTHING)), np.float32)
    augmenter = Augmenter(replace(CONFIG, augment=EVERYTHING))
    after = augmenter.changed(silent, np.random.default_rng(0), 1.1)
    assert len(after) == WINDOW and np.max(np.abs(after)) < 1e-3
    assert not np.any(augmenter.noise(after * 0, np.random.default_rng(0)))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"room": 1.5}, "augment.room is 1.5; it is a probability"),
        ({"equaliser_db": (3.0, -3.0)}, "augment.equaliser_db is 3.0 to -3.0"),
        ({"low_pass_hz": (0.0, 100.0)}, "augment.low_pass_hz starts at 0.0"),
        ({"speed_semitones": (-30.0, 0.0)}, "at most two octaves"),
        ({"codec_quality": (0.0, 2.0)}, "augment.codec_quality"),
    ],
)
def test_settings_that_make_no_sense_are_refused_by_name(changes, message):
    with pytest.raises(ConfigError, match=message):
        check(with_data(preset("ssepgan", "tiny"), augment=AugmentConfig(**changes)))
