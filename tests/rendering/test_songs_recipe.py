"""The songs recipe: what is apart stays apart, and pianos stand in bands at their levels."""

import numpy as np
import pytest
import soundfile
from rendering_for_tests import from_recipes

from tfsepgan.data.recordings.catalogue import scan
from tfsepgan.rendering.arranging.desk import active_rms

recipe = from_recipes("songs")
sources = from_recipes("get_sources")
RATE_HZ = recipe.RATE_HZ


def test_nothing_of_the_yardstick_is_trained_on():
    apart, training = recipe.APART, recipe.TRAINING
    assert not set(apart.fonts) & set(training.fonts)
    assert not {speech for speech, *_ in apart.singers.values()} & {
        speech for speech, *_ in training.singers.values()
    }
    assert apart.numbers[0] > training.numbers[1]
    assert (apart.split, training.split) == ("valid", "train")


def test_everything_has_an_address_and_a_licence():
    for band in (recipe.APART, recipe.TRAINING):
        for name in band.fonts:
            assert name in recipe.FONTS or recipe.piano_soundfonts.LICENCES[name]
        for speech, *_ in band.singers.values():
            folder, licence = recipe.SPEECH[speech]
            assert licence
            assert folder.split("/")[0] in (*sources.REPOSITORIES, "librispeech", "")
    for path, _ in recipe.piano_soundfonts.SOURCES.values():
        name = path.split("/")[0]
        assert name in sources.REPOSITORIES or any(
            package.split("/")[0] == name for package in sources.PACKAGES
        )


@pytest.mark.parametrize("level_db", recipe.LEVELS_DB)
def test_a_piano_in_a_band_has_its_level_and_the_sum_does_not_clip(level_db):
    rng = np.random.default_rng(0)
    solo, band = (rng.normal(0, level, (RATE_HZ, 2)).astype(np.float32) for level in (0.02, 0.3))
    piano, rest = recipe.in_band(solo, band, level_db)
    ratio = active_rms(piano, RATE_HZ) / active_rms(rest, RATE_HZ)
    assert 20 * np.log10(ratio) == pytest.approx(level_db, abs=0.01)
    assert np.abs(piano + rest).max() <= recipe.CEILING + 1e-6


def test_bands_are_a_multitrack_folder(tmp_path):
    valid = tmp_path / "valid"
    for number, name in enumerate(
        ("piano/a", "piano/b", "rest/mdb_x", "rest/mdb_y", "rest/voice_z")
    ):
        path = valid / f"{name}.flac"
        path.parent.mkdir(parents=True, exist_ok=True)
        time = np.arange(2 * RATE_HZ) / RATE_HZ
        soundfile.write(path, 0.2 * np.sin(2 * np.pi * (200 + 90 * number) * time), RATE_HZ)
    assert recipe.write_bands(valid, tmp_path / "out", 0) == 0
    found = scan(tmp_path / "out", sources=("piano",))
    assert found.layout == "multitrack"
    names = sorted(path.name for path in (tmp_path / "out" / "valid").iterdir())
    assert names == sorted(
        f"mdb_{x}-{p}-{db}dB" for x, p in (("x", "a"), ("y", "b")) for db in ("-9", "-3", "+3")
    )
