"""Tables fit the page and are complete; pictures are complete files."""

import io
import os
import subprocess
import sys

import numpy as np
import pytest
from matplotlib.image import imread
from mixtures_for_tests import RATE, HalfWay, mixture_of
from rich.console import Console

from tfsepgan.errors import DataError, ShapeError
from tfsepgan.evaluation.plots import draw_box_plots, draw_spectrograms, picture_writer
from tfsepgan.evaluation.records import Failure, Report, TrackScores
from tfsepgan.evaluation.report import format_db, print_report
from tfsepgan.evaluation.score import evaluate

METRICS = ("sdr", "isr", "sir", "sar", "snr", "si_sdr")

pytestmark = pytest.mark.usefixtures("drawn_pictures")


def report_of(values, *, sources=("piano", "residual"), **more):
    """A report with a track for each value, which is the model's score in every metric.

    The mixture scores 10 dB less, the ideal mask 10 dB more.
    """
    tracks = []
    for value in values:
        scores = {
            source: {
                "mixture": dict.fromkeys(METRICS, value - 10) | {"sar": 150.0},
                "model": dict.fromkeys(METRICS, value)
                | {f"{metric}_improvement": 10.0 for metric in ("sdr", "sir", "snr", "si_sdr")},
                "oracle": dict.fromkeys(METRICS, value + 10)
                | {f"{metric}_improvement": 20.0 for metric in ("sdr", "sir", "snr", "si_sdr")},
            }
            for source in sources
        }
        name = f"[bold]track {value}"
        tracks.append(
            TrackScores(
                name=name, file="t", sample_rate_hz=1, seconds=1.0, channels=1, scores=scores
            )
        )
    return Report(
        sources=sources,
        settings={},
        tracks=tuple(tracks),
        **{"mixtures": len(tracks), "failures": ()} | more,
    )


def printed(report, *, width=100, tracks=False):
    stream = io.StringIO()
    print_report(report, console=Console(file=stream, width=width), tracks=tracks)
    return stream.getvalue()


@pytest.mark.parametrize("width", [80, 100, 200])
@pytest.mark.parametrize(
    "sources", [("piano", "residual"), ("a name as long as its instrument", "residual")]
)
def test_tables_fit_the_width_and_are_complete(sources, width):
    lines = printed(report_of([-12.34, 5.0], sources=sources), width=width).splitlines()
    assert max(map(len, lines)) <= min(width, 100)
    assert not any("…" in line for line in lines)
    for word in (
        "SDR",
        "ISR",
        "SIR",
        "SAR",
        "SNR",
        "SI-SDR",
        "SDRi",
        "SI-SDRi",
        "mixture",
        "model",
        "oracle",
    ):
        assert any(word in line for line in lines)


def test_rows_are_medians_with_signed_improvements():
    text = printed(report_of([1.0, 2.0, 30.0]))
    [model] = {
        " ".join(line.replace("│", " ").split()[-9:])
        for line in text.splitlines()
        if "model" in line
    }
    assert model == "model 2.00 2.00 2.00 2.00 2.00 2.00 +10.00 +10.00"
    assert ">100" in text and "Median over 3 tracks" in text


def test_every_track_has_its_row_and_names_are_not_markup():
    text = printed(report_of([1.0, 2.0]), tracks=True)
    assert "[bold]track 1.0" in text and "[bold]track 2.0" in text


def test_failures_and_interruptions_are_printed():
    report = report_of([1.0], failures=(Failure(name="[x] bad", error="is silent"),), mixtures=5)
    text = printed(report)
    assert "not scored: [x] bad: is silent" in text
    assert "cut short: 3 of 5 tracks" in text


def test_metrics_that_are_missing_have_no_column():
    report = report_of([1.0])
    for scores in report.tracks[0].scores.values():
        for metrics in scores.values():
            for metric in ("sdr", "isr", "sir", "sar", "sdr_improvement", "sir_improvement"):
                metrics.pop(metric, None)
    text = printed(report)
    assert "SI-SDRi" in text and "SAR" not in text and "ISR" not in text


