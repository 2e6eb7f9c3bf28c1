"""Files to stems: exact, all complete or all absent, with notes on every change of level."""

import resource

import numpy as np
import pytest
import soundfile

from tfsepgan.audio import decoding
from tfsepgan.audio import stem_writer as writing
from tfsepgan.audio.encodings import StemFormat
from tfsepgan.audio.stem_writer import StemWriter
from tfsepgan.errors import ConfigError, DataError
from tfsepgan.separation.files import separate_file, separate_files
from tfsepgan.separation.inputs import find_inputs
from tfsepgan.separation.refinement import Refining


def read(path):
    return soundfile.read(path, dtype="float32", always_2d=True)[0]


def files_in(directory):
    return sorted(
        str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file()
    )


@pytest.fixture
def loud(separator, monkeypatch):
    """A separator whose piano is three times the mixture, so that stems go beyond full scale."""
    louder = object.__new__(type(separator))
    louder.__dict__.update(separator.__dict__)
    louder.network = lambda mixture: np.stack([3 * mixture, 0 * mixture], axis=1)
    louder.refining = Refining(stereo="apart")  # together, no share exceeds the mixture
    return louder


@pytest.mark.parametrize(
    ("suffix", "subtype"), [("flac", "PCM_24"), ("wav", "FLOAT"), ("ogg", None), ("mp3", None)]
)
@pytest.mark.parametrize(("sample_rate_hz", "channels"), [(8000, 1), (44100, 2)])
def test_stems_are_as_long_as_the_recording_and_sum_to_it(
    separator, noise, tmp_path, suffix, subtype, sample_rate_hz, channels
):
    path = tmp_path / f"song.{suffix}"
    soundfile.write(path, noise(70001, channels, peak=0.3), sample_rate_hz, subtype=subtype)
    result = separate_file(separator, path, tmp_path / "out")
    recording, _ = decoding.read(path, mono=False)
    assert len(recording) == 70001
    stems = {name: read(stem) for name, stem in result.stems.items()}
    assert result.stems["piano"] == tmp_path / "out" / "song" / "piano.wav"
    assert files_in(tmp_path / "out") == ["song/piano.wav", "song/residual.wav", "song/voice.wav"]
    assert all(stem.shape == recording.shape for stem in stems.values())
    assert result.frames == len(recording) and result.sample_rate_hz == sample_rate_hz
    np.testing.assert_allclose(sum(stems.values()), recording, rtol=0, atol=1e-6)
    expected = separator.separate(recording, sample_rate_hz)
    np.testing.assert_allclose(stems["piano"], expected["piano"], rtol=0, atol=1e-5)
    assert result.notes == () and result.levels.gain == 1.0


def test_six_channels_at_96_khz(separator, noise, tmp_path):
    soundfile.write(tmp_path / "a.wav", noise(30001, 6), 96000, subtype="FLOAT")
    result = separate_file(separator, tmp_path / "a.wav", tmp_path)
    info = soundfile.info(result.stems["residual"])
    assert (info.frames, info.channels, info.samplerate) == (30001, 6, 96000)


def test_rescale_applies_one_gain_to_all_stems_with_a_note(loud, noise, tmp_path):
    mixture = noise(20000, peak=0.9)
    soundfile.write(tmp_path / "a.wav", mixture, 8000, subtype="FLOAT")
    result = separate_file(loud, tmp_path / "a.wav", tmp_path, subtype="PCM_16", clip="rescale")
    stems = {name: read(path) for name, path in result.stems.items()}
    assert soundfile.info(result.stems["piano"]).subtype == "PCM_16"
    assert result.levels.gain == pytest.approx(1 / 2.7, rel=1e-2)
    assert result.levels.peak == pytest.approx(2.7, rel=1e-2)
    assert result.levels.clipped_samples == 0
    assert "multiplied by 0.37" in result.notes[0]
    np.testing.assert_allclose(stems["piano"], 3 * mixture * result.levels.gain, rtol=0, atol=2e-4)
    np.testing.assert_allclose(sum(stems.values()), mixture * result.levels.gain, rtol=0, atol=2e-4)


def test_clip_counts_the_clipped_samples_in_a_note(loud, noise, tmp_path):
    mixture = noise(20000, peak=0.9)
    soundfile.write(tmp_path / "a.wav", mixture, 8000, subtype="FLOAT")
    result = separate_file(loud, tmp_path / "a.wav", tmp_path, subtype="PCM_24", clip="clip")
    beyond = np.count_nonzero(np.abs(3 * mixture) > 1) + np.count_nonzero(np.abs(2 * mixture) > 1)
    assert result.levels.clipped_samples == beyond
    assert f"{beyond} samples were clipped" in result.notes[0]
    np.testing.assert_allclose(
        read(result.stems["piano"]), np.clip(3 * mixture, -1, 1), rtol=0, atol=1e-6
    )


