"""Files of an evaluation are complete, plain JSON, and never outside their folder."""

import json
import math

import numpy as np
import pytest

from tfsepgan.errors import DataError
from tfsepgan.evaluation.records import (
    Failure,
    Report,
    TrackScores,
    load_track,
    save_track,
    statistics,
)


def track(name="track", value=1.25, **more):
    scores = {
        source: {
            "mixture": {"si_sdr": 0.0},
            "model": {"si_sdr": value, "si_sdr_improvement": value},
            "oracle": {"si_sdr": 9.0, "si_sdr_improvement": 9.0},
        }
        for source in ("piano", "residual")
    }
    return TrackScores(
        name=name,
        file=f"{name}.json",
        sample_rate_hz=8000,
        seconds=2.0,
        channels=1,
        scores=scores,
        **more,
    )


def report(*tracks, **more):
    return Report(
        sources=("piano", "residual"),
        settings={"oracle": None},
        mixtures=len(tracks),
        tracks=tracks,
        **more,
    )


def test_a_loaded_report_equals_the_saved_one(tmp_path):
    tracks = [
        track("one", math.inf, notes=("a note",), target_file="test/piano/one.wav"),
        track("two", -math.inf, windows={"piano": {"model": {"sdr": [1.0, -2.5]}}}),
    ]
    before = report(*tracks, failures=(Failure(name="inf", error="null"),))
    for item in tracks:
        save_track(tmp_path, item)
    before.save(tmp_path)
    assert Report.load(tmp_path) == before


def test_nan_is_loaded_as_nan(tmp_path):
    save_track(tmp_path, track(value=math.nan))
    assert math.isnan(load_track(tmp_path, "track.json").scores["piano"]["model"]["si_sdr"])


def test_files_are_standard_json(tmp_path):
    save_track(tmp_path, track(value=math.nan))
    report(track(value=math.inf)).save(tmp_path)

    def refuse(word):
        raise AssertionError(word)

    scores = json.loads((tmp_path / "tracks" / "track.json").read_text(), parse_constant=refuse)[
        "scores"
    ]
    assert scores["piano"]["model"]["si_sdr"] is None
    summary = json.loads((tmp_path / "report.json").read_text(), parse_constant=refuse)["summary"]
    assert summary["piano"]["model"]["si_sdr"]["median"] == "inf"


def test_the_summary_is_over_tracks():
    summary = report(*(track(str(value), float(value)) for value in (1, 2, 3, 4, 10))).summary()
    assert summary["piano"]["model"]["si_sdr_improvement"] == {
        "median": 3.0,
        "mean": 4.0,
        "error": 1.5811,  # standard deviation of the five, 3.5355, over their root
        "lower_quartile": 2.0,
        "upper_quartile": 4.0,
        "tracks": 5,
        "undefined": 0,
    }


def test_mixtures_of_one_recording_count_once_in_the_error():
    values = np.array([1.0, 3.0, 4.0, 8.0])
    # of the means 2 and 6
    assert statistics(values, ["a", "a", "b", "b"])["error"] == pytest.approx(2.0)
    assert statistics(values)["error"] == pytest.approx(np.std(values, ddof=1) / 2, abs=1e-4)
    assert statistics(np.array([1.0, np.nan, 5.0]))["error"] == pytest.approx(2.0)
    assert math.isnan(statistics(values, ["a"] * 4)["error"]) and math.isnan(
        statistics(np.array([1.0, np.inf]))["error"]
    )


def test_undefined_values_are_counted_and_not_averaged():
    numbers = statistics(np.array([1.0, np.nan, 3.0]))
    assert (numbers["median"], numbers["tracks"], numbers["undefined"]) == (2.0, 2, 1)
    assert math.isnan(statistics(np.array([np.nan]))["median"])


def test_infinities_do_not_turn_quantiles_into_nan():
    numbers = statistics(np.array([1.0, 2.0, np.inf, np.inf]))
    assert (
        numbers["median"] == 2.0
        and numbers["upper_quartile"] == np.inf
        and numbers["mean"] == np.inf
    )
    assert math.isnan(statistics(np.array([-np.inf, np.inf]))["mean"])


def test_a_report_that_names_another_folder_is_refused(tmp_path):
    (tmp_path / "secret.json").write_text("{}")
    report(track()).save(tmp_path)
    content = json.loads((tmp_path / "report.json").read_text())
    content["tracks"][0]["file"] = "../secret.json"
    (tmp_path / "report.json").write_text(json.dumps(content))
    with pytest.raises(DataError, match="without a folder"):
        Report.load(tmp_path)


@pytest.mark.parametrize("content", [None, "", "[1]", '{"format": "other"}', '{"format": '])
def test_a_folder_that_holds_no_report_is_refused(tmp_path, content):
    if content is not None:
        (tmp_path / "report.json").write_text(content)
    with pytest.raises(DataError, match="evaluate again"):
        Report.load(tmp_path)
