"""Songs whose every stem is named, from recordings to a served model.

The cases are two stems, four stems and the packaged recordings. The command trains each for two
steps; the tests check the run and its model. Four stems are exported in whole, and the tests check
a streaming file and each way to use that model.
"""

import contextlib
import io
import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from eager_for_tests import eagerly
from tools_for_tests import from_tools

import tfsepgan
from tfsepgan.ondevice import StreamingSeparator

RATE = 16000
SMALL = (
    *(
        "--generator.channels",
        8,
        "--generator.blocks",
        1,
        "--generator.frame",
        256,
        "--generator.hop",
        64,
    ),
    *("--window", 2048, "--batch", 2, "--steps", 2, "--steps-per-epoch", 2, "--no-tensorboard"),
    *(
        "--validation-mixtures",
        2,
        "--validation-seconds",
        0.5,
        "--test-seconds",
        1.5,
    ),
)


def write_songs(folder: Path) -> Path:
    """Songs of just vocals and accompaniment; the vocals of one start after half a second."""
    for number, song in enumerate(
        ("train/one", "train/two", "valid/three", "test/four", "test/five")
    ):
        random = np.random.default_rng(number)
        for source, harmonics in (("vocals", 6), ("accompaniment", 2)):
            time = np.arange(2 * RATE) / RATE
            pitch_hz = random.uniform(100, 400)
            samples = 0.1 * sum(
                np.sin(2 * np.pi * pitch_hz * k * time) for k in range(1, harmonics + 1)
            )
            samples += 0.01 * random.standard_normal(len(time))
            if (song, source) == ("test/five", "vocals"):
                samples[: 3 * len(time) // 4] = 0
            (folder / song).mkdir(parents=True, exist_ok=True)
            soundfile.write(folder / song / f"{source}.wav", samples, RATE)
    return folder


def write_musdb18(folder: Path) -> Path:
    """MUSDB18 as it is distributed, in small."""
    return from_tools("sets_for_tests", Path(__file__).parents[1] / "data").make_musdb18(folder)


# Two stems are trained with a discriminator, the other cases without.
ALONE = ("--adversarial-weight", 0, "--identity-weight", 0)
FOUR_CHANNELS = ("--discriminator.channels", 4)
CASES = {
    "two stems": (
        write_songs,
        ("vocals", "accompaniment"),
        ("--preset", "tiny", "--test-mixtures", 2),  # the song of a silent source, and another
    ),
    "four stems": (
        write_musdb18,
        ("drums", "bass", "other", "vocals"),
        ("--preset", "tiny", "--test-mixtures", 1, *ALONE),
    ),
    "packaged": (
        lambda folder: "demo",
        ("piano", "rest"),
        ("--preset", "demo", "--minutes", 60, "--test-mixtures", 1, *ALONE, *FOUR_CHANNELS),
    ),
}


@dataclass(frozen=True, kw_only=True)
class Trained:
    """Folders and output of a case."""

    sources: tuple[str, ...]
    data: str
    run: Path
    exported: Path
    streaming: Path | None
    printed: str

    @property
    def report(self) -> dict:
        return json.loads((self.run / "test" / "report.json").read_text())

    @property
    def separated(self) -> dict[str, dict[str, np.ndarray]]:
        """Track, then mixture and estimates, `[time]`."""
        tracks = sorted((self.run / "separated").iterdir())
        return {
            track.name: {
                path.stem: soundfile.read(path, dtype="float32")[0]
                for path in track.iterdir()
                if not path.stem.endswith("-true")
            }
            for track in tracks
        }


def weights_alone(bundle, output: Path, audio) -> dict:
    """An export without files for other programs."""
    from tfsepgan.models.bundle import save_bundle

    save_bundle(output, bundle.generator, replace(bundle.manifest, name=output.name))
    return {}


def streaming_file(exported: Path, folder: Path) -> Path:
    from tfsepgan.export.tflite.files import OnDevice, make_variants
    from tfsepgan.models.saved import open_model

    audio = np.random.default_rng(0).uniform(-0.5, 0.5, (3000, 1)).astype(np.float32)
    wanted = OnDevice(variants=("stream",))
    make_variants(open_model(exported), folder, folder, wanted, audio, lambda step: None)
    (streaming,) = folder.glob("*.stream.tflite")
    return streaming


@pytest.fixture(scope="module", params=CASES)
def trained(request, tmp_path_factory) -> Trained:
    """A case from the recordings to a model; four stems with its export and a streaming file."""
    from tfsepgan.cli import finish
    from tfsepgan.cli.train import main as train

    write, sources, preset = CASES[request.param]
    folder = tmp_path_factory.mktemp("stems")
    data = str(write(folder / "data"))
    arguments = [*preset, "--data", data, "--sources", *sources, *SMALL, "--run", folder / "run"]
    printed = io.StringIO()
    to_text = contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed)
    whole = request.param == "four stems"
    with eagerly(), to_text[0], to_text[1], pytest.MonkeyPatch.context() as patch:
        if not whole:
            patch.setattr(finish, "export_bundle", weights_alone)
        assert train(list(map(str, arguments))) == 0, printed.getvalue()
    exported = folder / "run" / "exported" / preset[1]
    streaming = streaming_file(exported, folder) if whole else None
    paths = {"run": folder / "run", "exported": exported, "streaming": streaming}
    return Trained(sources=sources, data=data, printed=printed.getvalue(), **paths)


