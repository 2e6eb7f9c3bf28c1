"""A job on Apache Beam: the work and the results of `jobs`, on the workers of a runner.

Recordings and output may be at any address of fsspec. Each worker loads the model once. The result
of a recording is a file beside the stems (`PLACED`), so nothing is separated twice if a runner
repeats a bundle or the job is run again. At the end of a run they become lines of `results.jsonl`.
"""

import contextlib
import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions
from fsspec.core import url_to_fs

from tfsepgan.audio.formats import SUFFIXES
from tfsepgan.data.shards.storage import Storage, is_address
from tfsepgan.errors import DataError
from tfsepgan.separation.bulk import Wanted, failure, separate_one
from tfsepgan.separation.earlier import remove_half_written
from tfsepgan.separation.jobs import Job, Outcome
from tfsepgan.separation.naming import RESULTS, Recording, names_in, safe_name
from tfsepgan.separation.results import Fingerprint, Result, fingerprint_of, parsed

PLACED = ".results"  # folder of the results of single recordings, below the output


@dataclass(frozen=True, kw_only=True)
class Track:
    """A recording at a path or an address."""

    address: str
    track: str
    """Its name below the output."""
    last: str | None = None
    """The line of its last result."""


class SeparateTracks(beam.DoFn):
    """Separates a `Track`; yields the line of its result, whether it is done or failed.

    Args:
      choose: gives the model of the worker, see `separate_on_beam`.
      wanted: what to write; its output folder does not count.
      output: folder for the stems, a path or an address.
      retry_failed: whether recordings that failed before are tried again.
    """

    def __init__(
        self, choose: Callable[[], Any], wanted: Wanted, output: str, *, retry_failed: bool
    ):
        self._choose, self._wanted, self._output = choose, wanted, output
        self._retry_failed = retry_failed

    def setup(self) -> None:
        """Load the model."""
        model = self._choose()
        self._opened = model.open()
        self._separator = self._opened.__enter__()
        self._job = Job(
            wanted=self._wanted,
            model=model.facts().digest,
            refining=self._separator.refining,
        )

    def teardown(self) -> None:
        """Close the model."""
        self._opened.__exit__(None, None, None)

    def process(self, track: Track) -> Iterator[str]:
        """Separate a recording, unless its last result still counts."""
        results = Storage(f"{self._output}/{PLACED}")
        name = hashlib.sha256(track.track.encode("utf-8", "surrogatepass")).hexdigest() + ".json"
        line = results.read(name) or (track.last or "").encode()
        last = parsed(line)
        if last is None or not self._counts(last, track):
            line = _line(self._separated(track))
            results.write(name, line)
        yield line.decode()

    def _counts(self, last: Result, track: Track) -> bool:
        """Whether a result is that of the same recording, model and settings, and is complete."""
        if (last.model, last.settings) != (self._job.model, self._job.settings):
            return False
        if last.fingerprint is None or not _is_same(last.fingerprint, track.address):
            return False
        if last.status == "failed":
            return not self._retry_failed
        places = [f"{self._output}/{one.path}" for one in last.outputs]
        return [_facts(place)[0] for place in places] == [one.size_bytes for one in last.outputs]

    def _separated(self, track: Track) -> Result:
        """Separate a recording; both it and its stems may be at addresses."""
        with tempfile.TemporaryDirectory(prefix="tfsepgan-") as scratch:
            path, out = Path(track.address), Path(self._output)
            if is_address(track.address):
                path = Path(scratch, safe_name(track.address.rpartition("/")[2]))
            if is_address(self._output):
                out = Path(scratch, "out")
            recording = Recording(path=path, track=PurePosixPath(track.track))
            job = replace(self._job, wanted=replace(self._wanted, output_dir=out))
            try:
                if is_address(track.address):
                    _copy_here(track.address, path)
                remove_half_written(job.wanted.places(recording))
                item = separate_one(self._separator, recording, job.wanted)
                result = job.result(recording, Outcome(item=item, fingerprint=_of(track, path)))
                if is_address(self._output):
                    self._move_away(result, out)
            except Exception as error:  # one recording must not end the job
                item = failure(recording, f"{type(error).__name__}: {error}")
                result = job.result(recording, Outcome(item=item, fingerprint=_of(track, path)))
        reason = result.reason and result.reason.replace(str(path), track.address)
        return replace(result, input=track.address, reason=reason)

    def _move_away(self, result: Result, out: Path) -> None:
        """Copy stems to the address of the output."""
        for one in result.outputs:
            folder, _, name = one.path.rpartition("/")
            with Storage(f"{self._output}/{folder}".rstrip("/")).writing(name) as place:
                shutil.move(out / one.path, place)


