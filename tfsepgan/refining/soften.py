"""Softens the masks of a trained model, by two numbers chosen on recordings it was not trained on.

A model is as confident on unseen players as on those of its training data, but is more often
wrong: piano that it assigns to another instrument is then lost. Each mask is sigmoid(x). Here
it becomes sigmoid(x / temperature + offset): a temperature above 1 makes masks less confident, an
offset above 0 lets more through. The pair with the best mean SI-SDR gain is kept; with several
sets, the best mean of the means of the sets. It goes into the weights of the last layer, so the
model is neither larger nor slower.

The gain on the sets that the pair was chosen on is too optimistic. The held-out gain is a fair
estimate: each target recording is scored with the pair that is best on the mixtures of all other
targets (which share accompaniments with it).

Works on generators with one source that make masks: any kind but 'resnet'.

Source: Guo et al. 2017, "On calibration of modern neural networks", arXiv:1706.04599; the offset is
  Platt's (1999).
Departs from it: chosen by SI-SDR, since masks have no labels.
"""

import itertools
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tfsepgan.data.recordings.opening import open_catalogue
from tfsepgan.data.references.fixed_mixtures import Mixture
from tfsepgan.errors import CheckpointError
from tfsepgan.models.bundle import Bundle, Manifest, load_bundle, save_bundle
from tfsepgan.models.folders import find_bundle
from tfsepgan.refining.average import refuse_existing
from tfsepgan.refining.paired_scores import gains_of, mixtures_to_score
from tfsepgan.refining.settings import SoftenSettings
from tfsepgan.separation.separator import Separator

SEED = 17  # other mixtures than those of `compare` and tfsepgan-evaluate
AS_TRAINED = (1.0, 0.0)  # temperature, offset
FACT = "masks_softened"  # in the manifest
LAYER = "masks"


class SetGains(NamedTuple):
    """Gains on the mixtures of one set, with each pair."""

    name: str  # folder and split
    targets: tuple[str, ...]  # the recording of the source in each mixture
    left_out: tuple[str, ...]  # mixtures that cannot be scored
    gains: np.ndarray  # dB `[pairs, mixtures]`


class Softening(NamedTuple):
    """What was tried and what was kept."""

    source: str
    pairs: list[tuple[float, float]]  # temperature and offset; the first is the model as trained
    sets: list[SetGains]
    kept: int  # row of the pair that was kept
    held_out: list[np.ndarray] | None  # by set, dB `[mixtures]`; None for a single target


def softened(weights: Sequence[np.ndarray], temperature: float, offset: float) -> list[np.ndarray]:
    """Return kernel and bias of a layer whose output x becomes x / temperature + offset."""
    kernel, bias = weights
    return [kernel / temperature, bias / temperature + offset]


def best_pair(gains: Sequence[np.ndarray]) -> int:
    """Return the row with the best mean over the means of the sets.

    Args:
      gains: by set, dB `[pairs, mixtures]`; sets without mixtures do not count.
    """
    means = [of_set.mean(axis=1) for of_set in gains if of_set.shape[1]]
    return int(np.argmax(np.mean(means, axis=0)))


def held_out_gains(
    gains: Sequence[np.ndarray], targets: Sequence[Sequence[str]]
) -> list[np.ndarray]:
    """Return the gains with the pair that is best on the mixtures of all other targets.

    Args:
      gains: by set, dB `[pairs, mixtures]`.
      targets: by set, the recording of the source in each mixture; at least two different ones.
    Returns: by set, dB `[mixtures]`.
    """
    names = [np.array(of_set) for of_set in targets]
    found = [np.empty(of_set.shape[1]) for of_set in gains]
    for target in set(itertools.chain(*targets)):
        own = [of_set == target for of_set in names]
        row = best_pair([values[:, ~mask] for values, mask in zip(gains, own, strict=True)])
        for place, values, mask in zip(found, gains, own, strict=True):
            place[mask] = values[row][mask]
    return found


