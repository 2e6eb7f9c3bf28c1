"""The results of an evaluation: scores of each track, the report, statistics over tracks.

Scores are rounded to 1e-4. NaN stands for an undefined score.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from tfsepgan.errors import DataError
from tfsepgan.evaluation.output import from_json, read_json, write_json
from tfsepgan.metrics.uncertainty import mean_of_each, mean_with_error

FORMAT = "tfsepgan evaluation 1"
RESIDUAL = "residual"
IDEAL_MASK = "oracle"  # the key in files and tables
KINDS = ("mixture", "model", IDEAL_MASK)
BSS_METRICS = ("sdr", "isr", "sir", "sar")
METRICS = (*BSS_METRICS, "snr", "si_sdr")
SPECTRAL_METRICS = ("frechet", "log_spectral_distance", "spectral_tilt", "low_bins")
MEASURES = {  # optional measures by name, with their metrics
    "spectra": SPECTRAL_METRICS,
    "bleed": ("bleedless", "fullness"),
    "multi_resolution": ("multi_resolution",),
    "embedding": ("embedding",),
}
# the embedding needs a package of its own
DEFAULT_MEASURES = ("spectra", "bleed", "multi_resolution")
QUALITY_METRICS = ("bleedless", "fullness", "multi_resolution", "embedding")
IMPROVED = ("sdr", "sir", "snr", "si_sdr")  # not SAR: a mixture has no artifacts


@dataclass(frozen=True, kw_only=True)
class TrackScores:
    """The scores of one track.

    name: the name of the mixture.
    file: its JSON file in `output/tracks`.
    `scores[source][kind][metric]`: kind is one of KINDS. The metric is one of METRICS (dB), one of
      IMPROVED with `_improvement` for the model and the ideal mask (dB), or one of SPECTRAL_METRICS
      and QUALITY_METRICS (see `metrics.spectral_error`, `bleed`, `multi_resolution`, `embedding`).
      All scores of a silent source are NaN.
    `windows[source][kind][metric]`: BSS Eval before the median, one value a window; empty for a
      silent source.
    notes: sentences that help to read the scores.
    target_file: the recording of the first source; tracks with the same one are not independent;
      empty when unknown.
    """

    name: str
    file: str
    sample_rate_hz: int
    seconds: float
    channels: int
    scores: dict
    windows: dict = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    target_file: str = ""


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A track that could not be scored, and the reason."""

    name: str
    error: str


@dataclass(frozen=True, kw_only=True)
class Report:
    """The result of one evaluation.

    sources: names in the order of the tables, the residual last if it is scored.
    settings: what the scores depend on besides model and data: windows, ideal mask, versions.
    mixtures: how many there were to score; an evaluation that was interrupted has fewer tracks and
      failures.
    tracks, failures: in the order of the mixtures.
    """

    sources: tuple[str, ...]
    settings: dict
    mixtures: int
    tracks: tuple[TrackScores, ...]
    failures: tuple[Failure, ...] = ()

    def values(self, source: str, kind: str, metric: str) -> np.ndarray:
        """One value a track, NaN where undefined; empty for a metric that was not computed."""
        found = [track.scores[source][kind].get(metric) for track in self.tracks]
        return np.array([value for value in found if value is not None], np.float64)

    def taken(self, metrics: Sequence[str]) -> list[str]:
        """Which of these metrics the report has; older reports have fewer."""
        return [metric for metric in metrics if self.values(self.sources[0], "model", metric).size]

    def summary(self) -> dict:
        """Statistics over tracks: `[source][kind][metric]` -> the result of `statistics`."""
        files = [track.target_file or f"track {index}" for index, track in enumerate(self.tracks)]
        result = {source: {kind: {} for kind in KINDS} for source in self.sources}
        for source, kind in itertools.product(self.sources, KINDS):
            # in the order of the first track
            for metric in self.tracks[0].scores[source][kind] if self.tracks else ():
                values = self.values(source, kind, metric)
                result[source][kind][metric] = statistics(values, files)
        return result

    def save(self, output: Path) -> None:
        """Writes `output/report.json`; `save_track` writes the tracks."""
        content = {
            "format": FORMAT,
            "sources": list(self.sources),
            "settings": self.settings,
            "mixtures": self.mixtures,
            "tracks": [{"name": track.name, "file": track.file} for track in self.tracks],
            "failures": [asdict(failure) for failure in self.failures],
            "summary": self.summary(),
        }
        write_json(Path(output) / "report.json", content)

    @classmethod
    def load(cls, output: Path) -> "Report":
        """Reads the report that `evaluate` wrote into this folder.

        Raises: DataError when the report or a track is missing or cannot be read.
        """
        output = Path(output)
        content = read_json(output / "report.json")
        if content.get("format") != FORMAT:
            raise DataError(
                f"{output / 'report.json'} is of format {content.get('format')!r}, wanted"
                f" {FORMAT!r}; evaluate again"
            )
        return cls(
            sources=tuple(content["sources"]),
            settings=content["settings"],
            mixtures=content["mixtures"],
            tracks=tuple(load_track(output, entry["file"]) for entry in content["tracks"]),
            failures=tuple(Failure(**failure) for failure in content["failures"]),
        )


