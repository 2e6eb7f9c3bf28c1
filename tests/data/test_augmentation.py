"""Augmentation: each change against its closed form, and sources that still sum to the mixture."""

from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
import soundfile
from scipy.signal import butter, sosfreqz

from tfsepgan.config import AUGMENTATIONS, AugmentConfig, DataConfig, check, with_data
from tfsepgan.data.augment.augmenter import Augmenter, longer_window, recorded_rooms
from tfsepgan.data.augment.effects import band_edge, equaliser, filtered, in_room, through_codec
from tfsepgan.data.batches.mixing_laws import root_mean_square
from tfsepgan.data.batches.pipeline import batches_at_a_time, training_batches
from tfsepgan.data.batches.readers import READERS, tfio_loads
from tfsepgan.data.recordings.catalogue import scan
from tfsepgan.errors import ConfigError, DataError
from tfsepgan.systems import preset

RATE_HZ, WINDOW = 8000, 4096
CONFIG = DataConfig(sample_rate_hz=RATE_HZ, window=WINDOW, batch=4, law="snr", seed=5)
EVERYTHING = AugmentConfig(
    **dict.fromkeys(AUGMENTATIONS, 1.0), high_pass_hz=(40.0, 200.0), low_pass_hz=(2000.0, 3000.0)
)


ROOM = Augmenter._room


def with_(base=CONFIG, **changes):
    return replace(base, augment=replace(base.augment, **changes))


def batches(folder, config, cache, count=3, **options):
    return list(
        islice(
            training_batches(scan(folder), config, cache_dir=cache, **options).as_numpy_iterator(),
            count,
        )
    )


def changed(samples, *, seed=0, speed=1.0, **changes):
    """A window after the changes, without a pipeline."""
    config = replace(with_(**changes), window=len(samples) if speed == 1.0 else WINDOW)
    return Augmenter(config).changed(samples, np.random.default_rng(seed), speed)


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def music():
    random = np.random.default_rng(1)
    return (0.1 * random.standard_normal(2 * RATE_HZ)).astype(np.float32)


def tone(hz, seconds=2.0):
    return np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE_HZ)) / RATE_HZ).astype(np.float32)


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


@pytest.mark.parametrize("semitones", [-4.0, 3.0])
def test_speed_moves_pitch_by_so_many_semitones(semitones):
    samples = tone(500.0)
    after = changed(samples, speed=2.0 ** (semitones / 12))
    assert len(after) == WINDOW
    spectrum = np.abs(np.fft.rfft(after * np.hanning(WINDOW)))
    assert np.argmax(spectrum) * RATE_HZ / WINDOW == pytest.approx(
        500 * 2.0 ** (semitones / 12), abs=2.0
    )


def test_speed_keeps_to_its_range_and_windows_are_long_enough_to_fill():
    config = with_(speed=1.0, speed_semitones=(-3.0, 5.0))
    augmenter = Augmenter(config)
    speeds = [augmenter.speed(np.random.default_rng(k)) for k in range(300)]
    assert 2.0 ** (-3 / 12) <= min(speeds) < 0.87 and 1.3 < max(speeds) <= 2.0 ** (5 / 12)
    read = np.ones(longer_window(config), np.float32)
    for speed in (min(speeds), 1.0, max(speeds)):
        after = augmenter.changed(read, np.random.default_rng(0), speed)
        assert len(after) == WINDOW
        np.testing.assert_allclose(after[200:-200], 1.0, atol=1e-3)
    assert longer_window(CONFIG) == WINDOW
    assert np.mean(
        [Augmenter(with_(speed=0.5)).speed(np.random.default_rng(k)) == 1.0 for k in range(400)]
    ) == pytest.approx(0.5, abs=0.1)


