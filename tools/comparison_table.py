"""How the comparison is shown: a table for the terminal, the same in Markdown between two markers, and all numbers as JSON.

Everything here is made of plain dictionaries, one a row, as `compare_systems.result_of` gathers them.
"""

import math
from datetime import date
from pathlib import Path

import numpy as np
from rich import box
from rich.table import Table

from tfsepgan.evaluation.records import write_json
from tfsepgan.evaluation.report import format_db

START, END = "<!-- table: written by tools/compare_systems.py -->", "<!-- end of table -->"
WIDTH = 120  # columns of a terminal
COLUMNS = (
    "SI-SDRi",
    "quartiles",
    "SDR",
    "SIR",
    "SAR",
    "valid",
    "- L1",
    "parameters",
    "steps",
    "win/s",
    "x real",
)
METRICS = ("si_sdr_improvement", "si_sdr", "sdr", "sir", "sar", "sdr_improvement", "sir_improvement")
MISSING = "-"


def numbers(result: dict) -> dict[str, str]:
    """A row's cells by column; a dash for what was not measured."""
    test, valid = (result.get("scores", {}).get(split, {}) for split in ("test", "valid"))
    gain, training = test.get("si_sdr_improvement", {}), result.get("training", {})
    speed = result.get("speed", {}).get("times_real_time")
    return {
        "SI-SDRi": _db(test, "si_sdr_improvement", signed=True),
        "quartiles": f"{gain['lower_quartile']:+.1f}..{gain['upper_quartile']:+.1f}"
        if "lower_quartile" in gain
        else MISSING,
        "SDR": _db(test, "sdr"),
        "SIR": _db(test, "sir"),
        "SAR": _db(test, "sar"),
        "valid": _db(valid, "si_sdr_improvement", signed=True),
        "- L1": against_text(result.get("against")),
        "parameters": parameters_text(result.get("parameters")),
        "steps": str(training.get("steps", MISSING)),
        "win/s": f"{training['windows_a_processor_second']:.1f}" if training else MISSING,
        "x real": f"{speed:.0f}" if speed and speed >= 10 else f"{speed:.1f}" if speed else MISSING,
    }


def _db(scores: dict, metric: str, *, signed: bool = False) -> str:
    return format_db(scores[metric]["median"], signed=signed) if metric in scores else MISSING


def against_text(against: dict | None) -> str:
    """`+0.12 (15/24)`: median difference of a mixture's SI-SDR, and on how many it is above zero."""
    if against is None:
        return MISSING
    return f"{against['median']:+.2f} ({against['better']}/{against['mixtures']})"


def parameters_text(parameters: dict | None) -> str:
    """`1.30+0.10M`: what ships, and what is only there while it trains."""
    if parameters is None:
        return MISSING
    shipped, only = (parameters[name] / 1e6 for name in ("shipped", "training_only"))
    return f"{shipped:.2f}+{only:.2f}M"


def against(scores: dict[str, float], plain: dict[str, float]) -> dict | None:
    """How a row stands to another, mixture by mixture.

    Args:
      scores, plain: SI-SDR improvement in dB by the mixture's name.
    Returns: median difference in dB, how many mixtures are better, and of how many; None without a mixture in common.
    """
    both = [name for name in scores if name in plain]
    difference = np.array([scores[name] - plain[name] for name in both], np.float64)
    difference = difference[np.isfinite(difference)]
    if not difference.size:
        return None
    return {
        "median": round(float(np.median(difference)), 4),
        "better": int((difference > 0).sum()),
        "mixtures": int(difference.size),
    }


def terminal_table(title: str, results: list[dict]) -> Table:
    """One table of at most 120 columns."""
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("row", overflow="fold", min_width=12)
    for column in COLUMNS:
        table.add_column(column, justify="right", no_wrap=True)
    for result in results:
        table.add_row(result["row"], *numbers(result).values(), style="dim" if result.get("bound") else None)
    return table


HEADINGS = {
    "SI-SDRi": "SI-SDRi",
    "quartiles": "quartiles",
    "valid": "SI-SDRi, valid",
    "- L1": "over `l1-only`",
    "parameters": "parameters",
    "win/s": "windows/s",
    "x real": "x real time",
}


def markdown_table(results: list[dict]) -> str:
    """The same as a Markdown table, with a column that says what each row is."""
    head = ["row", "what it is", *(HEADINGS.get(column, column) for column in COLUMNS)]
    lines = [head, ["---", "---", *("---:" for _ in COLUMNS)]]
    for result in results:
        cells = numbers(result)
        if not result.get("bound"):
            cells["SI-SDRi"] = f"**{cells['SI-SDRi']}**"
        lines.append(
            [f"`{result['row']}`" if not result.get("bound") else result["row"], result["says"], *cells.values()]
        )
    return "\n".join("| " + " | ".join(cells).replace("-0.00", "0.00") + " |" for cells in lines)


def facts_text(facts: dict) -> str:
    """Where the numbers come from: command, commit, seed, hardware, date, data."""
    data = "; ".join(
        f"{split}: " + ", ".join(f"{source} {minutes:.1f} min in {files} files" for source, files, minutes in sources)
        for split, sources in facts["data"].items()
    )
    lines = [
        f"- Command: `{facts['command']}`, seed {facts['seed']}, {facts['date']}.",
        f"- Commit: {_with_rows(facts['commits'])}.",
        f"- Hardware: {_with_rows(facts['hardware'])}.",
        f"- Recordings: {data}.",
        f"- Scored on {facts['mixtures']} mixtures of {facts['seconds']:g} s of each split.",
    ]
    return "\n".join(lines + [f"- {note}" for note in facts.get("notes", [])])


def _with_rows(rows: dict[str, list[str]]) -> str:
    """What the rows were made with: each value with its rows, or the one that all have."""
    if len(rows) == 1:
        return next(iter(rows))
    return "; ".join(f"{value} ({', '.join(names)})" for value, names in rows.items())


def markdown(groups: dict[str, list[dict]], facts: dict) -> str:
    """All tables, a heading each, and what they were measured with."""
    tables = [f"### {title}\n\n{markdown_table(results)}" for title, results in groups.items() if results]
    return "\n\n".join([*tables, facts_text(facts)])


def replace_between_markers(text: str, tables: str) -> str:
    """A page with new tables between its markers, and every other character as it was.

    Raises: ValueError when the page does not hold both markers once, in order.
    """
    if text.count(START) != 1 or text.count(END) != 1 or text.index(START) > text.index(END):
        raise ValueError(f"the page must hold {START} and, after it, {END}, once each")
    head, _, rest = text.partition(START)
    return f"{head}{START}\n\n{tables}\n\n{END}{rest.partition(END)[2]}"


def write(folder: Path, groups: dict[str, list[dict]], facts: dict) -> None:
    """Write `comparison.md`, between its markers, and `comparison.json`, both in `folder`."""
    page = folder / "comparison.md"
    page.write_text(
        replace_between_markers(page.read_text(encoding="utf-8"), markdown(groups, facts)), encoding="utf-8"
    )
    write_json(folder / "comparison.json", {"facts": facts, "tables": groups})


def slim(summary: dict) -> dict:
    """Of a report's statistics those that the comparison keeps: a few metrics, rounded to 0.01 dB."""
    kept = {}
    for metric in METRICS:
        if metric in summary:
            kept[metric] = {
                name: value if isinstance(value, int) or not math.isfinite(value) else round(value, 2)
                for name, value in summary[metric].items()
            }
    return kept


def today() -> str:
    """The date, as 2024-05-31."""
    return date.today().isoformat()
