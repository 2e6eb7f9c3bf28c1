"""Optional measures are chosen by name, checked first, and shown in report, tables and plots."""

import io
from typing import get_args

import numpy as np
import pytest
from matplotlib.image import imread
from mixtures_for_tests import RATE, HalfWay, mixture_of
from rich.console import Console

from tfsepgan.cli.evaluate import EvaluateOptions, Measure
from tfsepgan.errors import ConfigError
from tfsepgan.evaluation import measures
from tfsepgan.evaluation.measures import Measuring, check_measures
from tfsepgan.evaluation.plots import QUALITY_PANELS, draw_box_plots
from tfsepgan.evaluation.records import (
    DEFAULT_MEASURES,
    MEASURES,
    QUALITY_METRICS,
    SPECTRAL_METRICS,
    Report,
)
from tfsepgan.evaluation.report import print_report
from tfsepgan.evaluation.score import evaluate
from tfsepgan.metrics.bleed import bleed_fullness
from tfsepgan.metrics.multi_resolution import multi_resolution_distance


def evaluated(mixtures, output, **more):
    return evaluate(
        HalfWay(mixtures), mixtures, output, sources=("piano",), workers=0, bss=False, **more
    )


def no_weights():
    raise ConfigError("no weights; run: pip install --no-deps basic-pitch")


def false_notes(sound, sample_rate_hz):
    """Replaces the network: the mean and the power of a sound."""
    return float(np.mean(sound)), float(np.mean(sound**2))


@pytest.fixture
def without_network(monkeypatch):
    monkeypatch.setattr(measures, "find_weights", lambda: None)
    monkeypatch.setattr(measures, "note_gaussian", false_notes)
    monkeypatch.setattr(measures, "note_distance", lambda one, other: abs(one[1] - other[1]))
    monkeypatch.setattr("tfsepgan.evaluation.score.version", lambda package: "1.0")


def printed(report, width):
    stream = io.StringIO()
    print_report(report, console=Console(file=stream, width=width))
    return stream.getvalue()


def test_figures_equal_those_of_the_metrics(tmp_path):
    track = mixture_of("track")
    report = evaluated([track], tmp_path)
    estimates = HalfWay([track])(track.mixture, RATE)
    for source in ("piano", "residual"):
        scores = report.tracks[0].scores[source]
        wanted = bleed_fullness(track.sources[source], estimates[source], RATE)
        assert (scores["model"]["bleedless"], scores["model"]["fullness"]) == pytest.approx(
            wanted, abs=1e-3
        )
        distance = multi_resolution_distance(track.sources[source], estimates[source])
        assert scores["model"]["multi_resolution"] == pytest.approx(distance, abs=1e-3)
        assert scores["mixture"]["bleedless"] < scores["model"]["bleedless"]
        assert "embedding" not in scores["model"] and not any(
            "bleedless_" in name for name in scores["model"]
        )
    halved = report.tracks[0].scores["residual"]["model"]  # half of the source: no band is louder
    assert halved["bleedless"] == 100.0 and halved["fullness"] == pytest.approx(
        100 / (1 + 20 * np.log10(2)), abs=0.5
    )
    assert report.settings["measures"] == list(DEFAULT_MEASURES)
    assert Report.load(tmp_path) == report


@pytest.mark.parametrize(
    ("chosen", "taken"),
    [((), ()), (("bleed",), ("bleedless", "fullness")), (("spectra",), SPECTRAL_METRICS)],
)
def test_only_chosen_measures_are_computed(tmp_path, chosen, taken):
    report = evaluated([mixture_of("track")], tmp_path, measures=chosen)
    figures = {figure for names in MEASURES.values() for figure in names}
    for kind in ("mixture", "model", "oracle"):
        assert figures & report.tracks[0].scores["piano"][kind].keys() == set(taken)
    text = printed(report, 80)
    assert ("Bleed and distance" in text) == ("bleed" in chosen) and ("Spectra" in text) == (
        "spectra" in chosen
    )


def test_unknown_measures_and_a_missing_package_are_errors_before_the_model_runs(
    tmp_path, monkeypatch
):
    def never(audio, sample_rate_hz):
        raise AssertionError("the model ran")

    track = [mixture_of("track")]
    with pytest.raises(ConfigError, match="measures hold fullnes, wanted some of spectra, bleed"):
        evaluate(never, track, tmp_path, sources=("piano",), measures=("fullnes",))
    monkeypatch.setattr(measures, "find_weights", no_weights)
    with pytest.raises(ConfigError, match="pip install --no-deps basic-pitch"):
        evaluate(never, track, tmp_path, sources=("piano",), measures=("embedding",))
    assert check_measures(("bleed", "spectra", "bleed")) == ("spectra", "bleed")


@pytest.mark.parametrize("width", [80, 100])
def test_the_table_holds_every_figure_with_its_error_and_fits(tmp_path, without_network, width):
    mixtures = [mixture_of(f"track {seed}", seed=seed) for seed in range(3)]
    report = evaluated(mixtures, tmp_path, measures=tuple(MEASURES))
    lines = printed(report, width).splitlines()
    assert max(map(len, lines)) <= width and not any("…" in line for line in lines)
    values = report.values("piano", "model", "fullness")
    wanted = f"{values.mean():.2f} ± {values.std(ddof=1) / np.sqrt(3):.2f}"
    assert any(wanted in line and "model" in line for line in lines)
    assert report.taken(QUALITY_METRICS) == list(QUALITY_METRICS)
    assert report.settings["embedding"] == {"basic-pitch": "1.0"}


@pytest.mark.usefixtures("drawn_pictures")
def test_plots_show_the_computed_measures(tmp_path):
    report = evaluated([mixture_of("a"), mixture_of("b", seed=1)], tmp_path)
    draw_box_plots(report, tmp_path / "quality.png", QUALITY_PANELS)
    assert imread(tmp_path / "quality.png").shape[1] > 1000


def test_the_notes_of_a_source_are_found_once_and_short_sounds_have_none(
    monkeypatch, without_network
):
    lengths = []
    monkeypatch.setattr(
        measures,
        "note_gaussian",
        lambda sound, rate: lengths.append(len(sound)) or false_notes(sound, rate),
    )
    sound = np.ones((RATE, 1))
    measuring = Measuring(sound, RATE, ("embedding",))
    assert [measuring(gain * sound)["embedding"] for gain in (1.0, 2.0)] == [0.0, 3.0] and len(
        lengths
    ) == 3
    assert np.isnan(
        Measuring(np.ones((100, 1)), RATE, ("embedding",))(np.ones((100, 1)))["embedding"]
    )


def test_the_command_offers_every_measure_and_the_same_default():
    assert get_args(Measure) == tuple(MEASURES)
    assert EvaluateOptions(data="demo").measures == DEFAULT_MEASURES