def test_the_error_policy_leaves_no_file(loud, noise, tmp_path):
    soundfile.write(tmp_path / "a.wav", noise(20000, peak=0.9), 8000, subtype="FLOAT")
    with pytest.raises(DataError, match="peak at 2.7"):
        separate_file(loud, tmp_path / "a.wav", tmp_path / "out", subtype="PCM_16", clip="error")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("clip", ["rescale", "clip", "error"])
def test_stems_within_full_scale_are_unchanged_under_every_policy(separator, noise, tmp_path, clip):
    soundfile.write(tmp_path / "a.wav", noise(9000, peak=0.1), 8000, subtype="FLOAT")
    result = separate_file(separator, tmp_path / "a.wav", tmp_path, subtype="PCM_24", clip=clip)
    assert (result.levels.gain, result.levels.clipped_samples, result.notes) == (1.0, 0, ())


def test_float_stems_keep_peaks_beyond_full_scale(loud, noise, tmp_path):
    soundfile.write(tmp_path / "a.wav", noise(9000, peak=0.9), 8000, subtype="FLOAT")
    result = separate_file(loud, tmp_path / "a.wav", tmp_path)
    assert np.abs(read(result.stems["piano"])).max() == pytest.approx(result.levels.peak)
    assert result.levels.peak > 2.5


def test_unknown_formats_and_policies_are_refused(separator, tmp_path):
    with pytest.raises(ConfigError, match="PCM_16"):
        separate_file(separator, tmp_path / "a.wav", tmp_path, subtype="PCM_12")
    with pytest.raises(ConfigError, match="rescale"):
        separate_file(separator, tmp_path / "a.wav", tmp_path, clip="limit")


