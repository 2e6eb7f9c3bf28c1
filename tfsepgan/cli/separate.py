"""`tfsepgan-separate`: separates recordings into stems of the same rate, channels and length.

Results go to stdout, one line or JSON object a recording; progress, notes and failures to stderr.
"""

import json
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import tyro
from rich.console import Console

from tfsepgan.cli.command import command, stopping_cleanly
from tfsepgan.cli.flags import read_options
from tfsepgan.errors import ConfigError, DataError
from tfsepgan.quiet import kept_stderr, quiet_libraries, quiet_tensorflow

DEFAULT_MODEL = "piano"


@dataclass(frozen=True, kw_only=True)
class SeparateOptions:
    """Separate recordings into stems that sum to the recording."""

    TOPICS: ClassVar = {
        "model": ("inputs", "model", "server", "runtime"),
        "stems": ("output", "sources", "skip_existing", "format", "subtype", "bit_rate", "clip"),
        "messages": ("json", "quiet"),
    }

    inputs: Annotated[tuple[str, ...], tyro.conf.Positional]
    """Audio files (wav, flac, ogg, mp3, m4a, mp4 and other video, wma, aiff, opus ...) and folders
    of them."""
    model: Annotated[str, tyro.conf.arg(aliases=("-m",))] = DEFAULT_MODEL
    """Name of a model that ships with tfsepgan, a folder written by tfsepgan-export, or a run; with
    --server, the name of the model on the server."""
    output: Annotated[str, tyro.conf.arg(aliases=("-o",))] = "separated"
    """Folder for the stems."""
    sources: tuple[str, ...] | None = None
    """Stems to write, such as `piano`, or `residual` for the accompaniment; all by default."""
    skip_existing: bool = False
    """Leave out recordings whose stems exist already."""
    json: bool = False
    """Print one JSON object for each recording."""
    quiet: Annotated[bool, tyro.conf.arg(aliases=("-q",))] = False
    """Show no progress and no notes."""
    format: Literal["wav", "flac", "ogg", "mp3", "m4a", "opus"] = "wav"
    """File format of the stems; all but wav get the tags of the recording."""
    subtype: str | None = None
    """Sample format of wav (FLOAT, DOUBLE, PCM_16, PCM_24, PCM_32; FLOAT by default, which cannot
    clip) and flac (PCM_24, PCM_16)."""
    bit_rate: int | None = None
    """Bit rate of mp3, m4a (256 by default) and opus (160), in kbit/s for two channels."""
    clip: Literal["rescale", "clip", "error"] = "rescale"
    """What to do when a format would clip: apply one gain to all stems, clip them, or stop with an
    error. A note says which happened."""
    runtime: Literal["auto", "litert", "tensorflow"] = "auto"
    """Library that runs the model: litert starts at once, tensorflow is faster over hours; auto
    takes litert below half an hour of music."""
    block_seconds: float | None = None
    """Length of a block for the network (default: 7 for litert, else 25); it changes speed and
    memory, not the result."""
    server: str | None = None
    """HOST:PORT of a TF Serving server with the model: the network runs there, everything else here
    (docs/serving.md)."""
    rest: bool = False
    """Use REST instead of gRPC: slower, but needs no tensorflow-serving-api."""
    secure: bool = False
    """Encrypt the connection to the server (TLS)."""
    parallel: int = 4
    """Number of blocks that are sent to the server at the same time."""
    deadline_seconds: float = 120.0
    """Time limit for one block, retries included, in seconds; the recording then fails."""
    max_message_mib: float = 64.0
    """Largest request and reply, in MiB; lower it for proxies with a smaller limit."""


