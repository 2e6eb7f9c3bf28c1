"""The comparison's own parts: rows that parse, steps that fit a budget, what is done next, tables that keep the page."""

import argparse
import io
import shutil
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from tools_for_tests import from_tools

from tfsepgan.config import check, flatten, to_dict
from tfsepgan.evaluation.records import write_json

DOCS = Path(__file__).parents[1] / "docs"


rows_of, tables, work = (from_tools(f"comparison_{name}") for name in ("rows", "table", "work"))
tool = from_tools("compare_systems")
ROWS = rows_of.ROWS


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_row_is_settings_that_a_run_could_use(row):
    if row.missing():
        pytest.skip(row.missing())
    experiment = row.experiment("demo", seed=3)
    check(experiment)
    assert (experiment.system, experiment.preset, experiment.data.seed) == (row.system, row.preset, 3)
    assert row.table in rows_of.TITLES


def test_all_rows_hear_the_same_mixtures_and_choose_nothing():
    told = []
    for row in (row for row in ROWS if not row.missing() and row.separates):
        data = row.experiment("demo", seed=0).data
        training = row.experiment("demo", seed=0).training
        told.append((data.sample_rate_hz, data.law, data.snr_db, data.others, data.gain_db, data.variants))
        assert (training.keep, training.validation_mixtures, training.minutes) == ("last", 0, None), row.name
    assert len(told) > 5 and len(set(told)) == 1


@pytest.mark.parametrize("row", [row for row in ROWS if row.table != "systems"], ids=lambda row: row.name)
def test_a_choice_differs_from_the_base_in_what_its_flags_name_and_nothing_else(row):
    base, ours = (flatten(to_dict(r.experiment("demo", seed=0))) for r in (ROWS[0], row))
    different = {name for name in ours if ours[name] != base[name]}
    named = {flag[2:].replace("-", "_") for flag in row.flags if flag.startswith("--")}
    assert different <= named and different


def test_names_are_unique_and_needs_come_first():
    names = [row.name for row in ROWS]
    assert len(set(names)) == len(names)
    for place, row in enumerate(ROWS):
        assert all(names.index(need) < place for need in row.needs)
    assert {rows_of.BASE, rows_of.PLAIN} <= set(names)


def test_a_row_that_does_not_exist_is_refused_by_name():
    with pytest.raises(ValueError, match="no row is called nosuch; there is: ssepgan"):
        rows_of.chosen(["nosuch"])
    assert [row.name for row in rows_of.chosen(["l1-only", "ssepgan"])] == ["ssepgan", "l1-only"]


def test_a_missing_system_or_setting_is_told():
    assert "nosuch" in rows_of.Row(name="x", says="", table="systems", system="nosuch").missing()
    row = rows_of.Row(name="x", says="", table="terms", flags=("--adversarial-wait", "1"))
    assert row.missing() == "ssepgan has no setting --adversarial-wait"
    row = rows_of.Row(name="x", says="", table="terms", flags=("--discriminator.kind", "ear"))
    assert row.missing() == "there is no discriminator 'ear'"


def test_planned_steps_fit_the_budget():
    start, a_step = 11.0, 0.7
    short, long = ({"step": n, "processor_seconds": start + n * a_step} for n in (3, 90))
    plan = work.plan_steps(1800.0, short, long)
    assert plan["processor_seconds_a_step"] == pytest.approx(a_step)
    assert plan["processor_seconds_to_start"] == pytest.approx(start)
    took = start + plan["steps"] * a_step
    assert work.MARGIN * 1800 - a_step < took <= work.MARGIN * 1800
    with pytest.raises(work.RowError, match="--timing-seconds"):
        work.plan_steps(1800.0, short, short)


@pytest.fixture
def comparison(tones, tmp_path):
    options = tool.parser().parse_args(["--data", str(tones), "--folder", str(tmp_path), "--mixtures", "3"])
    return tool.Comparison(options, Console(quiet=True))


def trained(comparison, row, *, steps=10):
    """What a trained row leaves."""
    plan = {"settings": comparison.settings(row), "steps": steps, "budget_seconds": 1800}
    write_json(comparison.of(row, "plan.json"), plan)
    numbers = {"steps": steps, "planned_steps": steps, "processor_minutes": 29.0, "window": 32768, "batch": 8}
    numbers |= {"windows_a_processor_second": 4.0, "commits": ["abc"], "hardware": "a desk"}
    write_json(comparison.of(row, "trained.json"), numbers)
    comparison.of(row, "run", "model").mkdir(parents=True)
    comparison.of(row, "run", "model", "weights").write_bytes(row.name.encode())


