"""An evaluation of small mixtures: correct scores, independent tracks, no lost track."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from mixtures_for_tests import RATE, HalfWay, Mixture, mixture_of, tones

from tfsepgan.errors import ConfigError, DataError
from tfsepgan.evaluation.records import Report
from tfsepgan.evaluation.score import evaluate
from tfsepgan.metrics.bss import bss_eval
from tfsepgan.metrics.spectral_error import spectral_errors
from tfsepgan.metrics.waveform import si_sdr, snr


def evaluate_here(mixtures, output, **more):
    """`evaluate` in this process and without BSS Eval by default, for speed."""
    separate = more.pop("separate", None) or HalfWay(mixtures)
    arguments = {"sources": ("piano",), "workers": 0, "bss": False} | more
    return evaluate(separate, mixtures, output, **arguments)


def test_scores_equal_those_of_the_metrics(tmp_path):
    track = mixture_of("track")
    report = evaluate_here([track], tmp_path, bss=True)
    estimates = HalfWay([track])(track.mixture, RATE)
    order = ("piano", "residual")
    bss = bss_eval(
        np.stack([track.sources[name] for name in order]),
        np.stack([estimates[name] for name in order]),
        RATE,
    )
    assert report.sources == order
    for index, name in enumerate(order):
        model, mixture, masked = (
            report.tracks[0].scores[name][kind] for kind in ("model", "mixture", "oracle")
        )
        for metric in ("sdr", "isr", "sir", "sar"):
            assert model[metric] == pytest.approx(getattr(bss.medians(), metric)[index], abs=1e-4)
            assert report.tracks[0].windows[name]["model"][metric] == pytest.approx(
                list(getattr(bss, metric)[index]), abs=1e-4
            )
        assert model["snr"] == pytest.approx(snr(track.sources[name], estimates[name]), abs=1e-4)
        assert model["si_sdr"] == pytest.approx(
            si_sdr(track.sources[name], estimates[name]), abs=1e-4
        )
        assert mixture["si_sdr"] == pytest.approx(
            si_sdr(track.sources[name], track.mixture), abs=1e-4
        )
        assert model["si_sdr_improvement"] == pytest.approx(
            model["si_sdr"] - mixture["si_sdr"], abs=2e-4
        )
        errors = spectral_errors(track.sources[name], estimates[name], RATE)
        assert [model[figure] for figure in errors._fields] == pytest.approx(list(errors), abs=1e-3)
        assert masked["si_sdr"] > mixture["si_sdr"] and model["si_sdr"] > mixture["si_sdr"]
        assert "sar_improvement" not in model and "snr_improvement" not in mixture
    halves = report.tracks[0].scores["piano"]["model"]["snr_improvement"]
    assert halves == pytest.approx(20 * np.log10(2), abs=1e-3)


def test_scores_do_not_depend_on_the_number_of_processes(in_processes, tmp_path):
    mixtures = [mixture_of(f"track {seed}", seed=seed, seconds=1.0) for seed in range(2)]
    alone = evaluate_here(mixtures, tmp_path / "alone", bss=True)
    shared = evaluate_here(mixtures, tmp_path / "shared", bss=True, workers=2)
    assert shared == Report.load(tmp_path / "shared")
    assert [track.name for track in shared.tracks] == [f"track {seed}" for seed in range(2)]
    for one, other in zip(alone.tracks, shared.tracks, strict=True):
        for source in alone.sources:
            for kind, metrics in one.scores[source].items():
                for metric, value in metrics.items():
                    if (
                        value < 100
                    ):  # higher ones are rounding errors, which depend on the number of threads
                        assert other.scores[source][kind][metric] == pytest.approx(value, abs=1e-3)


def test_a_bad_track_does_not_stop_the_others(tmp_path):
    good = [mixture_of("good", seed=1), mixture_of("fine", seed=2)]
    nothing = np.zeros((RATE, 1), np.float32)
    silent = Mixture(
        name="silent", mixture=nothing, sources={"piano": nothing, "residual": nothing}
    )
    broken = Mixture(name="broken", mixture=np.full((RATE, 1), np.nan), sources=good[0].sources)
    alone = mixture_of("unknown to the model", seed=5)
    other = Mixture(name="other", mixture=good[0].mixture, sources={"flute": good[0].mixture})
    mixtures = [silent, good[0], broken, alone, good[1], other]
    report = evaluate_here(mixtures, tmp_path, separate=HalfWay(good))
    assert [track.name for track in report.tracks] == ["good", "fine"]
    errors = {failure.name: failure.error for failure in report.failures}
    assert list(errors) == ["silent", "broken", "unknown to the model", "other"]
    assert "source piano is silent" in errors["silent"]
    assert "mixture" in errors["broken"] and "NaN" in errors["broken"]
    assert errors["unknown to the model"].startswith("KeyError")
    assert "has no source piano; it holds flute" in errors["other"]
    assert Report.load(tmp_path) == report


def test_without_any_scored_track_the_error_gives_the_first_reason(tmp_path):
    silent = Mixture(
        name="hush", mixture=np.zeros((RATE, 1)), sources={"piano": np.zeros((RATE, 1))}
    )
    with pytest.raises(DataError, match="none of the 1 mixtures .* 'hush': source piano is silent"):
        evaluate_here([silent], tmp_path)
    assert json.loads((tmp_path / "report.json").read_text())["failures"][0]["name"] == "hush"


def test_files_of_tracks_stay_inside_the_output(tmp_path):
    output = tmp_path / "a" / "b" / "output"
    mixtures = [
        mixture_of(name, seed=seed)
        for seed, name in enumerate(["../../evil", "/evil", "x/../../y", ".."])
    ]
    report = evaluate_here(mixtures, output)
    files = {
        path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()
    }
    inside = {f"a/b/output/tracks/{track.file}" for track in report.tracks}
    assert files == inside | {"a/b/output/report.json"} and len(inside) == 4
    assert [track.name for track in report.tracks] == ["../../evil", "/evil", "x/../../y", ".."]


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (lambda audio: {"piano": audio[:-1]}, r"model's piano is of shape \[15999, 1\]"),
        (
            lambda audio: {"piano": audio[:, 0]},
            r"model's piano is of shape \[16000\], wanted .*\[16000, 1\]",
        ),
        (lambda audio: {"piano": audio * np.nan}, "model's piano .* 16000 values that are NaN"),
        (
            lambda audio: {"piano": audio, "residual": audio[:5]},
            r"model's residual is of shape \[5, 1\]",
        ),
    ],
)
def test_an_invalid_estimate_is_an_error_that_names_it(tmp_path, result, message):
    with pytest.raises(DataError, match=message):
        evaluate_here([mixture_of("track")], tmp_path, separate=lambda audio, rate: result(audio))


def test_a_model_of_other_sources_stops_at_once(tmp_path):
    calls = []

    def separate(audio, sample_rate_hz):
        calls.append(1)
        return {"vocals": audio}

    with pytest.raises(ConfigError, match="gave back vocals, wanted piano"):
        evaluate_here([mixture_of("a"), mixture_of("b")], tmp_path, separate=separate)
    assert len(calls) == 1


def test_a_missing_residual_is_the_mixture_minus_the_sources(tmp_path):
    track = mixture_of("track")
    whole = evaluate_here([track], tmp_path / "whole")
    alone = Mixture(name="track", mixture=track.mixture, sources={"piano": track.sources["piano"]})
    half = HalfWay([track])
    computed = evaluate_here(
        [alone], tmp_path / "computed", separate=lambda a, r: {"piano": half(a, r)["piano"]}
    )
    for kind in ("mixture", "model", "oracle"):
        assert computed.tracks[0].scores["residual"][kind]["snr"] == pytest.approx(
            whole.tracks[0].scores["residual"][kind]["snr"], abs=1e-3
        )


def test_a_silent_estimate_has_the_lowest_scores_and_a_note(tmp_path):
    report = evaluate_here(
        [mixture_of("track")], tmp_path, bss=True, separate=lambda a, r: {"piano": 0 * a}
    )
    scores = report.tracks[0].scores["piano"]["model"]
    assert scores["si_sdr"] == -np.inf and scores["snr"] == 0.0 and np.isnan(scores["sdr"])
    assert any("model's piano is silent" in note for note in report.tracks[0].notes)
    assert report.summary()["piano"]["model"]["sdr"]["undefined"] == 1


def test_windows_that_are_left_out_have_a_note(tmp_path):
    track = mixture_of("track", seconds=3.0)
    track.sources["piano"][:RATE] = 0.0
    track = Mixture(name="track", mixture=sum(track.sources.values()), sources=track.sources)
    report = evaluate_here([track], tmp_path, bss=True)
    assert any(note.startswith("1 of 3 windows left out") for note in report.tracks[0].notes)
    assert np.isfinite(report.tracks[0].scores["piano"]["model"]["sdr"])


def test_the_listener_gets_every_track_and_its_errors_are_notes(tmp_path):
    calls = []

    def listener(mixture, estimates):
        calls.append((mixture.name, sorted(estimates)))
        if mixture.name == "b":
            raise OSError("no space")

    mixtures = [mixture_of("a", seed=1), mixture_of("b", seed=2)]
    report = evaluate_here(mixtures, tmp_path, listener=listener)
    assert calls == [("a", ["piano", "residual"]), ("b", ["piano", "residual"])]
    assert report.tracks[0].notes == ()
    assert "listener failed on this track (OSError: no space)" in report.tracks[1].notes[0]


def test_an_interrupted_evaluation_keeps_its_scored_tracks(tmp_path):
    mixtures = [mixture_of(f"track {seed}", seed=seed) for seed in range(3)]
    half = HalfWay(mixtures)

    def separate(audio, sample_rate_hz):
        if audio.tobytes() == mixtures[2].mixture.tobytes():
            raise KeyboardInterrupt
        return half(audio, sample_rate_hz)

    with pytest.raises(KeyboardInterrupt):
        evaluate_here(mixtures, tmp_path, separate=separate)
    kept = Report.load(tmp_path)
    assert [track.name for track in kept.tracks] == ["track 0", "track 1"] and kept.mixtures == 3


def test_invalid_arguments_are_errors_before_the_model_runs(tmp_path):
    def never(audio, sample_rate_hz):
        raise AssertionError("the model ran")

    track = [mixture_of("track")]
    with pytest.raises(DataError, match="no mixtures"):
        evaluate_here([], tmp_path, separate=never)
    for sources in ((), ("piano", "piano"), ("piano", "residual")):
        with pytest.raises(ConfigError, match="sources are"):
            evaluate_here(track, tmp_path, separate=never, sources=sources)
    with pytest.raises(ConfigError, match="workers is -1"):
        evaluate_here(track, tmp_path, separate=never, workers=-1)
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot be written to"):
        evaluate_here(track, tmp_path / "file", separate=never)


def test_a_script_without_a_main_guard_is_scored_with_a_warning(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent(f"""
            from mixtures_for_tests import HalfWay, mixture_of
            from tfsepgan.evaluation.score import evaluate
            mixtures = [mixture_of("track")]
            output = {str(tmp_path / "output")!r}
            report = evaluate(HalfWay(mixtures), mixtures, output, sources=("piano",), bss=False)
            print("tracks", len(report.tracks))
            """)
    )
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path]),
    }
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, env=environment, timeout=60
    )
    assert done.stdout.splitlines() == ["tracks 1"], done.stderr
    assert "__main__" in done.stderr


def test_every_track_keeps_its_rate_and_channels(tmp_path):
    stereo = mixture_of("stereo", channels=2)
    mono = Mixture(
        name="mono", mixture=tones(0) + tones(1), sources={"piano": tones(0)}, sample_rate_hz=44100
    )
    half = HalfWay([stereo, mono])
    report = evaluate_here([stereo, mono], tmp_path, separate=half)
    assert [(track.channels, track.sample_rate_hz) for track in report.tracks] == [
        (2, RATE),
        (1, 44100),
    ]
    assert report.tracks[1].seconds == round(16000 / 44100, 3)
