"""Writes the windows on which networks are trained alike, and the mixtures that score them.

    python tools/experiments/peers/make_windows.py --run runs/piano --windows 8192 \\
        --score valid=VALID [songs=data/songs] --output data/alike

The windows are the batches of a run: its recordings, augmentation and levels, from its seed. Each
set is scored by the mixtures of its valid split, those of `tfsepgan-refine compare`. Mono, float16:
the source and the rest.
"""

import argparse
import json
import os
from pathlib import Path

import numpy as np
import yaml
from alike import SCORED, WINDOWS
from rich.progress import track

from tfsepgan.data.batches.pipeline import training_batches
from tfsepgan.data.recordings.opening import open_catalogue
from tfsepgan.models.saved import experiment_from
from tfsepgan.refining.paired_scores import SEED, mixtures_to_score
from tfsepgan.training.directory import SETTINGS


def write_windows(run: Path, count: int, path: Path) -> tuple[str, int]:
    """Write windows of a run's batches; returns its source and rate."""
    data = experiment_from(yaml.safe_load((run / SETTINGS).read_text())).data
    catalogue = open_catalogue(data.data, data.sources)
    shape = (count, 2, data.window)
    partial = path.with_suffix(".partial.npy")
    windows = np.lib.format.open_memmap(partial, "w+", np.float16, shape)
    batches = training_batches(catalogue, data).as_numpy_iterator()
    for first in track(range(0, count, data.batch), "windows"):
        batch, some = next(batches), windows[first : first + data.batch]
        mixture, source = batch["mixture"][..., 0], batch["sources"][:, 0, :, 0]
        some[:, 0] = source[: len(some)]
        some[:, 1] = (mixture - source)[: len(some)]
    windows.flush()
    os.replace(partial, path)
    return data.sources[0], data.sample_rate_hz


def write_scored(sets: dict[str, str], source: str, rate_hz: int, options, folder: Path) -> None:
    """Write the mixtures of all sets as one array, and the set and recording of each."""
    parts, rows = [], []
    for name, data in sets.items():
        amount = {"count": options.mixtures, "seconds": options.seconds, "seed": SEED}
        made, _ = mixtures_to_score(
            open_catalogue(data, (source,)), source, rate_hz, split="valid", **amount
        )
        for one in made:
            mixture, wanted = (signal.mean(axis=1) for signal in (one.mixture, one.sources[source]))
            parts.append(np.stack([wanted, mixture - wanted]).astype(np.float16))
            rows.append({"set": name, "mixture": one.name, "recording": one.target_file})
    np.save(folder / SCORED, np.stack(parts))
    facts = {"source": source, "sample_rate_hz": rate_hz, "mixtures": rows}
    (folder / "scored.json").write_text(json.dumps(facts, indent=1) + "\n")


def named(text: str) -> tuple[str, str]:
    """NAME=FOLDER."""
    name, equals, folder = text.partition("=")
    if not equals or not Path(folder).is_dir():
        raise argparse.ArgumentTypeError(f"got {text!r}; wanted NAME=FOLDER of recordings")
    return name, folder


def main() -> None:
    """Read the command line and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--run", type=Path, required=True, help="whose batches are written")
    parser.add_argument("--windows", type=int, default=8192)
    parser.add_argument("--score", type=named, nargs="+", required=True, metavar="NAME=FOLDER")
    parser.add_argument("--mixtures", type=int, default=192, help="of each set")
    parser.add_argument("--seconds", type=float, default=8.0, help="of each of them")
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    source, rate_hz = write_windows(options.run, options.windows, options.output / WINDOWS)
    write_scored(dict(options.score), source, rate_hz, options, options.output)


if __name__ == "__main__":
    main()
