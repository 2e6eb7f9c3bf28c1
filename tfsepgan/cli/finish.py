"""The end of a training run: score the model on the test split, write stems or sounds, export."""

from pathlib import Path

import numpy as np
from rich.console import Console

from tfsepgan.cli.command import say
from tfsepgan.cli.sounds import sound_names, write_sounds
from tfsepgan.data.recordings.catalogue import Catalogue
from tfsepgan.data.references.fixed_mixtures import Mixture
from tfsepgan.evaluation.scoring import score, with_scores, write_separated
from tfsepgan.evaluation.sounds import SOUNDS, show_distances, spectral_distances
from tfsepgan.export.exporter import export_bundle
from tfsepgan.export.rehearsal import PARITY_SECONDS
from tfsepgan.export.synthesis import export_synthesis
from tfsepgan.models.saved import open_model
from tfsepgan.separation.separator import Separator

WRITTEN_SOUNDS = 16
SOUNDS_SEED = 30_000  # the same latents whatever the seed of the run


def finish(
    directory: Path, mixtures: list[Mixture], recording: np.ndarray, console: Console
) -> None:
    """Score, separate and export the model that a run keeps.

    Args:
      directory: the run; `test/`, `separated/` and `exported/NAME/` are written below it.
      mixtures: of the test split; empty without a test split.
      recording: `[time, channels]`, real audio at the model's rate; the exported files are compared
        on it.
    """
    bundle = open_model(directory / "model")
    if mixtures:
        separator = Separator(bundle)
        report = score(separator, mixtures, directory / "test", console)
        write_separated(separator, mixtures, directory / "separated")
        bundle = with_scores(bundle, report)
    else:
        console.print("No test split: nothing was scored.")
    reason = bundle.why_not_exported
    if reason:
        say(console, f"Not exported: {reason} tfsepgan-separate takes the run itself.")
        return
    output = directory / "exported" / bundle.manifest.name
    audio = recording[: PARITY_SECONDS * bundle.manifest.sample_rate_hz]
    _print_parity(console, output, export_bundle(bundle, output, audio))


def finish_synthesis(directory: Path, system, catalogue: Catalogue, console: Console) -> None:
    """Write sounds, compare their spectra with the test split, export the model that a run keeps.

    Args:
      directory: the run; `sounds/` (replaced if present) and `exported/NAME/` are written below it.
      system: the trained system of the run.
      catalogue: the recordings.
      console: the table is printed on it.
    """
    data = system.experiment.data
    model, manifest = open_model(directory / "model")
    sounds = model.generate(SOUNDS, seed=SOUNDS_SEED)
    folder, names = directory / "sounds", sound_names(WRITTEN_SOUNDS, SOUNDS_SEED)
    write_sounds(folder, names, sounds[:WRITTEN_SOUNDS], data.sample_rate_hz)
    say(console, f"Sounds to listen to: {folder}")
    if data.sources[0] in catalogue.splits.get("test", {}):
        lines, left_out = spectral_distances(sounds[:, :, 0], catalogue, data)
        show_distances(lines, left_out, data.sources[0], "test", console)
        manifest.trained.setdefault("scores", {})
        manifest.trained["scores"] |= {
            f"test/spectral_distance_db/{line.name}": round(line.made_db, 2) for line in lines
        }
    else:
        say(console, f"No test split of {data.sources[0]}: nothing was compared.")
    output = directory / "exported" / manifest.name
    _print_parity(console, output, export_synthesis(model, manifest, output))


def _print_parity(console: Console, output: Path, parity: dict[str, float]) -> None:
    shown = ", ".join(f"{name} {value:.1e}" for name, value in parity.items())
    say(console, f"Exported to {output}; largest difference to Keras, of peak: {shown}")
