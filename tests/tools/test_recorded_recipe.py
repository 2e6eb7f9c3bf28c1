"""The recipe of real recordings: listed recordings are written, and missing ones are named."""

import hashlib
import io
import json
import subprocess
import tarfile

import numpy as np
import pytest
import soundfile
from tools_for_tests import from_tools

from tfsepgan.errors import DataError

recorded = from_tools("recorded")
RATE_HZ = 8000
DESCRIBED = {
    "title": "Largo",
    "player": "Ann",
    "licence": "CC0-1.0",
    "credit": "https://example.org",
    "what": "solo piano",
}
FILES = {"music/a piece [1].wav": 440.0, "music/second.wav": 220.0, "bands/drums.wav": 110.0}


def sound(frequency_hz, kind="WAV", seconds=2.0):
    """A sine's file, as bytes."""
    file = io.BytesIO()
    samples = 0.5 * np.sin(2 * np.pi * frequency_hz * np.arange(round(seconds * RATE_HZ)) / RATE_HZ)
    soundfile.write(file, samples, RATE_HZ, format=kind)
    return file.getvalue()


def git(folder, *words):
    who = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org")
    return subprocess.run(
        ["git", "-C", folder, *who, *words], check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.fixture
def clones(tmp_path):
    """A folder with one repository, of three sounds."""
    repository = tmp_path / "clones" / "ann+music"
    for name, frequency_hz in FILES.items():
        (repository / name).parent.mkdir(parents=True, exist_ok=True)
        (repository / name).write_bytes(sound(frequency_hz))
    git(repository, "init", "-q")
    git(repository, "config", "uploadpack.allowFilter", "true")
    git(repository, "config", "uploadpack.allowAnySHA1InWant", "true")
    git(repository, "add", ".")
    git(repository, "commit", "-qm", "sounds")
    return tmp_path / "clones"


@pytest.fixture
def table(tmp_path, clones):
    """A table of the three: two whole, one cut."""
    commit = git(clones / "ann+music", "rev-parse", "HEAD")
    path = tmp_path / "table.json"
    works = [
        DESCRIBED | {"from": "music", "files": "music/a piece [[]1].wav", "to": "piano/ann"},
        DESCRIBED
        | {
            "from": "music",
            "files": "music/second*",
            "to": "piano/ben",
            "player": "Ben",
            "cut": [0.5, 1.25],
        },
        DESCRIBED
        | {"from": "music", "files": ["bands/*", "none/*"], "to": "rest/drums", "name": "kit"},
    ]
    write_table(path, {"music": {"git": "ann/music", "commit": commit}}, works)
    return path


def write_table(path, sources, works, digests=None):
    digests = digests or {
        f"music/{name}": hashlib.sha256(sound(hz)).hexdigest() for name, hz in FILES.items()
    }
    path.write_text(json.dumps({"sources": sources, "works": works}))
    path.with_suffix(".sha256").write_text(
        "".join(f"{digest}  {name}\n" for name, digest in digests.items())
    )


@pytest.fixture
def gather(tmp_path, table, clones):
    """Calls the recipe; returns its exit code."""

    def call(*more, output=tmp_path / "data"):
        words = ["--output", output, "--table", table, "--clones", clones, *more]
        return recorded.main([str(word) for word in words])

    return call


def test_every_recording_is_written_and_listed(tmp_path, gather):
    assert gather() == 0
    data = tmp_path / "data"
    found = {str(path.relative_to(data)) for path in data.rglob("*") if path.is_file()}
    wanted = {
        "train/piano/ann/a piece [1].wav",
        "train/piano/ben/second.flac",
        "train/rest/drums/kit.wav",
    }
    assert found == wanted | {"manifest.json"}
    assert (data / "train/piano/ann/a piece [1].wav").read_bytes() == sound(440.0)
    entries = {entry["file"]: entry for entry in json.loads((data / "manifest.json").read_text())}
    assert set(entries) == wanted
    for entry in entries.values():
        assert all(entry[key] for key in (*recorded.DESCRIBED, "source", "digest"))
    assert [entries[name]["seconds"] for name in sorted(wanted)] == [2.0, 0.75, 2.0]
    assert entries["train/piano/ben/second.flac"]["player"] == "Ben"
    assert "/ann/music/blob/" in entries["train/rest/drums/kit.wav"]["source"]


def test_a_cut_holds_the_samples_between_its_seconds(tmp_path, gather):
    gather()
    cut, _ = soundfile.read(tmp_path / "data/train/piano/ben/second.flac")
    whole, _ = soundfile.read(io.BytesIO(sound(220.0)))
    np.testing.assert_array_equal(cut, whole[4000:10000])


def test_a_file_that_differs_is_named_and_the_others_are_written(tmp_path, table, gather, capsys):
    path = table.with_suffix(".sha256")
    path.write_text(path.read_text().replace(hashlib.sha256(sound(440.0)).hexdigest(), "0" * 64))
    assert gather() == 1
    words = " ".join(capsys.readouterr().out.split())
    assert "a piece [1].wav" in words and "differs" in words
    assert not list((tmp_path / "data").rglob("a piece*"))
    assert len(json.loads((tmp_path / "data/manifest.json").read_text())) == 2


def test_an_interrupted_call_writes_only_what_is_missing(tmp_path, gather, monkeypatch):
    gather()
    data = tmp_path / "data"
    (data / "train/rest/drums/kit.wav").unlink()
    (data / "train/rest/drums/.writing-kit.wav-1-2").write_bytes(b"half")
    (data / "train/piano/ann/a piece [1].wav").write_bytes(b"spoiled")
    put, again = recorded.put, []
    monkeypatch.setattr(
        recorded, "put", lambda one, *more: (again.append(one.target), put(one, *more))
    )
    assert gather() == 0
    assert sorted(again) == ["train/piano/ann/a piece [1].wav", "train/rest/drums/kit.wav"]
    assert (data / "train/piano/ann/a piece [1].wav").read_bytes() == sound(440.0)
    assert not list(data.rglob(".writing-*"))


def test_a_changed_cut_is_made_again(tmp_path, table, gather):
    gather()
    table.write_text(table.read_text().replace("[0.5, 1.25]", "[0.5, 1.5]"))
    assert gather() == 0
    assert soundfile.info(tmp_path / "data/train/piano/ben/second.flac").frames == RATE_HZ


def test_nothing_half_written_is_left_when_the_disk_refuses(tmp_path, gather, monkeypatch):
    def refuse(path, write, **_):
        raise OSError("no space")

    monkeypatch.setattr(recorded, "write_whole", refuse)
    with pytest.raises(OSError, match="no space"):
        gather()
    assert not [path for path in (tmp_path / "data").rglob("*") if path.is_file()]


def test_an_unavailable_source_is_left_out_and_reported(tmp_path, table, gather, capsys):
    content = json.loads(table.read_text())
    content["sources"]["gone"] = {"debian": "no-such-package", "version": "1", "apt": "none"}
    content["works"].append(DESCRIBED | {"from": "gone", "files": "x.wav", "to": "rest/gone"})
    table.write_text(json.dumps(content))
    with open(table.with_suffix(".sha256"), "a") as file:
        file.write(f"{'1' * 64}  gone/x.wav\n")
    assert gather() == 1
    words = " ".join(capsys.readouterr().out.split())
    assert "train/rest/gone/x.wav: gone is not available" in words
    assert len(json.loads((tmp_path / "data/manifest.json").read_text())) == 3


def test_a_repository_is_cloned_at_its_commit_without_what_is_not_wanted(tmp_path, table, clones):
    content = json.loads(table.read_text())
    content["sources"]["music"]["url"] = f"file://{clones / 'ann+music'}"
    content["works"] = content["works"][:1]
    name = "music/a piece [1].wav"
    write_table(
        table,
        content["sources"],
        content["works"],
        {f"music/{name}": hashlib.sha256(sound(440.0)).hexdigest()},
    )
    (clones / "ann+music" / "music/second.wav").write_bytes(b"later")
    git(clones / "ann+music", "commit", "-qam", "later")
    output = tmp_path / "cloned"
    assert recorded.main(["--output", str(output), "--table", str(table)]) == 0
    tree = tmp_path / "cloned.sources" / "ann+music"
    assert git(tree, "rev-parse", "HEAD") == content["sources"]["music"]["commit"]
    assert [path.name for path in tree.rglob("*.wav")] == ["a piece [1].wav"]
    assert (output / "train/piano/ann/a piece [1].wav").read_bytes() == sound(440.0)


def test_a_package_of_npm_is_read_as_it_was_packed(tmp_path):
    with tarfile.open(tmp_path / "ann-music-1.0.0.tgz", "w:gz") as archive:
        info = tarfile.TarInfo("package/a.wav")
        info.size = len(sound(440.0))
        archive.addfile(info, io.BytesIO(sound(440.0)))
    sources = from_tools("recorded_sources")
    read = sources.open_source(
        {"npm": "@ann/music", "version": "1.0.0"}, [], tmp_path / "cache", [tmp_path]
    )
    assert read("a.wav") == sound(440.0)
    with pytest.raises(DataError, match=r"has no b\.wav"):
        read("b.wav")


def test_what_is_no_wav_flac_ogg_or_mp3_is_decoded(tmp_path):
    av = pytest.importorskip("av")
    with av.open(str(tmp_path / "a.m4a"), "w") as container:
        stream = container.add_stream("aac", rate=RATE_HZ, layout="mono")
        wave = (0.5 * np.sin(2 * np.pi * 440 * np.arange(2 * RATE_HZ) / RATE_HZ)).astype(np.float32)
        frame = av.AudioFrame.from_ndarray(wave[None], format="fltp", layout="mono")
        frame.sample_rate = RATE_HZ
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    samples, rate_hz = recorded.decoded((tmp_path / "a.m4a").read_bytes(), "a.m4a", [0.5, 1.5])
    assert rate_hz == RATE_HZ and samples.shape == (RATE_HZ, 1)
    assert abs(np.sqrt(np.mean(samples**2)) - 0.5 / np.sqrt(2)) < 0.03


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"licence": ""}, "lacks licence"),
        ({"files": "none.wav"}, "is not in table.sha256"),
        ({"files": "bands/*"}, "no work describes music/music/a piece"),
        ({"files": "*/*", "to": "rest/drums", "name": "kit"}, "become"),
    ],
)
def test_a_table_that_does_not_hold_together_is_refused(table, gather, capsys, change, message):
    content = json.loads(table.read_text())
    content["works"][0] |= change
    table.write_text(json.dumps(content))
    assert gather() == 1
    assert message in " ".join(capsys.readouterr().out.split())


