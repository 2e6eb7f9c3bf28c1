"""Variants weight the channels of a recording; variant 0 and mono files are unchanged."""

import numpy as np
import pytest
import soundfile

from tfsepgan.audio.recording import AudioFile, open_audio
from tfsepgan.data.augment import variants as variants_module
from tfsepgan.data.augment.variants import EVEN_SHARE, draw_channel_weights
from tfsepgan.data.batches import cache as cache_module
from tfsepgan.data.batches.cache import unpack

RATE_HZ = 8000
SECONDS = 2


@pytest.fixture
def bare(monkeypatch):
    """Variants that do nothing but weigh the channels."""
    monkeypatch.setattr(cache_module, "draw_speed", lambda *_: 1.0)
    monkeypatch.setattr(cache_module, "vary", lambda samples, *_: samples)


def tone(hz):
    return 0.25 * np.sin(2 * np.pi * hz * np.arange(SECONDS * RATE_HZ) / RATE_HZ)


def write(path, *channels, **kinds) -> AudioFile:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.stack(channels, axis=1), RATE_HZ, **kinds)
    return open_audio(path, f"train/piano/{path.name}")


def unpacked(file, folder, **settings):
    settings = {"sample_rate_hz": RATE_HZ, "cache_dir": folder / "cache", "variants": 6, **settings}
    return unpack([file], **settings)[file.name]


def samples_of(recording):
    return soundfile.read(recording.path, dtype="int16")[0] * recording.scale


def shares_of(recording, *channels):
    """The weight of each channel in an unpacked recording, and the residual error."""
    samples = samples_of(recording)
    shares, *_ = np.linalg.lstsq(np.stack(channels, axis=1), samples, rcond=None)
    return shares, np.abs(samples - np.stack(channels, axis=1) @ shares).max()


def test_weights_are_positive_add_up_to_one_and_fill_the_range():
    for channels in (2, 3, 6):
        drawn = np.stack([draw_channel_weights(seed, "a.wav", 1, channels) for seed in range(400)])
        np.testing.assert_allclose(drawn.sum(axis=1), 1, atol=1e-6)
        assert drawn.min() >= EVEN_SHARE / channels - 1e-6
        np.testing.assert_allclose(drawn.mean(axis=0), 1 / channels, atol=0.04)
    shares = np.sort([draw_channel_weights(seed, "a.wav", 1, 2)[0] for seed in range(400)])
    # of two channels, uniform
    np.testing.assert_allclose(shares, np.linspace(0.1, 0.9, 400), atol=0.07)


def test_weights_are_a_function_of_seed_name_and_number():
    first = draw_channel_weights(1, "a.wav", 1, 2)
    np.testing.assert_array_equal(first, draw_channel_weights(1, "a.wav", 1, 2))
    others = [
        draw_channel_weights(*one, 2) for one in ((2, "a.wav", 1), (1, "b.wav", 1), (1, "a.wav", 2))
    ]
    assert len({float(weights[0]) for weights in (first, *others)}) == 4


def test_the_recording_itself_and_one_channel_are_not_weighed():
    assert draw_channel_weights(1, "a.wav", 0, 2) is None
    assert draw_channel_weights(1, "a.wav", 1, 1) is None


@pytest.mark.parametrize("kind", ["a.wav", "a.flac"])
def test_variants_of_a_stereo_recording_are_other_mixes_of_its_channels(bare, tmp_path, kind):
    left, right = tone(300), tone(700)
    versions = unpacked(write(tmp_path / kind, left, right), tmp_path)
    found = []
    for version in versions:
        shares, rest = shares_of(version, left, right)
        assert rest < 1e-4
        assert shares.sum() == pytest.approx(1, abs=1e-3)
        found.append(float(shares[0]))
    assert found[0] == pytest.approx(0.5, abs=1e-4)
    assert (
        len({round(share, 3) for share in found}) == 7 and min(found) > 0.09 and max(found) < 0.91
    )
    expected = draw_channel_weights(0, f"train/piano/{kind}", 3, 2)
    assert found[3] == pytest.approx(expected[0], abs=1e-3)


def test_what_lies_in_the_middle_keeps_its_level(bare, tmp_path):
    versions = unpacked(write(tmp_path / "a.wav", tone(300), tone(300)), tmp_path)
    for version in versions[1:]:
        np.testing.assert_allclose(samples_of(version), samples_of(versions[0]), atol=1e-4)


def test_a_recording_of_one_channel_is_decoded_once_and_other_variants_get_other_keys(
    tmp_path, monkeypatch
):
    reads = []
    read = AudioFile.read
    monkeypatch.setattr(
        AudioFile, "read", lambda self, **how: reads.append(how["weights"]) or read(self, **how)
    )
    one = write(tmp_path / "a.flac", tone(300))
    two = write(tmp_path / "b.flac", tone(300), tone(700))
    before = [unpacked(file, tmp_path) for file in (one, two)]
    assert (
        reads[:2] == [None, None]
        and all(weights is not None for weights in reads[2:])
        and len(reads) == 8
    )
    monkeypatch.setattr(cache_module, "_VARIED", 99)
    for file, versions in zip((one, two), before, strict=True):
        same = [a.path == b.path for a, b in zip(unpacked(file, tmp_path), versions, strict=True)]
        assert same == [True] + 6 * [False]


def test_the_mean_of_a_stereo_recording_is_the_mean_to_the_bit(tmp_path):
    file = write(tmp_path / "a.flac", tone(300), tone(700))
    expected = soundfile.read(tmp_path / "a.flac", dtype="float32")[0].mean(axis=1)
    np.testing.assert_array_equal(
        samples_of(unpacked(file, tmp_path)[0]), np.rint(expected * 2**16) / 2**16
    )
    np.testing.assert_array_equal(file.read(mono=True)[:, 0], expected)


def test_files_that_are_added_up_are_weighed_alike(bare, tmp_path):
    """A stereo file and a mono one make one recording: the mono one lies in the middle."""
    left, right, middle = tone(300), tone(700), tone(1100)
    write(tmp_path / "a.wav", left, right, subtype="FLOAT")
    write(tmp_path / "b.wav", middle, subtype="FLOAT")
    file = open_audio(tmp_path / "a.wav", "train/piano/a.wav", further=(tmp_path / "b.wav",))
    for version in unpacked(file, tmp_path, variants=3)[1:]:
        shares, rest = shares_of(version, left, right, middle)
        assert rest < 1e-4
        np.testing.assert_allclose([shares[0] + shares[1], shares[2]], 1, atol=1e-3)
        assert abs(shares[0] - 0.5) > 0.01


def test_a_recording_with_a_dead_channel_is_not_silent(bare, tmp_path, monkeypatch):
    monkeypatch.setattr(
        variants_module,
        "_generator",
        lambda *_: type("Low", (), {"random": lambda *_: np.array([0, 0.999])})(),
    )
    alone = tone(300)
    versions = unpacked(write(tmp_path / "a.wav", alone, 0 * alone), tmp_path, variants=1)
    assert np.abs(samples_of(versions[1])).max() == pytest.approx(0.1 * 0.25, rel=0.02)
