"""The report of a search: a table, a JSON file, three plots, and the best trial as a preset."""

import functools
import json
import math
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console

from tfsepgan.config import to_dict
from tfsepgan.training.checkpoint import write_atomically
from tfsepgan.tuning.plan import SearchPlan
from tfsepgan.tuning.plots import draw_parallel, draw_scores, draw_settings
from tfsepgan.tuning.records import START, Record, read_records
from tfsepgan.tuning.tuner import values_line

PRESET, REPORT, NUMBERS = "preset.yaml", "report.md", "report.json"


def winner_of(records: list[Record]) -> Record | None:
    """The best trial with the whole budget; the first of equal ones."""
    return max(
        (record for record in records if record.whole),
        key=lambda record: record.score,
        default=None,
    )


def start_of(records: list[Record]) -> Record | None:
    """The trial of the unchanged preset."""
    return next((record for record in records if record.trial == START), None)


def write_report(plan: SearchPlan, console: Console) -> None:
    """Write the report of the trials so far and print a summary; does nothing without trials.

    Raises: CheckpointError when a record cannot be read or a file cannot be written.
    """
    records = read_records(plan.directory)
    if not records:
        return
    winner, start = winner_of(records), start_of(records)
    print_line = functools.partial(console.print, markup=False, highlight=False)
    numbers = _numbers(plan, records, winner, start)
    _write(plan.directory / NUMBERS, json.dumps(numbers, indent=1) + "\n")
    settings = [item.name for item in plan.space.settings]
    logarithmic = {item.name for item in plan.space.settings if getattr(item.span, "log", False)}
    draw_scores(records, plan.directory / "scores.png")
    draw_settings(records, settings, logarithmic, plan.directory / "settings.png")
    draw_parallel(records, settings, logarithmic, winner, plan.directory / "parallel.png")
    verdict = _verdict(winner, start)
    _write(plan.directory / REPORT, "\n".join(_lines(plan, records, verdict)) + "\n")
    print_line(verdict)
    if winner:
        _write(plan.directory / PRESET, _preset(plan, winner))
        print_line(f"To train it: tfsepgan-train --config {plan.directory / PRESET}")
    print_line(f"Report: {plan.directory / REPORT}")


def _write(path: Path, text: str) -> None:
    write_atomically(path, lambda file: file.write(text.encode()))


def _numbers(
    plan: SearchPlan, records: list[Record], winner: Record | None, start: Record | None
) -> dict[str, Any]:
    return {
        "system": plan.start.system,
        "preset": plan.start.preset,
        "algorithm": plan.algorithm,
        "score": f"{_score_of(plan)}, dB",
        "gain_db": winner.score - start.score if winner and start and start.whole else None,
        "start": start and start._asdict(),
        "winner": winner and winner._asdict(),
        "trials": [record._asdict() for record in records],
        "space": plan.space.plain(),
        "settings": to_dict(plan.start),
    }


def _score_of(plan: SearchPlan) -> str:
    if plan.separates:
        return "SI-SDR improvement on the valid split"
    return "minus the distance of spectra"


def _preset(plan: SearchPlan, winner: Record) -> str:
    experiment = plan.experiment(winner.trial, winner.values)
    head = (
        f"# Trial {winner.trial} of a search from {experiment.system}, preset {experiment.preset}:"
        f" {winner.score:.2f} dB on the valid split after {winner.step} steps.\n# Searched:"
        f" {values_line(winner.values)}\n# Use it with tfsepgan-train --config FILE; flags override"
        " it, such as --steps for a longer run.\n"
    )
    return head + yaml.safe_dump(to_dict(experiment), sort_keys=False)


def _verdict(winner: Record | None, start: Record | None) -> str:
    if winner is None:
        return "No trial has ended with the whole budget and a score, so there is no preset."
    if winner.trial == START:
        return f"No trial scored above the unchanged preset: {winner.score:.2f} dB."
    if start is None or not start.whole:
        return (
            f"Best: trial {winner.trial}, {winner.score:.2f} dB; the unchanged preset has no score"
            " with this budget."
        )
    return (
        f"Best: trial {winner.trial}, {winner.score:.2f} dB; the unchanged preset, trial {START},"
        f" has {start.score:.2f} dB with the same budget:"
        f" {winner.score - start.score:+.2f} dB."
    )


def _lines(plan: SearchPlan, records: list[Record], verdict: str) -> list[str]:
    training = plan.start.training
    limits = [f"{training.steps} steps"]
    if training.minutes:
        limits.append(f"{training.minutes:g} minutes")
    if training.processor_minutes:
        limits.append(f"{training.processor_minutes:g} minutes of processor time")
    # a later record of a run includes the earlier ones
    spent = sum({record.folder: record.processor_minutes for record in records}.values())
    return [
        f"# Search from {plan.start.system}, preset {plan.start.preset}",
        "",
        verdict,
        "",
        (
            f"{plan.algorithm}, {len(records)} trials of at most {' and '.join(limits)}; about"
            f" {spent:.0f} minutes of processor time in all. Score: {_score_of(plan)}, dB, of the"
            f" model that a trial keeps. Trial {START} is the unchanged preset."
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

    def rank(record: Record) -> float:
        return -math.inf if record.score is None else record.score

    for record in sorted(records, key=rank)[::-1]:
        after = "" if record.goes_on_from is None else f" (after {record.goes_on_from})"
        stopped = record.rung and record.outcome == "finished"
        cells = [
            f"{record.trial}{after}",
            "" if record.score is None else f"{record.score:.2f}",
            record.outcome + (f" (stopped at {record.rung})" if stopped else ""),
            str(record.step),
            f"{record.minutes:.1f}",
            f"{record.processor_minutes:.1f}",
            "" if record.parameters is None else f"{record.parameters / 1e6:.2f}",
            *(str(record.values.get(name, "")) for name in names),
        ]
        rows.append(f"| {' | '.join(cells)} |")
    return rows