def test_windows_that_may_play_faster_are_the_same_windows_read_on(tmp_path, cache):
    """A recording as long as a window, but not as what is read for a fast one, gives no silence
    that it does not hold."""
    for name in ("train/piano/a.wav", "train/rest/b.wav"):
        (tmp_path / name).parent.mkdir(parents=True)
        soundfile.write(tmp_path / name, np.full(WINDOW + 100, 0.25), RATE_HZ)
    config = replace(with_(speed=1.0, speed_semitones=(0.0, 0.0)), batch=16)
    assert longer_window(with_(speed=1.0)) > WINDOW + 100
    for speed_semitones in ((0.0, 0.0), (-4.0, 4.0)):
        ones = batches(
            tmp_path,
            replace(config, augment=replace(config.augment, speed_semitones=speed_semitones)),
            cache,
            4,
        )
        silent = np.mean([np.abs(batch["sources"]) < 1e-3 for batch in ones])
        # a faster one ends early
        assert silent == 0 if speed_semitones[1] == 0 else 0 < silent < 0.15
        assert all(np.all(np.abs(batch["sources"][..., :2000, :]) > 1e-3) for batch in ones)


def test_the_parts_of_a_song_keep_one_speed(tmp_path, cache):
    """Every stem is the same tone, so the mixture of a song has one frequency at any speed."""
    for song in ("train/one", "train/two"):
        for source in ("piano", "bass", "drums"):
            (tmp_path / song).mkdir(parents=True, exist_ok=True)
            soundfile.write(tmp_path / song / f"{source}.wav", 0.2 * tone(1000.0, 4.0), RATE_HZ)
    for only in ("all", "sources"):
        batch = batches(tmp_path, with_(speed=1.0, only=only), cache, 1)[0]
        found = []
        for mixture in batch["mixture"][..., 0]:
            spectrum = np.abs(np.fft.rfft(mixture * np.hanning(WINDOW))) ** 2
            top = int(np.argmax(spectrum))
            assert spectrum[top - 4 : top + 5].sum() > 0.999 * spectrum.sum()
            found.append(top)
        assert len(set(found)) > 1


def test_equaliser_filters_as_its_sections_say_and_keeps_to_its_range(music):
    sections = equaliser(np.random.default_rng(3), (-6.0, 6.0), RATE_HZ)
    impulse = np.zeros(8192, np.float32)
    impulse[0] = 1
    response = np.abs(np.fft.rfft(filtered(impulse, sections)))
    _, expected = sosfreqz(np.vstack(sections), worN=np.linspace(0, np.pi, 4097))
    np.testing.assert_allclose(response, np.abs(expected), atol=2e-3)
    for seed in range(40):
        gains = np.abs(
            np.fft.rfft(
                filtered(impulse, equaliser(np.random.default_rng(seed), (-6.0, 6.0), RATE_HZ))
            )
        )
        assert np.all(np.abs(20 * np.log10(gains)) < 3 * 6.1)


def test_band_limits_take_off_what_lies_beyond(music):
    after = changed(
        music, band_limit=1.0, low_pass_hz=(1000.0, 1000.1), high_pass_hz=(200.0, 200.1)
    )
    power = np.abs(np.fft.rfft(after)) ** 2 / np.abs(np.fft.rfft(music)) ** 2
    hertz = np.fft.rfftfreq(len(music), 1 / RATE_HZ)
    inside, above, below = (
        np.median(power[(hertz > a) & (hertz < b)]) for a, b in ((350, 700), (2200, 3500), (5, 60))
    )
    assert 10 * np.log10(inside) > -1 and 10 * np.log10(above) < -25 and 10 * np.log10(below) < -18


@pytest.mark.parametrize("length", [1, 1000, 16384, 16385, 50_000])
@pytest.mark.parametrize("tail", [1, 300, 16384, 40_000, 80_000])
def test_a_room_is_a_convolution_with_its_response(length, tail):
    random = np.random.default_rng(length + tail)
    samples, response = (
        random.standard_normal(count, dtype=np.float32) for count in (length, tail)
    )
    result, expected = (
        in_room(samples, response),
        np.convolve(samples.astype(np.float64), response)[:length],
    )
    assert result.dtype == np.float32
    np.testing.assert_allclose(
        result, expected, atol=1e-6 * np.abs(expected).max() * np.sqrt(tail) + 1e-6
    )


