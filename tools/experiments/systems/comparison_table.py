"""The tables of the comparison: for the terminal, in Markdown between two markers, and as JSON.

Everything here works on plain dictionaries, one for each row, from `comparison_results.Results`.
"""

from collections.abc import Mapping
from datetime import date
from pathlib import Path

from comparison_rows import BASE, PLAIN, TITLES, Row
from comparison_statistics import difference, figure
from rich import box
from rich.table import Table

from tfsepgan.evaluation.records import SPECTRAL_METRICS, write_json
from tfsepgan.metrics.uncertainty import Mean

START, END = (
    "<!-- table: written by tools/experiments/systems/compare_systems.py -->",
    "<!-- end of table -->",
)
WIDTH = 120  # columns of a terminal
MISSING = "-"
NAMES = {
    "si_sdr_improvement": "SI-SDRi",
    "sdr": "SDR",
    "sir": "SIR",
    "sar": "SAR",
    "frechet": "Fréchet",
    "log_spectral_distance": "log-spectral",
    "spectral_tilt": "tilt",
    "low_bins": "30 dB too low",
}
SHORT = {
    "frechet": "Fré",
    "log_spectral_distance": "LSD",
    "spectral_tilt": "tilt",
    "low_bins": "low%",
}
SIGNED = ("si_sdr_improvement", "spectral_tilt")
GAIN = "si_sdr_improvement"


def text_of(mean: Mean | None, *, signed: bool = False, error: bool = True, digits: int = 2) -> str:
    """`+1.23 ± 0.45`; the error only if there is one and `error` is set; a dash for no value."""
    if mean is None:
        return MISSING
    value = f"{mean.mean:{'+' if signed else ''}.{digits}f}"
    if float(value) == 0:
        value = value.replace("-", "+" if signed else "")
    return value if not error or mean.error != mean.error else f"{value} ± {mean.error:.{digits}f}"


def over(result: dict, plain: dict | None, metric: str) -> str:
    """The difference of a row to the one without a discriminator."""
    if plain is None or result.get("bound") or result["row"] == plain["row"]:
        return MISSING
    return text_of(difference(result, plain, metric), signed=True)


def parameters_text(parameters: dict | None) -> str:
    """`1.30+0.10M`: parameters that ship, and those used in training only."""
    if parameters is None:
        return MISSING
    shipped, only = (parameters[name] / 1e6 for name in ("shipped", "training_only"))
    return f"{shipped:.2f}+{only:.2f}M"


def grouped(
    by_name: Mapping[str, dict], rows: Mapping[str, Row], bounds: list[dict]
) -> dict[str, list[dict]]:
    """Results by table: the bounds around the systems, the base above its variants."""
    if not by_name:
        return {}
    low, high = bounds
    base = [by_name[BASE]] if BASE in by_name else []
    found = {}
    for table, title in TITLES.items():
        here = [result for name, result in by_name.items() if rows[name].table == table]
        found[title] = [low, *here, high] if table == "systems" else [*base, *here] if here else []
    return found


def plain_of(groups: Mapping[str, list[dict]]) -> dict | None:
    """The row without a discriminator, in any table."""
    return next(
        (result for results in groups.values() for result in results if result["row"] == PLAIN),
        None,
    )


def terminal_cells(result: dict, plain: dict | None) -> dict[str, str]:
    """A row's cells by column, for the terminal."""
    training = result.get("training", {})
    return {
        "seeds": str(len(training) or MISSING),
        "SI-SDRi": text_of(figure(result, GAIN), signed=True),
        f"- {PLAIN}": over(result, plain, GAIN),
        **{
            NAMES[metric]: text_of(figure(result, metric), error=False)
            for metric in ("sdr", "sir", "sar")
        },
        **{
            SHORT[metric]: text_of(figure(result, metric), signed=metric in SIGNED, error=False)
            for metric in SPECTRAL_METRICS
        },
        "steps": _steps(training),
    }


def terminal_table(title: str, results: list[dict], plain: dict | None) -> Table:
    """One table of at most 120 columns."""
    table = Table(
        title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False
    )
    table.add_column("row", overflow="fold", min_width=12)
    for column in terminal_cells(results[0], plain):
        table.add_column(column, justify="right", no_wrap=True)
    for result in results:
        table.add_row(
            result["row"],
            *terminal_cells(result, plain).values(),
            style="dim" if result.get("bound") else None,
        )
    return table


def _steps(training: dict) -> str:
    counts = sorted({numbers["steps"] for numbers in training.values()})
    return (
        f"{counts[0]}..{counts[-1]}" if len(counts) > 1 else str(counts[0]) if counts else MISSING
    )


def score_cells(result: dict, plain: dict | None) -> dict[str, str]:
    """The scores of a row: all recordings together, then set by set."""
    sets = list(result["means"])
    return {
        "what it is": result["says"],
        "seeds": str(len(result.get("training", {})) or MISSING),
        "SI-SDRi": text_of(figure(result, GAIN), signed=True),
        f"over `{PLAIN}`": over(result, plain, GAIN),
        **(
            {
                f"SI-SDRi, {name}": text_of(figure(result, GAIN, [name]), signed=True)
                for name in sets
            }
            if len(sets) > 1
            else {}
        ),
        **{NAMES[metric]: text_of(figure(result, metric)) for metric in ("sdr", "sir", "sar")},
    }


