"""tfsepgan-export: a run under a name, what is missing, the licence and facts of a file."""

import json
import shutil

import pytest

from tfsepgan.export import exporter
from tfsepgan.models.folders import find_bundle

ONLY_STREAM = ("--variants", "stream", "--only-variants")


def test_exporting_a_run_under_a_name(trained_run, recordings, tmp_path, run, monkeypatch):
    """`test_commands_of_pages` makes an export with the command."""
    exports = []

    def export(bundle, output, audio, **options):
        exports.append((bundle.manifest.sources, output, audio.shape))
        return {"saved_model": 1e-7, "tflite_fp16": 1e-3}

    monkeypatch.setattr(exporter, "export_bundle", export)
    output = tmp_path / "exported_models" / "mine"
    result = run(
        "export",
        "--run",
        trained_run.directory,
        "--output",
        output,
        "--audio",
        recordings / "song.wav",
    )
    assert result.code == 0, result.err
    for words in (
        "saved_model: largest difference to Keras",
        "tflite_fp16",
        f"Exported to {output}",
    ):
        assert words in result.out
    assert exports == [(("piano",), output, (8000, 1))]  # 22051 stereo frames at 44.1 kHz


def test_a_page_is_written_for_the_exported_model(trained_run, run, tmp_path, monkeypatch):
    from tfsepgan.cli import export

    def without_work(bundle, options, *, report):
        assert options.variants == ("int8",)  # the page has the arithmetic of this network
        shutil.copytree(find_bundle("piano"), options.output)
        return {}

    monkeypatch.setattr(export, "_write_export", without_work)
    output, page = tmp_path / "mine", tmp_path / "page"
    arguments = ("--run", trained_run.directory, "--output", output, "--variants", "int8")
    result = run("export", *arguments, "--web", page)
    assert result.code == 0, result.err
    assert f"Page for browsers: {page}" in result.out
    assert (page / "index.html").is_file() and (page / "piano.safetensors.gzip").is_file()
    shutil.rmtree(output)
    again = run("export", *arguments, "--web", page)
    assert again.code == 1 and "not an empty folder" in again.error
    same = run("export", *arguments, "--web", output)
    assert same.code == 2 and "Give the page its own folder" in same.error
    assert not output.exists()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--run", "nowhere", "--output", "x"), 1, "CheckpointError: No model 'nowhere'"),
        (("--run", ".", "--output", "x"), 1, "as a folder it has no manifest.json"),
        (("--output", "x"), 2, "--run"),
        (("--run", "piano", "--output", "x", "--only-variants"), 2, "name at least one"),
        (("--run", "piano", "--output", "x", *ONLY_STREAM, "--serving", "y"), 2, "the SavedModel"),
    ],
)
def test_export_says_what_is_missing(arguments, code, words, run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run("export", *arguments)
    assert result.code == code
    assert words in result.error
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("audio", "words"), [("missing.wav", "missing.wav"), ("notes.wav", "is not audio")]
)
def test_export_needs_audio_that_can_be_read(audio, words, trained_run, run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.wav").write_text("not audio")
    result = run("export", "--run", trained_run.directory, "--output", "x", "--audio", audio)
    assert result.code == 1
    assert words in result.error
    assert not (tmp_path / "x").exists()


def test_the_facts_of_a_file_are_merged_with_those_of_the_model():
    from tfsepgan.cli.export import with_facts

    trained = {"steps": 8, "scores": {"val": 1.0}, "recordings": {}}
    facts = {"licence": "CC0", "steps": 8, "scores": {"unseen players": 2.0}}
    assert with_facts(trained, facts) == {
        "licence": "CC0",
        "steps": 8,
        "scores": {"unseen players": 2.0, "val": 1.0},
        "recordings": {},
    }
    assert trained["scores"] == {"val": 1.0}


@pytest.mark.parametrize("facts", ["steps: 9000", "scores: {val: 3.0}", "scores: good"])
def test_a_file_that_contradicts_the_model_is_refused(facts, trained_run, run, tmp_path):
    manifest = json.loads((trained_run.model / "manifest.json").read_text())
    manifest["trained"] |= {"steps": 8, "scores": {"val": 1.0}}
    model = tmp_path / "model"
    model.mkdir()
    (model / "manifest.json").write_text(json.dumps(manifest))
    (model / "model.keras").write_bytes((trained_run.model / "model.keras").read_bytes())
    (tmp_path / "facts.yaml").write_text(facts)
    result = run(
        "export", "--run", model, "--output", tmp_path / "out", "--facts", tmp_path / "facts.yaml"
    )
    assert result.code == 2
    assert result.error.startswith("ConfigError: --facts says")
    assert not (tmp_path / "out").exists()
