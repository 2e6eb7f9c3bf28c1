"""The protocol of MIR-1K on a small folder of its form: who is tested, how clips are mixed, what
estimates a folder may hold."""

import json
import sys

import numpy as np
import pytest
import soundfile
from tools_for_tests import TOOLS, from_tools

from tfsepgan.errors import DataError

RATE = 16000


@pytest.fixture(scope="module")
def tool():
    return from_tools("mir1k", TOOLS / "experiments")


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """Three clips of two test singers and one of a training singer; the voice is 12 dB below the
    accompaniment."""
    folder = tmp_path_factory.mktemp("MIR-1K") / "Wavfile"
    folder.mkdir()
    random = np.random.default_rng(0)
    for name, seconds in {
        "ann_1_01": 0.5,
        "ann_1_02": 0.75,
        "bob_2_01": 0.5,
        "amy_1_01": 0.5,
    }.items():
        audio = random.standard_normal((int(seconds * RATE), 2)) * [0.2, 0.05]
        soundfile.write(folder / f"{name}.wav", audio, RATE, subtype="FLOAT")
    return folder.parent


def run(tool, monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["mir1k", *map(str, arguments)])
    return tool.main()


def test_training_singers_are_not_scored(tool, clips, tmp_path):
    assert [path.stem for path in tool.test_clips(clips)] == ["ann_1_01", "ann_1_02", "bob_2_01"]
    with pytest.raises(DataError, match="holds no Wavfile"):
        tool.test_clips(tmp_path)


def test_clips_are_mixed_at_equal_energy_by_default(tool, clips):
    path = clips / "Wavfile" / "ann_1_01.wav"
    equal, recorded = tool.read_clip(path), tool.read_clip(path, recorded=True)
    assert np.sum(equal.voice**2) == pytest.approx(np.sum(equal.accompaniment**2))
    assert np.sum(recorded.accompaniment**2) / np.sum(recorded.voice**2) == pytest.approx(
        16, rel=0.1
    )
    for clip in (equal, recorded):
        np.testing.assert_allclose(clip.mixture, clip.voice + clip.accompaniment, atol=1e-12)


def test_the_mixture_gains_nothing_and_the_figures_are_written(
    tool, clips, tmp_path, monkeypatch, capsys
):
    output = tmp_path / "scores.json"
    assert (
        run(
            tool,
            monkeypatch,
            "--data",
            clips,
            "--bound",
            "mixture",
            "--workers",
            0,
            "--output",
            output,
        )
        == 0
    )
    written = json.loads(output.read_text())
    assert (
        written["summary"]["voice"]["gnsdr"] == 0.0 == written["summary"]["accompaniment"]["gnsdr"]
    )
    assert (written["summary"]["clips"], written["summary"]["singers"]) == (3, 2)
    assert written["clips"]["ann_1_02"]["samples"] == 12000
    said = capsys.readouterr().out
    assert "the mixture" in said and "7.45" in said and "1502.04149" in said


def test_the_summary_is_weighted_by_length(tool):
    scores = {
        "ann_1_01": tool.ClipScores(100, *np.array([[1.0, 0.0], [2.0, 0.0], [3.0, 0.0]])),
        "bob_1_01": tool.ClipScores(300, *np.array([[5.0, 0.0], [6.0, 0.0], [7.0, 0.0]])),
    }
    voice = tool.summary(scores)["voice"]
    assert (voice["gnsdr"], voice["gsir"], voice["gsar"]) == (4.0, 5.0, 6.0)
    assert voice["gnsdr_error"] == pytest.approx(2.0)  # of the singers' 1 and 5


def test_estimates_of_a_folder_are_scored_whatever_their_volume(tool, clips, tmp_path, monkeypatch):
    mixtures, estimates, figures = tmp_path / "mixtures", tmp_path / "estimates", []
    assert run(tool, monkeypatch, "--data", clips, "--write-mixtures", mixtures) == 0
    assert sorted(path.stem for path in mixtures.iterdir()) == ["ann_1_01", "ann_1_02", "bob_2_01"]
    for gain in (1.0, 0.2):
        for path in tool.test_clips(clips):
            clip = tool.read_clip(path)
            (estimates / clip.name).mkdir(parents=True, exist_ok=True)
            voice, rest = (
                clip.voice + 0.1 * clip.accompaniment,
                clip.accompaniment + 0.1 * clip.voice,
            )
            soundfile.write(
                estimates / clip.name / "vocals.wav", gain * voice, RATE, subtype="DOUBLE"
            )
            soundfile.write(estimates / clip.name / "residual.wav", rest, RATE, subtype="DOUBLE")
        output = tmp_path / "scores.json"
        assert (
            run(
                tool,
                monkeypatch,
                "--data",
                clips,
                "--estimates",
                estimates,
                "--workers",
                0,
                "--output",
                output,
            )
            == 0
        )
        figures.append(json.loads(output.read_text())["summary"]["voice"])
    for figure in ("gnsdr", "gsir"):  # SAR of an estimate without artifacts is rounding error
        assert figures[0][figure] == pytest.approx(figures[1][figure], abs=2e-3)
    assert figures[0]["gnsdr"] == pytest.approx(20, abs=0.6) and figures[0][
        "gsir"
    ] == pytest.approx(20, abs=1.5)


def test_a_voice_alone_leaves_the_accompaniment_to_the_mixture(tool, clips, tmp_path):
    clip = tool.read_clip(tool.test_clips(clips)[0])
    soundfile.write(tmp_path / f"{clip.name}.wav", 0.5 * clip.voice, RATE, subtype="DOUBLE")
    voice, accompaniment = tool.Folder(tmp_path)(clip)
    np.testing.assert_allclose(voice, 0.5 * clip.voice, atol=1e-9)
    np.testing.assert_allclose(accompaniment, clip.mixture - 0.5 * clip.voice, atol=1e-9)


@pytest.mark.parametrize(
    ("samples", "rate", "words"),
    [
        (None, RATE, "holds no ann_1_01/voice.wav"),
        (100, RATE, "100 samples"),
        (8000, 8000, "8000 Hz, wanted 8000 at 16000"),
    ],
)
def test_estimates_that_do_not_fit_are_named(
    tool, clips, tmp_path, monkeypatch, capsys, samples, rate, words
):
    if samples:
        soundfile.write(tmp_path / "ann_1_01.wav", np.ones(samples) * 0.1, rate)
    assert run(tool, monkeypatch, "--data", clips, "--estimates", tmp_path, "--workers", 0) == 1
    assert words in " ".join(capsys.readouterr().out.split()).replace("ann_1_01.wav has ", "")


def test_the_ideal_mask_is_above_the_mixture(tool, clips):
    clip = tool.read_clip(tool.test_clips(clips)[0])
    references = np.stack([clip.voice, clip.accompaniment])
    scores = tool.score_clip((references, tool.Bound("ideal-mask")(clip), clip.mixture))
    assert scores.nsdr.min() > 3  # noise over noise: a mask parts little of it
