"""The cache: recordings are unpacked once and exactly; outdated or partial files are not used."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tfsepgan.audio.decoding import decode
from tfsepgan.audio.recording import AudioFile
from tfsepgan.data.batches import cache as cache_module
from tfsepgan.data.batches.cache import envelope_hop, unpack
from tfsepgan.data.recordings.catalogue import scan
from tfsepgan.errors import DataError


def files_of(folder: Path):
    return [
        file
        for sources in scan(folder).splits.values()
        for files in sources.values()
        for file in files
    ]


def samples_of(recording) -> np.ndarray:
    return soundfile.read(recording.path, dtype="int16")[0].astype(np.float32) * np.float32(
        recording.scale
    )


@pytest.fixture
def take(tmp_path, write):
    """A folder with one stereo FLAC."""
    write(tmp_path / "data" / "train" / "piano" / "a.flac", 2.0, channels=2, rate_hz=11025)
    return tmp_path


def unpack_take(folder, **settings):
    settings = {"sample_rate_hz": 8000, "cache_dir": folder / "cache", **settings}
    return unpack(files_of(folder / "data"), **settings)["train/piano/a.flac"]


def test_unpacked_audio_is_the_decoded_audio(take):
    (recording,) = unpack_take(take)
    expected = decode(take / "data/train/piano/a.flac", 8000)[:, 0]
    assert recording.frames == len(expected)
    np.testing.assert_allclose(samples_of(recording), expected, atol=recording.scale * 0.51)


def test_16_bit_audio_comes_back_bit_for_bit(tmp_path, write):
    write(tmp_path / "data/train/piano/a.flac", 1.0, level=0.001)
    (recording,) = unpack_take(tmp_path)
    expected = soundfile.read(tmp_path / "data/train/piano/a.flac", dtype="float32")[0]
    assert recording.scale < 2.0**-15
    np.testing.assert_array_equal(samples_of(recording), expected)


def test_audio_over_full_scale_is_not_clipped(tmp_path):
    loud = (3 * np.sin(np.arange(8000) / 10)).astype(np.float32)
    path = tmp_path / "data/train/piano/a.wav"
    path.parent.mkdir(parents=True)
    soundfile.write(path, loud, 8000, subtype="FLOAT")
    recording = unpack(
        files_of(tmp_path / "data"), sample_rate_hz=8000, cache_dir=tmp_path / "cache"
    )
    np.testing.assert_allclose(samples_of(recording["train/piano/a.wav"][0]), loud, atol=2.0**-13)


def test_a_plain_wav_at_the_rate_is_used_where_it_lies(tmp_path, write):
    write(tmp_path / "data/train/piano/a.wav", 1.0)
    (recording,) = unpack(
        files_of(tmp_path / "data"), sample_rate_hz=8000, cache_dir=tmp_path / "cache"
    )["train/piano/a.wav"]
    assert recording.path == tmp_path / "data/train/piano/a.wav"
    assert recording.frames == 8000
    assert not list((tmp_path / "cache").glob("*.wav"))


@pytest.mark.parametrize("change", ["stereo", "24 bit", "tags"])
def test_a_wav_that_is_not_plain_is_unpacked(tmp_path, write, change):
    path = tmp_path / "data/train/piano/a.wav"
    subtype = "PCM_24" if change == "24 bit" else "PCM_16"
    write(path, 1.0, channels=2 if change == "stereo" else 1, subtype=subtype)
    if change == "tags":
        path.write_bytes(path.read_bytes() + b"LIST\x04\x00\x00\x00INFO")
    unpacked = unpack(
        files_of(tmp_path / "data"), sample_rate_hz=8000, cache_dir=tmp_path / "cache"
    )
    assert unpacked["train/piano/a.wav"][0].path.parent == tmp_path / "cache"


def test_the_second_time_nothing_is_decoded(take, monkeypatch):
    first = unpack_take(take)
    monkeypatch.setattr(AudioFile, "read", lambda *_, **__: pytest.fail("decoded again"))
    second = unpack_take(take)
    assert first[0].path == second[0].path
    np.testing.assert_array_equal(first[0].envelope, second[0].envelope)


def test_a_changed_file_is_unpacked_again(take, write):
    (before,) = unpack_take(take)
    path = take / "data/train/piano/a.flac"
    write(path, 2.0, channels=2, rate_hz=11025, seed=9)
    os.utime(path, ns=(1, path.stat().st_mtime_ns + 1))
    (after,) = unpack_take(take)
    assert after.path != before.path
    np.testing.assert_allclose(samples_of(after), decode(path, 8000)[:, 0], atol=after.scale * 0.51)


def test_another_rate_is_another_file(take):
    assert unpack_take(take)[0].path != unpack_take(take, sample_rate_hz=4000)[0].path


def test_a_kill_while_unpacking_leaves_nothing_that_is_used(take, monkeypatch):
    def killed(path, write, **how):
        (path.parent / ".writing-1").write_bytes(b"RIFF half a file")
        raise KeyboardInterrupt

    monkeypatch.setattr("tfsepgan.audio.wav.write_whole", killed)
    with pytest.raises(KeyboardInterrupt):
        unpack_take(take)
    assert not list((take / "cache").glob("*.wav"))
    monkeypatch.undo()
    (recording,) = unpack_take(take)
    assert recording.frames == 16000


@pytest.mark.parametrize("suffix", [".wav", ".levels"])
@pytest.mark.parametrize("left", [0, 0.5])
def test_what_a_power_cut_left_is_unpacked_again(take, suffix, left):
    (recording,) = unpack_take(take)
    before = recording.path.read_bytes()
    path = recording.path.with_suffix(suffix)
    os.truncate(path, int(left * path.stat().st_size) // 4 * 4)
    (again,) = unpack_take(take)
    assert again.path.read_bytes() == before
    assert len(again.envelope) == -(-again.frames // envelope_hop(8000))


def test_samples_without_their_levels_are_unpacked_again(take):
    (recording,) = unpack_take(take)
    recording.path.with_suffix(".levels").unlink()
    recording.path.write_bytes(b"half a file")
    (again,) = unpack_take(take)
    assert again.frames == 16000


def test_the_envelope_is_the_mean_square_of_each_hop(take):
    (recording,) = unpack_take(take)
    samples, hop = samples_of(recording), envelope_hop(8000)
    assert len(recording.envelope) == -(-recording.frames // hop)
    np.testing.assert_allclose(
        recording.envelope[1], np.mean(samples[hop : 2 * hop] ** 2), rtol=1e-3
    )


def test_variants_differ_and_are_the_same_on_every_machine(take):
    here = unpack_take(take, variants=2)
    there = unpack_take(take, variants=2, cache_dir=take / "other-cache")
    assert [recording.variant for recording in here] == [0, 1, 2]
    assert len({recording.frames for recording in here}) == 3
    for one, two in zip(here, there, strict=True):
        np.testing.assert_array_equal(samples_of(one), samples_of(two))
    assert unpack_take(take, variants=1, seed=1)[1].path != here[1].path


def test_variants_of_one_song_keep_together(multitrack, tmp_path):
    unpacked = unpack(
        files_of(multitrack),
        sample_rate_hz=8000,
        cache_dir=tmp_path,
        variants=1,
        speed_group=lambda file: file.name.rpartition("/")[0],
    )
    lengths = {name: versions[1].frames for name, versions in unpacked.items()}
    assert (
        lengths["train/one/piano.wav"]
        == lengths["train/one/drums.wav"]
        != lengths["train/two/piano.wav"]
    )


def test_a_bad_file_is_named_and_the_good_ones_stay(take):
    bad = take / "data/train/piano/b.wav"
    soundfile.write(bad, np.full(100, np.nan, np.float32), 8000, subtype="FLOAT")
    with pytest.raises(DataError, match=r"b\.wav holds NaN"):
        unpack_take(take)
    bad.unlink()
    assert unpack_take(take)[0].frames == 16000


def test_a_file_that_went_away_is_named(take):
    files = files_of(take / "data")
    files[0].path.unlink()
    with pytest.raises(DataError, match=r"a\.flac was removed after the data folder was read"):
        unpack(files, sample_rate_hz=8000, cache_dir=take / "cache")


def test_a_full_disk_is_reported_before_anything_is_written(take, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 10, 0))
    with pytest.raises(DataError, match=r"Unpacking needs [\d.]+ kB in .*cache, 0 bytes are free"):
        unpack_take(take)
    assert not list((take / "cache").iterdir())


def test_a_disk_that_fills_up_is_reported(take, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cache_module, "write_pcm16", full)
    with pytest.raises(DataError, match="cannot be written .the disk is full.. Free space"):
        unpack_take(take)


def test_an_unwritable_cache_is_reported(take):
    (take / "file").write_text("in the way")
    with pytest.raises(DataError, match="The cache of unpacked recordings, .* cannot be written"):
        unpack_take(take, cache_dir=take / "file" / "cache")