@pytest.mark.parametrize("width", [80, 100])
def test_spectral_metrics_have_a_table_of_their_own(width):
    report = report_of([1.0, 2.0, 3.0], sources=("a name as long as its instrument", "residual"))
    assert "Spectra" not in printed(report)
    for track in report.tracks:
        for kinds in track.scores.values():
            for metrics in kinds.values():
                metrics |= {
                    "frechet": 2.5,
                    "log_spectral_distance": 12.25,
                    "spectral_tilt": 0.75,
                    "low_bins": np.nan,
                }
    lines = printed(report, width=width).splitlines()
    assert max(map(len, lines)) <= width and not any("…" in line for line in lines)
    assert any(line.split()[-5:] == ["model", "2.50", "12.25", "+0.75", "-"] for line in lines)


@pytest.mark.parametrize(
    ("value", "signed", "text"),
    [
        (1.005, False, "1.00"),
        (3.0, True, "+3.00"),
        (-3.0, True, "-3.00"),
        (np.nan, False, "-"),
        (np.inf, False, ">100"),
        (-np.inf, True, "<-100"),
    ],
)
def test_decibels_are_short(value, signed, text):
    assert format_db(value, signed=signed) == text


@pytest.mark.parametrize("values", [[3.0], [1.0, 2.0, 9.0], [1.0, -np.inf, np.nan]])
def test_box_plots_are_drawn(tmp_path, values):
    draw_box_plots(report_of(values), tmp_path / "new" / "boxes.png")
    picture = imread(tmp_path / "new" / "boxes.png")
    assert picture.shape[1] > 800 and picture[..., :3].std() > 0.05
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["boxes.png"]


def test_an_empty_report_has_no_box_plot(tmp_path):
    with pytest.raises(DataError, match="no scored track"):
        draw_box_plots(report_of([]), tmp_path / "boxes.png")


@pytest.mark.parametrize("time", [1, 500, 3 * RATE])
@pytest.mark.parametrize("channels", [(), (1,), (2,)])
def test_spectrograms_are_drawn(tmp_path, time, channels):
    audio = np.random.default_rng(0).standard_normal((time, *channels))
    draw_spectrograms(
        audio, 0.5 * audio, 0 * audio, RATE, tmp_path / "a.png", title="a $b", seconds=2.0
    )
    assert imread(tmp_path / "a.png").shape[0] > 800


def test_spectrograms_of_silence_are_drawn(tmp_path):
    zeros = np.zeros((RATE, 1))
    draw_spectrograms(zeros, zeros, zeros, RATE, tmp_path / "a.png", title="silence")
    assert (tmp_path / "a.png").stat().st_size > 1000


def test_spectrograms_of_other_lengths_are_refused(tmp_path):
    with pytest.raises(ShapeError, match="shapes differ"):
        draw_spectrograms(np.ones(9), np.ones(9), np.ones(8), RATE, tmp_path / "a.png", title="")


def test_pictures_of_chosen_tracks_stay_in_their_folder(tmp_path):
    mixtures = [mixture_of(name, seed=seed) for seed, name in enumerate(["../evil", "b", "c"])]
    folder = tmp_path / "out" / "pictures"
    for names, limit, expected in ((None, 2, ["_._evil", "b"]), (("c",), 0, ["c"])):
        listener = picture_writer(folder / expected[0], names=names, limit=limit)
        arguments = {"sources": ("piano",), "workers": 0, "bss": False, "listener": listener}
        report = evaluate(HalfWay(mixtures), mixtures, tmp_path / "out", **arguments)
        assert not any(track.notes for track in report.tracks)
        found = sorted(path.name for path in (folder / expected[0]).iterdir())
        assert found == [f"{name}.piano.png" for name in expected]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]


def test_an_unwritable_picture_is_a_clear_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot be written"):
        draw_box_plots(report_of([1.0]), tmp_path / "file" / "boxes.png")


def test_plots_do_not_load_pyplot():
    program = "import sys, tfsepgan.evaluation.plots; print('matplotlib.pyplot' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment
    )
    assert done.stdout.strip() == "False", done.stderr
