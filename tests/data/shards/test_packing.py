"""Packing: what a shard holds of a recording, interruptions, and refusals."""

import numpy as np
import pytest
import soundfile
from shards_for_tests import RATE_HZ, SMALL

from tfsepgan.data.recordings.catalogue import scan
from tfsepgan.data.shards import packing
from tfsepgan.data.shards.packing import encoded, pack
from tfsepgan.errors import ConfigError, DataError


@pytest.mark.parametrize(
    ("bits", "channels", "exact"),
    [(16, 1, True), (16, 2, True), (24, 1, True), (24, 2, False), (16, 3, False)],
)
def test_at_its_own_rate_a_recording_is_kept_to_the_bit_where_24_bits_hold_it(
    tmp_path, bits, channels, exact
):
    path = tmp_path / "data" / "train" / "piano" / "a.wav"
    path.parent.mkdir(parents=True)
    noise = (
        np.random.default_rng(0).integers(-(2**31), 2**31, (4000, channels)).astype(np.int32) // 4
    )
    soundfile.write(path, noise, RATE_HZ, subtype=f"PCM_{bits}")
    pack(scan(tmp_path / "data"), tmp_path / "shards")
    (ours,), (theirs,) = (
        scan(tmp_path / place, cache_dir=tmp_path / "cache").splits["train"]["piano"]
        for place in ("shards", "data")
    )
    assert np.array_equal(ours.read(mono=True), theirs.read(mono=True)) == exact
    np.testing.assert_allclose(ours.read(mono=True), theirs.read(mono=True), atol=2.0**-17)


@pytest.mark.parametrize("rate_hz", [RATE_HZ, 700_000])
def test_a_sound_file_gives_back_what_went_in(tmp_path, rate_hz):
    whole = (np.random.default_rng(0).integers(-(2**23), 2**23, 5000) / 2**23).astype(np.float32)
    audio, suffix = encoded(whole, rate_hz, rounded=False)
    assert suffix == (".flac" if rate_hz == RATE_HZ else ".wav")
    (tmp_path / f"a{suffix}").write_bytes(audio)
    np.testing.assert_array_equal(
        soundfile.read(tmp_path / f"a{suffix}", dtype="float32")[0], whole
    )
    assert encoded(whole, rate_hz, rounded=False)[0] == audio


def test_packing_continues_after_the_existing_shards(unpaired, packed, tmp_path, monkeypatch):
    catalogue, done = scan(unpaired), []

    def breaks_off(file):
        done.append(file.name)
        if len(done) == 7:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pack(
            catalogue,
            tmp_path / "shards",
            sample_rate_hz=RATE_HZ,
            shard_bytes=SMALL,
            done=breaks_off,
        )
    assert not [
        path for path in (tmp_path / "shards").iterdir() if path.name.startswith(".writing")
    ]
    with pytest.raises(
        DataError,
        match=r"holds unfinished shards: no shards\.json, but unfinished\.json\. Run",
    ):
        scan(tmp_path / "shards", cache_dir=tmp_path / "cache")
    with pytest.raises(
        DataError, match=r"holds unfinished shards of other recordings, or with other settings"
    ):
        pack(catalogue, tmp_path / "shards", sample_rate_hz=None, shard_bytes=SMALL)
    recorded, made = packing._recorded, []
    monkeypatch.setattr(packing, "_recorded", lambda *of: made.append(of[0].name) or recorded(*of))
    pack(catalogue, tmp_path / "shards", sample_rate_hz=RATE_HZ, shard_bytes=SMALL)
    assert 0 < len(made) < 18
    assert sorted(path.name for path in (tmp_path / "shards").iterdir()) == sorted(
        path.name for path in packed.iterdir()
    )
    for path in packed.iterdir():
        assert (tmp_path / "shards" / path.name).read_bytes() == path.read_bytes()


def test_existing_files_are_not_overwritten(unpaired, packed, tmp_path):
    catalogue = scan(unpaired)
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(DataError, match=r"is not empty \(thesis\.txt\); use a folder"):
        pack(catalogue, tmp_path)
    with pytest.raises(DataError, match="holds shards; use a folder"):
        pack(catalogue, packed)
    with pytest.raises(DataError, match=r"thesis\.txt cannot be listed"):
        pack(catalogue, tmp_path / "thesis.txt")
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_a_recording_that_cannot_be_packed_is_named(tmp_path, write):
    write(tmp_path / "data" / "train" / "piano" / "a.wav", 0.05)
    with pytest.raises(DataError, match=r"a\.wav has 50 samples at 1000 Hz; at least 64"):
        pack(scan(tmp_path / "data"), tmp_path / "shards", sample_rate_hz=1000)


@pytest.mark.parametrize("wrong", [{"sample_rate_hz": 0}, {"shard_bytes": 0}])
def test_settings_that_no_shards_have_are_refused(unpaired, tmp_path, wrong):
    with pytest.raises(ConfigError):
        pack(scan(unpaired), tmp_path / "shards", **wrong)
    assert not (tmp_path / "shards").exists()


def test_names_that_differ_in_case_or_suffix_stay_apart(tmp_path, write):
    for number, name in enumerate(("a.wav", "a.flac", "A.wav", "b?.wav")):
        write(tmp_path / "data" / "train" / "piano" / name, 0.5, seed=number)
    pack(scan(tmp_path / "data"), tmp_path / "shards")
    files = scan(tmp_path / "shards", cache_dir=tmp_path / "cache").splits["train"]["piano"]
    assert {file.name.rpartition("/")[2]: file.path.name for file in files} == {
        "A.wav": "A.flac",
        "a.flac": "a~1.flac",
        "a.wav": "a~2.flac",
        "b?.wav": "b_.flac",
    }
    noise = {
        name: write(tmp_path / "same.wav", 0.5, seed=seed)
        for seed, name in enumerate(("a.wav", "a.flac", "A.wav"))
    }
    for file in files[:3]:
        np.testing.assert_allclose(
            file.read(mono=True), noise[file.name.rpartition("/")[2]], atol=2.0**-15
        )