def save_track(output: Path, track: TrackScores) -> None:
    """Writes one track to `output/tracks/FILE`."""
    write_json(Path(output) / "tracks" / track.file, asdict(track))


def load_track(output: Path, file: str) -> TrackScores:
    """Reads one track from `output/tracks/FILE`.

    Raises: DataError when it is missing or its name leads to another folder.
    """
    if Path(file).name != file:
        raise DataError(
            f"{output / 'report.json'} names the track file {file!r}, wanted a name without a"
            " folder"
        )
    content = read_json(Path(output) / "tracks" / file)
    measured = {part: from_json(content[part]) for part in ("scores", "windows")}
    return TrackScores(**{**content, **measured, "notes": tuple(content["notes"])})


def statistics(values: np.ndarray, files: Sequence[str] = ()) -> dict[str, float]:
    """Median, mean, standard error and quartiles of the values that are not NaN.

    `error` is the standard error of the mean over recordings: mixtures of one recording are not
    independent, so they are averaged first. `error` is NaN if there is only one recording or any
    value is infinite. If any value is infinite, the median and the quartiles are not interpolated:
    each is the next lower value.

    Args:
      values: one a track.
      files: the recording of each value; by default every value has its own.
    Returns: the statistics by name; `tracks` counts the defined values, `undefined` the others.
    """
    defined = values[~np.isnan(values)]
    count = {"tracks": int(defined.size), "undefined": int(values.size - defined.size)}
    names = ("median", "mean", "error", "lower_quartile", "upper_quartile")
    if not defined.size:
        return dict.fromkeys(names, math.nan) | count
    finite = bool(np.isfinite(defined).all())
    method = "linear" if finite else "lower"
    low, middle, high = np.quantile(defined, (0.25, 0.5, 0.75), method=method)
    both_infinities = np.inf in defined and -np.inf in defined
    mean = math.nan if both_infinities else float(np.mean(defined))
    error = _standard_error(values, files) if finite else math.nan
    return dict(zip(names, map(round_db, (middle, mean, error, low, high)), strict=True)) | count


def _standard_error(values: np.ndarray, files: Sequence[str]) -> float:
    """The standard error over recordings; see `metrics.uncertainty`."""
    files = files if len(files) == values.size else [str(index) for index in range(values.size)]
    by_file = np.array(list(mean_of_each(values, files).values()))
    return mean_with_error(by_file[np.isfinite(by_file)]).error


def round_db(value: float) -> float:
    """Rounds to 1e-4, far below any audible difference; infinities and NaN stay."""
    return round(float(value), 4)
