"""`tfsepgan-refine`: averages, softens, narrows and compares models."""

import json

import pytest

from tfsepgan.models.bundle import load_bundle

SHORT = ("--mixtures", 2, "--seconds", 1)


def test_a_model_averaged_with_itself_gains_the_same(trained_run, tones, tmp_path, run):
    mean = tmp_path / "mean"
    ended = run("refine", "average", "--models", *[trained_run.directory] * 2, "--output", mean)
    assert ended.code == 0, ended.err
    assert f"Mean of 2 models: {mean}" in ended.out
    figures = tmp_path / "figures" / "gains.json"
    arguments = ("--data", tones, "--splits", "test", *SHORT, "--output", figures)
    ended = run("refine", "compare", "--models", trained_run.directory, mean, *arguments)
    assert ended.code == 0, ended.err
    assert "over the first" in ended.out
    scores = json.loads(figures.read_text())[f"{mean}, test"]
    assert scores["over_first"]["mean"] == pytest.approx(0, abs=1e-4)


def test_several_sets_soften_however_they_are_listed(trained_run, tones, tmp_path, run):
    tried = ("--temperatures", 2, "--offsets", 0.5, "--split", "test", "valid", *SHORT)
    for number, sets in enumerate((("--data", tones, tones), ("--data", tones, "--data", tones))):
        output = tmp_path / str(number)
        arguments = ("--model", trained_run.directory, *sets, *tried, "--output", output)
        ended = run("refine", "soften", *arguments)
        assert ended.code == 0, ended.err
        assert ended.out.count("SI-SDR gain of piano, dB") == 2
        assert f"{tones}, valid: each target with the pair that is best on the others" in ended.out
        assert "masks_softened" in load_bundle(output).manifest.trained


def test_a_model_made_narrower_separates(trained_run, tones, tmp_path, run):
    new, arguments = tmp_path / "narrow", ("--channels", 4, "--minutes", 0, "--data", tones)
    ended = run("refine", "narrow", "--model", trained_run.directory, *arguments, "--output", new)
    assert ended.code == 0, ended.err
    bundle = load_bundle(new)
    assert f"{bundle.manifest.parameters:,} parameters of" in ended.out
    assert bundle.manifest.trained["narrowed"]["channels"] == 4


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("soften", "--model", "piano", "--output", "new"), 2, "No recordings: give --data DIR"),
        (("soften", "--model", "x", "--data", "demo", "--output", "new"), 1, "No model 'x'"),
        (("average", "--models", "piano", "--output", "new"), 2, "give at least two"),
        (("average", "--models", "piano", "piano", "--output", "."), 1, "already exists"),
        (("compare", "--models", "piano", "--data", "missing"), 1, "missing does not exist"),
        (("compare", "--models", "--data", "demo"), 2, "No models"),
        (
            ("compare", "--models", "piano", "--data", "demo", "--mixtures", 0),
            2,
            "--mixtures must be at least 1",
        ),
        (
            ("narrow", "--model", "piano", "--data", "demo", "--output", "new", "--channels", 400),
            2,
            "fewer than 384",
        ),
        (
            ("narrow", "--model", "piano", "--data", "demo", "--output", "new", "--channels", 1),
            2,
            "--channels 1: wanted at least 2",
        ),
        (("merge",), 2, "merge"),
    ],
)
def test_refine_says_what_is_wrong(arguments, code, words, run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ended = run("refine", *arguments)
    assert ended.code == code
    assert words in ended.error
    assert not list(tmp_path.iterdir())
