"""`tfsepgan-live` between files and devices; each failure is one line, and files stay complete."""

import os
import re
import signal
import sys

import numpy as np
import pytest
import soundfile
from maskers_for_tests import RATE_HZ, random_masker

from tfsepgan.audio import devices as devices_module
from tfsepgan.separation.numpy_stream import NumpyStream

DELAY = 16  # samples: a synthesis frame of 32, and blocks of 16
ALL = ("--others-db", "0")  # the stems sum to the mixture
CLOSE = {"rtol": 0, "atol": 2e-7}  # rounding to 24 bits


@pytest.fixture(autouse=True)
def a_small_model(monkeypatch):
    masker, manifest = random_masker(synthesis_frame=32, look_ahead_frames=0, level_frames=3)

    def open_stream(model, *, channels, block):
        return NumpyStream(masker, manifest, channels=channels)

    monkeypatch.setattr("tfsepgan.separation.live.open_stream", open_stream)


@pytest.fixture(autouse=True)
def ctrl_c_counts():
    """A process that a shell started in the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def song(tmp_path):
    path = tmp_path / "song.wav"
    soundfile.write(path, sound(1003), RATE_HZ, subtype="FLOAT")
    return path


def sound(length):
    return np.random.default_rng(0).uniform(-0.5, 0.5, (length, 2)).astype(np.float32)


def test_from_file_to_file_is_as_long_and_aligned(run, song, tmp_path):
    result = run("live", "--input", song, "--output", tmp_path / "take.wav", *ALL)
    assert result.code == 0, result.err
    assert "2 ms from a sound to its stems; blocks of 16 samples" in result.out
    assert "in blocks of 1.0 ms. A block took" in result.out
    np.testing.assert_allclose(read(tmp_path / "take.wav"), sound(1003), **CLOSE)
    again = run("live", "--input", song, "--output", tmp_path / "take.wav", *ALL)
    assert "take.wav exists; choose another name or replace it with --overwrite" in again.error
    assert not run("live", "--input", song, "--output", tmp_path / "take.wav", "--overwrite").code


def test_what_is_beyond_full_scale_is_clipped_and_told(run, song, tmp_path):
    line = ("live", "--input", song, "--output", tmp_path / "take.wav", *ALL, "--gain-db", "40")
    result = run(*line)
    assert "samples were clipped; use a lower --gain-db" in result.error
    assert np.abs(read(tmp_path / "take.wav")).max() <= 1


def test_from_device_to_device_until_ctrl_c(run, sound_devices, monkeypatch):
    monkeypatch.setattr("tfsepgan.cli.live.REPORT_SECONDS", 0.0)
    flags = {3: "output_underflow", 5: "input_overflow", 7: "output_underflow"}
    devices = sound_devices(sound(640), flags=flags, then=ctrl_c, rate_hz=RATE_HZ)
    result = run("live", "--input", "Mix", "--output", "1", *ALL)
    assert result.code == 0, result.err
    facts = {"kind": "Stream", "device": ("Mix", 1), "block": 16}
    assert devices.opened.items() >= facts.items()
    played = np.concatenate(devices.played)[:640]
    assert not played[:DELAY].any()
    np.testing.assert_allclose(played[DELAY:], sound(640)[:-DELAY], rtol=0, atol=1e-6)
    assert "and 11 ms of the devices" in result.out
    assert "1 input overflow, " in result.out and "2 output underflows" in result.out
    assert re.search(r"^\d+\.\d s: .*\d output underflow", result.err, re.MULTILINE)


def test_from_device_to_file_everything_is_in_the_file(run, sound_devices, tmp_path):
    sound_devices(sound(640), then=ctrl_c, rate_hz=RATE_HZ)
    assert run("live", "--output", tmp_path / "take.wav", *ALL).code == 0
    taken = read(tmp_path / "take.wav")
    np.testing.assert_allclose(taken[:640], sound(640), **CLOSE)
    assert not taken[640:].any()


@pytest.mark.parametrize("length", [1003, 64 * 16])  # of the last block: a part, all
def test_from_file_to_device_until_the_file_ends(run, tmp_path, sound_devices, length):
    soundfile.write(tmp_path / "song.wav", sound(length), RATE_HZ, subtype="FLOAT")
    devices = sound_devices(rate_hz=RATE_HZ)
    assert run("live", "--input", tmp_path / "song.wav", *ALL).code == 0
    played = np.concatenate(devices.played)
    np.testing.assert_allclose(played[:length], sound(length), rtol=0, atol=1e-6)
    assert len(played) - length <= 16 and not played[length:].any()


def test_when_the_device_is_gone_the_file_is_complete(run, sound_devices, tmp_path):
    sound_devices(sound(640), gone_after=30, rate_hz=RATE_HZ)
    result = run("live", "--output", tmp_path / "take.wav", *ALL)
    assert result.code == 1
    assert result.error == "DataError: the sound device is gone; connect it and start again."
    np.testing.assert_allclose(read(tmp_path / "take.wav"), sound(480), **CLOSE)


def test_a_block_that_is_no_sound_is_silent_and_told(run, sound_devices, tmp_path):
    broken = sound(640)
    broken[100], broken[200] = np.nan, 1e30
    sound_devices(broken, then=ctrl_c, rate_hz=RATE_HZ)
    result = run("live", "--output", tmp_path / "take.wav", *ALL)
    assert result.code == 0 and "2 broken input blocks" in result.out
    expected = sound(640)
    expected[96:112] = expected[192:208] = 0
    np.testing.assert_allclose(read(tmp_path / "take.wav")[:640], expected, **CLOSE)


def test_a_device_that_hangs_counts_as_gone(sound_devices, monkeypatch, run):
    monkeypatch.setattr(devices_module, "QUIET_SECONDS", -1.0)
    sound_devices(sound(640), rate_hz=RATE_HZ)
    assert "is gone" in run("live").error


def test_after_sigterm_the_file_is_complete(run, sound_devices, tmp_path):
    sound_devices(sound(640), then=lambda: os.kill(os.getpid(), signal.SIGTERM), rate_hz=RATE_HZ)
    result = run("live", "--output", tmp_path / "take.wav", *ALL)
    assert (result.code, result.error) == (130, "Stopped by SIGTERM.")
    np.testing.assert_allclose(read(tmp_path / "take.wav")[:640], sound(640), **CLOSE)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--input", "gone.wav", "--output", "take.wav"), "gone.wav"),
        (("--output", "take.flac"), "tfsepgan-live writes NAME.wav"),
        (("--input", "Organ"), "cannot be opened .* No device matching 'Organ'. .*--list-devices"),
        (("--source", "organ"), "'organ'; this model has piano, residual"),
        (("--channels", "0"), "0 channels"),
    ],
)
def test_wrong_use_is_one_line(arguments, message, run, sound_devices, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sound_devices(rate_hz=RATE_HZ)
    result = run("live", *arguments)
    assert result.code in (1, 2)
    assert re.search(message, result.error)
    assert len(result.error.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_a_wrong_rate_is_told(run, sound_devices, tmp_path):
    sound_devices(rate_hz=48000)
    assert "2 channels at 16000 Hz: Error opening Stream: Invalid sample rate" in run("live").error
    soundfile.write(tmp_path / "song.wav", sound(500), 48000)
    result = run("live", "--input", tmp_path / "song.wav", "--output", tmp_path / "take.wav")
    assert "song.wav has 48000 Hz and piano-live needs 16000 Hz" in result.error
    assert not (tmp_path / "take.wav").exists()


def test_devices_are_listed(run, sound_devices):
    devices = sound_devices(rate_hz=48000)
    result = run("live", "--list-devices")
    assert result.out.splitlines() == [
        "  0 Mixer: 2 in, 2 out, 48000 Hz, default input",
        "  1 Speaker: 2 out, 48000 Hz, default output",
    ]
    devices.devices = []
    assert "finds no sound device" in run("live", "--list-devices").error


def test_without_sounddevice_the_error_says_how_to_install_it(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    assert "pip install 'tfsepgan[live]'" in run("live").error


def ctrl_c():
    os.kill(os.getpid(), signal.SIGINT)


def read(path):
    return soundfile.read(path, dtype="float32", always_2d=True)[0]
