"""Scores a separation model on a set of mixtures, between doing nothing and an ideal mask.

The model runs in the main process, one mixture after another; meanwhile other processes score what
is finished. Every track is on disk as soon as it is scored, and a track that cannot be scored is
named and does not stop the rest.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from tfsepgan.errors import ConfigError, DataError, TfsepganError
from tfsepgan.evaluation.ideal_mask import FRAME, HOP
from tfsepgan.evaluation.measures import check_measures
from tfsepgan.evaluation.pool import ScoringPool
from tfsepgan.evaluation.records import (
    DEFAULT_MEASURES,
    RESIDUAL,
    Failure,
    Report,
    TrackScores,
    check_writable,
    file_names,
    save_track,
)
from tfsepgan.evaluation.references import any_residual, references_of, shaped
from tfsepgan.evaluation.track import TrackJob, TrackResult, score_track
from tfsepgan.metrics.embedding import PACKAGE

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
    """Separates every mixture, scores what comes out, and leaves the scores in a folder.

    Args:
      separate: takes `[time, channels]` and the rate in Hz, gives back every source by name, shaped
        like the mixture; its "residual" may be missing, and is then the mixture minus the sources.
      mixtures: tracks with `name`, `mixture [time, channels]`, `sources {name: [time, channels]}`
        and `sample_rate_hz`; `target_file` is kept where there is one. A "residual" missing among
        the sources is the mixture minus the others; where that is nothing in any mixture, every
        source is named and no residual is scored. A silent source has no scores in its track.
      output: folder for `report.json` and `tracks/NAME.json`; made when missing.
      sources: names of what the model gives back, without the residual.
      workers: processes that score; 0 scores in this one. A script of your own that calls this with
        workers needs `if __name__ == "__main__":`.
      bss: whether to run BSS Eval (SDR, ISR, SIR, SAR), which takes most of the time.
      measures: what is taken beside it, SNR and SI-SDR: names of `records.MEASURES`.
      window_seconds, hop_seconds: of BSS Eval.
      listener: called with each mixture and its estimates, as `plots.picture_writer`; what it
        raises is noted with the track.
      console: where the progress is drawn; stderr when not given.
    Returns: the Report, as it also stands in `output`.
    Raises: ConfigError for no or impossible sources or measures; DataError when there are no
      mixtures, none of them could be scored, or the output cannot be written.
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
    found = _Findings(
        mixtures, scored, output, _settings(bss, window_seconds, hop_seconds, measures)
    )
    try:
        with ScoringPool(score_track, workers=workers) as pool, _progress(console) as progress:
            task = progress.add_task("scoring", total=len(mixtures))
            for index, mixture in enumerate(mixtures):
                try:
                    references = references_of(mixture, scored)
                    estimates = _estimates(separate, mixture, sources)
                except ConfigError:  # would meet every track alike
                    raise
                except Exception as error:  # whatever it is, the other tracks are still scored
                    found.failed(index, error)
                    progress.advance(task)
                    continue
                if listener is not None:
                    found.notes[index] = _listen(listener, mixture, estimates)
                estimates = {name: estimates[name] for name in scored}
                audio, rate_hz = np.asarray(mixture.mixture, np.float32), mixture.sample_rate_hz
                windows = (window_seconds, hop_seconds)
                pool.submit(
                    index, TrackJob(references, estimates, audio, rate_hz, bss, *windows, measures)
                )
                progress.advance(task, found.collect(pool.results(leave=pool.room)))
            while pool.pending:
                progress.advance(task, found.collect(pool.results(leave=pool.pending - 1)))
    finally:
        found.save()
    return found.report_or_error()


