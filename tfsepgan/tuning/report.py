"""What a search found: a table, a file of numbers, three plots, and the best trial as a preset that
`tfsepgan-train --config` takes."""

import json
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console

from tfsepgan.config import to_dict
from tfsepgan.training.checkpoint import write_atomically
from tfsepgan.tuning.plots import draw_parallel, draw_scores, draw_settings
from tfsepgan.tuning.trials import FROM_THE_START, Record, SearchPlan, read_records
from tfsepgan.tuning.tuner import told_values

PRESET, REPORT, NUMBERS = "preset.yaml", "report.md", "report.json"


def winner_of(records: list[Record]) -> Record | None:
    """The best of the trials that had the whole budget; of equals the first."""
    return max(
        (record for record in records if record.whole),
        key=lambda record: record.score,
        default=None,
    )


def start_of(records: list[Record]) -> Record | None:
    """The trial of the preset as it is."""
    return next((record for record in records if record.trial == FROM_THE_START), None)


def write_report(plan: SearchPlan, console: Console) -> None:
    """Write what is known so far, and say it in a line or two; nothing before the first trial has
    ended.

    Raises: CheckpointError when a record cannot be read or the disk refuses.
    """
    records = read_records(plan.directory)
    if not records:
        return
    winner, start = winner_of(records), start_of(records)
    numbers = _numbers(plan, records, winner, start)
    _write(plan.directory / NUMBERS, json.dumps(numbers, indent=1) + "\n")
    settings = [item.name for item in plan.space.settings]
    logarithmic = {item.name for item in plan.space.settings if getattr(item.span, "log", False)}
    draw_scores(records, plan.directory / "scores.png")
    draw_settings(records, settings, logarithmic, plan.directory / "settings.png")
    draw_parallel(records, settings, logarithmic, winner, plan.directory / "parallel.png")
    _write(plan.directory / REPORT, "\n".join(_lines(plan, records, winner, start)) + "\n")
    if winner is None:
        console.print(
            "No trial has run its course with a score yet, so there is no preset.", markup=False
        )
    else:
        _write(plan.directory / PRESET, _preset(plan, winner))
        console.print(_verdict(winner, start), markup=False, highlight=False)
        console.print(
            f"tfsepgan-train --config {plan.directory / PRESET} trains it.",
            markup=False,
            highlight=False,
        )
    console.print(f"Report: {plan.directory / REPORT}", markup=False, highlight=False)


def _write(path: Path, text: str) -> None:
    write_atomically(path, lambda file: file.write(text.encode()))


def _numbers(
    plan: SearchPlan, records: list[Record], winner: Record | None, start: Record | None
) -> dict[str, Any]:
    return {
        "system": plan.start.system,
        "preset": plan.start.preset,
        "algorithm": plan.algorithm,
        "score": (
            "SI-SDR improvement on the valid split, dB"
            if plan.separates
            else "minus the distance of spectra, dB"
        ),
        "gain_db": winner.score - start.score if winner and start and start.whole else None,
        "start": start and start._asdict(),
        "winner": winner and winner._asdict(),
        "trials": [record._asdict() for record in records],
        "space": plan.space.plain(),
        "settings": to_dict(plan.start),
    }


def _preset(plan: SearchPlan, winner: Record) -> str:
    experiment = plan.experiment(winner.trial, winner.values)
    head = (
        f"# Trial {winner.trial} of a search from {experiment.system}, preset {experiment.preset}:"
        f" {winner.score:.2f} dB on the valid split after {winner.step} steps.\n# Searched:"
        f" {told_values(winner.values)}\n# tfsepgan-train --config FILE takes it; flags win over"
        " it, as --steps for a longer run.\n"
    )
    return head + yaml.safe_dump(to_dict(experiment), sort_keys=False)


def _verdict(winner: Record, start: Record | None) -> str:
    if winner.trial == FROM_THE_START:
        return f"No trial beat the preset as it is: {winner.score:.2f} dB."
    if start is None or not start.whole:
        return (
            f"Best: trial {winner.trial}, {winner.score:.2f} dB; the preset as it is has no score"
            " under this budget."
        )
    return (
        f"Best: trial {winner.trial}, {winner.score:.2f} dB; the preset as it is, trial"
        f" {FROM_THE_START}, has {start.score:.2f} dB under the same budget:"
        f" {winner.score - start.score:+.2f} dB."
    )


def _lines(
    plan: SearchPlan, records: list[Record], winner: Record | None, start: Record | None
) -> list[str]:
    training = plan.start.training
    limits = [f"{training.steps} steps"]
    limits += [f"{training.minutes:g} minutes"] if training.minutes else []
    limits += (
        [f"{training.processor_minutes:g} minutes of processor time"]
        if training.processor_minutes
        else []
    )
    what = (
        "SI-SDR improvement on the valid split"
        if plan.separates
        else "minus the distance of spectra"
    )
    # the last one counts what it goes on from
    by_run = {record.folder: record.processor_minutes for record in records}
    spent = sum(by_run.values())
    return [
        f"# Search from {plan.start.system}, preset {plan.start.preset}",
        "",
        _verdict(winner, start) if winner else "No trial has run its course with a score.",
        "",
        (
            f"{plan.algorithm}, {len(records)} trials of at most {' and '.join(limits)}; about"
            f" {spent:.0f} minutes of processor time in all. Score: {what}, dB, of the model that a"
            f" trial keeps. Trial {FROM_THE_START} is the preset as it is."
        ),
        "",
        *_table(plan, records),
        "",
        "![scores](scores.png)",
        "![settings](settings.png)",
        "![parallel coordinates](parallel.png)",
    ]


def _table(plan: SearchPlan, records: list[Record]) -> list[str]:
    names = [item.name for item in plan.space.settings]
    head = ["trial", "dB", "end", "steps", "minutes", "processor minutes", "M parameters", *names]
    rows = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    for record in sorted(
        records, key=lambda record: -float("inf") if record.score is None else record.score
    )[::-1]:
        end = record.outcome + (
            f" (stopped at {record.rung})" if record.rung and record.outcome == "finished" else ""
        )
        cells = [
            str(record.trial)
            + (f" (after {record.goes_on_from})" if record.goes_on_from is not None else ""),
            "" if record.score is None else f"{record.score:.2f}",
            end,
            str(record.step),
            f"{record.minutes:.1f}",
            f"{record.processor_minutes:.1f}",
            "" if record.parameters is None else f"{record.parameters / 1e6:.2f}",
            *(str(record.values.get(name, "")) for name in names),
        ]
        rows.append(f"| {' | '.join(cells)} |")
    return rows