def open_masker(name: str | os.PathLike) -> Bundle:
    """Load a model whose masks can be softened.

    Raises: CheckpointError when there is no such model, it makes no masks, has several sources or
      is already softened.
    """
    bundle = load_bundle(find_bundle(name))
    manifest = bundle.manifest
    if all(layer.name != LAYER for layer in bundle.generator.layers):
        kind = manifest.network_settings["kind"]
        raise CheckpointError(
            f"{name} is a {kind!r} generator: it has no masks. Give a model of another kind."
        )
    if max(len(manifest.sources), manifest.outputs) > 1:
        raise CheckpointError(
            f"{name} has several sources, and two numbers do not fit them all. Give a model with"
            " one source."
        )
    if FACT in manifest.trained:
        raise CheckpointError(
            f"{name} is already softened ({manifest.trained[FACT]}). Give the model that it was"
            " made from."
        )
    return bundle


def soften(
    model: str | os.PathLike,
    data: Sequence[str],
    output: Path,
    settings: SoftenSettings = SoftenSettings(),
    *,
    report: Callable[[str], None] = lambda text: None,
) -> Softening:
    """Choose a temperature and an offset and write the softened model.

    Args:
      model: a run, a model folder or a name.
      data: folders of recordings; each is one set.
      output: folder to create.
      report: called with a line of text before each pair is scored.
    Raises: ConfigError for settings that cannot be used; CheckpointError when the model cannot be
      softened or `output` exists; DataError when a set lacks the split or the source.
    """
    refuse_existing(output)
    settings.check(len(data))
    bundle = open_masker(model)
    generator, manifest = bundle
    masks = generator.get_layer(LAYER)
    trained = masks.get_weights()
    tried = itertools.product(settings.temperatures, settings.offsets)
    pairs = list(dict.fromkeys([AS_TRAINED, *tried]))
    drawn, separator = _mixtures_of(data, manifest, settings), Separator(bundle)
    gains = [np.empty((len(pairs), len(mixtures))) for _, mixtures, _ in drawn]
    for row, pair in enumerate(pairs):
        report(f"scoring pair {row + 1} of {len(pairs)}")
        masks.set_weights(softened(trained, *pair))
        for of_set, (_, mixtures, _) in zip(gains, drawn, strict=True):
            of_set[row] = gains_of(separator, mixtures, manifest.sources[0])
    kept = best_pair(gains)
    masks.set_weights(softened(trained, *pairs[kept]))
    save_bundle(output, generator, _manifest(manifest, pairs[kept], gains, settings))
    return _summary(manifest.sources[0], pairs, drawn, gains, kept)


def _mixtures_of(
    data: Sequence[str], manifest: Manifest, settings: SoftenSettings
) -> list[tuple[str, list[Mixture], tuple[str, ...]]]:
    """Make the mixtures of each set: its name, the mixtures, the names of those left out."""
    source, rate_hz = manifest.sources[0], manifest.sample_rate_hz
    amount = {"count": settings.mixtures, "seconds": settings.seconds, "seed": SEED}
    drawn = []
    for folder, split in zip(data, _splits(settings, len(data)), strict=True):
        catalogue = open_catalogue(folder, (source,))
        made = mixtures_to_score(catalogue, source, rate_hz, split=split, **amount)
        drawn.append((f"{folder}, {split}", *made))
    return drawn


def _splits(settings: SoftenSettings, sets: int) -> tuple[str, ...]:
    return settings.split if len(settings.split) == sets else settings.split * sets


def _manifest(
    manifest: Manifest,
    pair: tuple[float, float],
    gains: Sequence[np.ndarray],
    settings: SoftenSettings,
) -> Manifest:
    """Return the manifest with the chosen pair and without the scores of the model as trained."""
    chosen_on = "; ".join(
        f"{of_set.shape[1]} mixtures of {settings.seconds:g} s, split {split}, seed {SEED}"
        for of_set, split in zip(gains, _splits(settings, len(gains)), strict=True)
    )
    facts = {key: value for key, value in manifest.trained.items() if key != "scores"}
    facts[FACT] = {"temperature": pair[0], "offset": pair[1], "chosen_on": chosen_on}
    return replace(manifest, trained=facts)


def _summary(source, pairs, drawn, gains, kept) -> Softening:
    sets = [
        SetGains(name, tuple(item.target_file for item in mixtures), left_out, of_set)
        for (name, mixtures, left_out), of_set in zip(drawn, gains, strict=True)
    ]
    targets = [of_set.targets for of_set in sets]
    several = len(set(itertools.chain(*targets))) > 1
    return Softening(source, pairs, sets, kept, held_out_gains(gains, targets) if several else None)
