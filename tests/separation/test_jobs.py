"""A job that resumes: its results on the disk, what they say is left, what a kill leaves."""

import os
from dataclasses import replace

import pytest
from bundles_for_tests import whole_separator
from recordings_for_tests import RATE_HZ, write_noise

from tfsepgan.audio.encodings import StemFormat
from tfsepgan.errors import ConfigError, DataError
from tfsepgan.separation.bulk import FailedFile, Wanted, separate_each
from tfsepgan.separation.inputs import find_inputs
from tfsepgan.separation.jobs import Job, outcome_of, plan, recorded
from tfsepgan.separation.refinement import Refining
from tfsepgan.separation.results import Results, read_results


@pytest.fixture
def job(tmp_path):
    wanted = Wanted(
        output_dir=tmp_path / "out", form=StemFormat(), clip="rescale", stems=("all", "residual")
    )
    return Job(wanted=wanted, model="a model", refining=Refining())


@pytest.fixture
def music(tmp_path):
    """Three recordings, and a file that is none."""
    for number in range(3):
        write_noise(tmp_path / "music" / f"{number}.wav", 0.2, seed=number)
    (tmp_path / "music" / "bad.wav").write_text("no sound")
    return tmp_path / "music"


def work(music, job, *, retry_failed=False, limit=None):
    """One run of a job; returns its plan and what ended."""
    recordings = find_inputs([music], job.wanted.output_dir)
    with Results(job.wanted.output_dir / "results.jsonl") as results:
        planned = plan(recordings, job, results, retry_failed=retry_failed)
        each = separate_each(whole_separator(RATE_HZ), planned.left[:limit], job.wanted)
        outcomes = ((one, outcome_of(one, item, fingerprint=True)) for one, item in each)
        return planned, list(recorded(outcomes, job, results))


def test_every_recording_has_a_line_with_its_input_and_its_stems(music, job):
    _, ended = work(music, job)
    lines = {one.track: one for one in read_results(job.wanted.output_dir / "results.jsonl")}
    assert sorted(lines) == ["0", "1", "2", "bad"]
    assert lines["bad"].status == "failed" and "bad.wav is not audio" in lines["bad"].reason
    assert lines["bad"].outputs == () and lines["bad"].fingerprint.size_bytes == len("no sound")
    one = lines["1"]
    assert one.status == "done" and one.reason is None and one.seconds == 0.2
    assert one.input == str(music / "1.wav")
    assert one.fingerprint.is_of(music / "1.wav") and not one.fingerprint.is_of(music / "2.wav")
    assert [(output.stem, output.path) for output in one.outputs] == [
        ("all", "1/all.wav"),
        ("residual", "1/residual.wav"),
    ]
    assert one.has_outputs(job.wanted.output_dir)
    assert len(ended) == 4 and sum(isinstance(item, FailedFile) for item in ended) == 1


def test_a_second_run_does_what_is_left(music, job):
    work(music, job, limit=2)
    planned, ended = work(music, job)
    assert planned.done == 2 and len(ended) == 2
    planned, ended = work(music, job)
    assert (planned.done, ended) == (3, [])
    assert [one.path.name for one in planned.failed] == ["bad.wav"]
    planned, ended = work(music, job, retry_failed=True)
    assert (planned.done, planned.failed, len(ended)) == (3, (), 1)


def touch_only(music, job):
    os.utime(music / "1.wav", ns=(1, 1))
    return job


def other_input(music, job):
    write_noise(music / "1.wav", 0.2, seed=9)
    return job


def no_stem(music, job):
    (job.wanted.output_dir / "1" / "all.wav").unlink()
    return job


def shorter_stem(music, job):
    os.truncate(job.wanted.output_dir / "1" / "all.wav", 100)
    return job


def mended(music, job):
    write_noise(music / "bad.wav", 0.1)
    return job


@pytest.mark.parametrize(
    ("change", "left"),
    [
        (touch_only, []),
        (other_input, ["1"]),
        (no_stem, ["1"]),
        (shorter_stem, ["1"]),
        (mended, ["bad"]),
        (lambda music, job: replace(job, model="another model"), ["0", "1", "2", "bad"]),
        (
            lambda music, job: replace(
                job, wanted=replace(job.wanted, form=StemFormat(name="flac"))
            ),
            ["0", "1", "2", "bad"],
        ),
    ],
)
def test_what_changed_is_separated_again(change, left, music, job):
    work(music, job)
    planned, ended = work(music, change(music, job))
    assert [str(one.track) for one in planned.left] == left
    assert len(ended) == len(left)


def test_the_default_of_a_format_is_the_same_setting_when_it_is_named(job):
    named = replace(job.wanted, form=StemFormat(subtype="FLOAT"))
    assert replace(job, wanted=named).settings == job.settings
    assert replace(job, wanted=replace(named, clip="clip")).settings != job.settings


def test_a_line_that_was_cut_off_is_done_again_and_nothing_else(music, job):
    work(music, job)
    path = job.wanted.output_dir / "results.jsonl"
    whole = path.read_bytes()
    lines = whole.splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:2]) + lines[2][:-40])
    with Results(path) as results:
        assert (len(results), results.broken) == (2, 1)
    planned, ended = work(music, job)
    assert planned.done == 2 and len(ended) == 2
    with Results(path) as results:
        assert (len(results), results.broken) == (4, 1)
        assert results.last("2").status == "done"


def test_a_file_of_something_else_is_refused_and_kept(tmp_path):
    path = tmp_path / "results.jsonl"
    path.write_text("notes of mine")
    with pytest.raises(ConfigError, match="holds something else"), Results(path):
        pass
    assert path.read_text() == "notes of mine"


def test_two_commands_cannot_write_to_the_same_results(tmp_path):
    with (
        Results(tmp_path / "results.jsonl"),
        pytest.raises(DataError, match="Another command writes to"),
        Results(tmp_path / "results.jsonl"),
    ):
        pass
    with Results(tmp_path / "results.jsonl"):
        pass


def test_what_a_killed_process_left_is_removed(music, job):
    folder = job.wanted.output_dir / "1"
    folder.mkdir(parents=True)
    for name in (".all.wav.4711.part", ".residual.wav.4711.encoded", "mine.txt"):
        (folder / name).touch()
    work(music, job)
    assert sorted(path.name for path in folder.iterdir()) == [
        "all.wav",
        "mine.txt",
        "residual.wav",
    ]


def test_a_name_that_is_no_text_is_kept(music, job, tmp_path):
    name = os.fsdecode(b"caf\xe9.wav")
    os.rename(music / "1.wav", music / name)
    work(music, job)
    planned, ended = work(music, job)
    assert planned.done == 3 and ended == []
