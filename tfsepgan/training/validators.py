"""Validators score a run after each epoch: separators by SI-SDR, sound generators by spectra."""

import logging
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from tfsepgan.config import Experiment
from tfsepgan.data.recordings.catalogue import Catalogue
from tfsepgan.data.references.fixed_mixtures import Mixture, fixed_mixtures
from tfsepgan.data.references.fixed_windows import fixed_windows
from tfsepgan.metrics.spectra import distance_db, mean_distance_db, spectra_of
from tfsepgan.metrics.waveform import si_sdr
from tfsepgan.models.bundle import network_function
from tfsepgan.training.board import SHOWN, Board

logger = logging.getLogger(__name__)

# differs from every training seed in use; all runs have the same mixtures
VALIDATION_SEED = 20_000
# of recordings: about a minute; the spectra of two draws agree within about 1 dB
WINDOWS = 64
SOUNDS = 32  # generated for each validation, from the same latents in every epoch


class Validation(NamedTuple):
    """Numbers for the history, and the score that decides which epoch is the best."""

    numbers: dict[str, float]
    score: float | None  # higher is better; None when there is nothing to validate on


def validator_of(
    system: Any, catalogue: Catalogue, experiment: Experiment
) -> "SeparationValidator | SynthesisValidator":
    """The validator of a system of this kind; it also writes sounds for TensorBoard."""
    kind = SynthesisValidator if system.kind == "synthesis" else SeparationValidator
    return kind(system, catalogue, experiment)


class SeparationValidator:
    """SI-SDR improvement on fixed mixtures of the valid split."""

    score_name = "dB SI-SDR improvement on the valid split"

    def __init__(self, system: Any, catalogue: Catalogue, experiment: Experiment):
        self.system, self.sources = system, system.sources
        self.mixtures = _validation_mixtures(catalogue, experiment)

    @cached_property
    def separate(self) -> Callable[[np.ndarray], np.ndarray]:
        """The system as a function on a mixture; traced at the first validation."""
        return separator_of(self.system)

    def validate(self) -> Validation:
        """Mean and median in dB over mixtures and sources, where a score is defined."""
        if not self.mixtures:
            return Validation({}, None)
        gains = improvement_db(self.separate, self.mixtures, self.sources)
        gains = gains[~np.isnan(gains)]
        if not gains.size:
            return Validation({}, None)
        mean = float(np.mean(gains))
        numbers = {
            "val/si_sdr_improvement_db": mean,
            "val/si_sdr_improvement_median_db": float(np.median(gains)),
        }
        return Validation(numbers, mean)

    def show(self, board: Board, step: int) -> None:
        """Write the first mixtures with their first source, its estimate and the residual."""
        if self.mixtures:
            estimates = [self.separate(item.mixture)[0] for item in self.mixtures[:SHOWN]]
            board.sounds(step, self.mixtures, estimates, self.sources[0])


class SynthesisValidator:
    """Compares the spectra of generated sounds with those of the source's recordings.

    The score is the negative distance, in dB per band. The recordings are those of the valid split,
    or those of the train split when there is no valid split.

    Args:
      system: a `SynthesisSystem`.
      catalogue, experiment: its recordings and settings.
    """

    def __init__(self, system: Any, catalogue: Catalogue, experiment: Experiment):
        self.system, self.data = system, experiment.data
        source = experiment.data.sources[0]
        split = "valid" if source in catalogue.splits.get("valid", {}) else "train"
        self.score_name = f"dB a band: minus the distance to the spectra of the {split} split"
        self.recordings = None
        if not experiment.training.validation_mixtures:
            return
        if split == "train":
            logger.info(
                "No valid split of %s: the spectra of the train split are the reference.", source
            )
        windows = fixed_windows(
            catalogue.splits[split][source],
            window=self.data.window,
            count=WINDOWS,
            sample_rate_hz=self.data.sample_rate_hz,
            seed=VALIDATION_SEED,
            silence_db=self.data.silence_db,
        )
        self.recordings = spectra_of(windows, self.data.sample_rate_hz)

    def validate(self) -> Validation:
        """Generate sounds and compare their spectra with the recordings'."""
        if self.recordings is None:
            return Validation({}, None)
        generated = spectra_of(self.sounds(), self.data.sample_rate_hz)
        distance = distance_db(generated, self.recordings)
        numbers = {
            "val/spectral_distance_db": distance,
            "val/mean_spectrum_distance_db": mean_distance_db(generated, self.recordings),
        }
        return Validation(numbers, -distance)

    def sounds(self) -> np.ndarray:
        """The sounds that are compared, `[SOUNDS, time]`."""
        return self.system.generate(SOUNDS, seed=VALIDATION_SEED)[:, :, 0]

    def show(self, board: Board, step: int) -> None:
        """Write the first sounds as audio and as spectrograms."""
        parts = {f"sound {k}": sound[:, None] for k, sound in enumerate(self.sounds()[: 2 * SHOWN])}
        board.examples(step, parts, self.data.sample_rate_hz)


