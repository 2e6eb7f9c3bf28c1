"""The comparison of systems: what is done next, means and differences, and the page of tables."""

import argparse
import io
import shutil
from pathlib import Path

import numpy as np
import pytest
from comparison_for_tests import (
    done,
    rows_of,
    scored,
    sets_of,
    statistics,
    tables,
    tool,
    trained,
    trial_of,
    work,
)
from rich.console import Console

from tfsepgan.errors import ConfigError, DataError
from tfsepgan.evaluation.records import read_json, write_json

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
def comparison(tones, tmp_path):
    def make(*more):
        options = tool.parser().parse_args(
            ["--data", str(tones), "--folder", str(tmp_path), "--mixtures", "3", *more]
        )
        return tool.Comparison(options, Console(quiet=True))

    return make


def test_each_start_goes_on_with_what_is_not_done(comparison):
    ours, trial = comparison(), trial_of("ssepgan")
    assert ours.state(trial) == "plan"
    write_json(ours.of(trial, "plan.json"), {"settings": ours.settings(trial), "steps": 1})
    assert ours.state(trial) == "train"
    trained(ours, trial)
    assert ours.state(trial) == "score test"
    scored(ours, trial, (1.0, 2.0, 3.0))
    assert ours.state(trial) == "measure"
    write_json(ours.of(trial, "measured.json"), {})
    assert ours.state(trial) == "done"


def test_each_row_and_seed_has_a_folder_and_the_first_that_of_before(comparison, tmp_path):
    ours = comparison("--rows", "ssepgan", "l1-only", "--seeds", "0", "2")
    assert [ours.of(trial) for trial in ours.trials] == [
        tmp_path / name for name in ("ssepgan", "ssepgan@2", "l1-only", "l1-only@2")
    ]
    assert "--seed 2" in " ".join(ours.arguments(ours.trials[1]))
    done(ours, "ssepgan", (1.0, 2.0, 3.0), seed=2)
    assert ours.on_disk(ours.trials[0].row) == [ours.trials[1]]
    write_json(ours.of(ours.trials[1], "measured.json"), {})
    done(ours, "ssepgan", (1.0, 2.0, 3.0))
    assert ours.state(ours.trials[0]) == "done"  # the speed of one seed is that of all


def test_scores_of_another_model_or_of_other_mixtures_do_not_count(comparison):
    ours, trial = comparison(), trial_of("ssepgan")
    done(ours, "ssepgan", (1.0, 2.0, 3.0))
    assert ours.state(trial) == "measure"
    ours.options.bss = False
    assert ours.state(trial) == "measure"  # more than what is asked for
    ours.options.mixtures = 4
    assert ours.state(trial) == "score test"
    ours.options.mixtures = 3
    ours.of(trial, "run", "model", "weights").write_bytes(b"another")
    assert ours.state(trial) == "score test"


def test_scores_without_bss_eval_are_taken_anew_where_it_is_asked_for(comparison):
    ours = comparison("--no-bss")
    done(ours, "ssepgan", (1.0, 2.0, 3.0))
    assert ours.state(trial_of("ssepgan")) == "measure"
    ours.options.bss = True
    assert ours.state(trial_of("ssepgan")) == "score test"


def test_sets_are_named_and_lie_anywhere(comparison, tones):
    ours = comparison(
        "--score", "packaged=demo/test", f"own={tones}/valid", f"both={tones},demo/test"
    )
    assert [(one.name, one.split, one.targets("piano")) for one in ours.sets] == [
        ("packaged", "test", 4),
        ("own", "valid", 1),
        ("both", "test", 5),
    ]
    assert ours.sets[2].data == f"{tones},demo"
    for words in (
        "demo/test",
        "own=demo",
        "own=demo/nosuch",
        "a/b=demo/test",
        "=demo/test",
        "own=",
    ):
        with pytest.raises(ConfigError, match="wanted NAME=DIR/SPLIT"):
            sets_of.scoring_sets([words], "demo", "piano")
    with pytest.raises(ConfigError, match="two sets have the name own"):
        sets_of.scoring_sets(["own=demo/test", "own=demo/valid"], "demo", "piano")
    with pytest.raises(DataError, match="does not exist"):
        sets_of.scoring_sets(["own=nosuch/test"], "demo", "piano")