def separate_on_beam(
    tracks: Sequence[Track],
    wanted: Wanted,
    output: str,
    choose: Callable[[], Any],
    *,
    runner: str,
    flags: Sequence[str] = (),
    retry_failed: bool = False,
) -> Iterator[Result]:
    """Run a job on Apache Beam, and write its results to `results.jsonl` in the output.

    Args:
      tracks: the recordings, see `find_tracks`.
      wanted: accepts them; its output folder does not count.
      output: folder for the stems, a path or an address.
      choose: called in each worker; returns an object with `open()`, a context manager of a
        separator, and `facts().digest`. Must be picklable.
      runner: name of a runner, such as DirectRunner or DataflowRunner.
      flags: of the runner, such as `--region=europe-west1`.
      retry_failed: whether recordings that failed before are tried again.
    Yields: the result of each track.
    Raises: DataError when the runner stops, or the results cannot be written.
    """
    storage = Storage(output)
    lines = (storage.read(RESULTS) or b"").splitlines()
    last = {one.track: one for one in map(parsed, lines) if one is not None}
    known = [
        replace(one, last=_line(last[one.track]).decode() if one.track in last else None)
        for one in tracks
    ]
    do = SeparateTracks(choose, wanted, output, retry_failed=retry_failed)
    try:
        with beam.Pipeline(runner=runner, options=PipelineOptions(list(flags))) as pipeline:
            separated = pipeline | beam.Create(known) | beam.Reshuffle() | beam.ParDo(do)
            separated | beam.Map(len)  # nothing is kept: the results are beside the stems
    except Exception as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[-1]
        raise DataError(
            f"{runner} stopped: {reason}. Correct this; the same command continues."
        ) from error
    placed = Storage(f"{output}/{PLACED}")
    for name in placed.names():
        one = parsed(placed.read(name) or b"")
        if one is not None:
            last[one.track] = one
    storage.write(RESULTS, b"".join(_line(one) + b"\n" for one in last.values()))
    for name in placed.names():
        placed.remove(name)
    if not is_address(output):
        with contextlib.suppress(OSError):
            Path(output, PLACED).rmdir()
    yield from (last[one.track] for one in tracks)


def find_tracks(address: str) -> list[Track]:
    """The recordings below an address, by their suffixes; hidden ones are left out.

    Raises: DataError when it cannot be listed or has none.
    """
    try:
        files, root = url_to_fs(address)
        found = sorted(files.find(root))
    except Exception as error:
        raise DataError(
            f"{address} cannot be listed ({error}). Check it and your rights."
        ) from error
    folders: dict[str, list[str]] = {}
    for path in found:
        inner = path[len(root) :].strip("/")
        if path.lower().endswith(SUFFIXES) and not any(
            part.startswith(".") for part in inner.split("/")
        ):
            folder, _, name = inner.rpartition("/")
            folders.setdefault(folder, []).append(name)
    if not folders:
        raise DataError(f"{address} holds no audio; wanted files such as .wav, .flac or .mp3.")
    base = files.unstrip_protocol(root).rstrip("/")
    return [
        Track(
            address="/".join((base, folder, file) if folder else (base, file)),
            track=PurePosixPath(*map(safe_name, filter(None, folder.split("/"))), name).as_posix(),
        )
        for folder, names in folders.items()
        for file, name in names_in(names).items()
    ]


def _line(result: Result) -> bytes:
    return json.dumps(asdict(result)).encode()


def _of(track: Track, path: Path) -> Fingerprint | None:
    """The fingerprint of a recording, with the time of the original where `path` is a copy."""
    found = fingerprint_of(path)
    if found is None or not is_address(track.address):
        return found
    return replace(found, modified_ns=_facts(track.address)[1])


def _is_same(fingerprint: Fingerprint, address: str) -> bool:
    if not is_address(address):
        return fingerprint.is_of(Path(address))
    return (fingerprint.size_bytes, fingerprint.modified_ns) == _facts(address)


def _facts(address: str) -> tuple[int, int]:
    """Size in bytes and time of the last change in nanoseconds; -1 and 0 where unknown."""
    try:
        files, path = url_to_fs(address)
        size = files.info(path)["size"]
    except Exception:  # of the packages of fsspec, or missing
        return -1, 0
    try:
        return size, round(files.modified(path).timestamp() * 1e9)
    except Exception:  # not every file system knows it
        return size, 0


def _copy_here(address: str, path: Path) -> None:
    folder, _, name = address.rpartition("/")
    with Storage(folder).open(name) as file, open(path, "wb") as copy:
        shutil.copyfileobj(file, copy)