def _separate(arguments, console):
    options = read_options(SeparateOptions, arguments, program="tfsepgan-separate")
    if not options.inputs:
        raise ConfigError("Nothing to separate: name at least one recording or folder.")
    if options.rest and options.server is None:
        raise ConfigError("--rest needs a server: name it with --server HOST:PORT.")
    from tfsepgan.audio.encodings import StemFormat

    form = StemFormat(name=options.format, subtype=options.subtype, bit_rate_kbps=options.bit_rate)
    form.check()
    from tfsepgan.separation.files import length_of, separate_files
    from tfsepgan.separation.naming import chosen_stems, find_inputs, has_stems

    messages = Console(file=kept_stderr(), soft_wrap=True)
    recordings = find_inputs(options.inputs, options.output)
    lengths = {one: length_of(one) for one in recordings}
    with (
        stopping_cleanly() as stop_here,
        quiet_libraries(),
        _open(options, sum(lengths.values())) as separator,
    ):
        stems = chosen_stems(separator.stems, options.sources)
        if options.skip_existing:
            for one in list(lengths):
                if has_stems(one, options.output, stems, form):
                    del lengths[one]
                    _note(f"{one.path} is skipped: its stems exist.", options, messages)
        done, failed = separate_files(
            separator,
            list(lengths),
            options.output,
            form=form,
            clip=options.clip,
            only=stems,
            lengths=list(lengths.values()),
            console=None if options.quiet else messages,
            at_each_block=stop_here,
        )
    _report(done, failed, options, console, messages)
    if failed:
        raise DataError(
            f"{len(failed)} of {len(recordings)} recordings could not be separated; the reasons are"
            " above."
        )


def _note(text: str, options: SeparateOptions, messages: Console) -> None:
    if not options.quiet:
        messages.print(text, markup=False, highlight=False)


def _report(done, failed, options: SeparateOptions, console: Console, messages: Console) -> None:
    """Print a line or an object for each recording; the notes, and failures that were not shown."""
    for item in done:
        if options.json:
            console.print(json.dumps(_facts(item)), markup=False, highlight=False)
        else:
            stems = ", ".join(stem.name for stem in item.stems.values())
            where = next(iter(item.stems.values())).parent
            console.print(
                f"{where}: {stems}; {item.frames / item.sample_rate_hz:.1f} s,"
                f" {item.sample_rate_hz} Hz, {item.channels} channels,"
                f" {item.times_real_time:.0f} x real time",
                markup=False,
                highlight=False,
            )
        for note in item.notes:
            _note(f"{item.path}: note: {note}", options, messages)
    for item in failed:
        if options.json:
            facts = {"input": str(item.path), "status": "failed", "reason": item.reason}
            console.print(json.dumps(facts), markup=False, highlight=False)
        if options.quiet:
            messages.print(f"failed {item.reason}", markup=False, highlight=False)


def _facts(item) -> dict:
    return {
        "input": str(item.path),
        "status": "done",
        "stems": {name: str(path) for name, path in item.stems.items()},
        "seconds": item.frames / item.sample_rate_hz,
        "sample_rate_hz": item.sample_rate_hz,
        "channels": item.channels,
        "gain": item.levels.gain,
        "clipped_samples": item.levels.clipped_samples,
        "elapsed_seconds": round(item.elapsed_seconds, 3),
        "notes": list(item.notes),
    }


def _open(options: SeparateOptions, seconds: float):
    """Open the separator as a context manager; `seconds` of music decide the runtime."""
    if options.server is None:
        from tfsepgan.models.folders import find_bundle, read_manifest
        from tfsepgan.separation.runtimes import choose_runtime
        from tfsepgan.separation.separator import load

        folder = find_bundle(options.model)
        runtime = choose_runtime(options.runtime, folder, read_manifest(folder), seconds=seconds)
        if runtime == "tensorflow":
            quiet_tensorflow()
        return nullcontext(load(folder, block_seconds=options.block_seconds, runtime=runtime))
    if options.runtime != "auto":
        raise ConfigError(
            "--runtime is for this machine; with --server the network runs on the server. Leave one"
            " of them out."
        )
    if not options.rest:
        quiet_tensorflow()  # the messages of TF Serving import it
    from tfsepgan.serving.retry import Patience
    from tfsepgan.serving.separator import connect

    return connect(
        options.server,
        options.model,
        rest=options.rest,
        secure=options.secure,
        **({} if options.block_seconds is None else {"block_seconds": options.block_seconds}),
        parallel=options.parallel,
        max_message_bytes=round(options.max_message_mib * 2**20),
        patience=Patience(deadline_seconds=options.deadline_seconds),
    )


main = command(_separate)

if __name__ == "__main__":
    raise SystemExit(main())
