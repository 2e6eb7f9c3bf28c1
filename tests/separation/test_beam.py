"""A job on Apache Beam's DirectRunner: addresses, dead letters, a second run, repeated work."""

import json
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest
from bundles_for_tests import whole_separator
from recordings_for_tests import RATE_HZ, write_noise

from tfsepgan.audio.encodings import StemFormat
from tfsepgan.errors import DataError
from tfsepgan.separation.bulk import Wanted, separate_files
from tfsepgan.separation.inputs import find_inputs

beam = pytest.importorskip("tfsepgan.separation.beam", reason="needs apache-beam")
fsspec = pytest.importorskip("fsspec", reason="needs fsspec")
MUSIC, OUT = "memory://music", "memory://stems"


class Model:
    """A model that a worker opens; its one source is the whole mixture."""

    def open(self):
        return nullcontext(whole_separator(RATE_HZ))

    def facts(self):
        return SimpleNamespace(digest="a model")


@pytest.fixture
def files(tmp_path):
    """Two recordings and a file that is none, at an address and on the disk."""
    files = fsspec.filesystem("memory")
    files.store.clear()
    for number, name in enumerate(["a.wav", "sub/b.flac"]):
        write_noise(tmp_path / "music" / name, 0.2, seed=number)
        files.pipe_file(f"/music/{name}", (tmp_path / "music" / name).read_bytes())
    (tmp_path / "music" / "bad.mp3").write_text("no sound")
    files.pipe_file("/music/bad.mp3", b"no sound")
    files.pipe_file("/music/.hidden/c.wav", b"")
    files.pipe_file("/music/cover.jpg", b"")
    yield files
    files.store.clear()


def work(tracks, output, **options):
    wanted = Wanted(
        output_dir=Path(output), form=StemFormat(), clip="rescale", stems=("all", "residual")
    )
    options = {"runner": "DirectRunner", **options}
    return {
        one.track: one for one in beam.separate_on_beam(tracks, wanted, output, Model, **options)
    }


def test_addresses_give_the_bytes_of_files_and_the_bad_one_its_reason(files, tmp_path):
    tracks = beam.find_tracks(MUSIC)
    assert sorted(one.track for one in tracks) == ["a", "bad", "sub/b"]
    results = work(tracks, OUT)
    assert results["bad"].status == "failed"
    assert "music/bad.mp3 is not audio" in results["bad"].reason
    assert "tfsepgan-" not in results["bad"].reason  # a copy that is gone
    recordings = find_inputs([tmp_path / "music"], tmp_path / "out")
    separate_files(whole_separator(RATE_HZ), recordings, tmp_path / "out")
    for one in (output for result in results.values() for output in result.outputs):
        assert files.cat_file(f"/stems/{one.path}") == (tmp_path / "out" / one.path).read_bytes()
    names = set(files.find("/stems"))
    stems = {
        f"/stems/{track}/{stem}.wav" for track in ("a", "sub/b") for stem in ("all", "residual")
    }
    assert names == {"/stems/results.jsonl", *stems}
    lines = [json.loads(line) for line in files.cat_file("/stems/results.jsonl").splitlines()]
    assert {line["track"] for line in lines} == {"a", "bad", "sub/b"}


def test_a_second_run_does_what_changed(files):
    tracks = beam.find_tracks(MUSIC)
    first = work(tracks, OUT)
    assert work(tracks, OUT) == first
    files.rm_file("/stems/a/all.wav")
    files.pipe_file("/music/bad.mp3", files.cat_file("/music/a.wav"))
    again = work(tracks, OUT)
    assert again["a"].status == again["bad"].status == "done"
    assert again["sub/b"] == first["sub/b"]
    assert files.exists("/stems/a/all.wav")


def test_results_of_a_killed_run_count(files, tmp_path):
    tracks = [beam.Track(address=str(tmp_path / "music" / "a.wav"), track="a")]
    output = tmp_path / "stems"
    first = work(tracks, str(output))["a"]
    placed = output / beam.PLACED
    assert not placed.exists()
    [line] = (output / "results.jsonl").read_text().splitlines()
    (output / "results.jsonl").unlink()  # as a run that was killed before its end
    do = beam.SeparateTracks(
        Model,
        Wanted(output_dir=output, form=StemFormat(), clip="rescale", stems=("all", "residual")),
        str(output),
        retry_failed=False,
    )
    do.setup()
    [made] = do.process(beam.Track(address=tracks[0].address, track="a", last=line))
    assert made == line and not placed.exists()  # nothing was done
    [made] = do.process(tracks[0])
    assert [*do.process(tracks[0])] == [made]  # a bundle that is repeated
    assert work(tracks, str(output))["a"].ended == json.loads(made)["ended"] >= first.ended


def test_an_address_that_cannot_be_listed_is_one_error(files):
    with pytest.raises(DataError, match="holds no audio"):
        beam.find_tracks("memory://nowhere")
    with pytest.raises(DataError, match="cannot be listed"):
        beam.find_tracks("nosuchscheme://music")
