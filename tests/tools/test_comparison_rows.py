"""The rows of the comparison: settings that parse, and steps that fit a budget."""

from dataclasses import replace

import pytest
from comparison_for_tests import rows_of, work

from tfsepgan import systems
from tfsepgan.config import check, flatten, to_dict

ROWS = rows_of.ROWS


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_row_is_settings_that_a_run_could_use(row):
    if row.missing():
        pytest.skip(row.missing())
    experiment = row.experiment("demo", seed=3)
    check(experiment)
    assert (experiment.system, experiment.preset, experiment.data.seed) == (
        row.system,
        row.preset,
        3,
    )
    assert row.table in rows_of.TITLES


def test_all_rows_have_the_same_mixtures_and_choose_nothing():
    laws = []
    for row in (
        row for row in ROWS if not row.missing() and row.separates and row.preset != "paper"
    ):
        data = row.experiment("demo", seed=0).data
        training = row.experiment("demo", seed=0).training
        laws.append(
            (data.sample_rate_hz, data.law, data.snr_db, data.others, data.gain_db, data.variants)
        )
        assert (training.keep, training.validation_mixtures, training.minutes) == (
            "last",
            0,
            None,
        ), row.name
    assert len(laws) > 5 and len(set(laws)) == 1


def test_the_papers_row_keeps_the_papers_own_settings():
    [row] = (row for row in ROWS if row.name == "paper")
    ours, paper = row.experiment("demo", seed=0), systems.preset("ssepgan", "paper")
    for name in ("law", "window", "batch"):
        assert getattr(ours.data, name) == getattr(paper.data, name)
    for name in ("learning_rate", "betas", "ema", "clip_norm", "schedule"):
        assert getattr(ours.training, name) == getattr(paper.training, name)
    assert (ours.data.law, ours.training.betas) == ("paper", (0.5, 0.9))
    wide = [
        replace(getattr(ours.model, part), channels=width)
        for part, width in (("generator", 128), ("discriminator", 64))
    ]
    assert replace(ours.model, generator=wide[0], discriminator=wide[1]) == paper.model
    assert 4 * ours.model.generator.channels == 128 and 4 * ours.model.discriminator.channels == 64


@pytest.mark.parametrize(
    "row", [row for row in ROWS if row.table != "systems"], ids=lambda row: row.name
)
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
    assert {rows_of.BASE, rows_of.PLAIN, *rows_of.SEVERAL_SEEDS} <= set(names)


def test_a_row_that_does_not_exist_is_refused_by_name():
    with pytest.raises(ValueError, match="no row is called nosuch; there is: ssepgan"):
        rows_of.chosen(["nosuch"])
    assert [row.name for row in rows_of.chosen(["l1-only", "ssepgan"])] == ["ssepgan", "l1-only"]


def test_a_missing_system_or_setting_is_reported():
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
