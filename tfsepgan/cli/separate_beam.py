"""`tfsepgan-separate --runner`: a job on Apache Beam, which is imported here only."""

import contextlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path

from tfsepgan.cli.separate_model import choose_model
from tfsepgan.cli.separate_options import SeparateOptions
from tfsepgan.cli.separate_report import Report
from tfsepgan.cli.separate_work import chosen
from tfsepgan.errors import ConfigError
from tfsepgan.quiet import quiet_libraries


def separate_by_runner(options: SeparateOptions, form, report: Report) -> tuple[int, int]:
    """Separate all inputs on a runner, and print the results.

    Args:
      options: the flags.
      form: format of the stems, a StemFormat.
      report: gets results and notes.
    Returns: the numbers of failed and of all recordings.
    Raises: ConfigError without Apache Beam; DataError when inputs cannot be found.
    """
    try:
        with quiet_libraries():
            from tfsepgan.separation.beam import separate_on_beam
    except ImportError as error:
        raise ConfigError(
            f"--runner needs Apache Beam ({error}): pip install 'tfsepgan[beam]'"
        ) from error
    from tfsepgan.separation.bulk import Wanted

    choose = partial(choose_model, options, None)
    stems = chosen(options, choose().facts().sources, single=False)
    output = Path(options.output)
    wanted = Wanted(output_dir=output, form=form, clip=options.clip, stems=stems, name=options.name)
    wanted.check([])
    flags = [f"--{one.removeprefix('--')}" for one in options.runner_options]
    if options.runner == "DirectRunner" and options.jobs > 1:
        # threads: each process would spend 3 s on importing Beam; the user's options come last
        flags[:0] = [
            f"--direct_num_workers={options.jobs}",
            "--direct_running_mode=multi_threading",
        ]
    tracks = list(_tracks(options, wanted, report))
    kept = {"runner": options.runner, "flags": flags, "retry_failed": options.retry_failed}
    failed = 0
    with contextlib.nullcontext() if options.verbose else quiet_libraries():
        results = list(separate_on_beam(tracks, wanted, options.output, choose, **kept))
    for result in results:
        failed += result.status == "failed"
        if report.json:
            report.line(json.dumps(asdict(result)))
        elif result.status == "done":
            report.line(", ".join(os.path.join(options.output, one.path) for one in result.outputs))
        if result.status == "failed":
            report.failed(result.reason)
    return failed, len(tracks)


def _tracks(options: SeparateOptions, wanted, report: Report) -> Iterator:
    """The recordings at an address, or among files and folders."""
    from tfsepgan.data.shards.storage import is_address
    from tfsepgan.separation.beam import Track, find_tracks
    from tfsepgan.separation.inputs import find_inputs

    if any(map(is_address, options.inputs)):
        if len(options.inputs) > 1:
            raise ConfigError("Give one address as the input; separate others by other commands.")
        yield from find_tracks(options.inputs[0])
        return
    notes: list[str] = []
    recordings = find_inputs(options.inputs, options.output, notes=notes)
    for note in notes:
        report.note(note)
    wanted.check(recordings)
    for one in recordings:
        yield Track(address=str(one.path), track=one.track.as_posix())
