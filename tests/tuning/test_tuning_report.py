"""The report of a search names the winner and its gain and writes the winner as a preset."""

import io
import json

import pytest
from rich.console import Console

from tfsepgan.cli.settings import parse
from tfsepgan.cli.tune import TuneOptions
from tfsepgan.config import differences, to_dict
from tfsepgan.errors import CheckpointError
from tfsepgan.settings.search import Choice, Range
from tfsepgan.training.checkpoint import write_atomically
from tfsepgan.tuning.plan import SearchPlan
from tfsepgan.tuning.records import Record, record_path
from tfsepgan.tuning.report import start_of, winner_of, write_report
from tfsepgan.tuning.space import resolve

SPANS = {
    "learning_rate": Range(low=1e-4, high=1e-2, log=True),
    "generator.dilations": Choice(values=((1,), (1, 2))),
    "clip_norm": Choice(values=(None, 1.0)),
}
START = Record(
    0,
    "finished",
    2.0,
    {"learning_rate": 1e-3, "generator.dilations": [1, 2, 4, 8], "clip_norm": None},
    "trials/000",
    8,
)
BETTER = Record(
    1,
    "time",
    2.5,
    {"learning_rate": 2e-3, "generator.dilations": [1], "clip_norm": 1.0},
    "trials/001",
    6,
    minutes=1.0,
)
SHORT = Record(
    2,
    "finished",
    9.0,
    {"learning_rate": 3e-3, "generator.dilations": [1, 2], "clip_norm": None},
    "trials/002",
    4,
    4,
)
DIVERGED = Record(
    3,
    "diverged",
    None,
    {"learning_rate": 9e-3, "generator.dilations": [1], "clip_norm": None},
    "trials/003",
    2,
    why="NaN",
)


@pytest.fixture
def reported(tiny, tmp_path):
    """Writes records and their report; returns the plan and the printed text."""
    start = tiny(steps=8, steps_per_epoch=2)

    def report(*records):
        plan = SearchPlan(start=start, space=resolve(SPANS, start, strict=True), directory=tmp_path)
        for record in records:
            text = json.dumps(record._asdict()).encode()
            write_atomically(
                record_path(tmp_path, record.trial), lambda file, text=text: file.write(text)
            )
        stream = io.StringIO()
        write_report(plan, Console(file=stream, width=300))
        return plan, stream.getvalue()

    return report


@pytest.mark.usefixtures("drawn_pictures")
def test_the_best_trial_with_the_whole_budget_wins(reported, tmp_path):
    plan, printed = reported(START, BETTER, SHORT, DIVERGED)
    assert (
        "Best: trial 1, 2.50 dB; the unchanged preset, trial 0, has 2.00 dB with the same budget:"
        " +0.50 dB." in printed
    )
    numbers = json.loads((tmp_path / "report.json").read_text())
    assert (numbers["winner"]["trial"], numbers["start"]["trial"], numbers["gain_db"]) == (
        1,
        0,
        0.5,
    )
    assert [trial["trial"] for trial in numbers["trials"]] == [0, 1, 2, 3]
    table = [
        line.split("|")
        for line in (tmp_path / "report.md").read_text().splitlines()
        if line.startswith("| ")
    ]
    assert [row[1].strip() for row in table] == ["trial", "2", "1", "0", "3"]
    for name in ("scores.png", "settings.png", "parallel.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")
        assert f"({name})" in (tmp_path / "report.md").read_text()


def test_the_preset_holds_the_settings_of_the_winner(reported, tmp_path):
    plan, printed = reported(START, BETTER, SHORT, DIVERGED)
    assert f"To train it: tfsepgan-train --config {tmp_path / 'preset.yaml'}" in printed
    experiment, _ = parse(
        ["--config", str(tmp_path / "preset.yaml")], TuneOptions, program="x", about=""
    )
    assert experiment == plan.experiment(1, BETTER.values)
    assert len(differences(experiment, to_dict(plan.start))) == 3
    later, _ = parse(
        ["--config", str(tmp_path / "preset.yaml"), "--steps", "99"],
        TuneOptions,
        program="x",
        about="",
    )
    assert later.training.steps == 99


@pytest.mark.parametrize(
    ("records", "words"),
    [
        ((START, DIVERGED), "No trial scored above the unchanged preset: 2.00 dB."),
        ((DIVERGED, SHORT), "with the whole budget and a score, so there is no preset."),
        (
            (START._replace(outcome="diverged", score=None), BETTER),
            "Best: trial 1, 2.50 dB; the unchanged preset has no score",
        ),
        ((BETTER,), "the unchanged preset has no score with this budget"),
    ],
)
def test_the_trials_so_far_are_reported(records, words, reported, tmp_path):
    assert words in reported(*records)[1]
    assert (tmp_path / "report.md").exists()
    assert (tmp_path / "preset.yaml").exists() == ("there is no preset" not in words)


def test_a_search_without_trials_has_no_report(reported, tmp_path):
    assert reported()[1] == ""
    assert not list(tmp_path.iterdir())
    assert winner_of([]) is start_of([]) is None


def test_a_damaged_record_is_named(reported, tmp_path):
    reported(START)
    record_path(tmp_path, 0).write_text("{")
    with pytest.raises(CheckpointError, match=r"000.json is damaged"):
        reported()
