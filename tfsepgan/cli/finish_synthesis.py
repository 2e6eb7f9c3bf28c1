"""What follows a run that learnt to make sounds: some of them to listen to, whose they are by their
spectra, the exported model."""

from pathlib import Path

from rich.console import Console

from tfsepgan.cli.sounds import sound_names, write_sounds
from tfsepgan.data.recordings.catalogue import Catalogue
from tfsepgan.evaluation.sounds import SOUNDS, show_distances, spectral_distances
from tfsepgan.export.synthesis import export_synthesis
from tfsepgan.models.saved import open_model

WRITTEN = 16  # sounds to listen to
FINISHING_SEED = 30_000  # the same latents whatever the run's seed


def finish_synthesis(directory: Path, system, catalogue: Catalogue, console: Console) -> None:
    """Write sounds, compare their spectra with the test split's, and export the model that a run
    keeps.

    Args:
      directory: the run's; `sounds/`, replaced where they are there, and `exported/NAME/` are
        written below it.
      system: the run's, as it was trained last.
      catalogue: the recordings.
      console: where the table goes.
    """
    data = system.experiment.data
    model, manifest = open_model(directory / "model")
    sounds = model.generate(SOUNDS, seed=FINISHING_SEED)
    folder = directory / "sounds"
    write_sounds(
        folder, sound_names(WRITTEN, FINISHING_SEED), sounds[:WRITTEN], data.sample_rate_hz
    )
    console.print(f"Sounds to listen to: {folder}", markup=False, highlight=False)
    if data.sources[0] in catalogue.splits.get("test", {}):
        lines, left_out = spectral_distances(sounds[:, :, 0], catalogue, data)
        show_distances(lines, left_out, data.sources[0], "test", console)
        manifest.trained.setdefault("scores", {})
        manifest.trained["scores"] |= {
            f"test/spectral_distance_db/{line.name}": round(line.made_db, 2) for line in lines
        }
    else:
        console.print(f"No test split of {data.sources[0]}: nothing was compared.", markup=False)
    output = directory / "exported" / manifest.name
    parity = export_synthesis(model, manifest, output)
    shown = ", ".join(f"{name} {value:.1e}" for name, value in parity.items())
    console.print(
        f"Exported to {output}; largest difference to Keras, of peak: {shown}",
        highlight=False,
        markup=False,
    )
