"""Scores a separator on a set of mixtures, together with the mixture and the ideal mask.

The separator runs in the main process, one mixture after another; other processes score finished
tracks at the same time. Every track is saved as soon as it is scored. A track that cannot be scored
is reported and does not stop the others.
"""

import warnings
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console

from tfsepgan.errors import ConfigError, DataError, TfsepganError
from tfsepgan.evaluation.ideal_mask import FRAME, HOP
from tfsepgan.evaluation.measures import check_measures
from tfsepgan.evaluation.output import check_writable, file_names
from tfsepgan.evaluation.records import (
    DEFAULT_MEASURES,
    IDEAL_MASK,
    RESIDUAL,
    Failure,
    Report,
    TrackScores,
    save_track,
)
from tfsepgan.evaluation.references import any_residual, references_of, shaped
from tfsepgan.evaluation.track import TrackJob, TrackResult, score_track
from tfsepgan.metrics.embedding import PACKAGE
from tfsepgan.processes import run_jobs
from tfsepgan.progress import ProgressBar

if TYPE_CHECKING:
    from tfsepgan.data.references.fixed_mixtures import Mixture

Separate = Callable[[np.ndarray, int], Mapping[str, np.ndarray]]
Listener = Callable[["Mixture", Mapping[str, np.ndarray]], None]


def evaluate(
    separate: Separate,
    mixtures: "Sequence[Mixture]",
    output: Path,
    *,
    sources: Sequence[str],
    workers: int = 2,
    bss: bool = True,
    measures: Collection[str] = DEFAULT_MEASURES,
    window_seconds: float = 1.0,  # museval and SiSEC 2018
    hop_seconds: float = 1.0,  # museval and SiSEC 2018
    listener: Listener | None = None,
    console: Console | None = None,
) -> Report:
    """Separates every mixture, scores the estimates, and writes the scores into a folder.

    Args:
      separate: a function from `[time, channels]` and the sample rate in Hz to every source by
        name, shaped like the mixture. Without a "residual" in its result, the residual is the
        mixture minus the sources.
      mixtures: tracks with `name`, `mixture [time, channels]`, `sources {name: [time, channels]}`,
        `sample_rate_hz` and optionally `target_file`. Without a "residual" among the sources, it
        is the mixture minus the sources; it is not scored when it is zero in all mixtures. A silent
        source has no scores in its track.
      output: folder for `report.json` and `tracks/NAME.json`; created when missing.
      sources: names of the sources that `separate` returns, without the residual.
      workers: number of scoring processes; 0 scores in this process. A script that calls this
        function with workers needs `if __name__ == "__main__":`.
      bss: whether to run BSS Eval (SDR, ISR, SIR, SAR), which takes most of the time.
      measures: further measures, names of `records.MEASURES`.
      window_seconds, hop_seconds: of BSS Eval.
      listener: called with each mixture and its estimates, such as `plots.picture_writer(...)`; an
        exception in it becomes a note of the track.
      console: shows the progress; stderr by default.
    Returns: the Report, which is also written to `output`.
    Raises: ConfigError for invalid sources or measures; DataError when there are no mixtures, none
      could be scored, or the output cannot be written.
    """
    sources, measures = _check_sources(sources), check_measures(measures)
    if not len(mixtures):
        raise DataError(
            "there are no mixtures to score, wanted at least one; look at the split and the data"
            " folder"
        )
    output = Path(output)
    check_writable(output)
    scored = (*sources, RESIDUAL) if any_residual(mixtures, sources) else sources
    windows = {"window_seconds": window_seconds, "hop_seconds": hop_seconds}
    settings = {"bss": bss, **windows, "measures": measures}
    found = _Results(mixtures, scored, output, _settings(**settings))
    jobs = _jobs(separate, sources, listener, found, partial(TrackJob, **settings))
    try:
        results = run_jobs(score_track, jobs, workers=workers, after_death=_warn_of_death)
        shown = console or Console(stderr=True)
        with closing(results), ProgressBar(shown, "scoring", len(mixtures), unit="tracks") as bar:
            for index, result, error in results:
                found.add(index, result, error)
                bar.complete(found.count)
            bar.complete(found.count)
    finally:
        found.save()
    return found.report_or_error()


def _jobs(
    separate: Separate,
    sources: tuple[str, ...],
    listener: Listener | None,
    found: "_Results",
    job_of: Callable[..., TrackJob],
) -> Iterator[tuple[int, TrackJob]]:
    """Separates the mixtures one by one; yields index and job, and nothing after a failure."""
    for index, mixture in enumerate(found.mixtures):
        try:
            references = references_of(mixture, found.sources)
            estimates = _estimates(separate, mixture, sources)
        except ConfigError:  # would affect every track
            raise
        except Exception as error:  # of any kind: the other tracks are still scored
            found.failed(index, error)
            continue
        if listener is not None:
            found.notes[index] = _call_listener(listener, mixture, estimates)
        job = job_of(
            references=references,
            estimates={name: estimates[name] for name in references},
            mixture=np.asarray(mixture.mixture, np.float32),
            sample_rate_hz=mixture.sample_rate_hz,
        )
        yield index, job


