"""What an evaluation leaves behind: one record a track, a summary over tracks, and how both stand
in JSON.

Numbers are decibels rounded to 1e-4. In JSON, NaN (not defined) is `null` and the infinities are
the strings "inf" and "-inf", so that any reader of JSON takes the files.
"""

import json
import math
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from tfsepgan.errors import DataError
from tfsepgan.files import write_whole
from tfsepgan.metrics.uncertainty import mean_of_each, mean_with_error

FORMAT = "tfsepgan evaluation 1"
RESIDUAL = "residual"
KINDS = ("mixture", "model", "oracle")
BSS_METRICS = ("sdr", "isr", "sir", "sar")
METRICS = (*BSS_METRICS, "snr", "si_sdr")
SPECTRAL_METRICS = ("frechet", "log_spectral_distance", "spectral_tilt", "low_bins")
MEASURES = {  # what may be taken beside BSS Eval, SNR and SI-SDR, by the name that chooses it
    "spectra": SPECTRAL_METRICS,
    "bleed": ("bleedless", "fullness"),
    "multi_resolution": ("multi_resolution",),
    "embedding": ("embedding",),
}
# the embedding needs a package of its own
DEFAULT_MEASURES = ("spectra", "bleed", "multi_resolution")
QUALITY_METRICS = ("bleedless", "fullness", "multi_resolution", "embedding")
IMPROVED = ("sdr", "sir", "snr", "si_sdr")  # not SAR, as a mixture holds no artifacts
_RESERVED = {
    "con",
    "prn",
    "aux",
    "nul",
    *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10)),
}
_LONGEST_NAME = 120  # bytes; file systems take 255, which leaves room for endings


@dataclass(frozen=True, kw_only=True)
class TrackScores:
    """The scores of one track.

    name: as the mixture calls itself.
    file: its JSON file inside `output/tracks`.
    target_file: recording that the first source is of, by which tracks of one recording are known;
    empty where nobody said. scores[source][kind][metric]: dB; kind is one of KINDS, metric one of
    METRICS, or for the model and the
      oracle one of IMPROVED with `_improvement`; or one of SPECTRAL_METRICS or QUALITY_METRICS, see
      `metrics.spectral_error`, `bleed`, `multi_resolution` and `embedding`. NaN where it is not
      defined: everything of a silent source.
    windows[source][kind][metric]: BSS Eval before the median, one value a window; nothing of a
    silent source.
    notes: what a reader of the numbers should know.
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
    """A track that could not be scored, and why."""

    name: str
    error: str


@dataclass(frozen=True, kw_only=True)
class Report:
    """Everything that one evaluation found out.

    sources: names in the order of the tables, the residual last where the mixtures hold one.
    settings: what the numbers depend on besides model and data: windows, oracle, versions.
    mixtures: how many were to be scored; an evaluation that was cut short has fewer tracks and
      failures.
    tracks, failures: in the order of the mixtures.
    """

    sources: tuple[str, ...]
    settings: dict
    mixtures: int
    tracks: tuple[TrackScores, ...]
    failures: tuple[Failure, ...] = ()

    def values(self, source: str, kind: str, metric: str) -> np.ndarray:
        """One value a track in dB, NaN where it is not defined; empty when the metric was not
        taken."""
        found = [track.scores[source][kind].get(metric) for track in self.tracks]
        return np.array([value for value in found if value is not None], np.float64)

    def taken(self, metrics: Sequence[str]) -> list[str]:
        """Those of the metrics that the model was scored by; an older report holds less."""
        return [metric for metric in metrics if self.values(self.sources[0], "model", metric).size]

    def summary(self) -> dict:
        """Statistics over tracks: [source][kind][metric] -> what `statistics` gives back."""
        result = {}
        files = [track.target_file or f"track {index}" for index, track in enumerate(self.tracks)]
        for source in self.sources:
            metrics = {kind: _metrics_of(self.tracks, source, kind) for kind in KINDS}
            result[source] = {
                kind: {
                    metric: statistics(self.values(source, kind, metric), files)
                    for metric in metrics[kind]
                }
                for kind in KINDS
            }
        return result

    def save(self, output: Path) -> None:
        """Writes `output/report.json`, all of it or nothing; the tracks are written as they are
        scored."""
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
        """Reads back what `evaluate` wrote into this folder.

        Raises: DataError when the folder holds no report, lacks a track of it, or a file is not
          readable.
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
    """Writes one track to `output/tracks/FILE`, all of it or nothing."""
    write_json(Path(output) / "tracks" / track.file, asdict(track))


def load_track(output: Path, file: str) -> TrackScores:
    """Reads one track from `output/tracks/FILE`; DataError when it is not there or names another
    folder."""
    if Path(file).name != file:
        raise DataError(
            f"{output / 'report.json'} names the track file {file!r}, wanted a name without a"
            " folder"
        )
    content = read_json(Path(output) / "tracks" / file)
    measured = {part: _from_json(content[part]) for part in ("scores", "windows")}
    return TrackScores(**{**content, **measured, "notes": tuple(content["notes"])})


