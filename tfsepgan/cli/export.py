"""`tfsepgan-export`: a trained generator as SavedModel, TFLite and model card, once all of them agree."""

from dataclasses import dataclass, replace
from pathlib import Path

import tyro

from tfsepgan.cli.command import command, quiet_tensorflow
from tfsepgan.cli.settings import read_file


@dataclass(frozen=True, kw_only=True)
class ExportOptions:
    """Export a run's model. Nothing is written unless Keras, SavedModel and TFLite give the same numbers on real audio."""

    run: str
    """Run (the model it keeps is taken) or model folder."""
    output: str
    """Folder to make, such as exported_models/NAME; its last part becomes the model's name."""
    facts: str | None = None
    """YAML file of what else the card should say: licence, origin and licences of the recordings, limits, scores."""
    audio: str | None = None
    """Recording that the files are compared on; default: a mixture of the packaged recordings.
    A model that makes sounds needs none."""


def _export(arguments, console):
    options = tyro.cli(ExportOptions, args=arguments, prog="tfsepgan-export")
    from tfsepgan.networks.folders import find_bundle

    folder = find_bundle(options.run)
    quiet_tensorflow()
    from tfsepgan.export.exporter import export_bundle
    from tfsepgan.export.synthesis import export_synthesis
    from tfsepgan.systems.trained import open_model

    bundle = open_model(folder)
    facts = read_file(options.facts)
    bundle = bundle._replace(manifest=replace(bundle.manifest, trained=facts | bundle.manifest.trained))
    with console.status("exporting") as status:
        if bundle.manifest.kind == "synthesis":
            parity = export_synthesis(*bundle, Path(options.output), report=status.update)
        else:
            audio = parity_audio(options.audio, bundle.manifest)
            parity = export_bundle(bundle, Path(options.output), audio, report=status.update)
    for name, value in parity.items():
        console.print(f"  {name}: largest difference to Keras {value:.1e} of peak", highlight=False)
    console.print(f"Exported to {options.output}", markup=False)


def parity_audio(path: str | None, manifest):
    """Ten seconds of real audio at a model's rate, `[time, channels]`: of the recording given, or of the packaged ones."""
    from tfsepgan.cli.catalogue import open_catalogue
    from tfsepgan.cli.finish import PARITY_SECONDS
    from tfsepgan.config import DataConfig
    from tfsepgan.data.decoding import decode
    from tfsepgan.data.mixtures import fixed_mixtures

    if path is not None:
        return decode(path, manifest.sample_rate_hz)[: PARITY_SECONDS * manifest.sample_rate_hz]
    config = DataConfig(sample_rate_hz=manifest.sample_rate_hz, law="snr")
    demo = open_catalogue("demo", config.sources)
    return fixed_mixtures(demo, config, split="test", count=1, seconds=PARITY_SECONDS)[0].mixture


main = command(_export)

if __name__ == "__main__":
    raise SystemExit(main())