def test_it_notes_that_every_source_is_named(trained):
    assert "Every source of the train split is named" in trained.printed
    assert "Validation:" not in trained.printed and "validation mixtures" not in trained.printed
    (row,) = json.loads((trained.run / "history.json").read_text())
    assert np.isfinite(row["val/si_sdr_improvement_db"])


def test_the_named_sources_are_scored_and_nothing_else(trained):
    report = trained.report
    assert report["sources"] == list(trained.sources) == list(report["summary"])
    assert report["failures"] == [] and len(report["tracks"]) == report["mixtures"] > 0
    for source in trained.sources:
        scores = report["summary"][source]["model"]
        assert all(
            np.isfinite(scores[metric]["median"]) for metric in ("sdr", "sir", "si_sdr_improvement")
        )
    scores = json.loads((trained.exported / "manifest.json").read_text())["trained"]["scores"]
    assert {name.split("/")[1] for name in scores if name.startswith("test/")} == set(
        trained.sources
    )


def test_a_source_that_is_silent_in_a_track_has_no_scores_there_and_the_other_has_its_own(trained):
    silent = {
        entry["name"]: entry["file"]
        for entry in trained.report["tracks"]
        if entry["name"] == "five"
    }
    for file in silent.values():
        track = json.loads((trained.run / "test" / "tracks" / file).read_text())
        assert set(track["scores"]["vocals"]["model"].values()) == {None}
        assert np.isfinite(track["scores"]["accompaniment"]["model"]["si_sdr"])
        assert trained.report["summary"]["vocals"]["model"]["si_sdr"]["undefined"] == 1
    assert bool(silent) == (trained.sources[0] == "vocals")


def test_the_stems_sum_to_the_mixture(trained):
    assert trained.separated
    for stems in trained.separated.values():
        assert set(stems) == {"mixture", *trained.sources, "residual"}
        total = sum(stem for name, stem in stems.items() if name != "mixture")
        np.testing.assert_allclose(total, stems["mixture"], atol=1e-6)


def test_the_export_separates_and_streams_alike(trained):
    separator = tfsepgan.load(trained.exported)
    (mixture, separated), *_ = [
        (stems.pop("mixture"), stems) for stems in trained.separated.values()
    ]
    whole, peak = separator.separate(mixture, RATE), np.abs(mixture).max()
    assert separator.stems == (*trained.sources, "residual") == tuple(whole)
    for stem, samples in whole.items():
        # an export rounds weights to halves
        np.testing.assert_allclose(samples, separated[stem], atol=1e-2 * peak)
    if trained.streaming is None:
        return
    name = trained.exported.name
    assert {"1", f"{name}.tflite", f"{name}.fp16.tflite"} <= {
        path.name for path in trained.exported.iterdir()
    }
    stream = StreamingSeparator(trained.streaming)
    pieces = [stream.push(mixture[:5000]), stream.push(mixture[5000:]), stream.finish()]
    for stem, samples in whole.items():
        streamed = np.concatenate([piece[stem] for piece in pieces])
        np.testing.assert_allclose(streamed, samples, atol=1e-4 * peak)


def test_another_evaluation_of_it_gives_the_same_scores(trained, run, tmp_path):
    if trained.sources != CASES["four stems"][1]:
        pytest.skip("the case with most stems stands for the others")
    seconds = ("--mixtures", 1, "--seconds", 1.5, "--no-bss", "--workers", 0)
    result = run(
        "evaluate",
        "--model",
        trained.run,
        "--data",
        trained.data,
        "--output",
        tmp_path / "scores",
        *seconds,
    )
    assert result.code == 0, result.err
    report = json.loads((tmp_path / "scores" / "report.json").read_text())
    assert report["sources"] == list(trained.sources)
    for source in trained.sources:
        for kind in ("mixture", "model", "oracle"):
            one, other = (of["summary"][source][kind]["si_sdr"] for of in (report, trained.report))
            assert one["median"] == pytest.approx(other["median"], abs=1e-3)


def test_a_server_of_it_gives_every_stem(trained):
    if trained.sources != CASES["four stems"][1]:
        pytest.skip("the case with most stems stands for the others")
    pytest.importorskip("tensorflow_serving.apis", reason="tensorflow-serving-api is not installed")
    from tfsepgan.serving.separator import connect

    mixture = next(iter(trained.separated.values()))["mixture"]
    stems = tfsepgan.load(trained.exported).separate(mixture, RATE)
    with (
        from_tools("loopback_process").ServerProcess("tiny", trained.exported) as server,
        connect(f"127.0.0.1:{server.port}", "tiny", block_seconds=0.5) as remote,
    ):
        served = remote.separate(mixture, RATE)
    assert set(served) == set(stems) == {*trained.sources, "residual"}
    for name, stem in stems.items():
        np.testing.assert_allclose(served[name], stem, atol=1e-4 * np.abs(mixture).max())
