"""The preview writes the mixtures of a training step, and the same ones before augmentation."""

from itertools import islice

import numpy as np
import pytest
import soundfile

from tfsepgan.cli.data import main
from tfsepgan.config import AugmentConfig, DataConfig
from tfsepgan.data.batches.pipeline import training_batches
from tfsepgan.data.recordings.catalogue import scan

FLAGS = [
    "--preset",
    "tiny",
    "--sample-rate-hz",
    "8000",
    "--window",
    "2048",
    "--batch",
    "3",
    "--law",
    "snr",
]
CHANGED = ["--augment.speed", "1", "--augment.equaliser", "1", "--augment.noise", "1"]


def preview(tones, tmp_path, *flags):
    places = [
        "--data",
        str(tones),
        "--cache",
        str(tmp_path / "cache"),
        "--output",
        str(tmp_path / "out"),
    ]
    return main(["preview", *FLAGS, *places, *flags])


def written(tmp_path, number, name):
    samples, rate_hz = soundfile.read(
        tmp_path / "out" / f"{number:03d}" / f"{name}.wav", dtype="float32"
    )
    assert rate_hz == 8000
    return samples


@pytest.mark.usefixtures("drawn_pictures")
def test_it_writes_the_mixtures_of_the_training_step(tones, tmp_path):
    assert preview(tones, tmp_path, *CHANGED, "--step", "5", "--count", "2") == 0
    augment = AugmentConfig(speed=1.0, equaliser=1.0, noise=1.0)
    config = DataConfig(sample_rate_hz=8000, window=2048, batch=3, law="snr", augment=augment)
    batches = training_batches(
        scan(tones, sources=("piano",)), config, first_step=5, cache_dir=tmp_path / "cache"
    )
    batch = next(iter(islice(batches.as_numpy_iterator(), 1)))
    for number in range(2):
        mixture, piano, rest = (
            written(tmp_path, number, name) for name in ("mixture", "piano", "residual")
        )
        np.testing.assert_array_equal(mixture, batch["mixture"][number, :, 0])
        np.testing.assert_array_equal(piano, batch["sources"][number, 0, :, 0])
        np.testing.assert_allclose(piano + rest, mixture, atol=1e-6)
        assert not np.allclose(written(tmp_path, number, "mixture-before"), mixture, atol=1e-3)
        assert (tmp_path / "out" / f"{number:03d}" / "spectrograms.png").stat().st_size > 5000
    assert not (tmp_path / "out" / "002").exists()


def test_without_augmentation_there_is_no_before(tones, tmp_path):
    assert preview(tones, tmp_path, "--count", "1") == 0
    assert {path.name for path in (tmp_path / "out" / "000").iterdir()} == {
        *("mixture.wav", "piano.wav", "residual.wav", "spectrograms.png")
    }


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--count", "9"], "count is 9; it must be 1 to the batch, 3"),
        (["--augment.room", "2"], "it is a probability"),
    ],
)
def test_what_makes_no_sense_is_one_error(tones, tmp_path, capsys, flags, words):
    assert preview(tones, tmp_path, *flags) == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_help_names_it(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "preview" in capsys.readouterr().out
