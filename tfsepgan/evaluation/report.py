"""Prints an evaluation as tables of at most 100 columns: medians over tracks, then every track.

Every source has three rows: the mixture (lower bound), the model, and the ideal mask (upper bound
of masking), whose row is named `oracle`.
"""

import math
from collections.abc import Callable, Mapping, Sequence

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
    metrics = [
        metric for metric in METRICS if report.values(report.sources[0], "model", metric).size
    ]
    improved = [metric for metric in ("sdr", "si_sdr") if metric in metrics]
    count = f"{len(report.tracks)} track" + ("s" if len(report.tracks) != 1 else "")
    table = Table(
        title=f"Median over {count}, in dB",
        title_justify="left",
        box=box.SIMPLE_HEAD if compact else box.ROUNDED,
        padding=0 if compact else (0, 1),
        pad_edge=not compact,
        show_edge=not compact,
    )
    table.add_column("source", overflow="fold", min_width=8)
    table.add_column("estimate", no_wrap=True)
    for metric in metrics:
        table.add_column(TITLES[metric], justify="right", no_wrap=True)
    for metric in improved:
        table.add_column(f"{TITLES[metric]}i", justify="right", no_wrap=True, style="bold")
    summary = report.summary()
    for source in report.sources:
        for kind in KINDS:
            medians = {
                metric: numbers["median"] for metric, numbers in summary[source][kind].items()
            }
            gains = [medians.get(f"{metric}_improvement", math.nan) for metric in improved]
            table.add_row(
                escape(source) if kind == KINDS[0] else "",
                kind,
                *(format_db(medians[metric]) for metric in metrics),
                *(format_db(gain, signed=True) for gain in gains),
                end_section=kind == KINDS[-1],
                style="bold" if kind == "model" else None,
            )
    return table


def spectral_table(report: Report) -> Table:
    """Medians over tracks of spectral differences from the source; closer to zero is better."""

    def cell(metric: str, numbers: dict) -> str:
        return format_db(numbers["median"], signed=metric == "spectral_tilt")

    return _table_of(
        report, "Spectra against the true source, medians", SPECTRAL_METRICS, SPECTRAL_TITLES, cell
    )


def quality_table(report: Report) -> Table:
    """Means over tracks with standard errors; more is better in the first two columns only."""

    def cell(metric: str, numbers: dict) -> str:
        return _with_error(numbers)

    return _table_of(
        report, "Bleed and likeness, mean ± standard error", QUALITY_METRICS, QUALITY_TITLES, cell
    )


def _table_of(
    report: Report,
    title: str,
    metrics: Sequence[str],
    titles: Mapping[str, str],
    cell: Callable[[str, dict], str],
) -> Table:
    """A row for each source and kind of estimate, a column for each measured metric."""
    table = Table(
        title=title,
        title_justify="left",
        box=box.SIMPLE_HEAD,
        padding=0,
        pad_edge=False,
        show_edge=False,
    )
    table.add_column("source", overflow="fold", min_width=8)
    table.add_column("estimate", no_wrap=True)
    taken = report.taken(metrics)
    for metric in taken:
        table.add_column(titles[metric], justify="right", no_wrap=True)
    summary = report.summary()
    for source in report.sources:
        for kind in KINDS:
            cells = (cell(metric, summary[source][kind][metric]) for metric in taken)
            style = "bold" if kind == "model" else None
            table.add_row(escape(source) if kind == KINDS[0] else "", kind, *cells, style=style)
    return table


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
    """Two decimals; a dash for an undefined value, >100 for mere rounding error."""
    if math.isnan(value):
        return "-"
    if abs(value) > BEYOND_DB:
        return f">{BEYOND_DB:.0f}" if value > 0 else f"<-{BEYOND_DB:.0f}"
    return f"{value:+.2f}" if signed else f"{value:.2f}"


def _remarks(report: Report) -> list[str]:
    """What the tables do not show: a missing residual, failed tracks, tracks not reached, notes."""
    lines = (
        []
        if RESIDUAL in report.sources
        else ["no residual is scored: the mixtures hold only these sources"]
    )
    lines += [f"not scored: {failure.name}: {failure.error}" for failure in report.failures]
    reached = len(report.tracks) + len(report.failures)
    if reached < report.mixtures:
        lines.append(
            f"cut short: {report.mixtures - reached} of {report.mixtures} tracks were not reached"
        )
    lines += [f"note: {track.name}: {note}" for track in report.tracks for note in track.notes]
    return lines
