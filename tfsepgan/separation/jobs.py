"""A job over many recordings: it can be resumed, and can run in several processes.

Its results are on the disk after each recording (`results`). If a process dies, for example from
lack of memory, only its current recording fails, and a new process replaces it.
"""

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tfsepgan.processes import WorkerDied, run_in_workers, stop_if_asked
from tfsepgan.separation.bulk import FailedFile, Wanted, failure, separate_one
from tfsepgan.separation.earlier import remove_half_written
from tfsepgan.separation.files import SeparatedFile
from tfsepgan.separation.naming import Recording
from tfsepgan.separation.refinement import Refining
from tfsepgan.separation.results import Fingerprint, Output, Result, Results, fingerprint_of, now
from tfsepgan.separation.separator import Separator

Ended = SeparatedFile | FailedFile
DIED = (
    "the process that separated it died, possibly from lack of memory; fewer --jobs need less. Try"
    " it again with --retry-failed"
)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The result of a recording."""

    item: Ended
    fingerprint: Fingerprint | None
    """Of the recording; None where it cannot be read, or nothing is recorded."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """What to do with every recording of a job."""

    wanted: Wanted
    model: str
    """Digest of the model, see `models.digests.model_digest`."""
    refining: Refining
    """Of the separator."""

    @property
    def settings(self) -> str:
        """Digest of the settings that change the stems or their names."""
        wanted = self.wanted
        form = {"name": wanted.form.name, "sample_format": wanted.form.sample_format}
        form["bit_rate_kbps"] = wanted.form.bit_rate_kbps or wanted.form.encoding.bit_rate_kbps
        facts = {"form": form, "clip": wanted.clip, "stems": wanted.stems, "name": wanted.name}
        facts |= asdict(self.refining)
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()

    def result(self, recording: Recording, outcome: Outcome) -> Result:
        """The line of a recording for the results."""
        item, done = outcome.item, isinstance(outcome.item, SeparatedFile)
        stems = item.stems if done else {}
        return Result(
            input=str(recording.path),
            track=recording.track.as_posix(),
            status="done" if done else "failed",
            reason=None if done else item.reason,
            fingerprint=outcome.fingerprint,
            model=self.model,
            settings=self.settings,
            seconds=item.frames / item.sample_rate_hz if done else None,
            elapsed_seconds=round(item.elapsed_seconds, 3) if done else 0.0,
            outputs=tuple(self._output(stem, path) for stem, path in stems.items()),
            notes=item.notes if done else (),
            ended=now(),
        )

    def _output(self, stem: str, path: Path) -> Output:
        inner = path.relative_to(self.wanted.output_dir).as_posix()
        return Output(stem=stem, path=inner, size_bytes=path.stat().st_size)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is left of a job."""

    left: tuple[Recording, ...]
    """Recordings to separate."""
    done: int
    """How many recordings are done."""
    failed: tuple[FailedFile, ...]
    """Recordings that failed before and are not tried again."""


def plan(
    recordings: Iterable[Recording], job: Job, results: Results, *, retry_failed: bool = False
) -> Plan:
    """The recordings of a job that are not done yet, according to its results.

    A recording is done if its file, the model and the settings are those of its last result, and
    its stems exist. For the other recordings, half-written stems are removed: the results are
    locked, so the process that wrote these stems has ended.
    """
    left: list[Recording] = []
    failed: list[FailedFile] = []
    done = 0
    settings = job.settings
    for one in recordings:
        last = results.last(one.track.as_posix())
        same = last is not None and last.is_of(one.path, job.model, settings)
        if same and last.status == "done" and last.has_outputs(job.wanted.output_dir):
            done += 1
        elif same and last.status == "failed" and not retry_failed:
            failed.append(failure(one, last.reason or "failed before"))
        else:
            left.append(one)
    remove_half_written(place for one in left for place in job.wanted.places(one))
    return Plan(left=tuple(left), done=done, failed=tuple(failed))


def recorded(
    ended: Iterable[tuple[Recording, Outcome]], job: Job, results: Results | None
) -> Iterator[Ended]:
    """Yield the result of each recording once it is written to the results."""
    for recording, outcome in ended:
        if results is not None:
            results.add(job.result(recording, outcome))
        yield outcome.item


def outcome_of(recording: Recording, item: Ended, *, fingerprint: bool) -> Outcome:
    """The outcome of a recording, with the fingerprint of its file if requested."""
    return Outcome(item=item, fingerprint=fingerprint_of(recording.path) if fingerprint else None)


def separate_in_workers(
    open_model: Callable[[], contextlib.AbstractContextManager[Separator]],
    recordings: Sequence[Recording],
    wanted: Wanted,
    *,
    jobs: int,
    fingerprint: bool,
    poll: Callable[[], None] = lambda: None,
) -> Iterator[tuple[Recording, Outcome]]:
    """Separate recordings in several processes; each loads the model once.

    Args:
      open_model: called in each process; must be picklable.
      recordings: as `inputs.find_inputs` gives them.
      wanted: accepts the recordings, see `Wanted.check`.
      jobs: number of processes.
      fingerprint: whether to read the files once more for their fingerprints.
      poll: called often; an exception in it ends the run and leaves no stem of a current recording.
    Yields: each recording and its outcome, when it is finished.
    Raises: the error of a model that cannot be opened; DataError where processes die one after the
      other.
    """
    start = _Start(open_model, wanted, fingerprint)
    ended = run_in_workers(start, _separate, recordings, workers=jobs, poll=poll)
    with contextlib.closing(ended):
        for recording, outcome, error in ended:
            if error is None:
                yield recording, outcome
                continue
            remove_half_written(wanted.places(recording))
            reason = DIED if isinstance(error, WorkerDied) else f"{type(error).__name__}: {error}"
            item = failure(recording, reason)
            yield recording, outcome_of(recording, item, fingerprint=fingerprint)


@dataclass(frozen=True)
class _Start:
    """Prepares a process: opens the model, which stays open until the process ends."""

    open_model: Callable[[], contextlib.AbstractContextManager[Separator]]
    wanted: Wanted
    fingerprint: bool

    def __call__(self) -> tuple["_Start", Separator]:
        return self, self.open_model().__enter__()


def _separate(prepared: tuple[_Start, Separator], recording: Recording) -> Outcome:
    start, separator = prepared
    item = separate_one(
        separator, recording, start.wanted, progress=lambda done, total: stop_if_asked()
    )
    return outcome_of(recording, item, fingerprint=start.fingerprint)
