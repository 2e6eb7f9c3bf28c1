"""`tfsepgan-separate`: separates recordings into stems of the same rate, channels and length.

Results go to stdout, one line or JSON object a recording; progress, notes and failures to stderr.
"""

import os
import sys
import tempfile
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import tyro
from rich.console import Console

from tfsepgan.cli.command import command, stopping_cleanly
from tfsepgan.cli.console import PlainConsole
from tfsepgan.cli.flags import read_options
from tfsepgan.cli.pipes import PIPE, refuse_terminal, save_input, write_output
from tfsepgan.cli.separate_report import Report
from tfsepgan.errors import ConfigError, DataError
from tfsepgan.quiet import kept_stderr, quiet_libraries, quiet_tensorflow

DEFAULT_MODEL = "piano"


@dataclass(frozen=True, kw_only=True)
class SeparateOptions:
    """Separate recordings into stems that sum to the recording."""

    TOPICS: ClassVar = {
        "model": ("inputs", "model", "server", "runtime"),
        "stems": ("output", "sources", "residual_only", "name", "skip_existing"),
        "format": ("format", "subtype", "bit_rate", "clip"),
        "messages": ("json", "quiet", "verbose"),
    }

    inputs: Annotated[tuple[str, ...], tyro.conf.Positional]
    """Audio files (wav, flac, ogg, mp3, m4a, mp4 and other video, wma, aiff, opus ...) and folders
    of them; - for the standard input."""
    model: Annotated[str, tyro.conf.arg(aliases=("-m",))] = DEFAULT_MODEL
    """Name of a model that ships with tfsepgan, a folder written by tfsepgan-export, or a run; with
    --server, the name of the model on the server."""
    output: Annotated[str, tyro.conf.arg(aliases=("-o",))] = "separated"
    """Folder for the stems; - for the standard output, where one stem of one recording is
    written."""
    sources: tuple[str, ...] | None = None
    """Stems to write, such as `piano`, or `residual` for the accompaniment; all by default."""
    residual_only: bool = False
    """Write only the residual, the recording without its sources: the same as --sources
    residual."""
    name: str = "{track}/{source}.{ext}"
    """Path of a stem below OUTPUT: {track} is the name of the recording, {source} that of the stem,
    {ext} the suffix of the format."""
    skip_existing: bool = False
    """Leave out recordings whose stems exist already."""
    json: bool = False
    """Print one JSON object for each recording."""
    quiet: Annotated[bool, tyro.conf.arg(aliases=("-q",))] = False
    """Show no progress and no notes."""
    verbose: Annotated[bool, tyro.conf.arg(aliases=("-v",))] = False
    """Also show the model and what runs it, and the time for each recording."""
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
    runtime: Literal["auto", "numpy", "litert", "tensorflow"] = "auto"
    """Library that runs the model; auto takes the fastest that can run it."""
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
    if "numpy" not in sys.modules:  # each channel has a thread; those of NumPy would disturb them
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    options = read_options(SeparateOptions, arguments, program="tfsepgan-separate")
    _refuse(options)
    messages = PlainConsole(file=kept_stderr(), soft_wrap=True)
    if PIPE not in (*options.inputs, options.output):
        _separate_files(options, console, messages)
        return
    with tempfile.TemporaryDirectory(prefix="tfsepgan-") as scratch:
        _separate_pipes(options, Path(scratch), console, messages)


def _refuse(options: SeparateOptions) -> None:
    """Raises: ConfigError for flags that cannot be used together."""
    if not options.inputs:
        raise ConfigError("Nothing to separate: name at least one recording or folder.")
    if options.rest and options.server is None:
        raise ConfigError("--rest needs a server: name it with --server HOST:PORT.")
    if options.quiet and options.verbose:
        raise ConfigError("--quiet and --verbose exclude each other.")
    if options.residual_only and options.sources is not None:
        raise ConfigError("--residual-only is --sources residual; give one of them.")
    if PIPE in options.inputs and len(options.inputs) > 1:
        raise ConfigError("- is a single recording; separate the others with another command.")
    if options.output == PIPE and (options.json or options.name != SeparateOptions.name):
        raise ConfigError("-o - writes sound to the standard output; leave out --json and --name.")


def _separate_pipes(
    options: SeparateOptions, scratch: Path, console: Console | None, messages: Console
) -> None:
    """Separate where the input, the output or both are `-`."""
    to_stdout, from_stdin = options.output == PIPE, PIPE in options.inputs
    if to_stdout:
        refuse_terminal()
        options, console = replace(options, output=str(scratch / "stems")), None
    if from_stdin:
        options = replace(options, inputs=(str(save_input(scratch)),))
    done = _separate_files(options, console, messages, from_stdin=from_stdin)
    if to_stdout:
        write_output(*done[0].stems.values())


