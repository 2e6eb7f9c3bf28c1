"""SI-SDR gain of models on many mixtures, and how sure it is: 24 mixtures leave half a decibel open, 192 a fifth.

    python tools/score_many.py --data DIR --models runs/a runs/b exported_models/piano [--splits valid test] [--mixtures 192] [--seconds 8]

Fixed mixtures of a split, the target 6 dB below to 6 dB above one to three others, the same for all models. For each model: mean with its
standard error, median, on how many mixtures it is above zero; then its difference from the first model, mixture by mixture. BSS Eval takes
seconds for each mixture and is left to `tfsepgan-evaluate`. The standard error takes the mixtures for independent draws, which those of one
recording are not: `compare_systems.py` and `score_curve.py` count by recording.
"""

import argparse
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from rich.console import Console
from rich.table import Table

from tfsepgan.cli.finish import TEST_SNR_DB
from tfsepgan.config import DataConfig
from tfsepgan.data.recordings.opening import open_catalogue
from tfsepgan.data.references.fixed_mixtures import Mixture, fixed_mixtures
from tfsepgan.errors import ShapeError
from tfsepgan.metrics.waveform import si_sdr_improvement
from tfsepgan.separation.separator import Separator, load

SEED = 11  # other mixtures than those of tfsepgan-evaluate


class Summary(NamedTuple):
    """Gains over some mixtures, in dB."""

    mean: float
    error: float  # standard error of the mean
    median: float
    above: int  # mixtures on which it is above zero
    mixtures: int


def summary(gains: np.ndarray) -> Summary:
    """What is told of gains `[mixtures]`."""
    error = float(np.std(gains, ddof=1) / np.sqrt(len(gains))) if len(gains) > 1 else float("nan")
    return Summary(float(np.mean(gains)), error, float(np.median(gains)), int((gains > 0).sum()), len(gains))


def gains_of(separator: Separator, mixtures: list[Mixture], source: str) -> np.ndarray:
    """SI-SDR gain of a separator on each mixture, dB `[mixtures]`.

    Raises: ShapeError that names the mixture where the source is silent.
    """
    found = []
    for item in mixtures:
        estimate = separator.separate(item.mixture, item.sample_rate_hz)[source]
        try:
            found.append(si_sdr_improvement(item.sources[source], estimate, item.mixture))
        except ShapeError as error:
            raise ShapeError(f"{item.name}: {error}") from error
    return np.array(found)


def mixtures_to_score(
    data: str, source: str, sample_rate_hz: int, splits: Sequence[str], *, count: int, seconds: float, seed: int
) -> Iterator[list[Mixture]]:
    """Fixed mixtures of each split, the target at the levels that models are tested at.

    Raises: DataError when there are none.
    """
    catalogue = open_catalogue(data, (source,))
    law = DataConfig(sources=(source,), sample_rate_hz=sample_rate_hz, law="snr", snr_db=TEST_SNR_DB)
    for split in splits:
        yield fixed_mixtures(catalogue, law, split=split, count=count, seconds=seconds, seed=seed)


def table_of(title: str, *heads: str) -> Table:
    """A table for `cells`, whose first columns are `heads`; what is a number is to the right."""
    table = Table(title=title)
    for head in (*heads, "mean", "median", "above zero", "over the first"):
        table.add_column(head, justify="left" if head == "model" else "right")
    return table


def cells(gains: np.ndarray, first: np.ndarray) -> tuple[str, str, str, str]:
    """What a table tells of gains, dB `[mixtures]`, and of their difference from those of the first row."""
    all_, over = summary(gains), summary(gains - first)
    return (
        f"{all_.mean:+.2f} ± {all_.error:.2f}",
        f"{all_.median:+.2f}",
        f"{all_.above} of {all_.mixtures}",
        f"{over.mean:+.2f} ± {over.error:.2f}",
    )


def wide_console() -> Console:
    """A console that cuts no table where its output goes to a file."""
    return Console() if Console().is_terminal else Console(width=120)


def main() -> None:
    """Score the models and show a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="folder of recordings")
    parser.add_argument(
        "--models",
        nargs="+",
        required=True,
        help="runs, model folders or names; the first is what others are compared with",
    )
    parser.add_argument("--splits", nargs="+", default=["valid", "test"])
    parser.add_argument("--mixtures", type=int, default=192, help="of each split")
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--output", type=Path, help="JSON file for all numbers")
    options = parser.parse_args()
    console = wide_console()
    first = load(options.models[0])
    source, written = first.sources[0], {}
    amount = {"count": options.mixtures, "seconds": options.seconds, "seed": SEED}
    drawn = mixtures_to_score(options.data, source, first.sample_rate_hz, options.splits, **amount)
    for split, mixtures in zip(options.splits, drawn, strict=True):
        title = f"{split}: {len(mixtures)} mixtures of {options.seconds:g} s, SI-SDR gain of {source}, dB"
        table, plain = table_of(title, "model"), None
        for model in options.models:
            gains = gains_of(load(model), mixtures, source)
            plain = gains if plain is None else plain
            table.add_row(model, *cells(gains, plain))
            written[f"{model}, {split}"] = {
                **summary(gains)._asdict(),
                "over_first": summary(gains - plain)._asdict(),
                "gains": np.round(gains, 3).tolist(),
            }
        console.print(table)
    if options.output:
        options.output.write_text(json.dumps(written, indent=1))


if __name__ == "__main__":
    main()
