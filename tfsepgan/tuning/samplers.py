"""Samplers, which choose the values of the next trial: random, Bayesian optimization, Hyperband.

Source: keras-tuner's oracles for random search, Bergstra & Bengio 2012; Gaussian process with upper
confidence bound, Srinivas et al. 2010; Hyperband, Li et al. 2018, arXiv:1603.06560.
Departs from keras-tuner:
- the first trial is the unchanged preset with the whole budget;
- the state on disk is one file, consistent after a kill; a trial that had started is started again;
- Bayesian optimization draws the first third of its trials at random; keras-tuner's three trials
  for each setting are more than most searches have.
"""

import json
import math
import warnings
from pathlib import Path
from typing import Any

import keras_tuner
from keras_tuner import oracles
from keras_tuner.engine.trial import Trial

from tfsepgan.errors import CheckpointError, ConfigError
from tfsepgan.settings.search import Choice
from tfsepgan.training.checkpoint import write_atomically
from tfsepgan.tuning.plan import IMPROVEMENT, SearchPlan, encoded, start_values
from tfsepgan.tuning.space import Space

MOST_FAILURES = 10**9  # in a row: a failed trial has its reason in its record
TRIALS = 12  # default of random and Bayesian search


def hyperparameters(space: Space, start: dict[str, Any]) -> keras_tuner.HyperParameters:
    """A search space for keras-tuner, which allows no lists and no None: choices are JSON text.

    Args:
      start: the preset's values.
    """
    found = keras_tuner.HyperParameters()
    for item in space.settings:
        span, value = item.span, encoded(item, start[item.name])
        if isinstance(span, Choice):
            found.Choice(item.name, [json.dumps(choice) for choice in span.values], default=value)
            continue
        number, scale = found.Int if item.whole else found.Float, "log" if span.log else "linear"
        number(item.name, span.low, span.high, sampling=scale, default=value)
    return found


class _Resumable:
    """The base of the three samplers: the preset comes first, and the state is on the disk."""

    first: dict[str, Any]  # values of the first trial
    state: Path  # the file of the state

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Values for the next trial."""
        if not self.trials:
            return {"status": "RUNNING", "values": dict(self.first)}
        return super().populate_space(trial_id)

    def save(self) -> None:
        """Write the state completely or not at all."""
        trials = {name: trial.get_state() for name, trial in self.trials.items()}
        state = json.dumps({"sampler": self.get_state(), "trials": trials})
        write_atomically(self.state, lambda file: file.write(state.encode()))

    def reload(self) -> None:
        """Read the state, if there is one; trials that had not ended come next.

        Raises: CheckpointError for a damaged state.
        """
        if not self.state.exists():
            return
        try:
            saved = json.loads(self.state.read_text())
            trials = {name: Trial.from_state(one) for name, one in saved["trials"].items()}
            unfinished = [
                name for name, one in trials.items() if one.status not in ("COMPLETED", "FAILED")
            ]
            for name in unfinished:
                trials[name].metrics = type(trials[name].metrics)()
            self.trials = trials
            # the last of the queue comes first
            again = {"ongoing_trials": {}, "retry_queue": unfinished[::-1]}
            self.set_state(saved["sampler"] | again)
        except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
            raise CheckpointError(
                f"{self.state} is damaged: {error}. Choose another --output folder; the trials"
                " stay where they are."
            ) from error


class RandomSampler(_Resumable, oracles.RandomSearchOracle):
    """Draws values at random."""


class BayesianSampler(_Resumable, oracles.BayesianOptimizationOracle):
    """Draws where a Gaussian process expects a high score or is uncertain."""

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Values for the next trial; random ones instead of a repetition."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about a fit that ends at the edge of its ranges
            response = super().populate_space(trial_id)
        tried = [trial.hyperparameters.values for trial in self.trials.values()]
        if response["status"] == "RUNNING" and response["values"] in tried:
            return oracles.RandomSearchOracle.populate_space(self, trial_id)
        return response


class HyperbandSampler(_Resumable, oracles.HyperbandOracle):
    """Trains many trials for a short time and continues the best of them."""


def sampler_of(plan: SearchPlan) -> keras_tuner.Oracle:
    """The sampler of a plan.

    Raises: ConfigError when the plan has too few trials, or too few validations for Hyperband.
    """
    if plan.trials is not None and plan.trials < 2:
        raise ConfigError(
            f"trials is {plan.trials}; it must be at least 2, because the first one is the"
            " unchanged preset."
        )
    start = start_values(plan)
    arguments = {
        "objective": keras_tuner.Objective(IMPROVEMENT if plan.separates else "val/score", "max"),
        "hyperparameters": hyperparameters(plan.space, start),
        "allow_new_entries": False,
        "tune_new_entries": False,
        # different for each seed, and never 0, which keras-tuner treats as none
        "seed": 7919 * (plan.start.data.seed + 1),
        "max_consecutive_failed_trials": MOST_FAILURES,
    }
    first = {item.name: encoded(item, start[item.name]) for item in plan.space.settings}
    if plan.algorithm == "hyperband":
        if plan.factor < 2 or plan.epochs < plan.factor:
            raise ConfigError(
                f"hyperband stops trials at validations and continues one in {plan.factor}; a whole"
                f" trial has {plan.epochs} validations (steps / steps_per_epoch). Use fewer"
                f" --steps-per-epoch, or a --factor from 2 to {plan.epochs}."
            )
        sampler = HyperbandSampler(max_epochs=plan.epochs, factor=plan.factor, **arguments)
        sampler.max_trials = plan.trials
        first |= {"tuner/epochs": plan.epochs, "tuner/initial_epoch": 0}
    else:
        arguments["max_trials"] = plan.trials or TRIALS
        if plan.algorithm == "bayesian":
            arguments["num_initial_points"] = max(3, arguments["max_trials"] // 3)
        kind = {"random": RandomSampler, "bayesian": BayesianSampler}[plan.algorithm]
        sampler = kind(**arguments)
    sampler.first, sampler.verbose = first, 0
    sampler.state = plan.directory / "oracle" / "state.json"
    return sampler


def trials_of(sampler: keras_tuner.Oracle) -> int:
    """The number of trials of a search."""
    if not isinstance(sampler, HyperbandSampler):
        return sampler.max_trials
    epochs, factor, brackets = sampler.max_epochs, sampler.factor, 1
    while epochs >= factor**brackets:
        brackets += 1
    widest = math.ceil(1 + math.log(epochs, factor))
    whole = 1 + sum(
        math.ceil(widest / (bracket + 1) * factor ** (bracket - turn))
        for bracket in range(brackets)
        for turn in range(bracket + 1)
    )
    return min(whole, sampler.max_trials or whole)
