"""`tfsepgan-data pack`, and shards in every command that takes --data."""

import pytest


@pytest.fixture(scope="module")
def packed(tones, tmp_path_factory):
    """Shards of the tones, written by the command."""
    from tfsepgan.cli.data import main

    place = tmp_path_factory.mktemp("packed") / "shards"
    assert (
        main(
            [
                "pack",
                str(tones),
                "--output",
                str(place),
                "--sample-rate-hz",
                "16000",
                "--licence",
                "mine",
            ]
        )
        == 0
    )
    return place


def test_packing_prints_what_was_written(tones, tmp_path, run):
    result = run("data", "pack", tones, "--output", tmp_path / "shards", "--shard-mb", "1")
    assert result.code == 0, result.err
    assert "Packed 8 recordings" in result.out
    assert (
        f"into 1 shard of 0.5 MB in all; train on them with --data {tmp_path / 'shards'}"
        in result.out
    )
    again = run("data", "pack", tones, "--output", tmp_path / "shards")
    assert again.code == 1
    assert "holds shards; use a folder that does not exist yet" in again.error


def test_recordings_can_be_left_out(tones, tmp_path, run):
    result = run(
        "data",
        "pack",
        tones,
        "--output",
        tmp_path / "shards",
        "--leave-out",
        "plain/test/*",
        "plain/valid/*",
    )
    assert "Packed 4 recordings" in result.out


def test_shards_are_checked_as_a_folder_is(packed, tmp_path, run):
    result = run("data", "check", packed, "--cache", tmp_path)
    assert result.code == 0, result.err
    assert "8 recordings, all of them readable: training can run." in result.out
    assert "Packed at 16000 Hz: frequencies above 8000 Hz are missing.\nLicence: mine" in result.out


def test_shards_can_be_previewed(packed, tmp_path, run):
    arguments = (
        "--preset",
        "tiny",
        "--data",
        packed,
        "--cache",
        tmp_path / "cache",
        "--count",
        "1",
    )
    result = run("data", "preview", *arguments, "--output", tmp_path / "out")
    assert result.code == 0, result.err
    assert (tmp_path / "out" / "000" / "mixture.wav").stat().st_size > 44
    assert list((tmp_path / "cache").glob("shards-*/train/piano/*.flac"))


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--shard-mb", "0"), 2, "shard_mb is 0; it must be above zero"),
        (("--sample-rate-hz", "10"), 2, "sample_rate_hz is 10; it must be 1000 to 768000"),
        ((), 2, "--output"),
    ],
)
def test_wrong_use_is_named(tones, tmp_path, run, arguments, code, words):
    output = ("--output", tmp_path / "out") if arguments else ()
    result = run("data", "pack", tones, *output, *arguments)
    assert result.code == code
    assert words in result.error
    assert not (tmp_path / "out").exists()
