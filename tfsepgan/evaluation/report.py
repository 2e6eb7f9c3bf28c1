"""Prints an evaluation as tables of at most 100 columns: medians over tracks, then every track.

Every source has three rows: the mixture (lower bound), the model, and the ideal mask (upper bound
of masking), whose row is named `oracle`.
"""

import math
from collections.abc import Callable, Mapping

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tfsepgan.evaluation.records import (
    KINDS,
    METRICS,
    QUALITY_METRICS,
    RESIDUAL,
    SPECTRAL_METRICS,
    Report,
)

WIDTH = 100  # columns: fits half a screen, an e-mail and a diff
TITLES = {"sdr": "SDR", "isr": "ISR", "sir": "SIR", "sar": "SAR", "snr": "SNR", "si_sdr": "SI-SDR"}
SPECTRAL_TITLES = {
    "frechet": "Frechet\ndB a band",
    "log_spectral_distance": "log-spectral\ndB",
    "spectral_tilt": "tilt\ndB/octave",
    "low_bins": "30 dB too low\n%",
}
QUALITY_TITLES = {
    "bleedless": "bleedless\n0 to 100",
    "fullness": "fullness\n0 to 100",
    "multi_resolution": "multi-\nresolution",
    "embedding": "notes\nFrechet, %",
}
# a higher ratio is rounding error, such as the SAR of a mixture, which has no artifacts
BEYOND_DB = 100.0


def print_report(report: Report, *, console: Console | None = None, tracks: bool = False) -> None:
    """Prints the tables, the tracks that could not be scored, and the notes.

    Args:
      report: the result of `evaluate`.
      console: standard output by default; at most 100 columns are used.
      tracks: whether to print the table of tracks too.
    """
    if console is None:
        # a file has no width of its own
        console = Console() if Console().is_terminal else Console(width=WIDTH)
    width = min(WIDTH, console.width)
    console.print(median_table(report, compact=width < WIDTH), width=width)
    if report.taken(SPECTRAL_METRICS):
        console.print(spectral_table(report), width=width)
    if report.taken(QUALITY_METRICS):
        console.print(quality_table(report), width=width)
    for line in _remarks(report):
        console.print(escape(line), width=width, highlight=False)
    if tracks:
        console.print(track_table(report), width=width)


def median_table(report: Report, *, compact: bool = False) -> Table:
    """Medians over tracks in dB, with the improvements in the last columns.

    Args:
      report: the result of `evaluate`.
      compact: whether to lay it out for 80 columns instead of 100.
    """
    metrics = report.taken(METRICS)
    count = f"{len(report.tracks)} track" + ("s" if len(report.tracks) != 1 else "")
    table = _empty_table(f"Median over {count}, in dB", box.ROUNDED, compact=compact)
    columns = {metric: TITLES[metric] for metric in metrics}
    for metric in ("sdr", "si_sdr"):
        if metric in metrics:
            columns[f"{metric}_improvement"] = f"{TITLES[metric]}i"

    def cell(metric: str, numbers: dict) -> str:
        return format_db(numbers["median"], signed=metric.endswith("_improvement"))

    _fill(table, report, columns, cell, sections=True)
    return table


def spectral_table(report: Report) -> Table:
    """Medians over tracks of spectral differences from the source; closer to zero is better."""

    def cell(metric: str, numbers: dict) -> str:
        return format_db(numbers["median"], signed=metric == "spectral_tilt")

    table = _empty_table("Spectra against the true source, medians")
    _fill(table, report, _measured(report, SPECTRAL_TITLES), cell)
    return table


def quality_table(report: Report) -> Table:
    """Means over tracks with standard errors; more is better in the first two columns only."""

    def cell(metric: str, numbers: dict) -> str:
        return _with_error(numbers)

    table = _empty_table("Bleed and distance, mean ± standard error")
    _fill(table, report, _measured(report, QUALITY_TITLES), cell)
    return table


def _empty_table(title: str, wide_box: box.Box | None = None, *, compact: bool = True) -> Table:
    edges = {"padding": 0, "pad_edge": False, "show_edge": False} if compact else {}
    lines = box.SIMPLE_HEAD if compact else wide_box
    return Table(title=title, title_justify="left", box=lines, **edges)


def _measured(report: Report, titles: Mapping[str, str]) -> dict[str, str]:
    """The titles of the metrics that the report has."""
    return {metric: titles[metric] for metric in report.taken(list(titles))}


def _fill(
    table: Table,
    report: Report,
    columns: Mapping[str, str],
    cell: Callable[[str, dict], str],
    *,
    sections: bool = False,
) -> None:
    """Add a row for each source and kind of estimate.

    Args:
      columns: title of the column of each metric; improvements are bold.
      cell: called with a metric and its statistics, for metrics that the kind has.
      sections: whether a line follows each source.
    """
    table.add_column("source", overflow="fold", min_width=8)
    table.add_column("estimate", no_wrap=True)
    for metric, title in columns.items():
        style = "bold" if metric.endswith("_improvement") else None
        table.add_column(title, justify="right", no_wrap=True, style=style)
    for source, by_kind in report.summary().items():
        for kind in KINDS:
            found = by_kind[kind]
            cells = (cell(name, found[name]) if name in found else "-" for name in columns)
            style, last = "bold" if kind == "model" else None, sections and kind == KINDS[-1]
            label = escape(source) if kind == KINDS[0] else ""
            table.add_row(label, kind, *cells, style=style, end_section=last)


def _with_error(figures: dict) -> str:
    """`12.34 ± 0.56`, or `12.34` without an error."""
    mean = format_db(figures["mean"])
    return mean if math.isnan(figures["error"]) else f"{mean} ± {figures['error']:.2f}"


def track_table(report: Report) -> Table:
    """SI-SDR in dB of every track and source, by kind of estimate, with the improvement."""
    table = Table(title="SI-SDR of every track, in dB", title_justify="left", box=box.ROUNDED)
    table.add_column("track", overflow="fold")
    table.add_column("source", overflow="fold")
    for title in (*KINDS, "improvement"):
        table.add_column(title, justify="right", no_wrap=True)
    for track in report.tracks:
        for position, source in enumerate(report.sources):
            scores = track.scores[source]
            table.add_row(
                escape(track.name) if position == 0 else "",
                escape(source),
                *(format_db(scores[kind]["si_sdr"]) for kind in KINDS),
                format_db(scores["model"]["si_sdr_improvement"], signed=True),
                end_section=position == len(report.sources) - 1,
            )
    return table


def format_db(value: float, *, signed: bool = False) -> str:
    """A value with two decimals; "-" if undefined, ">100" if only rounding errors are left."""
    if math.isnan(value):
        return "-"
    if abs(value) > BEYOND_DB:
        return f">{BEYOND_DB:.0f}" if value > 0 else f"<-{BEYOND_DB:.0f}"
    return f"{value:+.2f}" if signed else f"{value:.2f}"


def _remarks(report: Report) -> list[str]:
    """What the tables do not show: a missing residual, failed tracks, tracks not reached, notes."""
    lines = []
    if RESIDUAL not in report.sources:
        lines.append("no residual is scored: the mixtures hold only these sources")
    lines += [f"not scored: {failure.name}: {failure.error}" for failure in report.failures]
    missing = report.mixtures - len(report.tracks) - len(report.failures)
    if missing > 0:
        lines.append(f"cut short: {missing} of {report.mixtures} tracks were not reached")
    lines += [f"note: {track.name}: {note}" for track in report.tracks for note in track.notes]
    return lines
