"""SI-SDR gains of models on the same mixtures: means, their standard errors, and differences.

24 mixtures leave the mean uncertain by half a decibel, 192 by a fifth. BSS Eval takes seconds for
each mixture and is left to `tfsepgan-evaluate`. The standard errors treat mixtures as independent
draws. Mixtures of one recording are not: `metrics.uncertainty` counts by recording.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from tfsepgan.data.recordings.catalogue import Catalogue
from tfsepgan.data.recordings.opening import open_catalogue
from tfsepgan.data.references.fixed_mixtures import Mixture
from tfsepgan.errors import DataError, ShapeError
from tfsepgan.evaluation.scoring import scoring_mixtures
from tfsepgan.metrics.waveform import si_sdr_improvement
from tfsepgan.separation.separator import Separator, load

SEED = 11  # other mixtures than those of tfsepgan-evaluate
DEFAULT_COUNT = 192
DEFAULT_SECONDS = 8.0


class Summary(NamedTuple):
    """Gains over some mixtures, in dB."""

    mean: float
    error: float  # standard error of the mean
    median: float
    above: int  # number of mixtures with a gain above zero
    mixtures: int


class SplitGains(NamedTuple):
    """Gains of models on the mixtures of one split."""

    split: str
    source: str
    mixtures: int
    left_out: tuple[str, ...]  # mixtures that cannot be scored: the source is silent or alone
    gains: tuple[tuple[str, np.ndarray], ...]  # by model, dB `[mixtures]`


def summarize(gains: np.ndarray) -> Summary:
    """Return mean, standard error and median of gains, dB `[mixtures]`."""
    count = len(gains)
    error = float(np.std(gains, ddof=1) / np.sqrt(count)) if count > 1 else float("nan")
    above = int((gains > 0).sum())
    return Summary(float(np.mean(gains)), error, float(np.median(gains)), above, count)


def gains_of(separator: Separator, mixtures: Sequence[Mixture], source: str) -> np.ndarray:
    """Return the SI-SDR gain of a separator on each mixture, dB `[mixtures]`.

    Raises: ShapeError that names a mixture in which the source is silent.
    """
    gains = []
    for item in mixtures:
        estimate = separator.separate(item.mixture, item.sample_rate_hz)[source]
        try:
            gains.append(si_sdr_improvement(item.sources[source], estimate, item.mixture))
        except ShapeError as error:
            raise ShapeError(f"{item.name}: {error}") from error
    return np.array(gains)


def mixtures_to_score(
    catalogue: Catalogue,
    source: str,
    sample_rate_hz: int,
    *,
    split: str,
    count: int,
    seconds: float,
    seed: int,
) -> tuple[list[Mixture], tuple[str, ...]]:
    """Make the mixtures of a split in which the source can be scored.

    The first `seconds` of a song may hold no note of the source, or nothing else.

    Returns: the mixtures; the names of those left out.
    Raises: DataError when no mixture is left.
    """
    drawn = {"split": split, "count": count, "seconds": seconds, "seed": seed}
    made = scoring_mixtures(catalogue, (source,), sample_rate_hz, **drawn)
    left_out = tuple(item.name for item in made if source not in item.scored)
    if len(left_out) == len(made):
        raise DataError(
            f"{source} is silent or alone in the first {seconds:g} s of every mixture of {split} in"
            f" {catalogue.directory}. Take longer mixtures or other recordings."
        )
    return [item for item in made if source in item.scored], left_out


def compare_models(
    models: Sequence[str],
    data: str,
    *,
    splits: Sequence[str],
    count: int = DEFAULT_COUNT,
    seconds: float = DEFAULT_SECONDS,
) -> Iterator[SplitGains]:
    """Score models on the same mixtures of each split.

    The first source of the first model is scored, at the rate of that model.

    Args:
      models: runs, model folders or names.
      data: folder of recordings, as for training.
      count, seconds: mixtures of each split, and their length.
    Yields: the gains on each split.
    Raises: DataError when a split lacks the source; CheckpointError when there is no such model.
    """
    first = load(models[0])
    source = first.sources[0]
    catalogue = open_catalogue(data, (source,))
    scored = catalogue, source, first.sample_rate_hz
    amount = {"count": count, "seconds": seconds, "seed": SEED}
    for split in splits:
        mixtures, left_out = mixtures_to_score(*scored, split=split, **amount)
        gains = tuple((model, gains_of(load(model), mixtures, source)) for model in models)
        yield SplitGains(split, source, len(mixtures), left_out, gains)


def as_json(results: Sequence[SplitGains]) -> dict[str, dict]:
    """Return all figures by "model, split": summary, difference from the first model, gains."""
    return {
        f"{model}, {result.split}": {
            **summarize(gains)._asdict(),
            "over_first": summarize(gains - result.gains[0][1])._asdict(),
            "gains": np.round(gains, 3).tolist(),
        }
        for result in results
        for model, gains in result.gains
    }
