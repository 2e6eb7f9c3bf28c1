"""`tfsepgan-separate`: separates recordings into stems of the same rate, channels and length.

Results go to stdout, one line or JSON object a recording; progress, notes and failures to stderr.
"""

import os
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from tfsepgan.cli.command import command, stopping_cleanly
from tfsepgan.cli.console import PlainConsole
from tfsepgan.cli.flags import read_options
from tfsepgan.cli.pipes import PIPE, refuse_terminal, save_input, write_output
from tfsepgan.cli.separate_options import SeparateOptions
from tfsepgan.cli.separate_report import Report
from tfsepgan.cli.separate_work import Work
from tfsepgan.errors import ConfigError, DataError
from tfsepgan.quiet import kept_stderr, quiet_libraries


def _separate(arguments, console):
    if "numpy" not in sys.modules:  # each channel has a thread; those of NumPy would disturb them
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    options = read_options(SeparateOptions, arguments, program="tfsepgan-separate")
    options.check()
    messages = PlainConsole(file=kept_stderr(), soft_wrap=True)
    if PIPE not in (*options.inputs, options.output):
        _separate_files(options, console, messages)
        return
    with tempfile.TemporaryDirectory(prefix="tfsepgan-") as scratch:
        _separate_pipes(options, Path(scratch), console, messages)


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
        write_output(*done.stems.values())


def _separate_files(
    options: SeparateOptions,
    console: Console | None,
    messages: Console,
    *,
    from_stdin: bool = False,
):
    """Separate files and print the results; returns the last `SeparatedFile`.

    Args:
      console: for the results; None where the standard output gets the stem, exactly one.
      from_stdin: the only input is a copy of the standard input.
    """
    from tfsepgan.audio.encodings import StemFormat
    from tfsepgan.separation.stem_names import check_template

    form = StemFormat(name=options.format, subtype=options.subtype, bit_rate_kbps=options.bit_rate)
    form.check()
    check_template(options.name, form)
    words = {"json": options.json, "quiet": options.quiet, "verbose": options.verbose}
    report = Report(console, messages, **words, name=PIPE if from_stdin else None)
    if options.runner is not None:
        from tfsepgan.cli.separate_beam import separate_by_runner

        failed, total = separate_by_runner(options, form, report)
        _raise_failed(failed, total, f"{options.output}/results.jsonl")
        return None
    single = console is None
    recordings, unread = _find(options, report, single=single)
    with stopping_cleanly() as stop_here, quiet_libraries(), ExitStack() as opened:
        work = Work(options, form, report, recordings, single=single, opened=opened)
        for item in work.ended(stop_here):
            report.ended(item)
    for one in unread:
        report.ended(one, is_shown=True)
    _raise_failed(
        work.failed + len(unread), len(recordings) + len(unread), work.results and work.results.path
    )
    return work.last


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
        for one in unread:
            report.ended(one, is_shown=True)
        _raise_failed(len(unread), len(unread), None)
    if single and len(recordings) > 1:
        raise ConfigError(f"-o - takes one recording; there are {len(recordings)}.")
    return recordings, unread


def _raise_failed(failed: int, total: int, results) -> None:
    """Raises: DataError if anything failed."""
    if failed:
        also = f" and in {results}" if results else ""
        raise DataError(
            f"{failed} of {total} recordings could not be separated; the reasons are above{also}."
        )


main = command(_separate)

if __name__ == "__main__":
    raise SystemExit(main())
