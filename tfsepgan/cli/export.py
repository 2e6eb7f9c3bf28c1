"""`tfsepgan-export`: writes a model as SavedModel, TFLite and card if all give the same output."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from tfsepgan.cli.command import command, say
from tfsepgan.cli.flags import read_options
from tfsepgan.cli.settings import read_file
from tfsepgan.errors import ConfigError
from tfsepgan.quiet import quiet_tensorflow

Variant = Literal[
    "dynamic",
    "int8",
    "stream",
    "stream.fp16",
    "stream.dynamic",
    "web",
    "web.float32",
    "web.gpu",
]


@dataclass(frozen=True, kw_only=True)
class ExportOptions:
    """Export the model of a run as SavedModel and TFLite, with a model card.

    Nothing is written unless Keras, SavedModel and TFLite give the same output on real audio.
    """

    run: str
    """Run (its model is exported) or model folder."""
    output: str
    """Folder to create, such as exported_models/NAME; NAME becomes the name of the model."""
    facts: str | None = None
    """YAML file with further facts for the model card: licence, origin and licences of the
    recordings, limits, scores."""
    audio: str | None = None
    """Recording on which the exported files are compared; default: a mixture of the packaged
    recordings. A model that generates sounds needs none."""
    max_request_seconds: float = 120.0
    """Longest request that the SavedModel accepts, in seconds: the sum over all channels and
    recordings. Longer requests are refused (docs/serving.md)."""
    serving: str | None = None
    """Folder for server files: TF Serving's configuration, a compose file and a Kubernetes
    manifest."""
    variants: tuple[Variant, ...] = ()
    """TFLite files in addition to float32 and float16: with 8-bit weights, for streaming, or both,
    and for browsers (docs/ondevice.md)."""
    only_variants: bool = False
    """Make the TFLite files of --variants only: no SavedModel, no float32 and no float16 file
    (docs/export.md)."""
    stream_block: int = 0
    """Block length of the streaming files in samples, a multiple of the model's hop; 0 takes the
    shortest of at least 1024, for browsers of at least 65536."""
    web: str | None = None
    """Folder to create for a page that runs the model in browsers (docs/web.md); makes the variant
    `web`, too, where the page needs it."""


def _export(arguments, console):
    options = read_options(ExportOptions, arguments, program="tfsepgan-export")
    from tfsepgan.models.folders import find_bundle

    folder = find_bundle(options.run)
    _check_page(options)
    _check_only_variants(options)
    quiet_tensorflow()
    from tfsepgan.models.saved import open_model
    from tfsepgan.serving.deployment import write_server_files

    bundle = open_model(folder)
    if bundle.manifest.kind == "synthesis" and options.variants:
        raise ConfigError(
            "--variants and --web are for models that separate; this model generates sounds. Leave"
            " them out."
        )
    options = _with_page(options, bundle.manifest)
    facts = with_facts(bundle.manifest.trained, read_file(options.facts))
    bundle = bundle._replace(manifest=replace(bundle.manifest, trained=facts))
    with console.status("exporting") as status:
        parity = _write_export(bundle, options, report=status.update)
    for name, value in parity.items():
        say(console, f"  {name}: largest difference to Keras {value:.1e} of peak")
    say(console, f"Exported to {options.output}")
    if options.serving is not None:
        write_server_files(options.serving, [options.output])
        say(console, f"Configuration of a server: {options.serving}")
    if options.web is not None:
        from tfsepgan.cli.web import say_how_to_open
        from tfsepgan.web.site import write_site

        write_site(options.output, options.web)
        say(console, f"Page for browsers: {options.web}")
        say_how_to_open(console, options.web)


def _check_only_variants(options: ExportOptions) -> None:
    """Raise ConfigError when --only-variants leaves out what another flag needs."""
    if not options.only_variants:
        return
    if not options.variants:
        raise ConfigError("--only-variants makes the files of --variants only; name at least one.")
    if options.serving is not None:
        raise ConfigError("--serving needs the SavedModel. Leave --only-variants out.")


def _check_page(options: ExportOptions) -> None:
    """Raise CheckpointError when the page's folder holds anything; ConfigError when it is the
    export's."""
    if options.web is None:
        return
    from tfsepgan.models.folders import check_new_folder

    page, output = Path(options.web), Path(options.output)
    if page.resolve() == output.resolve():
        raise ConfigError(f"--web and --output are both {output}. Give the page its own folder.")
    check_new_folder(page)


def _with_page(options: ExportOptions, manifest) -> ExportOptions:
    """The options with the file that a page needs, if one is wanted and LiteRT is to run it."""
    if options.web is None:
        return options
    from tfsepgan.web.network import why_not_kernels

    if why_not_kernels(manifest) is None:
        return options
    return replace(options, variants=tuple(dict.fromkeys((*options.variants, "web"))))


def _write_export(bundle, options: ExportOptions, *, report) -> dict[str, float]:
    """Write the export; returns the largest difference of each file to Keras, relative to peak."""
    from tfsepgan.export.exporter import export_bundle
    from tfsepgan.export.rehearsal import parity_audio, rehearsal_for
    from tfsepgan.export.savedmodel.signatures import RequestLimits
    from tfsepgan.export.synthesis import export_synthesis
    from tfsepgan.export.tflite.files import OnDevice

    output, manifest = Path(options.output), bundle.manifest
    limits = RequestLimits(max_request_seconds=options.max_request_seconds)
    if manifest.kind == "synthesis":
        return export_synthesis(*bundle, output, report=report)
    audio, files = parity_audio(options.audio, manifest), OnDevice()
    if options.variants:
        rehearsal = rehearsal_for(manifest, None if options.audio is None else audio)
        files = OnDevice(variants=options.variants, block=options.stream_block, rehearsal=rehearsal)
    return export_bundle(
        bundle,
        output,
        audio,
        limits=limits,
        on_device=files,
        only_variants=options.only_variants,
        report=report,
    )


def with_facts(trained: dict[str, Any], facts: dict[str, Any]) -> dict[str, Any]:
    """Merge the facts in a model's manifest with those of a file; tables are merged by key.

    Raises: ConfigError when the two give different values for one key.
    """
    merged = facts | trained
    for name in facts.keys() & trained.keys():
        given, saved = facts[name], trained[name]
        if isinstance(given, dict) and isinstance(saved, dict):
            merged[name] = with_facts(saved, given)
        elif given != saved:
            raise ConfigError(
                f"--facts says {name}: {given!r}, the model itself {saved!r}. Remove it from the"
                " file, or give it another name there."
            )
    return merged


main = command(_export)

if __name__ == "__main__":
    raise SystemExit(main())
