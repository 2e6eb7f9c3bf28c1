"""The work of one `tfsepgan-separate`: what is left to do, in this process or in several."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tfsepgan.cli.command import Stopped
from tfsepgan.cli.separate_model import choose_model
from tfsepgan.cli.separate_options import SeparateOptions
from tfsepgan.cli.separate_report import Report
from tfsepgan.errors import ConfigError
from tfsepgan.progress import ProgressBar

if TYPE_CHECKING:
    from tfsepgan.audio.encodings import StemFormat
    from tfsepgan.separation.files import SeparatedFile
    from tfsepgan.separation.jobs import Ended, Outcome
    from tfsepgan.separation.naming import Recording


class Work:
    """Separates the recordings of a command, and counts."""

    def __init__(
        self,
        options: SeparateOptions,
        form: "StemFormat",
        report: Report,
        recordings: Sequence["Recording"],
        *,
        single: bool,
        opened: ExitStack,
    ):
        """
        Args:
          options: the flags.
          form: format of the stems.
          report: prints notes.
          recordings: the inputs.
          single: whether exactly one stem is written, for the standard output.
          opened: closes the model and the results.
        Raises: ConfigError for flags that these recordings or this model cannot have.
        """
        from tfsepgan.separation import files
        from tfsepgan.separation.bulk import Wanted
        from tfsepgan.separation.jobs import Job
        from tfsepgan.separation.results import Results

        self._options, self._report = options, report
        self.failed = self._done = 0
        self.last: SeparatedFile | None = None
        several, place = options.jobs > 1, _results_of(options, single=single)
        # in several processes there is no time to measure every recording first
        self._lengths = {} if several else {one: files.length_of(one) for one in recordings}
        self._model = choose_model(options, None if several else sum(self._lengths.values()))
        self._separator = None if several else opened.enter_context(self._model.open())
        facts = self._model.facts() if several or place else None
        report.model(self._model, self._separator)
        sources = facts.sources if facts else self._separator.sources
        stems = chosen(options, sources, single=single)
        self._wanted = Wanted(
            output_dir=Path(options.output),
            form=form,
            clip=options.clip,
            stems=stems,
            name=options.name,
        )
        self._wanted.check(recordings)
        model = facts.digest if facts else ""
        self._job = Job(wanted=self._wanted, model=model, refining=options.refining)
        self.results = opened.enter_context(Results(place)) if place else None
        self._recordings, self._total = recordings, len(recordings)

    def ended(self, stop_here: Callable[[], None]) -> Iterator["Ended"]:
        """Yield the result of each recording when it is finished.

        Args:
          stop_here: called often; raises where the command must stop.
        """
        from tfsepgan.separation.files import SeparatedFile
        from tfsepgan.separation.jobs import recorded

        left = yield from self._left()
        try:
            with closing(self._separated(left, stop_here)) as separated:
                for item in recorded(separated, self._job, self.results):
                    if isinstance(item, SeparatedFile):
                        self.last = item
                        self._done += 1
                    else:
                        self.failed += 1
                    yield item
        except (KeyboardInterrupt, Stopped) as error:
            if self.results is None:
                raise
            raise Stopped(
                f"{str(error) or 'Interrupted.'} {self._done} of {self._total} recordings are done;"
                " the same command continues."
            ) from None

    def _left(self) -> "Iterator[Ended]":
        """The recordings to separate; yields those that failed before and are not tried again."""
        left = self._recordings
        if self.results is not None:
            from tfsepgan.separation.jobs import plan

            if self.results.broken:
                self._report.note(f"{self.results.path}: {self.results.broken} broken lines.")
            planned = plan(left, self._job, self.results, retry_failed=self._options.retry_failed)
            left, self._done, self.failed = planned.left, planned.done, len(planned.failed)
            if self._done:
                self._report.note(
                    f"{self._done} of {self._total} recordings are done, by {self.results.path}."
                )
            yield from planned.failed
            if planned.failed:
                self._report.note(
                    f"{self.failed} recordings failed before; --retry-failed tries them again."
                )
        return self._without_stems(left) if self._options.skip_existing else left

    def _without_stems(self, recordings: Sequence["Recording"]) -> list["Recording"]:
        """Recordings without those whose stems exist."""
        from tfsepgan.separation.files import length_of
        from tfsepgan.separation.stem_names import has_stems

        wanted, left = self._wanted, []
        for one in recordings:
            seconds = self._lengths[one] if self._lengths else length_of(one)
            options = (wanted.output_dir, wanted.stems, wanted.form, wanted.name)
            if has_stems(one, *options, seconds=seconds):
                self._report.note(f"{one.path} is skipped: its stems exist.")
                self._done += 1
            else:
                left.append(one)
        return left

    def _separated(
        self, left: Sequence["Recording"], stop_here: Callable[[], None]
    ) -> Iterator[tuple["Recording", "Outcome"]]:
        from tfsepgan.separation.bulk import separate_each
        from tfsepgan.separation.jobs import outcome_of, separate_in_workers

        console = None if self._options.quiet else self._report.messages
        fingerprint = self.results is not None
        if self._options.jobs == 1:
            lengths = [self._lengths[one] for one in left]
            shown = {"lengths": lengths, "console": console, "at_each_block": stop_here}
            ended = partial(outcome_of, fingerprint=fingerprint)
            separated = separate_each(self._separator, left, self._wanted, **shown, ended=ended)
            with closing(separated):
                yield from separated
            return
        # a process that takes all memory of a GPU leaves none to the others
        os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
        options = {"jobs": self._options.jobs, "fingerprint": fingerprint, "poll": stop_here}
        separated = separate_in_workers(self._model.open, left, self._wanted, **options)
        with closing(separated), ProgressBar(console, "separating", len(left), unit="") as bar:
            for one in separated:
                bar.advance()
                yield one


def _results_of(options: SeparateOptions, *, single: bool) -> Path | None:
    """The file of the results; None where none is written."""
    from tfsepgan.separation.naming import RESULTS

    if options.results is not None:
        return Path(options.results)
    is_job = options.jobs > 1 or any(map(os.path.isdir, options.inputs))
    return Path(options.output, RESULTS) if is_job and not single else None


def chosen(options: SeparateOptions, sources: tuple[str, ...], *, single: bool) -> tuple[str, ...]:
    """The names of the stems to write."""
    from tfsepgan.separation.naming import chosen_stems
    from tfsepgan.separation.stream import RESIDUAL

    wanted = (RESIDUAL,) if options.residual_only else options.sources
    if single and wanted is None:
        wanted = sources
    stems = chosen_stems((*sources, RESIDUAL), wanted)
    if single and len(stems) > 1:
        raise ConfigError(
            f"-o - writes one stem, not {', '.join(stems)}; choose one with --sources."
        )
    return stems
