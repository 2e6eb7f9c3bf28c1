"""Pictures of an evaluation: box plots of scores over tracks, spectrograms of one separation.

Figures use Matplotlib's Agg canvas directly. They need no display and change no global state.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import scipy.signal
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from tfsepgan.errors import DataError, ShapeError
from tfsepgan.evaluation.output import file_names
from tfsepgan.evaluation.records import IDEAL_MASK, KINDS, RESIDUAL, Report
from tfsepgan.files import write_whole
from tfsepgan.metrics.validation import check_audio

if TYPE_CHECKING:
    from tfsepgan.data.references.fixed_mixtures import Mixture

# Colour-blind people can distinguish them too.
COLOURS = {"mixture": "#9a9a9a", "model": "#2f6db3", IDEAL_MASK: "#e39a2d"}
# Title, metric and kinds of estimate: the mixture has no artifacts and no improvement.
PANELS = (
    ("SI-SDR improvement", "si_sdr_improvement", ("model", IDEAL_MASK)),
    ("SDR", "sdr", KINDS),
    ("SIR", "sir", KINDS),
    ("SAR", "sar", ("model", IDEAL_MASK)),
)
QUALITY_PANELS = (
    ("bleedless (more is better)", "bleedless", KINDS),
    ("fullness (more is better)", "fullness", KINDS),
    ("multi-resolution (less is better)", "multi_resolution", KINDS),
    ("log-spectral (less is better)", "log_spectral_distance", KINDS),
    ("notes (less is better)", "embedding", KINDS),
)
# all others are in dB
UNITS = {"bleedless": "0 to 100", "fullness": "0 to 100", "multi_resolution": "", "embedding": "%"}
FLOOR_DB = -80.0  # below the loudest of the mixture: quieter sounds are hardly audible in a room
LOWEST_HZ = 40.0  # the lowest row of a picture, near the lowest string of a double bass
ROWS, COLUMNS = 320, 1200  # largest size of a spectrogram in pixels


def draw_box_plots(report: Report, path: Path, panels: Sequence[tuple] = PANELS) -> None:
    """Draws box plots of metrics over tracks, with a dot for each track.

    Args:
      report: the result of `evaluate`; a panel whose metric is missing there is left out.
      path: the PNG file.
      panels: title, metric and kinds of each panel, such as PANELS or QUALITY_PANELS.
    Raises: DataError when there is nothing to draw or the file cannot be written.
    """
    first = report.sources[0]
    panels = [panel for panel in panels if report.values(first, "model", panel[1]).size]
    if not panels:
        raise DataError("the report holds no scored track, so there is nothing to draw")
    wide = max(2.6, 0.5 + 1.1 * len(report.sources))
    figure = Figure(figsize=(wide * len(panels), 4.2), layout="constrained")
    row = figure.subplots(1, len(panels), squeeze=False)[0]
    for axes, (title, metric, kinds) in zip(row, panels, strict=True):
        _draw_boxes(axes, report, metric, kinds)
        axes.set_title(title, fontsize=11)
        axes.set_ylabel(UNITS.get(metric, "dB"))
    handles = [Patch(color=COLOURS[kind], label=kind) for kind in KINDS]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), frameon=False)
    count = len(report.tracks)
    tracks = f"{count} track" + ("s" if count != 1 else "")
    figure.suptitle(f"{tracks}; box: quartiles and median, dot: a track", fontsize=11)
    _save(figure, path)


def draw_spectrograms(
    mixture: np.ndarray,
    target: np.ndarray,
    estimate: np.ndarray,
    sample_rate_hz: int,
    path: Path,
    *,
    title: str,
    seconds: float = 12.0,  # long enough for a phrase, short enough to see notes
) -> None:
    """Draws spectrograms of mixture, target, estimate and residual (mixture minus estimate).

    Args:
      mixture, target, estimate: `[time]` or `[time, channels]`, the same shape; channels are
        averaged.
      sample_rate_hz: samples per second.
      path: the PNG file.
      title: title of the picture, such as the track and source.
      seconds: length of the excerpt; it is where the target is loudest.
    Raises: ShapeError when the shapes differ; DataError when the file cannot be written.
    """
    signals = {"mixture": mixture, "target": target, "estimate": estimate}
    signals = {name: check_audio(name, audio) for name, audio in signals.items()}
    shapes = {name: audio.shape for name, audio in signals.items()}
    if len(set(shapes.values())) != 1:
        raise ShapeError(
            f"shapes differ: {shapes}; bring all three to the same length and channels"
        )
    signals = {name: audio.reshape(len(audio), -1).mean(axis=1) for name, audio in signals.items()}
    signals["residual"] = signals["mixture"] - signals["estimate"]
    start, stop = _loudest_excerpt(signals["target"], int(seconds * sample_rate_hz))
    draw_signals(signals, sample_rate_hz, path, title=title, start=start, stop=stop)


def draw_signals(
    signals: Mapping[str, np.ndarray],
    sample_rate_hz: int,
    path: Path,
    *,
    title: str,
    start: int = 0,
    stop: int | None = None,
) -> None:
    """Draws spectrograms of signals, one below the other; 0 dB is the loudest level of the first.

    Args:
      signals: by name, `[time]`, all of the same length.
      sample_rate_hz: samples per second.
      path: the PNG file.
      title: title of the picture.
      start, stop: range of samples to draw; all by default.
    Raises: DataError when the file cannot be written.
    """
    stop = len(next(iter(signals.values()))) if stop is None else stop
    pictures = {
        name: _log_spectrogram(audio[start:stop], sample_rate_hz) for name, audio in signals.items()
    }
    first = next(iter(pictures))
    loudest = max(float(pictures[first].max()), FLOOR_DB)
    figure = Figure(figsize=(10, 0.5 + 2.1 * len(pictures)), layout="constrained")
    rows = figure.subplots(len(pictures), 1, sharex=True, squeeze=False)[:, 0]
    extent = (start / sample_rate_hz, stop / sample_rate_hz, 0.0, 1.0)
    for axes, (name, picture) in zip(rows, pictures.items(), strict=True):
        look = {"cmap": "magma", "vmin": FLOOR_DB, "vmax": 0.0}
        place = {"origin": "lower", "aspect": "auto", "extent": extent}
        image = axes.imshow(picture - loudest, **place, **look)
        axes.set_ylabel(f"{name}\nfrequency (Hz)")
        _frequency_ticks(axes, sample_rate_hz)
    rows[-1].set_xlabel("time (s)")
    label = f"level (dB, 0 = the loudest of the {first})"
    figure.colorbar(image, ax=list(rows), label=label, pad=0.01)
    figure.suptitle(title.replace("$", r"\$"))
    _save(figure, path)


def picture_writer(
    folder: Path, *, names: Collection[str] | None = None, limit: int = 3
) -> "Callable[[Mixture, Mapping[str, np.ndarray]], None]":
    """Makes a `listener` for `evaluate` that draws spectrograms of some tracks.

    Args:
      folder: folder of the pictures TRACK.SOURCE.png; a track's name never leads out of it.
      names: tracks to draw; by default the first ones.
      limit: how many tracks to draw without `names`.
    Returns: the `listener` for `evaluate`.
    """
    drawn: list[str] = []

    def draw(mixture: "Mixture", estimates: Mapping[str, np.ndarray]) -> None:
        wanted = len(drawn) < limit if names is None else mixture.name in names
        if not wanted:
            return
        drawn.append(mixture.name)
        file = file_names(drawn)[-1]
        for source, estimate in estimates.items():
            if source == RESIDUAL:
                continue
            path = Path(folder) / f"{file}.{file_names([source])[0]}.png"
            compared = mixture.mixture, mixture.sources[source], estimate
            title = f"{mixture.name}: {source}"
            draw_spectrograms(*compared, mixture.sample_rate_hz, path, title=title)

    return draw


def _draw_boxes(axes: Axes, report: Report, metric: str, kinds: Collection[str]) -> None:
    """Draws a group of boxes for each source with one box for each kind of estimate.

    Infinite and undefined values are not drawn; the label of the source holds their number.
    """
    step = 0.8 / len(kinds)
    labels = []
    for group, source in enumerate(report.sources):
        missing = 0
        for place, kind in enumerate(kinds):
            values = report.values(source, kind, metric)
            finite = values[np.isfinite(values)]
            missing = max(missing, values.size - finite.size)
            centre = group + (place - (len(kinds) - 1) / 2) * step
            if finite.size:
                _draw_box(axes, finite, centre, 0.75 * step, COLOURS[kind])
        labels.append(source + (f"\n({missing} not finite)" if missing else ""))
    axes.axhline(0.0, color="#444444", linewidth=0.8, zorder=0)
    axes.set_xticks(range(len(labels)), labels)
    axes.set_xlim(-0.5, len(labels) - 0.5)
    axes.grid(axis="y", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def _draw_box(axes: Axes, values: np.ndarray, centre: float, width: float, colour: str) -> None:
    """Draws one box and a dot for each track; dots are spread so that equal ones are visible."""
    options = {"showfliers": False, "patch_artist": True, "manage_ticks": False}
    looks = {
        "boxprops": {"facecolor": colour, "alpha": 0.45, "edgecolor": colour},
        "medianprops": {"color": "black", "linewidth": 1.6},
        "whiskerprops": {"color": colour},
        "capprops": {"color": colour},
    }
    axes.boxplot(values, positions=[centre], widths=width, **options, **looks)
    # golden ratio: even, without repetition
    spread = (np.arange(values.size) * 0.618034) % 1.0 - 0.5
    dots = {"color": colour, "markersize": 3, "markeredgewidth": 0, "zorder": 3}
    axes.plot(centre + 0.6 * width * spread, values, "o", **dots)


def _loudest_excerpt(audio: np.ndarray, length: int) -> tuple[int, int]:
    """Start and stop, in samples, of the excerpt of this length with the most energy."""
    if len(audio) <= length:
        return 0, len(audio)
    energy = np.concatenate([[0.0], np.cumsum(audio**2)])
    start = int(np.argmax(energy[length:] - energy[:-length]))
    return start, start + length


def _log_spectrogram(audio: np.ndarray, sample_rate_hz: int) -> np.ndarray:
    """Levels in dB, `[rows, columns]`; the rows are spaced evenly in log frequency."""
    # near 64 ms: separates notes a semitone apart above middle C
    frame = 2 ** round(np.log2(0.064 * sample_rate_hz))
    audio = np.pad(audio, (0, max(0, frame - len(audio))))
    hop = max(frame // 4, -(-len(audio) // COLUMNS))
    hertz, _, spectrum = scipy.signal.stft(
        audio, fs=sample_rate_hz, window="hann", nperseg=frame, noverlap=frame - min(hop, frame)
    )
    rows_hz = np.geomspace(LOWEST_HZ, sample_rate_hz / 2, ROWS)
    levels = 20.0 * np.log10(np.maximum(np.abs(spectrum), 1e-10))
    below = np.clip(np.searchsorted(hertz, rows_hz, side="right") - 1, 0, len(hertz) - 2)
    weight = ((rows_hz - hertz[below]) / (hertz[below + 1] - hertz[below]))[:, np.newaxis]
    return (1.0 - weight) * levels[below] + weight * levels[below + 1]


def _frequency_ticks(axes: Axes, sample_rate_hz: int) -> None:
    """Labels the octaves; the height 0 is LOWEST_HZ, 1 is half the sample rate."""
    top_hz = sample_rate_hz / 2
    octaves = (63, 125, 250, 500, 1000, 2000, 4000, 8000, 16000)
    shown = [hertz for hertz in octaves if hertz <= top_hz]
    places = np.log(np.array(shown, float) / LOWEST_HZ) / np.log(top_hz / LOWEST_HZ)
    labels = [str(hertz) if hertz < 1000 else f"{hertz // 1000}k" for hertz in shown]
    axes.set_yticks(places, labels)


def _save(figure: Figure, path: Path) -> None:
    """Writes a complete PNG file or none; DataError when the disk refuses."""
    print_figure = FigureCanvasAgg(figure).print_figure
    try:
        write_whole(path, lambda file: print_figure(file, format="png", dpi=110))
    except OSError as error:
        raise DataError(
            f"{path} cannot be written ({error}); free some space or give another output"
        ) from error