class _Results:
    """The tracks and failures so far, by the index of the mixture."""

    def __init__(
        self, mixtures: "Sequence[Mixture]", sources: tuple[str, ...], output: Path, settings: dict
    ):
        self.notes: dict[int, str | None] = {}
        self.mixtures, self.sources = mixtures, sources
        self._output, self._settings = output, settings
        self._files = [f"{name}.json" for name in file_names(mixture.name for mixture in mixtures)]
        self._tracks: dict[int, TrackScores] = {}
        self._failures: dict[int, Failure] = {}

    @property
    def count(self) -> int:
        """How many tracks are scored or have failed."""
        return len(self._tracks) + len(self._failures)

    def add(self, index: int, result: TrackResult | None, error: Exception | None) -> None:
        """Saves a finished track in its own file, or notes its failure."""
        if isinstance(error, ConfigError):  # would affect every track
            raise error
        if result is None:
            self.failed(index, error)
            return
        self._tracks[index] = track = self._track(index, result)
        save_track(self._output, track)

    def failed(self, index: int, error: Exception) -> None:
        """Adds a track that could not be scored."""
        kind = "" if isinstance(error, TfsepganError) else f"{type(error).__name__}: "
        name = str(self.mixtures[index].name)
        self._failures[index] = Failure(name=name, error=f"{kind}{error}")

    def save(self) -> None:
        """Writes the report so far, also when the evaluation is interrupted."""
        if self._tracks or self._failures:
            self._report().save(self._output)

    def report_or_error(self) -> Report:
        """The report; DataError when no track was scored."""
        if not self._tracks:
            raise DataError(
                f"none of the {len(self.mixtures)} mixtures could be scored; the first is "
                f"{self._failures[0].name!r}: {self._failures[0].error}"
            )
        return self._report()

    def _report(self) -> Report:
        return Report(
            sources=self.sources,
            settings=self._settings,
            mixtures=len(self.mixtures),
            tracks=tuple(self._tracks[index] for index in sorted(self._tracks)),
            failures=tuple(self._failures[index] for index in sorted(self._failures)),
        )

    def _track(self, index: int, result: TrackResult) -> TrackScores:
        mixture, note = self.mixtures[index], self.notes.get(index)
        time, channels = np.shape(mixture.mixture)
        return TrackScores(
            name=str(mixture.name),
            file=self._files[index],
            sample_rate_hz=int(mixture.sample_rate_hz),
            seconds=round(time / mixture.sample_rate_hz, 3),
            channels=channels,
            scores=result.scores,
            windows=result.windows,
            notes=(*result.notes, note) if note else result.notes,
            target_file=str(getattr(mixture, "target_file", "")),
        )


def _warn_of_death() -> None:
    warnings.warn(
        "the scoring processes ended abruptly (out of memory, or a script that calls evaluate()"
        " without `if __name__ == '__main__':`); scoring continues in the main process, more"
        " slowly",
        RuntimeWarning,
        stacklevel=2,
    )


def _check_sources(sources: Sequence[str]) -> tuple[str, ...]:
    """The names as a tuple; ConfigError for none, a duplicate, or the name of the residual."""
    names = (sources,) if isinstance(sources, str) else tuple(sources)
    if not names or len(set(names)) != len(names) or RESIDUAL in names:
        raise ConfigError(
            f"sources are {list(names)}, wanted one or more different names, none of them"
            f" {RESIDUAL!r}, which is scored where the mixtures hold one"
        )
    return names


def _estimates(
    separate: Separate, mixture: "Mixture", sources: tuple[str, ...]
) -> dict[str, np.ndarray]:
    """The model's estimates, the residual last, each shaped like the mixture."""
    audio = np.asarray(mixture.mixture, np.float32)
    returned = separate(audio, mixture.sample_rate_hz)
    missing = [name for name in sources if name not in returned]
    if missing:
        raise ConfigError(
            f"the model gave back {', '.join(returned)}, wanted {', '.join(missing)}; set sources"
            " to the names that it returns"
        )
    named = {name: returned[name] for name in (*sources, RESIDUAL) if name in returned}
    shape = audio.shape
    estimates = {name: shaped(f"the model's {name}", own, shape) for name, own in named.items()}
    estimates.setdefault(RESIDUAL, audio - sum(estimates.values()))
    return {name: estimate.astype(np.float32) for name, estimate in estimates.items()}


def _call_listener(
    listener: Listener, mixture: "Mixture", estimates: Mapping[str, np.ndarray]
) -> str | None:
    """Calls the listener; returns a note when it fails, since the scores must not be lost."""
    try:
        listener(mixture, estimates)
    except Exception as error:  # a failed picture must not lose the track
        return f"the listener failed on this track ({type(error).__name__}: {error})"
    return None


def _settings(
    bss: bool, window_seconds: float, hop_seconds: float, measures: Sequence[str]
) -> dict:
    """What the scores depend on besides the model and the data."""
    settings: dict = {
        IDEAL_MASK: {"kind": "ideal ratio mask of magnitudes", "frame": FRAME, "hop": HOP}
    }
    if bss:
        windows = {"window_seconds": window_seconds, "hop_seconds": hop_seconds}
        museval = {"museval": version("museval"), "over_windows": "median"}
        settings["bss_eval"] = museval | windows
    settings["measures"] = list(measures)
    if "embedding" in measures:
        settings["embedding"] = {PACKAGE: version(PACKAGE)}
    return settings