def _separate_files(
    options: SeparateOptions,
    console: Console | None,
    messages: Console,
    *,
    from_stdin: bool = False,
) -> list:
    """Separate files and print the results; returns them.

    Args:
      console: for the results; None where the standard output gets the stem, exactly one.
      from_stdin: the only input is a copy of the standard input.
    """
    from tfsepgan.audio.encodings import StemFormat

    form = StemFormat(name=options.format, subtype=options.subtype, bit_rate_kbps=options.bit_rate)
    form.check()
    from tfsepgan.separation.files import length_of, separate_files
    from tfsepgan.separation.stem_names import check_template, has_stems

    check_template(options.name, form)
    words = {"json": options.json, "quiet": options.quiet, "verbose": options.verbose}
    report = Report(console, messages, **words, name=PIPE if from_stdin else None)
    single = console is None
    recordings, unread = _find(options, report, single=single)
    lengths = {one: length_of(one) for one in recordings}
    with (
        stopping_cleanly() as stop_here,
        quiet_libraries(),
        _open(options, sum(lengths.values()), report) as separator,
    ):
        stems = _stems(options, separator, single=single)
        if options.skip_existing:
            for one, seconds in list(lengths.items()):
                if has_stems(one, options.output, stems, form, options.name, seconds=seconds):
                    del lengths[one]
                    report.note(f"{one.path} is skipped: its stems exist.")
        done, failed = separate_files(
            separator,
            list(lengths),
            options.output,
            form=form,
            clip=options.clip,
            only=stems,
            name=options.name,
            lengths=list(lengths.values()),
            console=None if options.quiet else messages,
            at_each_block=stop_here,
        )
    report.results(done, [*unread, *failed])
    _raise_failed(len(failed) + len(unread), len(recordings) + len(unread))
    return done


def _find(options: SeparateOptions, report: Report, *, single: bool) -> tuple[list, list]:
    """The recordings, and inputs that cannot be read; notes and failures are printed.

    Raises: DataError without any recording; ConfigError for several where `single`.
    """
    from tfsepgan.separation.inputs import find_inputs

    unread, notes = [], []
    recordings = find_inputs(options.inputs, options.output, problems=unread, notes=notes)
    for note in notes:
        report.note(note)
    if not recordings and len(unread) == 1:
        raise DataError(unread[0].reason)
    for one in unread:
        report.failure(one)
    if not recordings:
        report.results([], unread)
        _raise_failed(len(unread), len(unread))
    if single and len(recordings) > 1:
        raise ConfigError(f"-o - takes one recording; there are {len(recordings)}.")
    return recordings, unread


def _raise_failed(failed: int, total: int) -> None:
    """Raises: DataError if anything failed."""
    if failed:
        raise DataError(
            f"{failed} of {total} recordings could not be separated; the reasons are above."
        )


def _stems(options: SeparateOptions, separator, *, single: bool) -> tuple[str, ...]:
    """The names of the stems to write."""
    from tfsepgan.separation.naming import chosen_stems
    from tfsepgan.separation.stream import RESIDUAL

    wanted = (RESIDUAL,) if options.residual_only else options.sources
    if single and wanted is None:
        wanted = separator.sources
    stems = chosen_stems(separator.stems, wanted)
    if single and len(stems) > 1:
        raise ConfigError(
            f"-o - writes one stem, not {', '.join(stems)}; choose one with --sources."
        )
    return stems


def _open(options: SeparateOptions, seconds: float, report: Report):
    """Open the separator as a context manager; `seconds` of music decide the runtime."""
    if options.server is None:
        from tfsepgan.models.folders import find_bundle, read_manifest
        from tfsepgan.separation.runtimes import choose_runtime
        from tfsepgan.separation.separator import load

        folder = find_bundle(options.model)
        runtime = choose_runtime(options.runtime, folder, read_manifest(folder), seconds=seconds)
        if runtime == "tensorflow":
            quiet_tensorflow()
        separator = load(folder, block_seconds=options.block_seconds, runtime=runtime)
        report.model(folder, runtime, separator)
        return nullcontext(separator)
    if options.runtime != "auto":
        raise ConfigError(
            "--runtime is for this machine; with --server the network runs on the server. Leave one"
            " of them out."
        )
    if not options.rest:
        quiet_tensorflow()  # the messages of TF Serving import it
    if options.verbose:
        report.note(f"{options.model}, on the server {options.server}")
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
