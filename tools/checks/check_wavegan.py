"""Compares generated sounds with held-out recordings of every instrument; prints the distances.

    python tools/checks/check_wavegan.py --run runs/wavegan-demo --data demo [--plot wavegan.png]

Distances are Frechet distances between Gaussians of log band spectra, in dB per band
(`tfsepgan/metrics/spectra.py`). The table also has the distance of real windows from the train
split of the instrument: the value of perfect sounds. The exit code is 0 if the sounds are nearest
to their own instrument, otherwise 1.
"""

import argparse
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before anything imports TensorFlow

from rich.console import Console

from tfsepgan.data.recordings.opening import open_catalogue
from tfsepgan.quiet import quiet_tensorflow


def main(arguments: list[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--run", required=True, help="run or model folder of a system that makes sounds"
    )
    parser.add_argument("--data", required=True, help="folder of recordings, or 'demo'")
    parser.add_argument("--split", default="test", help="recordings to compare with (test)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the sounds (0)")
    parser.add_argument("--plot", help="PNG file for the mean spectra")
    options = parser.parse_args(arguments)
    quiet_tensorflow()
    from tfsepgan.evaluation.sounds import SOUNDS, show_distances, spectral_distances
    from tfsepgan.models.saved import load_trained

    system = load_trained(options.run)
    data = system.experiment.data
    catalogue = open_catalogue(options.data, data.sources)
    sounds = system.generate(SOUNDS, seed=options.seed)[:, :, 0]
    lines, left_out = spectral_distances(sounds, catalogue, data, split=options.split)
    show_distances(lines, left_out, data.sources[0], options.split, Console(soft_wrap=True))
    if options.plot:
        plot(
            sounds,
            catalogue,
            data,
            options.split,
            [line.name for line in lines],
            Path(options.plot),
        )
    own = next(line.made_db for line in lines if line.name == data.sources[0])
    return 0 if own == min(line.made_db for line in lines) else 1


def plot(sounds, catalogue, data, split: str, nearest: list[str], path: Path) -> None:
    """Plot mean spectra: sounds, recordings of the instrument, and the two next instruments."""
    from matplotlib.figure import Figure

    from tfsepgan.data.references.fixed_windows import fixed_windows, solo_groups
    from tfsepgan.evaluation.sounds import COMPARING_SEED, WINDOWS
    from tfsepgan.metrics.spectra import band_centres_hz, spectra_of

    source, groups = data.sources[0], solo_groups(catalogue, split, data.sources[0])
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    axes.plot(
        band_centres_hz(data.sample_rate_hz),
        spectra_of(sounds, data.sample_rate_hz).mean,
        "k",
        label="sounds made",
    )
    for name in [source, *[name for name in nearest if name != source][:2]]:
        windows = fixed_windows(
            groups[name],
            window=data.window,
            count=WINDOWS,
            sample_rate_hz=data.sample_rate_hz,
            seed=COMPARING_SEED,
            silence_db=data.silence_db,
        )
        axes.plot(
            band_centres_hz(data.sample_rate_hz),
            spectra_of(windows, data.sample_rate_hz).mean,
            label=f"{name}, {split}",
        )
    axes.set_xlabel("Hz")
    axes.set_ylabel("mean level of a band, dB below the sound")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    sys.exit(main())