def separator_of(system) -> Callable[[np.ndarray], np.ndarray]:
    """A system as a function from a mixture `[time, channels]` to `[sources, time, channels]`.

    TensorFlow traces the function once for all lengths. Each channel is separated alone.
    """
    separate_batch = (
        system.separate if system.kind == "search" else network_function(system.shipped)
    )

    def separate(mixture: np.ndarray) -> np.ndarray:
        return np.moveaxis(separate_batch(mixture.T[..., None])[..., 0], 0, -1)

    return separate


def improvement_db(
    separate: Callable[[np.ndarray], np.ndarray],
    mixtures: Sequence[Mixture],
    sources: Sequence[str],
) -> np.ndarray:
    """SI-SDR of the estimates minus that of the mixture, in dB.

    Returns: `[mixtures, sources]`; NaN where the source is silent, and where it sounds alone,
      because the mixture is then the source.
    """
    rows = []
    for item in mixtures:
        estimates, scored = separate(item.mixture), item.scored
        rows.append(
            [
                (
                    si_sdr(item.sources[name], estimate) - si_sdr(item.sources[name], item.mixture)
                    if name in scored
                    else np.nan
                )
                for name, estimate in zip(sources, estimates, strict=True)
            ]
        )
    return np.array(rows, dtype=np.float64)


def _validation_mixtures(catalogue: Catalogue, experiment: Experiment) -> Sequence[Mixture]:
    training = experiment.training
    if not training.validation_mixtures:
        return []
    if "valid" not in catalogue.splits:
        logger.info("No valid split: the last weights count as the best.")
        return []
    mixtures = fixed_mixtures(
        catalogue,
        experiment.data,
        split="valid",
        count=training.validation_mixtures,
        seconds=training.validation_seconds,
        seed=VALIDATION_SEED,
    )
    _report_missing_scores(mixtures, experiment)
    return [item for item in mixtures if set(item.scored) & set(experiment.data.sources)]


def _report_missing_scores(mixtures: Sequence[Mixture], experiment: Experiment) -> None:
    """Log which sources have no score in how many mixtures.

    For example, vocals may be silent in the first seconds of a song.
    """
    missing = {
        name: [item for item in mixtures if name not in item.scored]
        for name in experiment.data.sources
    }
    for name, items in missing.items():
        if items:
            logger.info(
                "Validation: %d of %d mixtures have no score of %s, which is silent there or sounds"
                " alone.",
                len(items),
                len(mixtures),
                name,
            )
    unscored = [item for items in missing.values() for item in items]
    seconds = experiment.training.validation_seconds
    if any(len(item.mixture) >= int(seconds * item.sample_rate_hz) for item in unscored):
        logger.info("--validation-seconds above %g makes them longer.", seconds)
    if all(len(items) == len(mixtures) for items in missing.values()):
        logger.info("Nothing is left to validate on: the last weights count as the best.")