def scored(comparison, row, gains):
    """Scores of three mixtures, as an evaluation leaves them."""
    from tfsepgan.evaluation.records import Report, TrackScores, save_track

    for split in comparison.splits:
        tracks = []
        for number, gain in enumerate(gains):
            kinds = {
                kind: dict.fromkeys(("si_sdr", "sdr", "sir", "sar"), 1.0) for kind in ("mixture", "model", "oracle")
            }
            for kind, more in (("model", gain), ("oracle", 12.0)):
                kinds[kind]["si_sdr_improvement"] = more
            track = {
                "name": f"m{number}",
                "file": f"m{number}.json",
                "sample_rate_hz": 16000,
                "seconds": 10,
                "channels": 1,
            }
            tracks.append(TrackScores(**track, scores={"piano": kinds, "residual": kinds}))
            save_track(comparison.of(row, "scores", split), tracks[-1])
        report = Report(sources=("piano", "residual"), settings={}, mixtures=3, tracks=tuple(tracks))
        report.save(comparison.of(row, "scores", split))
        stamp = comparison.of(row, "scores", split, "computed_from.json")
        write_json(stamp, comparison.computed_from(row, split))


def test_each_start_goes_on_with_what_is_not_done(comparison):
    row = ROWS[0]
    assert comparison.state(row) == "plan"
    write_json(comparison.of(row, "plan.json"), {"settings": comparison.settings(row), "steps": 1})
    assert comparison.state(row) == "train"
    trained(comparison, row)
    assert comparison.state(row) == "score test"
    scored(comparison, row, (1.0, 2.0, 3.0))
    assert comparison.state(row) == "measure"
    write_json(comparison.of(row, "measured.json"), {})
    assert comparison.state(row) == "done"


def test_scores_of_another_model_or_of_other_mixtures_do_not_count(comparison):
    row = ROWS[0]
    trained(comparison, row)
    scored(comparison, row, (1.0, 2.0, 3.0))
    assert comparison.state(row) == "measure"
    comparison.options.mixtures = 4
    assert comparison.state(row) == "score test"
    comparison.options.mixtures = 3
    comparison.of(row, "run", "model", "weights").write_bytes(b"another")
    assert comparison.state(row) == "score test"


def test_changed_settings_are_named(comparison):
    row = ROWS[0]
    trained(comparison, row)
    assert comparison.changed(row) == []
    comparison.options.processor_minutes = 15.0
    comparison.options.seed = 4
    assert comparison.changed(row) == ["budget_minutes: 30.0, now 15.0", "seed: 0, now 4"]
    comparison.refuse_changes(row)  # trained, so its scores stand
    comparison.of(row, "trained.json").unlink()
    with pytest.raises(work.RowError, match="seed: 0, now 4. Remove .*ssepgan to train it again"):
        comparison.refuse_changes(row)


def test_tables_hold_medians_bounds_and_the_gain_over_plain_l1(comparison):
    by_name = {row.name: row for row in ROWS}
    for name, gains in {"ssepgan": (1.0, 2.0, 6.0), "l1-only": (1.5, 1.0, 4.0)}.items():
        trained(comparison, by_name[name])
        scored(comparison, by_name[name], gains)
        numbers = {"parameters": {"shipped": 1_300_000, "training_only": 100_000}, "speed": {"times_real_time": 123.4}}
        write_json(comparison.of(by_name[name], "measured.json"), numbers)
    results = comparison.results()
    groups = results.groups()
    mixture, ours, oracle = groups["Systems"]
    assert (mixture["row"], ours["row"], oracle["row"]) == ("mixture", "ssepgan", "oracle mask")
    assert ours["against"] == {"median": 1.0, "better": 2, "mixtures": 3}
    cells = tables.numbers(ours)
    assert list(cells) == list(tables.COLUMNS)
    assert [cells[name] for name in ("SI-SDRi", "quartiles", "- L1")] == ["+2.00", "+1.5..+4.0", "+1.00 (2/3)"]
    assert [cells[name] for name in ("parameters", "win/s", "x real")] == ["1.30+0.10M", "4.0", "123"]
    assert tables.numbers(mixture)["SI-SDRi"] == "+0.00" and tables.numbers(oracle)["SI-SDRi"] == "+12.00"
    terms = groups[rows_of.TITLES["terms"]]
    assert [result["row"] for result in terms] == ["ssepgan", "l1-only"]
    page = tables.markdown(groups, results.facts(comparison.options, comparison.catalogue))
    assert "| `ssepgan` |" in page and "Commit: abc." in page and "a desk" in page
    assert str(comparison.options.data) not in page and "--data DIR" in page


