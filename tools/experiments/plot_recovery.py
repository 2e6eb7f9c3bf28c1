"""Recovery of windows from linear measurements by a compressed_sensing model, by their number.

    python tools/experiments/plot_recovery.py --model RUN_OR_MODEL --data DIR_OR_demo \\
        --output FOLDER [--measurements 8 32 128 512 2048] [--windows 16] [--iterations 300] \\
        [--restarts 2] [--split test] [--noise 0] [--seed 0]

Writes FOLDER/recovery.png, recovery.md and recovery.json: the errors of recovery, and the effect of
the start of the search on mixtures.

There are two kinds of windows: outputs of the generator for random latents ("in range": only the
search can fail), and windows of unseen recordings of the first source ("held out": the generator's
range can fail too). Each is searched from random latents and from the encoder's latents, equally
often. The paper's baseline without a generator is the Lasso on the cosines of the windows. Mixtures
are separated by searches of several lengths, each from one start: the encoder's latents or random
ones.

Source: Bora, Jalal, Price & Dimakis 2017, arXiv:1703.03208, figure 1 (error against number of
measurements) and its figure of signals in the range of the generator.
"""

import argparse
import json
import os
import warnings
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import scipy.fft
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from rich.console import Console

from tfsepgan.data.recordings.opening import open_catalogue
from tfsepgan.data.references.fixed_mixtures import fixed_mixtures
from tfsepgan.dsp.measurements import gaussian_matrix, measure, relative_error
from tfsepgan.errors import ConfigError
from tfsepgan.losses.recovery import loudness_distance
from tfsepgan.metrics.waveform import si_sdr_improvement
from tfsepgan.models.saved import load_trained
from tfsepgan.systems.compressed_sensing import CompressedSensing
from tfsepgan.systems.crops import gain_to_level

LASSO_WEIGHT = 0.1  # of the paper, for images in [-1, 1]; scaled by the level of the windows
MIXTURES = 24  # of six seconds
LENGTHS_OF_SEARCH = (0, 3, 30, 100)
METHODS = ("encoder start", "random start", "Lasso on cosines")
COLOURS = ("#2f6db3", "#e39a2d", "#9a9a9a")


def searching(trained: CompressedSensing, **search) -> CompressedSensing:
    """The trained system with other settings of the search."""
    system = CompressedSensing(replace(trained.experiment, model=replace(trained.config, **search)))
    for name, network in system.shipped.items():
        network.set_weights(trained.shipped[name].get_weights())
    return system


def gains_by_start(
    trained: CompressedSensing, data: str, split: str, seed: int, report
) -> list[dict]:
    """Median gain in SI-SDR of the first source, for each start and length of the search."""
    config = replace(trained.experiment.data, data=data)
    catalogue, rows = open_catalogue(data, config.sources), []
    mixtures = fixed_mixtures(catalogue, config, split=split, count=MIXTURES, seed=seed)
    for iterations in LENGTHS_OF_SEARCH:
        for encoder_start in (True, False):
            system = searching(
                trained, iterations=iterations, restarts=1, encoder_start=encoder_start
            )
            gains = []
            for one in mixtures:
                estimate = np.asarray(system.separate(one.mixture[None]))[0, 0]
                gains.append(
                    si_sdr_improvement(one.sources[config.sources[0]], estimate, one.mixture)
                )
            rows.append(
                {
                    "iterations": iterations,
                    "encoder_start": encoder_start,
                    "gain_db": float(np.median(gains)),
                }
            )
            report(f"mixtures: {rows[-1]}")
    return rows


def windows_in_range(system: CompressedSensing, count: int, seed: int) -> np.ndarray:
    """Outputs of the first source's generator for random latents, `[count, window]`."""
    latents = (
        np.random.default_rng(seed)
        .uniform(-1, 1, (count, system.config.generator.latent))
        .astype(np.float32)
    )
    return np.asarray(system.shipped["generator"].get_layer("maker0")(latents, training=False))[
        ..., 0
    ]


def windows_held_out(
    system: CompressedSensing, data: str, split: str, count: int, seed: int
) -> np.ndarray:
    """Windows of the first source, `[count, window]`, at the level of the model's settings."""
    config = replace(system.experiment.data, data=data)
    window, source = config.window, config.sources[0]
    catalogue = open_catalogue(data, config.sources)
    seconds = (window + 1) / config.sample_rate_hz
    mixtures = fixed_mixtures(
        catalogue, config, split=split, count=count, seconds=seconds, seed=seed
    )
    windows = np.stack([item.sources[source][:window] for item in mixtures])
    return np.asarray(windows * gain_to_level(windows, system.config.level_dbfs))[..., 0]