def spectral_cells(result: dict, plain: dict | None) -> dict[str, str]:
    """Spectra of a row's estimates against the true source, and the row without discriminator."""
    found = {}
    for metric in SPECTRAL_METRICS:
        found[NAMES[metric]] = text_of(figure(result, metric), signed=metric in SIGNED)
        found[f"{NAMES[metric]}, over `{PLAIN}`"] = over(result, plain, metric)
    return found


def cost_cells(result: dict, plain: dict | None) -> dict[str, str]:
    """The cost of a row."""
    training = result.get("training", {})
    pace = [numbers["windows_a_processor_second"] for numbers in training.values()]
    speed = result.get("speed", {}).get("times_real_time")
    return {
        "parameters": parameters_text(result.get("parameters")),
        "steps": _steps(training),
        "windows/s": f"{sum(pace) / len(pace):.1f}" if pace else MISSING,
        "x real time": f"{speed:.0f}"
        if speed and speed >= 10
        else f"{speed:.1f}"
        if speed
        else MISSING,
    }


def markdown_table(results: list[dict], plain: dict | None, cells_of) -> str:
    """A Markdown table of `cells_of(result, plain)` of each row."""
    rows = [cells_of(result, plain) for result in results]
    columns = list(dict.fromkeys(column for cells in rows for column in cells))
    lines = [
        ["row", *columns],
        ["---", *("---" if column == "what it is" else "---:" for column in columns)],
    ]
    for result, cells in zip(results, rows, strict=True):
        name = result["row"] if result.get("bound") else f"`{result['row']}`"
        lines.append([name, *(cells.get(column, MISSING) for column in columns)])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def facts_text(facts: dict) -> str:
    """The provenance: command, commit, hardware, date, data."""
    data = ", ".join(
        f"{source} {minutes:.1f} min in {files} files" for source, files, minutes in facts["data"]
    )
    sets = "; ".join(
        f"`{name}` ({one['from']}, {one['recordings']} recordings)"
        for name, one in facts["sets"].items()
    )
    lines = [
        f"- Command: `{facts['command']}`, {facts['date']}.",
        f"- Commit: {_with_rows(facts['commits'])}.",
        f"- Hardware: {_with_rows(facts['hardware'])}.",
        f"- Trained on: {data}.",
        f"- Scored on {facts['mixtures']} mixtures of {facts['seconds']:g} s of each of: {sets}.",
    ]
    return "\n".join(lines + [f"- {note}" for note in facts.get("notes", [])])


def left_out_notes(name: str, result: dict) -> list[str]:
    """Sentences on figures that lack mixtures: a silent estimate has no SI-SDR and no tilt."""
    return [
        f"`{name}`: {count} mixtures, over all sets and seeds, have no "
        f"{NAMES.get(metric, metric)} and are left out of its mean."
        for metric, count in result.get("left_out", {}).items()
    ]


def _with_rows(rows: dict[str, list[str]]) -> str:
    """Each value with its rows; the value alone if all rows have it."""
    if len(rows) == 1:
        return next(iter(rows))
    return "; ".join(f"{value} ({', '.join(names)})" for value, names in rows.items())


def markdown(groups: dict[str, list[dict]], facts: dict) -> str:
    """All tables with headings, and their provenance."""
    plain, parts = plain_of(groups), []
    for title, results in groups.items():
        if results:
            spectra = markdown_table(results, plain, spectral_cells)
            parts.append(
                f"### {title}\n\n{markdown_table(results, plain, score_cells)}\n\n"
                f"Spectra:\n\n{spectra}"
            )
    rows = {
        result["row"]: result
        for results in groups.values()
        for result in results
        if not result.get("bound")
    }
    parts.append(f"### What they took\n\n{markdown_table(list(rows.values()), plain, cost_cells)}")
    return "\n\n".join([*parts, facts_text(facts)])


def replace_between_markers(text: str, tables: str) -> str:
    """A page with new tables between its markers and no other change.

    Raises: ValueError unless the page holds both markers once, in order.
    """
    if text.count(START) != 1 or text.count(END) != 1 or text.index(START) > text.index(END):
        raise ValueError(f"the page must hold {START} and, after it, {END}, once each")
    head, _, rest = text.partition(START)
    return f"{head}{START}\n\n{tables}\n\n{END}{rest.partition(END)[2]}"


def write(folder: Path, groups: dict[str, list[dict]], facts: dict) -> None:
    """Write `comparison.md`, between its markers, and `comparison.json`, both in `folder`."""
    page = folder / "comparison.md"
    page.write_text(
        replace_between_markers(page.read_text(encoding="utf-8"), markdown(groups, facts)),
        encoding="utf-8",
    )
    write_json(folder / "comparison.json", {"facts": facts, "tables": groups})


def today() -> str:
    """The date, as 2024-05-31."""
    return date.today().isoformat()
