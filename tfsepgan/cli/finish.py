"""What follows a training run: its model scored on the test split, the test stems to listen to, the
exported model."""

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
from tfsepgan.export.exporter import export_bundle
from tfsepgan.files import write_whole
from tfsepgan.models.bundle import Bundle
from tfsepgan.models.saved import open_model
from tfsepgan.separation.naming import safe_name
from tfsepgan.separation.separator import Separator

TEST_SEED = 30_000  # the same test mixtures whatever the run's seed
TEST_SNR_DB = (-6.0, 6.0)
PARITY_SECONDS = 10


def scoring_mixtures(
    catalogue: Catalogue,
    sources: tuple[str, ...],
    sample_rate_hz: int,
    *,
    split: str,
    count: int,
    seconds: float,
    snr_db: tuple[float, float] = TEST_SNR_DB,
) -> list[Mixture]:
    """The fixed mixtures that models are scored on: the same for all models of these sources at
    this rate.

    Args:
      snr_db: range of the first source's level over one to three others, in dB.
      count, seconds: how many, and their length.
    """
    law = DataConfig(sources=sources, sample_rate_hz=sample_rate_hz, law="snr", snr_db=snr_db)
    return fixed_mixtures(catalogue, law, split=split, count=count, seconds=seconds, seed=TEST_SEED)


def score(
    separator: Separator, mixtures: list[Mixture], output: Path, console: Console, **options
) -> Report:
    """Score a separator, print the table, draw plots and pictures.

    Args:
      output: folder for them.
      options: of `evaluate`.
    """
    report = evaluate(
        separator.separate,
        mixtures,
        output,
        sources=separator.sources,
        listener=picture_writer(output / "pictures"),
        console=console,
        **options,
    )
    print_report(report, console=console)
    draw_box_plots(report, output / "scores.png")
    if report.taken(QUALITY_METRICS):
        draw_box_plots(report, output / "quality.png", QUALITY_PANELS)
    return report


def write_separated(separator: Separator, mixtures: list[Mixture], directory: Path) -> None:
    """Separate mixtures and write each with its stems as 32-bit float WAV files, to
    `directory/<mixture>/`.

    Raises: DataError when the disk refuses; the files that are there are whole.
    """
    for item in mixtures:
        parts = {"mixture": item.mixture, **separator.separate(item.mixture, item.sample_rate_hz)}
        for name, audio in parts.items():
            _write_whole(
                directory / safe_name(item.name) / f"{safe_name(name)}.wav",
                audio,
                item.sample_rate_hz,
            )


def _write_whole(path: Path, audio: np.ndarray, sample_rate_hz: int) -> None:
    try:
        write_whole(
            path,
            lambda file: soundfile.write(
                file, audio, sample_rate_hz, subtype="FLOAT", format="WAV"
            ),
            lasting=False,
        )
    # soundfile asserts that all was written
    except (OSError, AssertionError, soundfile.LibsndfileError) as error:
        raise DataError(
            f"Could not write {path}: {error or 'the disk is full'}. Free some space."
        ) from error


def finish(
    directory: Path, mixtures: list[Mixture], recording: np.ndarray, console: Console
) -> None:
    """Score, separate and export the model that a run keeps.

    Args:
      directory: the run's; `test/`, `separated/` and `exported/NAME/` are written below it.
      mixtures: of the test split; none where there is none.
      recording: `[time, channels]` real audio at the model's rate that the exported files are
        compared on.
    """
    bundle = open_model(directory / "model")
    if mixtures:
        separator = Separator(bundle)
        report = score(separator, mixtures, directory / "test", console)
        write_separated(separator, mixtures, directory / "separated")
        console.print(
            f"Separated test mixtures: {directory / 'separated'}", highlight=False, markup=False
        )
        bundle = with_scores(bundle, report)
    else:
        console.print("No test split: nothing was scored.")
    reason = bundle.why_not_exported
    if reason:
        console.print(
            f"Not exported: {reason} tfsepgan-separate takes the run itself.",
            highlight=False,
            markup=False,
        )
        return
    output = directory / "exported" / bundle.manifest.name
    parity = export_bundle(
        bundle, output, recording[: PARITY_SECONDS * bundle.manifest.sample_rate_hz]
    )
    shown = ", ".join(f"{name} {value:.1e}" for name, value in parity.items())
    console.print(
        f"Exported to {output}; largest difference to Keras, of peak: {shown}",
        highlight=False,
        markup=False,
    )


def with_scores(bundle: Bundle, report: Report) -> Bundle:
    """The bundle with the test scores in its manifest, for the card."""
    summary = report.summary()
    told = {
        f"test/{source}/{name}_median_db": summary[source]["model"][metric]["median"]
        for source in bundle.manifest.sources
        for name, metric in (
            ("si_sdr_improvement", "si_sdr_improvement"),
            ("sdr", "sdr"),
            ("sir", "sir"),
            ("sar", "sar"),
        )
        if metric in summary[source]["model"]
    }
    told |= {
        f"test/{source}/si_sdr_improvement_db": summary[source]["model"]["si_sdr_improvement"][
            "mean"
        ]
        for source in bundle.manifest.sources
    }
    told = {
        name: round(value, 2) for name, value in told.items() if not math.isnan(value)
    }  # a source may be silent in every track
    trained = bundle.manifest.trained
    scores = {**trained.get("scores", {}), **told}
    return bundle._replace(manifest=replace(bundle.manifest, trained={**trained, "scores": scores}))