def bad_files(directory, samples):
    """Write unusable files to `directory`; returns part of the expected error by file name."""
    good = directory / "good.wav"
    soundfile.write(good, samples, 8000, subtype="FLOAT")
    whole = good.read_bytes()
    (directory / "empty.wav").write_bytes(b"")
    (directory / "text.wav").write_text("this is not music")
    (directory / "cut.wav").write_bytes(whole[: len(whole) // 2])
    soundfile.write(directory / "no_samples.wav", samples[:0], 8000)
    soundfile.write(
        directory / "nan.wav",
        np.where(np.arange(len(samples))[:, None] == 7, np.nan, samples),
        8000,
        "FLOAT",
    )
    soundfile.write(directory / "whole.flac", samples, 8000)
    compressed = (directory / "whole.flac").read_bytes()
    (directory / "cut.flac").write_bytes(compressed[: len(compressed) * 2 // 3])
    (directory / "whole.flac").unlink()
    good.unlink()
    return {
        "empty.wav": "empty",
        "text.wav": "not audio",
        "cut.wav": "cut short",
        "no_samples.wav": "no audio",
        "nan.wav": "NaN",
        "cut.flac": "cut.flac is",
    }


def test_unusable_recordings_are_named_and_leave_no_file(separator, noise, tmp_path):
    for name, message in bad_files(tmp_path, noise(90000)).items():
        with pytest.raises(DataError, match=message):
            separate_file(separator, tmp_path / name, tmp_path / "out" / "deep")
        assert not (tmp_path / "out").exists(), name


def test_one_bad_file_does_not_stop_the_others(separator, noise, tmp_path):
    music = tmp_path / "music"
    music.mkdir()
    bad = bad_files(music, noise(90000))
    (music / "sub").mkdir()
    for name in ("a.wav", "sub/a.wav", "z.flac"):
        soundfile.write(music / name, noise(9000), 8000)
    done, failed = separate_files(
        separator, find_inputs([music], tmp_path / "out"), tmp_path / "out"
    )
    assert {one.path.name for one in failed} == set(bad)
    assert all(one.path.name in one.reason for one in failed)
    stems = [
        f"{track}/{name}.wav"
        for track in ("a", "sub/a", "z")
        for name in ("piano", "residual", "voice")
    ]
    assert files_in(tmp_path / "out") == stems
    assert len(done) == 3


def test_the_former_module_of_separate_files_still_works():
    from tfsepgan.separation import bulk

    assert bulk.separate_files is separate_files


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_an_interrupted_run_leaves_no_stem(separator, noise, tmp_path, error):
    soundfile.write(tmp_path / "a.wav", noise(60000), 8000)

    def interrupt(done, total):
        raise error

    with pytest.raises(error):
        separate_file(separator, tmp_path / "a.wav", tmp_path / "out", progress=interrupt)
    assert not (tmp_path / "out").exists()


def test_a_failed_run_keeps_the_stems_of_an_earlier_one(separator, noise, tmp_path):
    soundfile.write(tmp_path / "a.wav", noise(60000), 8000)
    result = separate_file(separator, tmp_path / "a.wav", tmp_path / "out")
    before = {name: path.read_bytes() for name, path in result.stems.items()}
    (tmp_path / "b").mkdir()
    whole = (tmp_path / "a.wav").read_bytes()
    soundfile.write(tmp_path / "b" / "a.flac", noise(60000), 8000)
    broken = (tmp_path / "b" / "a.flac").read_bytes()
    (tmp_path / "b" / "a.flac").write_bytes(broken[: len(broken) // 2])
    with pytest.raises(DataError):
        separate_file(separator, tmp_path / "b" / "a.flac", tmp_path / "out")
    assert {name: path.read_bytes() for name, path in result.stems.items()} == before
    assert files_in(tmp_path / "out") == ["a/piano.wav", "a/residual.wav", "a/voice.wav"]
    assert (tmp_path / "a.wav").read_bytes() == whole


def test_progress_ends_at_the_length_of_the_recording(separator, noise, tmp_path):
    soundfile.write(tmp_path / "a.wav", noise(60000, channels=1), 8000)
    calls = []
    separate_file(
        separator,
        tmp_path / "a.wav",
        tmp_path,
        progress=lambda done, total: calls.append((done, total)),
    )
    assert len(calls) > 2 and calls == sorted(calls)
    assert calls[-1] == (60000, 60000)


@pytest.mark.parametrize("track", ["../../escaped", "/absolute", "..", "a/../../b"])
def test_tracks_stay_below_the_output(separator, noise, tmp_path, track):
    soundfile.write(tmp_path / "a.wav", noise(900), 8000)
    result = separate_file(separator, tmp_path / "a.wav", tmp_path / "out", track=track)
    assert all(
        path.resolve().is_relative_to((tmp_path / "out").resolve())
        for path in result.stems.values()
    )


def test_a_link_out_of_the_output_is_not_followed(separator, noise, tmp_path):
    soundfile.write(tmp_path / "a.wav", noise(900), 8000)
    (tmp_path / "out").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out" / "a").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DataError, match="outside"):
        separate_file(separator, tmp_path / "a.wav", tmp_path / "out")
    assert files_in(tmp_path / "elsewhere") == []


def test_a_recording_is_not_replaced_by_its_own_stem(separator, noise, tmp_path):
    (tmp_path / "piano").mkdir()
    path = tmp_path / "piano" / "piano.wav"
    soundfile.write(path, noise(900), 8000)
    with pytest.raises(DataError, match="its own stems"):
        separate_file(separator, path, tmp_path)
    assert soundfile.info(path).frames == 900


def test_an_output_that_cannot_be_written_is_refused(separator, noise, tmp_path):
    soundfile.write(tmp_path / "a.wav", noise(900), 8000)
    (tmp_path / "out").write_text("a file where a folder should be")
    with pytest.raises(DataError, match="cannot write"):
        separate_file(separator, tmp_path / "a.wav", tmp_path / "out")
    assert (tmp_path / "out").read_text() == "a file where a folder should be"


def test_a_full_disk_is_an_error_and_leaves_no_file(separator, noise, tmp_path):
    soundfile.write(tmp_path / "a.wav", noise(60000, channels=1), 8000)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))  # a stem needs 240 kB
    try:
        with pytest.raises(DataError, match="cannot write"):
            separate_file(separator, tmp_path / "a.wav", tmp_path / "out")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert not (tmp_path / "out").exists()


def test_too_little_space_is_refused_before_any_work(separator, noise, tmp_path, monkeypatch):
    soundfile.write(tmp_path / "a.wav", noise(60000), 8000)
    nearly_full = type("usage", (), {"free": 1000})
    monkeypatch.setattr(writing.shutil, "disk_usage", lambda path: nearly_full)
    with pytest.raises(DataError, match=r"has 1.00 kB free and the stems need 1\.44 MB"):
        separate_file(separator, tmp_path / "a.wav", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_stems_beyond_four_gigabytes_are_rf64(tmp_path, monkeypatch):
    monkeypatch.setattr(writing, "WAV_LIMIT_BYTES", 1000)
    with StemWriter(
        {"piano": tmp_path / "piano.wav"},
        sample_rate_hz=8000,
        channels=1,
        frames=500,
        form=StemFormat(),
        clip="error",
    ) as writer:
        writer.write({"piano": np.full((500, 1), 0.25, np.float32)})
        writer.finish()
    assert soundfile.info(tmp_path / "piano.wav").format == "RF64"
    np.testing.assert_array_equal(read(tmp_path / "piano.wav"), 0.25)
