"""What a run is judged by after each epoch: separators by how much better than the mixture they are, on fixed mixtures."""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from rich.console import Console

from tfsepgan.config import Experiment
from tfsepgan.data.recordings.catalogue import Catalogue
from tfsepgan.data.references.fixed_mixtures import Mixture, fixed_mixtures
from tfsepgan.training.board import SHOWN, Board
from tfsepgan.training.validation import improvement_db, separating

VALIDATION_SEED = 20_000  # apart from every training seed in use; the same mixtures whatever the run's seed


class Judgement(NamedTuple):
    """What a judge says: numbers for the history, and one of them by which the best epoch is chosen."""

    numbers: dict[str, float]
    score: float | None  # higher is better; None where nothing was there to judge on


class Judge(Protocol):
    """Hears a system after each epoch."""

    score_name: str

    def judge(self) -> Judgement:
        """Hear the system as it is now."""

    def show(self, board: Board, step: int) -> None:
        """Write what it sounds like for TensorBoard."""


def judge_of(system: Any, catalogue: Catalogue, experiment: Experiment, console: Console) -> Judge:
    """The judge of a system's kind."""
    if system.kind == "synthesis":
        from tfsepgan.training.judging_sounds import SynthesisJudge

        return SynthesisJudge(system, catalogue, experiment, console)
    return SeparationJudge(system, catalogue, experiment, console)


class SeparationJudge:
    """SI-SDR improvement on fixed mixtures of the valid split."""

    score_name = "dB SI-SDR improvement on the valid split"

    def __init__(self, system: Any, catalogue: Catalogue, experiment: Experiment, console: Console):
        self.sources = system.sources
        self.mixtures = _validation_mixtures(catalogue, experiment, console)
        self.separate = separating(system)

    def judge(self) -> Judgement:
        """Mean and median over the mixtures and all sources that have a score there, in dB."""
        if not self.mixtures:
            return Judgement({}, None)
        gains = improvement_db(self.separate, self.mixtures, self.sources)
        gains = gains[~np.isnan(gains)]
        if not gains.size:
            return Judgement({}, None)
        mean = float(np.mean(gains))
        numbers = {
            "val/si_sdr_improvement_db": mean,
            "val/si_sdr_improvement_median_db": float(np.median(gains)),
        }
        return Judgement(numbers, mean)

    def show(self, board: Board, step: int) -> None:
        """The first mixtures, their first source, estimate and residual."""
        if self.mixtures:
            estimates = [self.separate(item.mixture)[0] for item in self.mixtures[:SHOWN]]
            board.sounds(step, self.mixtures, estimates, self.sources[0])


def _validation_mixtures(catalogue: Catalogue, experiment: Experiment, console: Console) -> Sequence[Mixture]:
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
    _say_what_has_no_score(made, experiment, console)
    return [item for item in made if set(item.scored) & set(experiment.data.sources)]


def _say_what_has_no_score(made: Sequence[Mixture], experiment: Experiment, console: Console) -> None:
    """Name the sources that some mixtures say nothing about, as vocals that are silent in a song's first seconds."""
    missing = {name: [item for item in made if name not in item.scored] for name in experiment.data.sources}
    for name, items in missing.items():
        if items:
            console.print(
                f"Validation: {len(items)} of {len(made)} mixtures have no score of {name}, which is silent there or sounds alone.",
                markup=False,
                highlight=False,
            )
    unscored = [item for items in missing.values() for item in items]
    seconds = experiment.training.validation_seconds
    if any(len(item.mixture) >= int(seconds * item.sample_rate_hz) for item in unscored):
        console.print(f"--validation-seconds above {seconds:g} makes them longer.", highlight=False)
    if all(len(items) == len(made) for items in missing.values()):
        console.print("Nothing is left to validate on: the last weights count as the best.")
