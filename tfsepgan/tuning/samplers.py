"""Who says what is tried next: keras-tuner's random search, Bayesian optimisation and Hyperband,
made to last.

Source: random search, Bergstra & Bengio 2012; Gaussian process with upper confidence bound,
Srinivas et al. 2010; Hyperband, Li et al. 2018, arXiv:1603.06560; all as keras-tuner has them.
Departs from it: the first trial is the preset as it is, with the whole budget. The state on disk is
whole or not there, and agrees with itself after a kill: what had begun is begun again, what was
only half noted is forgotten. Bayesian optimisation starts to model after a third of its trials, as
keras-tuner's three trials a setting are more than most searches have.
"""

import json
import warnings
from pathlib import Path
from typing import Any

import keras_tuner
from keras_tuner import oracles

from tfsepgan.errors import ConfigError
from tfsepgan.settings.search import Choice, Space
from tfsepgan.training.checkpoint import write_atomically
from tfsepgan.tuning.trials import IMPROVEMENT, SearchPlan, encoded, start_values

MOST_FAILURES = 10**9  # in a row: each trial that fails says why, and the search goes on
TRIALS = 12  # of the algorithms that have no number of their own


def hyperparameters(space: Space, start: dict[str, Any]) -> keras_tuner.HyperParameters:
    """A search space as keras-tuner has it; choices as JSON text, since it knows neither lists nor
    nothing."""
    found = keras_tuner.HyperParameters()
    for item in space.settings:
        span, value = item.span, encoded(item, start[item.name])
        if isinstance(span, Choice):
            found.Choice(item.name, [json.dumps(choice) for choice in span.values], default=value)
            continue
        kind = found.Int if item.whole else found.Float
        kind(
            item.name, span.low, span.high, sampling="log" if span.log else "linear", default=value
        )
    return found


class _Lasting:
    """What the three share: the start first, and a state that survives a kill."""

    first: dict[str, Any]  # the start's values

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Values for the next trial."""
        if not self.trials:
            return {"status": "RUNNING", "values": dict(self.first)}
        return super().populate_space(trial_id)

    def save(self) -> None:
        """Write the state in one piece."""
        _write(self._get_oracle_fname(), self.get_state())

    def _save_trial(self, trial) -> None:
        _write(Path(self._get_trial_dir(trial.trial_id)) / "trial.json", trial.get_state())

    def reload(self) -> None:
        """Read the state, and line up what was going on when it was last written."""
        super().reload()
        self.trials = {name: self.trials[name] for name in self.start_order}
        left = [
            name
            for name, trial in self.trials.items()
            if trial.status not in ("COMPLETED", "FAILED")
        ]
        for name in left:
            self.trials[name].metrics = type(self.trials[name].metrics)()
        self._retry_queue = left[::-1]  # taken from the end


def _write(path, state: dict[str, Any]) -> None:
    write_atomically(Path(path), lambda file: file.write(json.dumps(state).encode()))


class RandomOracle(_Lasting, oracles.RandomSearchOracle):
    """Draws at random."""


class BayesianOracle(_Lasting, oracles.BayesianOptimizationOracle):
    """Draws where a Gaussian process over the trials so far expects most, or knows least."""

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Values for the next trial; at random where the process would repeat one."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a fit that ends at the edge of its own ranges
            response = super().populate_space(trial_id)
        if response["status"] == "RUNNING" and self.trials and self._duplicate(response["values"]):
            return self._random_populate_space()
        return response


class HyperbandOracle(_Lasting, oracles.HyperbandOracle):
    """Gives many trials a short time, and the best of them more."""


def oracle_of(plan: SearchPlan) -> keras_tuner.Oracle:
    """The oracle of a plan.

    Raises: ConfigError when the plan has too few trials, or too few validations for Hyperband.
    """
    if plan.trials is not None and plan.trials < 2:
        raise ConfigError(
            f"trials is {plan.trials}; it must be at least 2, as the first one is the preset as"
            " it is."
        )
    start = start_values(plan)
    given = {
        "objective": keras_tuner.Objective(IMPROVEMENT if plan.separates else "val/score", "max"),
        "hyperparameters": hyperparameters(plan.space, start),
        "allow_new_entries": False,
        "tune_new_entries": False,
        # apart for each seed, and never 0, which keras-tuner takes for none
        "seed": 7919 * (plan.start.data.seed + 1),
        "max_consecutive_failed_trials": MOST_FAILURES,
    }
    first = {item.name: encoded(item, start[item.name]) for item in plan.space.settings}
    if plan.algorithm == "hyperband":
        if plan.factor < 2 or plan.epochs < plan.factor:
            raise ConfigError(
                "hyperband stops trials at their validations, of which a whole one has"
                f" {plan.epochs} (steps by steps_per_epoch), and keeps one in {plan.factor}; take"
                f" fewer --steps-per-epoch, or a --factor from 2 to {plan.epochs}."
            )
        oracle = HyperbandOracle(max_epochs=plan.epochs, factor=plan.factor, **given)
        oracle.max_trials = plan.trials
        first |= {"tuner/epochs": plan.epochs, "tuner/initial_epoch": 0}
    else:
        given["max_trials"] = plan.trials or TRIALS
        if plan.algorithm == "bayesian":
            given["num_initial_points"] = max(3, given["max_trials"] // 3)
        oracle = {"random": RandomOracle, "bayesian": BayesianOracle}[plan.algorithm](**given)
    oracle.first, oracle.verbose = first, 0
    return oracle


def trials_of(oracle: keras_tuner.Oracle) -> int:
    """How many trials there will be, if none of them fails."""
    if not isinstance(oracle, HyperbandOracle):
        return oracle.max_trials
    brackets = range(oracle._get_num_brackets())
    whole = 1 + sum(
        oracle._get_size(bracket, turn) for bracket in brackets for turn in range(bracket + 1)
    )
    return min(whole, oracle.max_trials or whole)