def statistics(values: np.ndarray, files: Sequence[str] = ()) -> dict[str, float]:
    """Median, mean and quartiles of what is not NaN, with how many tracks that is and how many it
    leaves out.

    `error` is the standard error of the mean: over recordings, each of which counts once, as
    mixtures of one recording are not independent; `files` are those of the values, each its own
    where they are not told. NaN for one recording or an infinite value. Among infinite values a
    quantile is the nearest value below, since nothing lies between 3 dB and infinity.
    """
    defined = values[~np.isnan(values)]
    count = {"tracks": int(defined.size), "undefined": int(values.size - defined.size)}
    if not defined.size:
        return {
            "median": math.nan,
            "mean": math.nan,
            "error": math.nan,
            "lower_quartile": math.nan,
            "upper_quartile": math.nan,
            **count,
        }
    finite = bool(np.isfinite(defined).all())
    low, middle, high = np.quantile(
        defined, (0.25, 0.5, 0.75), method="linear" if finite else "lower"
    )
    both_infinities = np.inf in defined and -np.inf in defined
    mean = math.nan if both_infinities else float(np.mean(defined))
    error = _standard_error(values, files) if finite else math.nan
    numbers = {
        "median": middle,
        "mean": mean,
        "error": error,
        "lower_quartile": low,
        "upper_quartile": high,
    }
    return {name: round_db(value) for name, value in numbers.items()} | count


def _standard_error(values: np.ndarray, files: Sequence[str]) -> float:
    """Over recordings; see `metrics.uncertainty`."""
    files = files if len(files) == values.size else [str(index) for index in range(values.size)]
    by_file = np.array(list(mean_of_each(values, files).values()))
    return mean_with_error(by_file[np.isfinite(by_file)]).error


def round_db(value: float) -> float:
    """To 1e-4 dB, far below what any difference of separations means; infinities and NaN stay."""
    return round(float(value), 4)


def file_names(names: Iterable[str]) -> list[str]:
    """A file name for each track, without an ending: readable, different from each other, and never
    a path.

    Letters, digits, space and `._+()-` stay; any other character becomes `_`; dots and spaces at
    either end go; names too long are cut; a second track of the same name, capitals aside, gets
    `-2`.
    """
    used: set[str] = set()
    result = []
    for name in names:
        plain = re.sub(r"[^\w.+() -]", "_", str(name)).strip(" .")
        plain = plain.encode()[:_LONGEST_NAME].decode(errors="ignore").strip(" .") or "track"
        if plain.split(".")[0].lower() in _RESERVED:
            plain = f"_{plain}"
        unique, count = plain, 1
        while unique.lower() in used:
            count += 1
            unique = f"{plain}-{count}"
        used.add(unique.lower())
        result.append(unique)
    return result


def check_writable(folder: Path) -> None:
    """Makes the folder and proves that a file can be made in it, before any work; DataError
    otherwise."""
    trial = folder / f".trial.{os.getpid()}.tmp"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        trial.write_bytes(b"")
        trial.unlink()
    except OSError as error:
        raise DataError(
            f"{folder} cannot be written to ({error}); give another output folder"
        ) from error


def write_json(path: Path, content) -> None:
    """Writes a JSON file; a reader or a crash never meets half of it. DataError when the disk
    refuses."""
    text = json.dumps(_to_json(content), indent=1, ensure_ascii=False, allow_nan=False)
    try:
        write_whole(path, lambda file: file.write(f"{text}\n".encode()))
    except OSError as error:
        raise DataError(
            f"{path} cannot be written ({error}); free some space or give another output"
        ) from error


def read_json(path: Path) -> dict:
    """Reads what `write_json` wrote; DataError when it is not there or not JSON."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(
            f"{path} is not a readable evaluation file ({error}); evaluate again"
        ) from error
    if not isinstance(content, dict):
        raise DataError(
            f"{path} holds a {type(content).__name__}, wanted an evaluation; evaluate again"
        )
    return content


def _metrics_of(tracks: Sequence[TrackScores], source: str, kind: str) -> list[str]:
    """Names of what was measured, in the order of the first track."""
    return list(tracks[0].scores[source][kind]) if tracks else []


def _to_json(value):
    """Numbers that JSON has no word for become null and strings."""
    if isinstance(value, Mapping):
        return {str(key): _to_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_to_json(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else ("inf" if value > 0 else "-inf")
    return value


def _from_json(value):
    """What `_to_json` made of numbers, back to numbers."""
    if isinstance(value, dict):
        return {key: _from_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_from_json(item) for item in value]
    return math.nan if value is None else float(value)
