"""What scores a run after each epoch: separators on fixed mixtures, makers of sounds by their
spectra."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

import keras
import numpy as np
import tensorflow as tf
from rich.console import Console

from tfsepgan.config import Experiment
from tfsepgan.data.recordings.catalogue import Catalogue
from tfsepgan.data.references.fixed_mixtures import Mixture, fixed_mixtures
from tfsepgan.data.references.fixed_windows import fixed_windows
from tfsepgan.metrics.spectra import distance_db, mean_distance_db, spectra_of
from tfsepgan.metrics.waveform import si_sdr
from tfsepgan.training.board import SHOWN, Board, spectrograms

# apart from every training seed in use; the same mixtures whatever the run's seed
VALIDATION_SEED = 20_000
# of recordings: about a minute of them, whose spectra two draws agree on to about 1 dB
WINDOWS = 64
SOUNDS = 32  # made for each validation; the same latents in every epoch


class Validation(NamedTuple):
    """Numbers for the history, and one of them by which the best epoch is chosen."""

    numbers: dict[str, float]
    score: float | None  # higher is better; None where there is nothing to validate on


class Validator(Protocol):
    """Scores a system after each epoch."""

    score_name: str

    def validate(self) -> Validation:
        """Score the system as it is now."""

    def show(self, board: Board, step: int) -> None:
        """Write what it sounds like for TensorBoard."""


def validator_of(
    system: Any, catalogue: Catalogue, experiment: Experiment, console: Console
) -> Validator:
    """The validator of a system's kind."""
    kind = SynthesisValidator if system.kind == "synthesis" else SeparationValidator
    return kind(system, catalogue, experiment, console)


class SeparationValidator:
    """SI-SDR improvement on fixed mixtures of the valid split."""

    score_name = "dB SI-SDR improvement on the valid split"

    def __init__(self, system: Any, catalogue: Catalogue, experiment: Experiment, console: Console):
        self.sources = system.sources
        self.mixtures = _validation_mixtures(catalogue, experiment, console)
        self.separate = separator_of(system)

    def validate(self) -> Validation:
        """Mean and median over the mixtures and all sources that have a score there, in dB."""
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
        """The first mixtures, their first source, estimate and residual."""
        if self.mixtures:
            estimates = [self.separate(item.mixture)[0] for item in self.mixtures[:SHOWN]]
            board.sounds(step, self.mixtures, estimates, self.sources[0])


class SynthesisValidator:
    """Distance of the sounds' spectra from those of the source's recordings, in dB a band; its
    negative is the score.

    The recordings are of the valid split, else of the train split.

    Args:
      system: a `SynthesisSystem`.
      catalogue, experiment: what it learns from.
      console: told when there is no valid split.
    """

    def __init__(self, system: Any, catalogue: Catalogue, experiment: Experiment, console: Console):
        self.system, self.data = system, experiment.data
        source = experiment.data.sources[0]
        split = "valid" if source in catalogue.splits.get("valid", {}) else "train"
        self.score_name = f"dB a band: minus the distance to the spectra of the {split} split"
        self.recordings = None
        if not experiment.training.validation_mixtures:
            return
        if split == "train":
            console.print(
                f"No valid split of {source}: sounds are compared with the spectra of the train"
                " split.",
                markup=False,
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
        """Make sounds and compare their spectra."""
        if self.recordings is None:
            return Validation({}, None)
        made = spectra_of(self.sounds(), self.data.sample_rate_hz)
        distance = distance_db(made, self.recordings)
        numbers = {
            "val/spectral_distance_db": distance,
            "val/mean_spectrum_distance_db": mean_distance_db(made, self.recordings),
        }
        return Validation(numbers, -distance)

    def sounds(self) -> np.ndarray:
        """The sounds that are compared, `[SOUNDS, time]`."""
        return self.system.generate(SOUNDS, seed=VALIDATION_SEED)[:, :, 0]

    def show(self, board: Board, step: int) -> None:
        """Write the first sounds as audio and as spectrograms."""
        parts = {f"sound {k}": sound[:, None] for k, sound in enumerate(self.sounds()[: 2 * SHOWN])}
        with board.writer.as_default(step=step):
            for name, audio in parts.items():
                tf.summary.audio(name, np.clip(audio, -1, 1)[None], self.data.sample_rate_hz)
            tf.summary.image(
                "sounds/spectrograms", spectrograms(parts, self.data.sample_rate_hz)[None]
            )
        board.writer.flush()


def separator_of(system) -> Callable[[np.ndarray], np.ndarray]:
    """A system as a function of one recording, `[time, channels]` -> `[sources, time, channels]`,
    traced once."""
    of_batch = system.separate if system.kind == "search" else _compiled(system.shipped)

    def one(mixture: np.ndarray) -> np.ndarray:
        return np.moveaxis(of_batch(mixture.T[..., None])[..., 0], 0, -1)

    return one


def _compiled(generator: keras.Model) -> Callable[[np.ndarray], np.ndarray]:
    @tf.function(
        input_signature=[tf.TensorSpec((None, None, 1), tf.float32)], reduce_retracing=True
    )
    def separate(mixture):
        return generator(mixture, training=False)

    return lambda mixture: separate(mixture).numpy()


def improvement_db(
    separate: Callable[[np.ndarray], np.ndarray],
    mixtures: Sequence[Mixture],
    sources: Sequence[str],
) -> np.ndarray:
    """SI-SDR improvement over the mixture as estimate, in dB, `[mixtures, sources]`.

    NaN where there is none: the source is silent there, or nothing else sounds, so that the mixture
      is the source already.
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


def _validation_mixtures(
    catalogue: Catalogue, experiment: Experiment, console: Console
) -> Sequence[Mixture]:
    training = experiment.training
    if not training.validation_mixtures:
        return []
    if "valid" not in catalogue.splits:
        console.print("No valid split: the last weights count as the best.")
        return []
    made = fixed_mixtures(
        catalogue,
        experiment.data,
        split="valid",
        count=training.validation_mixtures,
        seconds=training.validation_seconds,
        seed=VALIDATION_SEED,
    )
    _report_what_has_no_score(made, experiment, console)
    return [item for item in made if set(item.scored) & set(experiment.data.sources)]


def _report_what_has_no_score(
    made: Sequence[Mixture], experiment: Experiment, console: Console
) -> None:
    """Name the sources that some mixtures cannot score, such as vocals that are silent in a song's
    first seconds."""
    missing = {
        name: [item for item in made if name not in item.scored] for name in experiment.data.sources
    }
    for name, items in missing.items():
        if items:
            console.print(
                f"Validation: {len(items)} of {len(made)} mixtures have no score of {name}, which"
                " is silent there or sounds alone.",
                markup=False,
                highlight=False,
            )
    unscored = [item for items in missing.values() for item in items]
    seconds = experiment.training.validation_seconds
    if any(len(item.mixture) >= int(seconds * item.sample_rate_hz) for item in unscored):
        console.print(f"--validation-seconds above {seconds:g} makes them longer.", highlight=False)
    if all(len(items) == len(made) for items in missing.values()):
        console.print("Nothing is left to validate on: the last weights count as the best.")