def lasso(measurements: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Windows with few cosines that explain the measurements, `[batch, window]`."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import Lasso

    # A x = (A C^T)(C x) with orthonormal cosines C
    of_cosines = scipy.fft.dct(matrix, axis=1, norm="ortho")
    # scikit-learn halves and averages the squared error; the level replaces the images' range.
    level = np.sqrt(np.mean(measurements**2))
    model = Lasso(alpha=LASSO_WEIGHT * level / len(matrix), fit_intercept=False, max_iter=300)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        found = np.stack(
            [model.fit(of_cosines, measured).coef_.copy() for measured in measurements]
        )
    return scipy.fft.idct(found, axis=1, norm="ortho")


def spectral_error(system: CompressedSensing, windows: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Mean difference of levels over bins and frames, in dB, `[batch]`, without phase."""
    powers = [system.power(np.float32(x)[..., None]) for x in (windows, found)]
    return np.asarray(loudness_distance(*powers)) * 10 * 10 / np.log(10)


def errors_of(
    system: CompressedSensing,
    windows: np.ndarray,
    counts: list[int],
    noise: float,
    seed: int,
    report,
) -> dict:
    """Median errors of every method at every number of measurements."""
    rows = {method: [] for method in METHODS}
    for count in counts:
        matrix = gaussian_matrix(count, windows.shape[1], seed=seed + count)
        measurements = measure(windows, matrix, noise=noise, seed=seed)
        found = {
            METHODS[0]: system.recover(measurements, matrix, encoder_start=True)[0],
            METHODS[1]: system.recover(measurements, matrix, encoder_start=False)[0],
            METHODS[2]: lasso(measurements, matrix),
        }
        for method, recovered in found.items():
            waveform = np.median(relative_error(windows, recovered))
            rows[method].append(
                {
                    "m": count,
                    "waveform": float(waveform),
                    "spectrum_db": float(np.median(spectral_error(system, windows, recovered))),
                }
            )
        report(
            f"m = {count}: "
            + ", ".join(f"{method} {rows[method][-1]['waveform']:.3g}" for method in METHODS)
        )
    return rows


def draw(results: dict, path: Path) -> None:
    """Plot errors by number of measurements: columns for kinds of windows, rows for errors."""
    figure = Figure(figsize=(9, 7), layout="constrained")
    panels = figure.subplots(2, len(results), sharex=True, squeeze=False)
    for column, (kind, rows) in enumerate(results.items()):
        for row, (error, label) in enumerate(
            (("waveform", "squared error / energy"), ("spectrum_db", "spectral error, dB"))
        ):
            axes = panels[row][column]
            for (method, points), colour in zip(rows.items(), COLOURS, strict=True):
                axes.plot(
                    [p["m"] for p in points],
                    [max(p[error], 1e-6) for p in points],
                    "o-",
                    color=colour,
                    label=method,
                )
            axes.set_xscale("log", base=2)
            axes.set_yscale("log" if error == "waveform" else "linear")
            axes.set_ylabel(label)
            axes.grid(alpha=0.3)
        panels[0][column].set_title(kind)
        panels[1][column].set_xlabel("measurements")
    panels[0][0].legend(frameon=False)
    FigureCanvasAgg(figure).print_png(path)


def table(results: dict, gains: list[dict]) -> str:
    """Markdown: errors of every method by number of measurements, gains by length of search."""
    lines = [
        "mixtures: median gain in SI-SDR, dB",
        "",
        "| iterations | encoder start | random start |",
        "|---|---|---|",
    ]
    for of_encoder, of_chance in zip(gains[::2], gains[1::2], strict=True):
        lines.append(
            f"| {of_encoder['iterations']} | {of_encoder['gain_db']:+.2f} "
            f"| {of_chance['gain_db']:+.2f} |"
        )
    lines.append("")
    for kind, rows in results.items():
        lines += [f"{kind}: squared error over energy (spectral error in dB), medians", ""]
        lines += ["| m | " + " | ".join(METHODS) + " |", "|---" * (len(METHODS) + 1) + "|"]
        for points in zip(*rows.values(), strict=True):
            cells = [f"{point['waveform']:.3g} ({point['spectrum_db']:.1f})" for point in points]
            lines.append(f"| {points[0]['m']} | " + " | ".join(cells) + " |")
        lines.append("")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", required=True)
    parser.add_argument("--data", default="demo")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--measurements", type=int, nargs="+", default=[8, 32, 128, 512, 2048])
    parser.add_argument("--windows", type=int, default=16)
    parser.add_argument("--iterations", type=int, default=300)
    parser.add_argument("--restarts", type=int, default=2)
    parser.add_argument("--split", default="test")
    parser.add_argument("--noise", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    console = Console()

    trained = load_trained(options.model)
    if not isinstance(trained, CompressedSensing):
        raise ConfigError(
            f"{options.model} is a {trained.experiment.system} model; wanted compressed_sensing."
        )
    system = searching(trained, iterations=options.iterations, restarts=options.restarts)
    windows = {
        "in range": windows_in_range(system, options.windows, options.seed),
        "held out": windows_held_out(
            system, options.data, options.split, options.windows, options.seed
        ),
    }
    gains = gains_by_start(trained, options.data, options.split, options.seed, console.print)
    results = {}
    for kind, signals in windows.items():
        console.print(f"{kind}: {len(signals)} windows of {signals.shape[1]} samples")
        results[kind] = errors_of(
            system, signals, options.measurements, options.noise, options.seed, console.print
        )
    options.output.mkdir(parents=True, exist_ok=True)
    draw(results, options.output / "recovery.png")
    (options.output / "recovery.md").write_text(table(results, gains))
    flags = {
        name: value if not isinstance(value, Path) else str(value)
        for name, value in vars(options).items()
    }
    (options.output / "recovery.json").write_text(
        json.dumps({"options": flags, "results": results, "mixtures": gains}, indent=1) + "\n"
    )
    console.print(table(results, gains), markup=False)


if __name__ == "__main__":
    main()