@pytest.mark.parametrize("seed", range(6))
def test_a_filtered_room_equals_filtered_music_in_that_room(music, seed):
    changes = {
        "equaliser": 1.0,
        "equaliser_db": (-12.0, 12.0),
        "band_limit": 1.0,
        "high_pass_hz": (40.0, 250.0),
    }
    changes |= {"low_pass_hz": (2000.0, 3000.0), "room_seconds": (0.15, 0.6)}
    response = []
    result = changed(music, seed=seed, room=1.0, **changes)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            Augmenter, "_room", lambda self, rng: response.append(ROOM(self, rng)) or response[-1]
        )
        patch.setattr("tfsepgan.data.augment.augmenter.in_room", lambda samples, room: samples)
        patch.setattr(
            "tfsepgan.data.augment.augmenter.filtered",
            lambda samples, sections: response.append(sections),
        )
        changed(music, seed=seed, room=1.0, **changes)
    room, sections = response
    assert len(sections) >= 5
    np.testing.assert_allclose(
        result, in_room(filtered(music, sections), room), atol=1e-3 * np.abs(result).max()
    )


def test_a_room_adds_its_energy_after_what_comes_directly():
    impulse = np.zeros(WINDOW, np.float32)
    impulse[100] = 1
    for seed in range(10):
        after = changed(
            impulse, seed=seed, room=1.0, room_seconds=(0.2, 0.2001), room_db=(-9.0, -9.0)
        )
        assert not after[:100].any() or np.max(np.abs(after[:100])) < 1e-6
        assert after[100] == pytest.approx(1.0, abs=1e-5)
        assert 10 * np.log10(np.sum(after[101:] ** 2)) == pytest.approx(-9.0, abs=0.1)
        early, late = np.sum(after[101:500] ** 2), np.sum(after[900:1300] ** 2)
        assert 10 * np.log10(early / late) == pytest.approx(60 * 800 / RATE_HZ / 0.2, rel=0.15)


def test_hidden_files_are_no_rooms_and_unused_rooms_are_not_read(tmp_path):
    soundfile.write(tmp_path / "hall.wav", np.r_[1.0, np.zeros(300), 0.5], RATE_HZ)
    (tmp_path / "._hall.wav").write_bytes(b"of another system")
    assert len(recorded_rooms(str(tmp_path), RATE_HZ)) == 1
    unused = AugmentConfig(polarity=0.5, rooms=str(tmp_path / "nowhere"))
    assert Augmenter(DataConfig(augment=unused)).rooms == ()


def test_half_of_the_rooms_are_recorded_ones_where_there_are_any(tmp_path):
    response = np.zeros(600, np.float32)
    response[50], response[250] = -0.5, 0.25
    soundfile.write(tmp_path / "hall.wav", response, RATE_HZ, subtype="FLOAT")
    impulse = np.zeros(WINDOW, np.float32)
    impulse[0] = 1
    recorded = 0
    for seed in range(60):
        after = changed(impulse, seed=seed, room=1.0, rooms=str(tmp_path))
        recorded += bool(
            np.allclose(after[[0, 200]], [1.0, -0.5], atol=1e-5)
            and np.count_nonzero(np.abs(after) > 1e-5) == 2
        )
    assert 15 < recorded < 45


@pytest.mark.parametrize(
    ("name", "samples", "message"),
    [(None, None, "holds no impulse responses"), ("a.wav", np.zeros(100), "is silent")],
)
def test_a_folder_without_rooms_is_refused(tmp_path, name, samples, message):
    if name:
        soundfile.write(tmp_path / name, samples, RATE_HZ)
    with pytest.raises(DataError, match=message):
        recorded_rooms(str(tmp_path), RATE_HZ)


def test_a_codec_that_rounds_nothing_gives_the_signal_back(music, monkeypatch):
    """The lapped transform and its inverse; a step of next to nothing, and no limit to the band."""
    monkeypatch.setattr("tfsepgan.data.augment.effects.CODEC_DB", (120.0, 120.0))
    monkeypatch.setattr("tfsepgan.data.augment.effects.CODEC_HZ", (1e6, 1e6))
    for length in (1, 777, 4096, len(music)):
        np.testing.assert_allclose(
            through_codec(music[:length], 0.0, RATE_HZ), music[:length], atol=3e-6
        )


