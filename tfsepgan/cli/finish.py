"""What follows a training run: its model scored on the test split, the test stems to listen to, the exported model."""

from pathlib import Path

import numpy as np
import soundfile
from rich.console import Console

from tfsepgan.config import DataConfig, Experiment
from tfsepgan.data.catalogue import Catalogue
from tfsepgan.data.mixtures import Mixture, fixed_mixtures
from tfsepgan.errors import DataError
from tfsepgan.evaluation.plots import draw_box_plots, picture_writer
from tfsepgan.evaluation.records import Report
from tfsepgan.evaluation.report import print_report
from tfsepgan.evaluation.score import evaluate
from tfsepgan.export.exporter import export_bundle
from tfsepgan.networks.bundle import load_bundle
from tfsepgan.separation.naming import safe_name
from tfsepgan.separation.separator import Separator

TEST_SEED = 30_000  # the same test mixtures whatever the run's seed
PARITY_SECONDS = 10


def test_mixtures(catalogue: Catalogue, config: DataConfig, *, split: str, count: int, seconds: float) -> list[Mixture]:
    """The fixed mixtures that a model is scored on; the same for every model of this rate and these sources."""
    return fixed_mixtures(catalogue, config, split=split, count=count, seconds=seconds, seed=TEST_SEED)


def write_stems(stems: dict[str, np.ndarray], directory: Path, sample_rate_hz: int) -> None:
    """Write named waveforms `[time, channels]` as 32-bit float WAV files.

    Raises: DataError when the disk refuses.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name, audio in stems.items():
            soundfile.write(directory / f"{safe_name(name)}.wav", audio, sample_rate_hz, subtype="FLOAT")
    except (OSError, soundfile.LibsndfileError) as error:
        raise DataError(f"Could not write stems to {directory}: {error}. Free some space.") from error


def score(
    separator: Separator,
    mixtures: list[Mixture],
    output: Path,
    console: Console,
    *,
    stems: Path | None = None,
    bss: bool = True,
    workers: int = 2,
) -> Report:
    """Score a separator, print the table, draw plots and pictures; also write what it separated where `stems` is given."""
    draw = picture_writer(output / "pictures")

    def look_and_keep(item: Mixture, estimates) -> None:
        draw(item, estimates)
        if stems is not None:
            parts = {"mixture": item.mixture, **estimates}
            write_stems(parts, stems / safe_name(item.name), item.sample_rate_hz)

    report = evaluate(
        separator.separate,
        mixtures,
        output,
        sources=separator.sources,
        workers=workers,
        bss=bss,
        listener=look_and_keep,
        console=console,
    )
    print_report(report, console=console)
    draw_box_plots(report, output / "scores.png")
    return report


def finish(
    experiment: Experiment,
    catalogue: Catalogue,
    directory: Path,
    console: Console,
    *,
    count: int,
    seconds: float,
) -> None:
    """Score, separate and export the best model of a run.

    Args:
      directory: the run's; `test/`, `separated/` and `exported/NAME/` are written below it.
      count, seconds: test mixtures and their length.
    """
    bundle = load_bundle(directory / "model")
    separator = Separator(bundle)
    split = "test" if "test" in catalogue.splits else "train"
    mixtures = test_mixtures(catalogue, experiment.data, split=split, count=count, seconds=seconds)
    if split == "test":
        score(separator, mixtures, directory / "test", console, stems=directory / "separated")
        console.print(f"Separated test mixtures: {directory / 'separated'}", highlight=False)
    else:
        console.print("No test split: nothing was scored.")
    audio = mixtures[0].mixture[: PARITY_SECONDS * mixtures[0].sample_rate_hz]
    output = directory / "exported" / safe_name(bundle.manifest.name)
    parity = export_bundle(bundle, output, audio)
    shown = ", ".join(f"{name} {value:.1e}" for name, value in parity.items())
    console.print(f"Exported to {output}; largest difference to Keras, of peak: {shown}", highlight=False)