class _Findings:
    """What is known so far of every mixture, by its place in the list."""

    def __init__(
        self, mixtures: "Sequence[Mixture]", sources: tuple[str, ...], output: Path, settings: dict
    ):
        self.notes: dict[int, str | None] = {}
        self._mixtures, self._sources, self._output, self._settings = (
            mixtures,
            sources,
            output,
            settings,
        )
        self._files = [f"{name}.json" for name in file_names(mixture.name for mixture in mixtures)]
        self._tracks: dict[int, TrackScores] = {}
        self._failures: dict[int, Failure] = {}

    def collect(self, results: Iterable[tuple[int, TrackResult | None, Exception | None]]) -> int:
        """Writes down finished tracks, each to its own file at once; gives back how many they were."""
        count = 0
        for index, result, error in results:
            count += 1
            if isinstance(error, ConfigError):  # would meet every track alike
                raise error
            if result is None:
                self.failed(index, error)
                continue
            self._tracks[index] = track = self._track(index, result)
            save_track(self._output, track)
        return count

    def failed(self, index: int, error: Exception) -> None:
        """Names a track that could not be scored; an error that is not ours is named by its type
        too."""
        words = (
            str(error) if isinstance(error, TfsepganError) else f"{type(error).__name__}: {error}"
        )
        self._failures[index] = Failure(name=str(self._mixtures[index].name), error=words)

    def save(self) -> None:
        """Writes the report of what is known, also when the evaluation was cut short."""
        if self._tracks or self._failures:
            self._report().save(self._output)

    def report_or_error(self) -> Report:
        """The report; DataError when it would be empty."""
        if not self._tracks:
            raise DataError(
                f"none of the {len(self._mixtures)} mixtures could be scored; the first is "
                f"{self._failures[0].name!r}: {self._failures[0].error}"
            )
        return self._report()

    def _report(self) -> Report:
        return Report(
            sources=self._sources,
            settings=self._settings,
            mixtures=len(self._mixtures),
            tracks=tuple(self._tracks[index] for index in sorted(self._tracks)),
            failures=tuple(self._failures[index] for index in sorted(self._failures)),
        )

    def _track(self, index: int, result: TrackResult) -> TrackScores:
        mixture, note = self._mixtures[index], self.notes.get(index)
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


def _check_sources(sources: Sequence[str]) -> tuple[str, ...]:
    """The names as a tuple; ConfigError when there are none, two alike, or one is the residual."""
    names = (sources,) if isinstance(sources, str) else tuple(sources)
    if not names or len(set(names)) != len(names) or RESIDUAL in names:
        raise ConfigError(
            f"sources are {list(names)}, wanted one name or more, all different and none of them "
            f"{RESIDUAL!r}, which is scored wherever there is any"
        )
    return names


def _estimates(
    separate: Separate, mixture: "Mixture", sources: tuple[str, ...]
) -> dict[str, np.ndarray]:
    """What the model makes of the mixture, the residual last, each shaped like the mixture."""
    audio = np.asarray(mixture.mixture, np.float32)
    given = separate(audio, mixture.sample_rate_hz)
    missing = [name for name in sources if name not in given]
    if missing:
        raise ConfigError(
            f"the model gave back {', '.join(given)}, wanted {', '.join(missing)}; name what it"
            " gives"
        )
    named = {name: given[name] for name in (*sources, RESIDUAL) if name in given}
    estimates = {
        name: shaped(f"the model's {name}", part, audio.shape) for name, part in named.items()
    }
    estimates.setdefault(RESIDUAL, audio - sum(estimates.values()))
    return {name: estimate.astype(np.float32) for name, estimate in estimates.items()}


def _listen(
    listener: Listener, mixture: "Mixture", estimates: Mapping[str, np.ndarray]
) -> str | None:
    """Lets the listener have the estimates; a note when it failed, which must not cost the scores."""
    try:
        listener(mixture, estimates)
    except Exception as error:  # a picture that cannot be drawn is no reason to lose a track
        return f"the listener failed on this track ({type(error).__name__}: {error})"
    return None


def _settings(
    bss: bool, window_seconds: float, hop_seconds: float, measures: Sequence[str]
) -> dict:
    """What the numbers depend on besides the model and the data."""
    settings: dict = {
        "oracle": {"kind": "ideal ratio mask of magnitudes", "frame": FRAME, "hop": HOP}
    }
    if bss:
        try:
            museval = version("museval")
        except PackageNotFoundError:
            museval = "unknown"
        windows = {"window_seconds": window_seconds, "hop_seconds": hop_seconds}
        settings["bss_eval"] = {"museval": museval, **windows, "over_windows": "median"}
    settings["measures"] = list(measures)
    if "embedding" in measures:
        settings["embedding"] = {PACKAGE: version(PACKAGE)}
    return settings


def _progress(console: Console | None) -> Progress:
    """Tracks done, how long it took and how long it will take."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("tracks"),
    )
    times = (TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn())
    return Progress(*columns, *times, console=console or Console(stderr=True))
