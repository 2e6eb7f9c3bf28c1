"""Scores a separator on the fixed mixtures of a split and writes the report, plots and stems."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import soundfile
from rich.console import Console

from tfsepgan.config import DataConfig
from tfsepgan.data.recordings.catalogue import Catalogue
from tfsepgan.data.references.fixed_mixtures import Mixture, fixed_mixtures
from tfsepgan.errors import DataError
from tfsepgan.evaluation.plots import QUALITY_PANELS, draw_box_plots, picture_writer
from tfsepgan.evaluation.records import QUALITY_METRICS, Report
from tfsepgan.evaluation.report import print_report
from tfsepgan.evaluation.score import evaluate
from tfsepgan.files import write_whole
from tfsepgan.models.bundle import Bundle
from tfsepgan.separation.naming import safe_name
from tfsepgan.separation.separator import Separator

TEST_SEED = 30_000  # the same test mixtures whatever the seed of the run
TEST_SNR_DB = (-6.0, 6.0)
CARD_METRICS = ("si_sdr_improvement", "sdr", "sir", "sar")  # medians in the model card


def scoring_mixtures(
    catalogue: Catalogue,
    sources: tuple[str, ...],
    sample_rate_hz: int,
    *,
    split: str,
    count: int,
    seconds: float,
    snr_db: tuple[float, float] = TEST_SNR_DB,
    seed: int = TEST_SEED,
) -> list[Mixture]:
    """Make the fixed mixtures that models are scored on.

    All models with these sources and this rate get the same mixtures.

    Args:
      count, seconds: how many mixtures, and their length.
      snr_db: range of the level of the first source over one to three others, in dB.
      seed: the same seed gives the same mixtures.
    Raises: DataError when the split lacks a source or a file cannot be decoded.
    """
    law = DataConfig(sources=sources, sample_rate_hz=sample_rate_hz, law="snr", snr_db=snr_db)
    return fixed_mixtures(catalogue, law, split=split, count=count, seconds=seconds, seed=seed)


def score(
    separator: Separator, mixtures: list[Mixture], output: Path, console: Console, **options
) -> Report:
    """Score a separator, print the table, draw plots and pictures.

    Args:
      output: folder for the report, the plots and the pictures.
      options: further arguments of `evaluate`.
    """
    options |= {"sources": separator.sources, "listener": picture_writer(output / "pictures")}
    report = evaluate(separator.separate, mixtures, output, console=console, **options)
    print_report(report, console=console)
    draw_box_plots(report, output / "scores.png")
    if report.taken(QUALITY_METRICS):
        draw_box_plots(report, output / "quality.png", QUALITY_PANELS)
    return report


def write_separated(separator: Separator, mixtures: list[Mixture], directory: Path) -> None:
    """Separate mixtures; write each with its stems to `directory/<mixture>/`.

    The files are WAV, 32-bit float: `mixture`, the estimates, and the true sources as NAME-true.

    Raises: DataError when a file cannot be written; the files written before it are complete.
    """
    for item in mixtures:
        sounds = {"mixture": item.mixture, **separator.separate(item.mixture, item.sample_rate_hz)}
        sounds |= {f"{name}-true": audio for name, audio in item.sources.items()}
        for name, audio in sounds.items():
            path = directory / safe_name(item.name) / f"{safe_name(name)}.wav"
            _write_whole(path, audio, item.sample_rate_hz)


def _write_whole(path: Path, audio: np.ndarray, sample_rate_hz: int) -> None:
    def write(file) -> None:
        soundfile.write(file, audio, sample_rate_hz, subtype="FLOAT", format="WAV")

    try:
        write_whole(path, write, lasting=False)
    # soundfile asserts that every sample was written
    except (OSError, AssertionError, soundfile.LibsndfileError) as error:
        raise DataError(
            f"Could not write {path}: {error or 'the disk is full'}. Free some space."
        ) from error


def with_scores(bundle: Bundle, report: Report) -> Bundle:
    """Return the bundle with the test scores in its manifest, where the model card takes them."""
    summary = report.summary()
    found = {}
    for source in bundle.manifest.sources:
        scores = summary[source]["model"]
        for metric in CARD_METRICS:
            if metric in scores:
                found[f"test/{source}/{metric}_median_db"] = scores[metric]["median"]
    for source in bundle.manifest.sources:
        mean = summary[source]["model"]["si_sdr_improvement"]["mean"]
        found[f"test/{source}/si_sdr_improvement_db"] = mean
    # NaN where a source is silent in every track
    found = {name: round(value, 2) for name, value in found.items() if not math.isnan(value)}
    trained = bundle.manifest.trained
    scores = trained.get("scores", {}) | found
    return bundle._replace(manifest=replace(bundle.manifest, trained={**trained, "scores": scores}))
