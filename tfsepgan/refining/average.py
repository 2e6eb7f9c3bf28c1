"""Averages the weights of models; the mean often separates unseen recordings better than each.

Source: Wortsman et al. 2022, "Robust fine-tuning of zero-shot models", arXiv:2109.01903.
"""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from tfsepgan.errors import CheckpointError, ConfigError
from tfsepgan.models.bundle import Bundle, load_bundle, save_bundle
from tfsepgan.models.folders import find_bundle


def average_models(models: Sequence[str | os.PathLike], output: Path) -> Bundle:
    """Write a model whose weights are the mean of the weights of several models.

    Its manifest is that of the last model without the scores, which belong to that model alone.

    Args:
      models: runs, model folders or names of models with the same network, trained from one
        another or from the same start.
      output: folder to create.
    Returns: the generator and its manifest.
    Raises: ConfigError for fewer than two models; CheckpointError when a model does not exist, does
      not separate in one pass or has another network, or when `output` exists.
    """
    refuse_existing(output)
    if len(models) < 2:
        raise ConfigError(f"Got {len(models)} models to average; give at least two.")
    bundles = [load_bundle(find_bundle(name)) for name in models]
    last = bundles[-1]
    for name, bundle in zip(models, bundles, strict=True):
        _check_same_network(name, bundle, models[-1], last)
    weights = zip(*(bundle.generator.get_weights() for bundle in bundles), strict=True)
    means = [np.mean(values, axis=0, dtype=np.float64).astype(np.float32) for values in weights]
    last.generator.set_weights(means)
    trained = {key: value for key, value in last.manifest.trained.items() if key != "scores"}
    mean = Bundle(last.generator, replace(last.manifest, trained=trained))
    save_bundle(output, *mean)
    return mean


def refuse_existing(output: Path) -> None:
    """Raises: CheckpointError when the folder of the new model exists."""
    if Path(output).exists():
        raise CheckpointError(f"{output} already exists. Name a new folder; nothing was written.")


def _check_same_network(name, bundle: Bundle, last_name, last: Bundle) -> None:
    facts, wanted = _facts(bundle), _facts(last)
    different = [key for key in wanted if facts[key] != wanted[key]]
    if different:
        raise CheckpointError(
            f"{name} and {last_name} differ in their {' and '.join(different)}. Average models with"
            " the same network, sources and sample rate."
        )


def _facts(bundle: Bundle) -> dict[str, object]:
    return {
        "sources": bundle.manifest.sources,
        "sample rate": bundle.manifest.sample_rate_hz,
        "shapes of weights": [weight.shape for weight in bundle.generator.get_weights()],
    }