def test_large_files_come_when_they_are_asked_for_and_are_known_by_their_id_in_git(
    tmp_path, table, clones, gather
):
    table.with_suffix(".large").write_text(
        f"{git(clones / 'ann+music', 'rev-parse', 'HEAD:bands/drums.wav')}  music/bands/drums.wav\n"
    )
    lines = table.with_suffix(".sha256").read_text().splitlines(keepends=True)
    table.with_suffix(".sha256").write_text("".join(line for line in lines if "drums" not in line))
    kit = tmp_path / "data/train/rest/drums/kit.wav"
    assert gather() == 0 and not kit.exists()
    assert gather("--large") == 0
    assert kit.read_bytes() == sound(110.0)
    assert gather("--large") == 0
    table.with_suffix(".large").write_text(f"{'0' * 40}  music/bands/drums.wav\n")
    assert gather("--large") == 1


def test_the_table_that_ships_tells_every_file_once_and_trains_only():
    sources, recordings = recorded.read_table(recorded.TABLE, large=True)
    assert {recording.source for recording in recordings} == set(sources)
    assert {recording.work["to"].split("/")[0] for recording in recordings} == {"piano", "rest"}
    assert all(recording.target.startswith("train/") for recording in recordings)
    licences = {recording.work["licence"] for recording in recordings}
    assert not [words for words in licences if any(bad in words for bad in ("NC", "ND", "SA"))]
    reserved = ("salvatori", "shuwen", "bach10", "medley", "moises", "musdb", "slakh")
    assert not [
        one
        for one in recordings
        for word in reserved
        if word in f"{one.path} {one.work['player']}".lower()
    ]
