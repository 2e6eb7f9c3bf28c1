"""Pictures of a search: scores by trial, scores by setting, trials across all settings."""

import io
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from tfsepgan.training.checkpoint import write_atomically
from tfsepgan.tuning.records import START, Record

COLUMNS = 4
# Colour-blind people can distinguish them too.
ORANGE, BLUE, GREY, RED = "#e39a2d", "#2f6db3", "#9a9a9a", "#b03a2e"


def draw_scores(records: Sequence[Record], path: Path) -> None:
    """Draw the score of each trial, the best so far, and a line for the preset's score.

    Trials without a score are drawn at the lowest score.
    """
    figure = Figure(figsize=(7, 3.6), layout="constrained")
    axes = figure.subplots()
    scored = [record for record in records if record.score is not None]
    for whole, colour, label in ((True, BLUE, "whole budget"), (False, GREY, "stopped early")):
        trials, scores = _points([record for record in scored if record.whole == whole])
        axes.plot(trials, scores, "o", color=colour, label=label if trials else None)
    trials, scores = _points([record for record in scored if record.whole])
    if trials:
        best = np.maximum.accumulate(scores)
        axes.step(trials, best, where="post", color=BLUE, alpha=0.4, label="best so far")
    start = next((record for record in scored if record.trial == START), None)
    if start:
        axes.axhline(start.score, color=ORANGE, linestyle="--", label="unchanged preset")
    without_score = [record.trial for record in records if record.score is None]
    if without_score:
        floor = min((record.score for record in scored), default=0.0)
        axes.plot(without_score, [floor] * len(without_score), "x", color=RED, label="no score")
    axes.set_xlabel("trial")
    axes.set_ylabel("score, dB")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small")
    _save(figure, path)


def _points(records: Sequence[Record]) -> tuple[list[int], list[float | None]]:
    return [record.trial for record in records], [record.score for record in records]


def draw_settings(
    records: Sequence[Record], settings: Sequence[str], logarithmic: Collection[str], path: Path
) -> None:
    """Draw the score against each setting, one panel for each."""
    # the preset last, on top
    scored = [record for record in records if record.score is not None][::-1]
    columns = min(COLUMNS, len(settings))
    rows = -(-len(settings) // columns)
    figure = Figure(figsize=(3 * columns, 2.6 * rows), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False, sharey=True)
    for axes in grid.flat[len(settings) :]:
        axes.set_visible(False)
    for axes, name in zip(grid.flat, settings, strict=False):
        places, ticks = _places(scored, name)
        for record, place in zip(scored, places, strict=True):
            colour = ORANGE if record.trial == START else BLUE if record.whole else GREY
            axes.plot(place, record.score, "o", color=colour, alpha=0.8)
        if ticks:
            axes.set_xticks(range(len(ticks)), ticks, rotation=30, fontsize="small")
        elif name in logarithmic:
            axes.set_xscale("log")
            axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axes.xaxis.set_major_formatter("{x:g}")
            axes.xaxis.set_minor_locator(NullLocator())
            axes.tick_params(axis="x", rotation=30, labelsize="small")
        axes.set_title(name, fontsize="medium")
        axes.grid(alpha=0.3)
    for row in grid:
        row[0].set_ylabel("score, dB")
    _save(figure, path)


def draw_parallel(
    records: Sequence[Record],
    settings: Sequence[str],
    logarithmic: Collection[str],
    winner: Record | None,
    path: Path,
) -> None:
    """Draw each trial as a line across all settings, coloured by score.

    The line of the preset is dashed, that of the winner is thick.
    """
    scored = [record for record in records if record.score is not None]
    scored.sort(key=lambda record: record.score)
    figure = Figure(figsize=(max(5, 1.5 * (len(settings) + 1)), 3.8), layout="constrained")
    axes = figure.subplots()
    scores = np.array([record.score for record in scored])
    lines = [_heights(scored, name, log=name in logarithmic) for name in settings]
    lines.append(_unit(scores))
    colours = colormaps["viridis"](lines[-1]) if len(scored) else []
    columns = {name: [record.values.get(name) for record in scored] for name in settings}
    columns["score, dB"] = [round(score, 2) for score in scores]
    label = {"textcoords": "offset points", "fontsize": "x-small", "va": "center"}
    for index, record in enumerate(scored):
        style = {"linestyle": "--" if record.trial == START else "-"}
        style["linewidth"] = 3 if winner and record.trial == winner.trial else 1.2
        axes.plot(range(len(lines)), [line[index] for line in lines], color=colours[index], **style)
    for place, (heights, values) in enumerate(zip(lines, columns.values(), strict=True)):
        axes.axvline(place, color="black", linewidth=0.6)
        # the lowest and the highest value
        for end in {int(np.argmin(heights)), int(np.argmax(heights))} if len(heights) else ():
            axes.annotate(str(values[end]), (place, heights[end]), xytext=(3, 0), **label)
    axes.set_xticks(range(len(lines)), list(columns), rotation=20, fontsize="small", ha="right")
    axes.set_yticks([])
    _save(figure, path)


def _places(records: Sequence[Record], name: str) -> tuple[list, list[str]]:
    """Positions on an axis: the numbers themselves, or indices of the labels that are returned."""
    values = [record.values.get(name) for record in records]
    if all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values):
        return values, []
    labels = sorted({str(value) for value in values})
    return [labels.index(str(value)) for value in values], labels


def _heights(records: Sequence[Record], name: str, *, log: bool) -> np.ndarray:
    places, labels = _places(records, name)
    return _unit(np.log(places) if log and not labels else np.array(places, dtype=float))


def _unit(values: np.ndarray) -> np.ndarray:
    """Values scaled to [0, 1]; 0.5 when all are equal."""
    if not len(values) or np.ptp(values) == 0:
        return np.full(len(values), 0.5)
    return (values - np.min(values)) / np.ptp(values)


def _save(figure: Figure, path: Path) -> None:
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=100)
    write_atomically(path, lambda file: file.write(picture.getvalue()))
