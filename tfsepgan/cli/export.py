"""`tfsepgan-export`: a trained generator as SavedModel, TFLite and model card, once all of them
agree."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import tyro

from tfsepgan.cli.command import command
from tfsepgan.cli.settings import read_file
from tfsepgan.errors import ConfigError
from tfsepgan.quiet import quiet_tensorflow

CALIBRATION_MIXTURES, JUDGED_MIXTURES = 3, 3  # of PARITY_SECONDS each


@dataclass(frozen=True, kw_only=True)
class ExportOptions:
    """Export a run's model. Nothing is written unless Keras, SavedModel and TFLite give the same
    numbers on real audio."""

    run: str
    """Run (the model it keeps is taken) or model folder."""
    output: str
    """Folder to make, such as exported_models/NAME; its last part becomes the model's name."""
    facts: str | None = None
    """YAML file of what else the card should say: licence, origin and licences of the recordings,
    limits, scores."""
    audio: str | None = None
    """Recording that the files are compared on; default: a mixture of the packaged recordings.
    A model that makes sounds needs none."""
    max_request_seconds: float = 120.0
    """How much the SavedModel takes in a request, all channels and recordings together; more is
    refused (docs/serving.md)."""
    serving: str | None = None
    """Folder for what a server is set up with: TF Serving's configuration, a compose file and a
    Kubernetes manifest."""
    variants: tuple[Literal["dynamic", "int8", "stream", "stream.fp16", "stream.dynamic"], ...] = ()
    """TFLite files to make besides float32 and float16: with 8-bit weights, for streaming, or both
    (docs/ondevice.md)."""
    stream_block: int = 0
    """Samples of a block of the streaming files, a multiple of the model's hop; 0 takes the
    shortest of at least 1024."""


def _export(arguments, console):
    options = tyro.cli(ExportOptions, args=arguments, prog="tfsepgan-export")
    from tfsepgan.models.folders import find_bundle

    folder = find_bundle(options.run)
    quiet_tensorflow()
    from tfsepgan.export.exporter import export_bundle
    from tfsepgan.export.savedmodel.signatures import RequestLimits
    from tfsepgan.export.synthesis import export_synthesis
    from tfsepgan.models.saved import open_model
    from tfsepgan.serving.deployment import write_server_files

    bundle = open_model(folder)
    if bundle.manifest.kind == "synthesis" and options.variants:
        raise ConfigError(
            "--variants are of models that separate; this one makes sounds. Leave them out."
        )
    limits = RequestLimits(max_request_seconds=options.max_request_seconds)
    facts = read_file(options.facts)
    bundle = bundle._replace(
        manifest=replace(bundle.manifest, trained=with_facts(bundle.manifest.trained, facts))
    )
    with console.status("exporting") as status:
        if bundle.manifest.kind == "synthesis":
            parity = export_synthesis(*bundle, Path(options.output), report=status.update)
        else:
            audio = parity_audio(options.audio, bundle.manifest)
            files = on_device(options, bundle.manifest, audio)
            parity = export_bundle(
                bundle,
                Path(options.output),
                audio,
                limits=limits,
                on_device=files,
                report=status.update,
            )
    for name, value in parity.items():
        console.print(f"  {name}: largest difference to Keras {value:.1e} of peak", highlight=False)
    console.print(f"Exported to {options.output}", markup=False)
    if options.serving is not None:
        write_server_files(options.serving, [options.output])
        console.print(f"Configuration of a server: {options.serving}", markup=False)


def with_facts(trained: dict[str, Any], facts: dict[str, Any]) -> dict[str, Any]:
    """What a model tells of itself and what a file tells of it; tables such as `scores` are put
    together.

    Raises: ConfigError when they contradict each other.
    """
    both = facts | trained
    for name in facts.keys() & trained.keys():
        mine, theirs = facts[name], trained[name]
        if isinstance(mine, dict) and isinstance(theirs, dict):
            both[name] = with_facts(theirs, mine)
        elif mine != theirs:
            raise ConfigError(
                f"--facts says {name}: {mine!r}, the model itself {theirs!r}. Leave it out of the"
                " file, or give it another name there."
            )
    return both


def parity_audio(path: str | None, manifest):
    """Ten seconds of real audio at a model's rate, `[time, channels]`: of the recording given, or
    of the packaged ones."""
    from tfsepgan.audio.decoding import decode
    from tfsepgan.cli.finish import PARITY_SECONDS
    from tfsepgan.config import DataConfig
    from tfsepgan.data.recordings.opening import open_catalogue
    from tfsepgan.data.references.fixed_mixtures import fixed_mixtures

    if path is not None:
        return decode(path, manifest.sample_rate_hz)[: PARITY_SECONDS * manifest.sample_rate_hz]
    config = DataConfig(sample_rate_hz=manifest.sample_rate_hz, law="snr")
    demo = open_catalogue("demo", config.sources)
    return fixed_mixtures(demo, config, split="test", count=1, seconds=PARITY_SECONDS)[0].mixture


def on_device(options: ExportOptions, manifest, audio):
    """Which TFLite files to make, and what quantised ones are made and judged with: the packaged
    recordings, or for ranges the recording given."""
    from tfsepgan.cli.finish import PARITY_SECONDS
    from tfsepgan.config import DataConfig
    from tfsepgan.data.recordings.opening import open_catalogue
    from tfsepgan.data.references.fixed_mixtures import fixed_mixtures
    from tfsepgan.export.tflite.files import OnDevice
    from tfsepgan.export.tflite.variants import Rehearsal

    if not options.variants:
        return OnDevice()
    config = DataConfig(sample_rate_hz=manifest.sample_rate_hz, law="snr")
    demo = open_catalogue("demo", config.sources)
    kind = {"config": config, "seconds": PARITY_SECONDS}
    judged = fixed_mixtures(demo, split="test", count=JUDGED_MIXTURES, **kind)
    calibration = (audio,)
    if options.audio is None:
        heard = fixed_mixtures(demo, split="valid", count=CALIBRATION_MIXTURES, **kind)
        calibration = tuple(one.mixture for one in heard)
    rehearsal = Rehearsal(calibration=calibration, mixtures=tuple(judged))
    return OnDevice(variants=options.variants, block=options.stream_block, rehearsal=rehearsal)


main = command(_export)

if __name__ == "__main__":
    raise SystemExit(main())
