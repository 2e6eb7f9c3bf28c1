"""The mean of the weights of models that come from one another, as a model: often better on strangers than either.

    python tools/average_models.py --models runs/first runs/tuned --output runs/mean

The settings that the new model tells are those of the last. Source: Wortsman et al. 2022, "Robust fine-tuning of zero-shot models",
arXiv:2109.01903.
"""

import argparse
import shutil
from pathlib import Path

import numpy as np

from tfsepgan.models.folders import find_bundle
from tfsepgan.models.saved import open_model


def main() -> None:
    """Average and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", required=True, help="runs or model folders with the same network")
    parser.add_argument("--output", type=Path, required=True, help="folder to make; must not be there")
    options = parser.parse_args()
    networks = [open_model(name)[0] for name in options.models]
    options.output.mkdir(parents=True)
    last = networks[-1]
    weights = zip(*(network.get_weights() for network in networks), strict=True)
    last.set_weights([np.mean(values, axis=0, dtype=np.float64).astype(np.float32) for values in weights])
    last.save(options.output / "model.keras")
    shutil.copy(find_bundle(options.models[-1]) / "manifest.json", options.output)


if __name__ == "__main__":
    main()
