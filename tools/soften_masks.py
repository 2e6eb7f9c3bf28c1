"""Make a model less sure of itself, by two numbers chosen on recordings that it never heard.

    python tools/soften_masks.py --model runs/piano --data DIR --output runs/softened [--split valid] [--mixtures 192] [--seconds 8]

What a mask is sure of on the players that it learnt from, it is as sure of on others, and there it is often wrong: piano that it
takes for something else is then gone. Each mask is sigmoid(x); here it becomes sigmoid(x / temperature + offset), and the pair with
the best mean SI-SDR gain on the split is kept. It goes into the weights of the last layer: the model is neither larger nor slower.

The last line is what the choice is worth on a recording that had no say in it: each target's mixtures are scored with the pair that
is best on those of all other targets. Works on 'filterbank' generators.

Source: Guo et al. 2017, "On calibration of modern neural networks", arXiv:1706.04599.
"""

import argparse
import itertools
import os
import sys
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from rich.console import Console
from rich.table import Table
from score_many import SEED, gains_of, summary

from tfsepgan.cli.catalogue import open_catalogue
from tfsepgan.cli.finish import TEST_SNR_DB
from tfsepgan.config import DataConfig
from tfsepgan.data.mixtures import fixed_mixtures
from tfsepgan.networks.bundle import load_bundle, save_bundle
from tfsepgan.networks.folders import find_bundle
from tfsepgan.separation.separator import Separator

AS_IT_IS = (1.0, 0.0)  # temperature, offset
TEMPERATURES = (1.0, 1.25, 1.5, 2.0, 2.5, 3.0)
OFFSETS = (0.0, 0.25, 0.5)


def softened(weights: list[np.ndarray], temperature: float, offset: float) -> list[np.ndarray]:
    """Kernel and bias of a layer whose sum x becomes x / temperature + offset."""
    kernel, bias = weights
    return [kernel / temperature, bias / temperature + offset]


def elsewhere(gains: np.ndarray, targets: list[str]) -> np.ndarray:
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


def recording(mixture_name: str) -> str:
    """The target's recording in the name of a mixture, such as `ragtime` in `012_ragtime`."""
    return mixture_name.partition("_")[2]


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
    if options.output.exists():
        sys.exit(f"{options.output} is there already: name a folder to make.")
    if min(options.temperatures) <= 0:
        sys.exit("A temperature must be above zero.")
    bundle = load_bundle(find_bundle(options.model))
    generator, manifest = bundle
    if manifest.network_settings["kind"] != "filterbank":
        sys.exit(f"{options.model} is a {manifest.network_settings['kind']!r} generator: it has no masks.")

    source = manifest.sources[0]
    law = DataConfig(sources=(source,), sample_rate_hz=manifest.sample_rate_hz, law="snr", snr_db=TEST_SNR_DB)
    amount = {"count": options.mixtures, "seconds": options.seconds, "seed": SEED}
    mixtures = fixed_mixtures(open_catalogue(options.data, (source,)), law, split=options.split, **amount)
    targets = [recording(item.name) for item in mixtures]

    console = Console() if Console().is_terminal else Console(width=120)
    table = Table(title=f"{options.split}: {len(mixtures)} mixtures, SI-SDR gain of {source}, dB")
    for head in ("temperature", "offset", "mean", "median", "above zero", "over the first"):
        table.add_column(head, justify="right")
    masks = generator.get_layer("masks")
    learnt = masks.get_weights()
    pairs = [AS_IT_IS, *itertools.product(options.temperatures, options.offsets)]
    pairs = list(dict.fromkeys(pairs))
    gains = []
    for pair in pairs:
        masks.set_weights(softened(learnt, *pair))
        gains.append(gains_of(Separator(bundle), mixtures, source))
        all_, over = summary(gains[-1]), summary(gains[-1] - gains[0])
        cells = (f"{all_.mean:+.2f} ± {all_.error:.2f}", f"{all_.median:+.2f}", f"{all_.above} of {all_.mixtures}")
        table.add_row(f"{pair[0]:g}", f"{pair[1]:g}", *cells, f"{over.mean:+.2f} ± {over.error:.2f}")
    console.print(table)

    temperature, offset = pairs[int(np.argmax(np.mean(gains, axis=1)))]
    masks.set_weights(softened(learnt, temperature, offset))
    told = {"temperature": temperature, "offset": offset, "chosen_on": f"{options.split}, {len(mixtures)} mixtures"}
    save_bundle(options.output, generator, replace(manifest, trained={**manifest.trained, "masks_softened": told}))
    console.print(f"Kept temperature {temperature:g}, offset {offset:g}: {options.output}")
    if len(set(targets)) > 1:
        fair = summary(elsewhere(np.array(gains), targets))
        console.print(
            f"Chosen without the recording it is scored on: {fair.mean:+.2f} ± {fair.error:.2f} dB, {fair.above} above zero"
        )


if __name__ == "__main__":
    main()