def test_changed_settings_are_named(comparison):
    ours, trial = comparison(), trial_of("ssepgan", 4)
    trained(ours, trial)
    assert ours.changed(trial) == []
    ours.options.processor_minutes = 15.0
    assert ours.changed(trial) == ["budget_minutes: 30.0, now 15.0"]
    ours.refuse_changes(trial)  # trained, so its scores stand
    ours.of(trial, "trained.json").unlink()
    with pytest.raises(
        work.RowError, match="budget_minutes: 30.0, now 15.0. Remove .*ssepgan@4 to train it again"
    ):
        ours.refuse_changes(trial)


def test_means_are_over_recordings_and_seeds(comparison):
    ours = comparison()
    done(ours, "ssepgan", (1.0, 3.0, 6.0))  # recordings of 2 and 6
    done(ours, "ssepgan", (2.0, 4.0, 8.0), seed=1)  # of 3 and 8
    result = ours.results().by_name["ssepgan"]
    found = statistics.figure(result, "si_sdr_improvement", ["test"])
    assert (found.mean, found.files, found.seeds) == (4.75, 2, 2)
    assert found.error_files == pytest.approx(2.25) and found.error_seeds == pytest.approx(0.75)
    pooled = statistics.figure(result, "si_sdr_improvement")
    # a recording of each of two sets, though they have the same name
    assert (pooled.mean, pooled.files) == (4.75, 4)


def test_the_difference_is_taken_where_both_rows_have_the_recording_and_the_seed(comparison):
    ours = comparison()
    done(ours, "ssepgan", (1.0, 3.0, 6.0))
    done(ours, "ssepgan", (9.0, 9.0, 9.0), seed=1)
    done(ours, "l1-only", (1.0, 1.0, 3.0))
    by_name = ours.results().by_name
    found = statistics.difference(
        by_name["ssepgan"], by_name["l1-only"], "si_sdr_improvement", ["test"]
    )
    assert (found.mean, found.seeds) == (2.0, 1) and found.error == pytest.approx(1.0)
    assert statistics.difference(by_name["ssepgan"], {"means": {}}, "sdr") is None


def test_mixtures_without_a_value_are_counted_and_named(comparison):
    ours = comparison()
    done(ours, "ssepgan", (1.0, -np.inf, 6.0))
    results = ours.results()
    assert statistics.figure(results.by_name["ssepgan"], "si_sdr_improvement", ["test"]).mean == 3.5
    # one of each of two sets
    assert results.by_name["ssepgan"]["left_out"]["si_sdr_improvement"] == 2
    notes = results.facts(ours.options, ours.catalogue, ours.sets)["notes"]
    assert (
        "`ssepgan`: 2 mixtures, over all sets and seeds, have no SI-SDRi and are left out of its"
        " mean." in notes
    )


def test_tables_hold_means_with_errors_bounds_and_what_is_over_plain_l1(comparison):
    ours = comparison()
    for name, gains in {"ssepgan": (1.0, 3.0, 6.0), "l1-only": (1.0, 1.0, 3.0)}.items():
        done(ours, name, gains)
        numbers = {
            "parameters": {"shipped": 1_300_000, "training_only": 100_000},
            "speed": {"times_real_time": 123.4},
        }
        write_json(ours.of(trial_of(name), "measured.json"), numbers)
    results = ours.results()
    groups = results.groups()
    mixture, row, oracle = groups["Systems"]
    plain = tables.plain_of(groups)
    assert (mixture["row"], row["row"], oracle["row"]) == ("mixture", "ssepgan", "ideal mask")
    assert plain["row"] == "l1-only"
    cells = (
        tables.score_cells(row, plain)
        | tables.spectral_cells(row, plain)
        | tables.cost_cells(row, plain)
    )
    expected = {
        "SI-SDRi": "+4.00 ± 1.15",
        "over `l1-only`": "+2.00 ± 0.58",
        "SI-SDRi, valid": "+4.00 ± 2.00",
    }
    expected |= {
        "seeds": "1",
        "log-spectral": "8.00 ± 1.15",
        "log-spectral, over `l1-only`": "-2.00 ± 0.58",
    }
    expected |= {
        "parameters": "1.30+0.10M",
        "windows/s": "4.0",
        "x real time": "123",
        "steps": "10",
    }
    assert {name: cells[name] for name in expected} == expected
    assert tables.score_cells(mixture, plain)["SI-SDRi"] == "+0.00 ± 0.00"
    assert tables.score_cells(oracle, plain)["SI-SDRi"] == "+12.00 ± 0.00"
    assert tables.score_cells(mixture, plain)["SAR"] == "-"
    terms = groups[rows_of.TITLES["terms"]]
    assert [result["row"] for result in terms] == ["ssepgan", "l1-only"]
    page = tables.markdown(groups, results.facts(ours.options, ours.catalogue, ours.sets))
    assert "| `ssepgan` |" in page and "Commit: abc." in page and "a desk" in page
    assert str(ours.options.data) not in page and "--data DIR" in page
    for line in page.splitlines():
        assert not line.startswith("| row") or line.count("|") == page.splitlines()[
            page.splitlines().index(line) + 1
        ].count("|")


