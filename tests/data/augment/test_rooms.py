"""Rooms, synthesised and recorded."""

from dataclasses import replace

import numpy as np
import pytest
import soundfile
from augment_for_tests import RATE_HZ, WINDOW, changed

from tfsepgan.config import AugmentConfig, DataConfig
from tfsepgan.data.augment.augmenter import Augmenter, recorded_rooms
from tfsepgan.data.augment.effects import filtered, in_room
from tfsepgan.data.recordings.catalogue import scan
from tfsepgan.errors import DataError
from tfsepgan.systems import preset

ROOM = Augmenter._room


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


def test_recorded_rooms_may_move_but_not_change_during_a_run(tones, step_by_step, tmp_path):
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