@pytest.mark.parametrize(("quality", "noise_db"), [(0.0, 4.0), (0.5, 12.0), (1.0, 20.0)])
def test_a_codec_loses_so_much_in_every_band_and_all_above_its_limit(quality, noise_db):
    rate_hz = 44100
    noise = 0.1 * np.random.default_rng(0).standard_normal(4 * rate_hz).astype(np.float32)
    lost = np.abs(np.fft.rfft(through_codec(noise, quality, rate_hz) - noise)) ** 2
    power = np.abs(np.fft.rfft(noise)) ** 2
    hertz = np.fft.rfftfreq(len(noise), 1 / rate_hz)
    limit = 5000 * (16000 / 5000) ** quality
    for low, high in ((600, 1200), (1200, 2400), (2400, 4500)):
        inside = (hertz > low) & (hertz < high)
        # A step wider than most coefficients rounds them to zero, and then loses no more than there
        # is.
        assert 10 * np.log10(power[inside].sum() / lost[inside].sum()) == pytest.approx(
            noise_db, abs=2.0
        )
    above = hertz > 1.02 * limit
    assert lost[above].sum() == pytest.approx(power[above].sum(), rel=0.01)


def test_noise_has_its_level_under_the_mixture(music):
    for level_db in (-40.0, -10.0):
        augmenter = Augmenter(with_(noise=1.0, noise_db=(level_db, level_db)))
        for seed in range(8):
            noise = augmenter.noise(music, np.random.default_rng(seed))
            assert 20 * np.log10(
                root_mean_square(noise) / root_mean_square(music)
            ) == pytest.approx(level_db, abs=0.01)
            assert abs(np.vdot(noise, music)) < 0.05 * np.linalg.norm(noise) * np.linalg.norm(music)
    assert Augmenter(with_(noise=0.0)).noise(music, np.random.default_rng(0)) is None


def test_polarity_inverts_windows_with_its_probability(music):
    over = [
        np.array_equal(changed(music[:64], seed=seed, polarity=0.25), -music[:64])
        for seed in range(400)
    ]
    assert np.mean(over) == pytest.approx(0.25, abs=0.07)


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


def test_recorded_rooms_may_move_but_not_change_during_a_run(tones, tmp_path):
    """Where they lie is of this machine: free on resume, and no part of the model."""
    import io
    import json
    import shutil

    from rich.console import Console

    from tfsepgan.errors import CheckpointError
    from tfsepgan.training.run import Run

    (tmp_path / "rooms").mkdir()
    soundfile.write(tmp_path / "rooms" / "hall.wav", np.r_[1.0, np.zeros(300), 0.5], RATE_HZ)
    base = preset("ssepgan", "tiny")

    def run(rooms):
        augment = AugmentConfig(room=1.0, rooms=str(rooms))
        data = replace(
            base.data,
            data=str(tones),
            window=2048,
            batch=2,
            augment=augment,
            cache=str(tmp_path / "cache"),
        )
        training = replace(
            base.training, steps=1, steps_per_epoch=1, validation_mixtures=0, tensorboard=False
        )
        experiment = replace(base, data=data, training=training)
        return Run(
            experiment,
            scan(tones, sources=("piano",)),
            tmp_path / "run",
            Console(file=io.StringIO()),
        )

    run(tmp_path / "rooms").train()
    assert str(tmp_path) not in json.dumps(
        json.loads((tmp_path / "run" / "model" / "manifest.json").read_text())
    )
    shutil.move(tmp_path / "rooms", tmp_path / "moved")
    assert run(tmp_path / "moved").progress["step"] == 1
    soundfile.write(tmp_path / "moved" / "cave.wav", np.ones(100), RATE_HZ)
    with pytest.raises(CheckpointError, match="other recordings"):
        run(tmp_path / "moved")


@pytest.mark.parametrize(("kind", "order"), [("lowpass", 4), ("highpass", 2)])
@pytest.mark.parametrize("frequency_hz", [40.0, 5000.0, 16000.0])
def test_band_edges_are_butterworth_filters(kind, order, frequency_hz):
    _, ours = sosfreqz(np.vstack(band_edge(kind, frequency_hz, 44100)), 4096)
    _, theirs = sosfreqz(butter(order, frequency_hz, kind, fs=44100, output="sos"), 4096)
    np.testing.assert_allclose(ours, theirs, atol=1e-9)