def test_rows_of_another_machine_are_kept(comparison, tmp_path):
    ours = comparison()
    done(ours, "l1-only", (1.0, 1.0, 3.0))
    write_json(tmp_path / "written.json", ours.results().groups())
    written = read_json(tmp_path / "written.json")
    written[rows_of.TITLES["terms"]][0]["training"]["0"]["hardware"] = "a table"
    shutil.rmtree(ours.of(trial_of("l1-only")))
    done(ours, "ssepgan", (1.0, 3.0, 6.0))
    results = ours.results(written)
    found = statistics.difference(
        results.by_name["ssepgan"], results.by_name["l1-only"], "si_sdr_improvement", ["test"]
    )
    assert found.mean == 2.0
    assert [result["row"] for result in results.groups()[rows_of.TITLES["terms"]]] == [
        "ssepgan",
        "l1-only",
    ]
    page = tables.markdown(results.groups(), results.facts(ours.options, ours.catalogue, ours.sets))
    assert "a desk (ssepgan); a table (l1-only)" in page
    written["Systems"][0]["means"]["test"]["si_sdr"]["a"]["0"] += 0.5
    with pytest.raises(work.RowError, match="have other mixtures of test"):
        ours.results(written)


def test_rows_scored_on_other_mixtures_make_no_table(comparison):
    ours = comparison()
    done(ours, "ssepgan", (1.0, 2.0, 6.0))
    done(ours, "l1-only", (1.5, 1.0), files=("a", "b"))
    with pytest.raises(work.RowError, match="on other mixtures of test"):
        ours.results()


def test_the_terminal_table_fits_its_width():
    by_file = {"a": {"0": -12.34, "1": -10.3}, "b": {"0": -1.5, "1": -2.5}}
    means = {"one": dict.fromkeys(statistics.METRICS, by_file)}
    result = {"row": "instantaneous-frequency-discriminator", "says": "", "means": means}
    result |= {"training": {"0": {"steps": 10101}, "1": {"steps": 10231}}}
    console = Console(width=tables.WIDTH, record=True, file=io.StringIO())
    console.print(tables.terminal_table("A", [result], dict(result, row="l1-only")))
    text = console.export_text()
    assert max(map(len, text.splitlines())) <= tables.WIDTH
    assert all(
        cell in text for cell in tables.terminal_cells(result, dict(result, row="l1-only")).values()
    )


def test_the_page_keeps_every_word_around_its_table():
    page = f"before\n\n{tables.START}\nold\n{tables.END}\n\nafter"
    once = tables.replace_between_markers(page, "| new |")
    assert (
        once.startswith("before\n\n")
        and once.endswith("\n\nafter")
        and "old" not in once
        and "| new |" in once
    )
    assert tables.replace_between_markers(once, "| new |") == once
    with pytest.raises(ValueError, match="once each"):
        tables.replace_between_markers("no markers", "| new |")


def test_the_committed_page_can_be_written_to():
    page = (DOCS / "comparison.md").read_text(encoding="utf-8")
    assert "| new |" in tables.replace_between_markers(page, "| new |")


def test_options_are_those_the_page_names():
    options = tool.parser().parse_args(["--data", "demo"])
    assert isinstance(options, argparse.Namespace)
    assert (options.processor_minutes, options.mixtures, options.seconds, options.seeds) == (
        30.0,
        24,
        10.0,
        [0],
    )
    assert options.bss and options.score is None