def test_rows_of_another_machine_are_kept(comparison):
    by_name = {row.name: row for row in ROWS}
    trained(comparison, by_name["l1-only"])
    scored(comparison, by_name["l1-only"], (1.5, 1.0, 4.0))
    written = comparison.results().groups()
    written[rows_of.TITLES["terms"]][0]["training"]["hardware"] = "a table"
    shutil.rmtree(comparison.of(by_name["l1-only"]))
    trained(comparison, by_name["ssepgan"])
    scored(comparison, by_name["ssepgan"], (1.0, 2.0, 6.0))
    results = comparison.results(written)
    assert results.by_name["ssepgan"]["against"] == {"median": 1.0, "better": 2, "mixtures": 3}
    assert [result["row"] for result in results.groups()[rows_of.TITLES["terms"]]] == ["ssepgan", "l1-only"]
    page = tables.markdown(results.groups(), results.facts(comparison.options, comparison.catalogue))
    assert "a desk (ssepgan); a table (l1-only)" in page
    written["Systems"][0]["scores"]["test"]["si_sdr"]["median"] += 0.5
    with pytest.raises(work.RowError, match="of other test mixtures"):
        comparison.results(written)


def test_rows_scored_on_other_mixtures_make_no_table(comparison):
    by_name = {row.name: row for row in ROWS}
    for name, gains in {"ssepgan": (1.0, 2.0, 6.0), "l1-only": (1.5, 1.0)}.items():
        trained(comparison, by_name[name])
        scored(comparison, by_name[name], gains)
    with pytest.raises(work.RowError, match="other test mixtures"):
        comparison.results()


def test_the_terminal_table_fits_its_width():
    scores = {"si_sdr_improvement": {"median": -12.34, "lower_quartile": -10.11, "upper_quartile": -13.21}}
    scores |= {name: {"median": -12.34} for name in ("sdr", "sir", "sar")}
    result = {"row": "instantaneous-frequency-discriminator", "says": "", "scores": {"test": scores, "valid": scores}}
    result |= {"training": {"steps": 10101, "windows_a_processor_second": 100.1}, "speed": {"times_real_time": 1234.0}}
    result |= {"parameters": {"shipped": 12_345_678, "training_only": 12_345_678}}
    result |= {"against": {"median": -12.34, "better": 12, "mixtures": 24}}
    console = Console(width=tables.WIDTH, record=True, file=io.StringIO())
    console.print(tables.terminal_table("A", [result]))
    text = console.export_text()
    assert max(map(len, text.splitlines())) <= tables.WIDTH
    assert all(cell in text for cell in tables.numbers(result).values())


def test_the_page_keeps_every_word_around_its_table():
    page = f"before\n\n{tables.START}\nold\n{tables.END}\n\nafter"
    once = tables.replace_between_markers(page, "| new |")
    assert once.startswith("before\n\n") and once.endswith("\n\nafter") and "old" not in once and "| new |" in once
    assert tables.replace_between_markers(once, "| new |") == once
    with pytest.raises(ValueError, match="once each"):
        tables.replace_between_markers("no markers", "| new |")


def test_the_committed_page_can_be_written_to():
    page = (DOCS / "comparison.md").read_text(encoding="utf-8")
    assert "| new |" in tables.replace_between_markers(page, "| new |")


def test_difference_is_taken_mixture_by_mixture():
    ours, plain = {"a": 3.0, "b": 1.0, "c": np.nan}, {"a": 1.0, "b": 1.5, "c": 2.0, "d": 0.0}
    assert tables.against(ours, plain) == {"median": 0.75, "better": 1, "mixtures": 2}
    assert tables.against(ours, {}) is None


def test_options_are_those_the_page_names():
    options = tool.parser().parse_args(["--data", "demo"])
    assert isinstance(options, argparse.Namespace)
    assert (options.processor_minutes, options.mixtures, options.seconds) == (30.0, 24, 10.0)
