"""Soften the masks of a model, by two numbers chosen on recordings that it never heard.

    python tools/soften_masks.py --model runs/piano --data DIR --output runs/softened [--split valid] [--mixtures 192] [--seconds 8]

What a mask is sure of on the players that it learnt from, it is as sure of on others, and there it is often wrong: piano that it
takes for something else is then gone. Each mask is sigmoid(x); here it becomes sigmoid(x / temperature + offset): a temperature above
1 is less sure, an offset above 0 lets more through. The pair with the best mean SI-SDR gain on the split is kept. It goes into the
weights of the last layer: the model is neither larger nor slower.

The split has chosen then, and what the model gains on it is flattered. The last line tells what the choice is worth on a target that
had no say in it: the mixtures of each are scored with the pair that is best on those of all others (which share accompaniments with
them). Works on generators of one source that make masks, of any kind but 'resnet'.

Source: Guo et al. 2017, "On calibration of modern neural networks", arXiv:1706.04599; the offset is Platt's (1999). Departs from
them: chosen by SI-SDR, as masks have no labels.
"""

import argparse
import itertools
import math
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from score_many import cells, gains_of, mixtures_to_score, table_of, wide_console

from tfsepgan.errors import CheckpointError, TfsepganError
from tfsepgan.models.bundle import Bundle, load_bundle, save_bundle
from tfsepgan.models.folders import find_bundle
from tfsepgan.separation.separator import Separator

SEED = 17  # other mixtures than those of score_many.py and tfsepgan-evaluate
AS_LEARNT = (1.0, 0.0)  # temperature, offset
TEMPERATURES = (1.0, 1.25, 1.5, 2.0, 2.5, 3.0)
OFFSETS = (0.0, 0.25, 0.5)
FACT = "masks_softened"  # in the manifest


def softened(weights: list[np.ndarray], temperature: float, offset: float) -> list[np.ndarray]:
    """Kernel and bias of a layer whose sum x becomes x / temperature + offset."""
    kernel, bias = weights
    return [kernel / temperature, bias / temperature + offset]


def chosen_by_others(gains: np.ndarray, targets: list[str]) -> np.ndarray:
    """Gains with the pair that is best on the mixtures of all other targets, dB.

    Args:
      gains: dB `[pairs, mixtures]`.
      targets: what recording is wanted in each mixture `[mixtures]`.
    Returns: dB `[mixtures]`.
    """
    names = np.array(targets)
    found = np.empty(gains.shape[1])
    for name in set(targets):
        own = names == name
        found[own] = gains[np.argmax(gains[:, ~own].mean(axis=1))][own]
    return found


def target_of(mixture_name: str) -> str:
    """The target's recording in the name of a mixture: `ragtime` in `012_ragtime`, all of the name of a song."""
    return re.sub(r"^\d{3,}_", "", mixture_name)


def problems(options: argparse.Namespace) -> Iterator[str]:
    """What nothing could be chosen with, a sentence each."""
    if options.output.exists():
        yield f"{options.output} is there already: name a folder to make."
    if not all(math.isfinite(value) and value > 0 for value in options.temperatures):
        yield f"--temperatures {options.temperatures}: each must be a number above zero."
    if not all(math.isfinite(value) for value in options.offsets):
        yield f"--offsets {options.offsets}: each must be a number."
    if options.mixtures < 1 or not options.seconds > 0:
        yield "--mixtures must be at least 1 and --seconds above zero."


def open_masker(name: str) -> Bundle:
    """A model whose masks can be softened.

    Raises: CheckpointError when there is none of that name, or it is of another kind.
    """
    bundle = load_bundle(find_bundle(name))
    manifest = bundle.manifest
    if all(layer.name != "masks" for layer in bundle.generator.layers):
        raise CheckpointError(f"{name} is a {manifest.network_settings['kind']!r} generator: it has no masks.")
    if max(len(manifest.sources), manifest.outputs) > 1:
        raise CheckpointError(
            f"{name} has several sources, and two numbers would not suit them all: give a model of one."
        )
    if FACT in manifest.trained:
        raise CheckpointError(
            f"{name} is softened already ({manifest.trained[FACT]}): give the model that it was made from."
        )
    return bundle


def main() -> None:
    """Choose and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="a run, a model folder or a name")
    parser.add_argument("--data", required=True, help="folder of recordings")
    parser.add_argument("--output", type=Path, required=True, help="folder to make; must not be there")
    parser.add_argument("--split", default="valid", help="what chooses; never one that the model is judged on")
    parser.add_argument("--temperatures", nargs="+", type=float, default=TEMPERATURES)
    parser.add_argument("--offsets", nargs="+", type=float, default=OFFSETS)
    parser.add_argument("--mixtures", type=int, default=192)
    parser.add_argument("--seconds", type=float, default=8.0)
    options = parser.parse_args()
    if found := list(problems(options)):
        sys.exit(" ".join(found))
    try:
        _soften(options)
    except TfsepganError as error:
        sys.exit(str(error))


def _soften(options: argparse.Namespace) -> None:
    bundle = open_masker(options.model)
    generator, manifest = bundle
    source = manifest.sources[0]
    amount = {"count": options.mixtures, "seconds": options.seconds, "seed": SEED}
    [mixtures] = mixtures_to_score(options.data, source, manifest.sample_rate_hz, [options.split], **amount)
    targets = [target_of(item.name) for item in mixtures]
    title = f"{options.split}: {len(mixtures)} mixtures of {len(set(targets))} targets, SI-SDR gain of {source}, dB"
    console, table = wide_console(), table_of(title, "temperature", "offset")

    separator = Separator(bundle)
    masks = generator.get_layer("masks")
    learnt = masks.get_weights()
    pairs = list(dict.fromkeys([AS_LEARNT, *itertools.product(options.temperatures, options.offsets)]))
    gains = np.empty((len(pairs), len(mixtures)))
    for row, pair in enumerate(pairs):
        masks.set_weights(softened(learnt, *pair))
        gains[row] = gains_of(separator, mixtures, source)
        table.add_row(*(f"{value:g}" for value in pair), *cells(gains[row], gains[0]))
    console.print(table)

    temperature, offset = pairs[int(np.argmax(gains.mean(axis=1)))]
    masks.set_weights(softened(learnt, temperature, offset))
    chosen_on = f"{len(mixtures)} mixtures of {options.seconds:g} s, split {options.split}, seed {SEED}"
    trained = dict(manifest.trained)
    trained.pop("scores", None)  # of the model as it was
    trained[FACT] = {"temperature": temperature, "offset": offset, "chosen_on": chosen_on}
    save_bundle(options.output, generator, replace(manifest, trained=trained))
    console.print(f"Kept temperature {temperature:g}, offset {offset:g}: {options.output}")
    if len(set(targets)) == 1:
        console.print("One target only: nothing tells what the choice is worth on others.")
        return
    mean, _, above, over = cells(chosen_by_others(gains, targets), gains[0])
    console.print(
        f"Each target with the pair that the others choose: {mean} dB, {above} above zero; {over} over the model as it was."
    )


if __name__ == "__main__":
    main()
