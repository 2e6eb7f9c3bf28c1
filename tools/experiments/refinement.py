"""What the refinement of estimates is worth: gains without it, with each step and both, paired.

    python tools/experiments/refinement.py --model piano --songs data/songs \\
        [--pianos data/recorded/train/piano --bands VALID/rest --count 24]

`--songs`: the stereo songs in the valid split of a folder, as of `tools/recipes/songs.py`.
`--pianos`: stereo recordings of pianos, each put among two recorded bands, panned to both sides,
and a voice in the middle, from the mono recordings `mdb_*` and `mir1k_*` in `--bands`; the piano is
9 dB below to 3 dB above them. The gain is that in SI-SDR over the mixture, both channels as one
signal.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile
import soxr

from tfsepgan.metrics.uncertainty import mean_with_error
from tfsepgan.metrics.waveform import si_sdr_improvement
from tfsepgan.separation.separator import load

RATE_HZ, SECONDS, SOURCE = 44100, 20.0, "piano"

WAYS = {
    "network alone": {"stereo": "apart", "low_rank": "off"},
    "both channels": {"stereo": "together", "low_rank": "off"},
    "few spectra": {"stereo": "apart", "low_rank": "on"},
    "both steps": {"stereo": "together", "low_rank": "on"},
}

Mixture = tuple[str, np.ndarray, np.ndarray]
"""A name, a mixture and its source, `[time, 2]`."""


def songs(folder: Path) -> Iterator[Mixture]:
    """The stereo songs of the valid split."""
    for song in sorted((folder / "valid").iterdir()):
        stems = {one.stem: soundfile.read(one, dtype="float32")[0] for one in song.glob("*.flac")}
        longest = max(map(len, stems.values()))
        stems = {
            name: np.pad(stem, [(0, longest - len(stem)), (0, 0)]) for name, stem in stems.items()
        }
        if stems[SOURCE].shape[1] == 2:
            yield song.name, np.sum(list(stems.values()), axis=0), stems[SOURCE]


def among_bands(pianos: Path, bands: Path, count: int, seed: int) -> Iterator[Mixture]:
    """Stereo recordings of pianos in recorded bands."""
    draw = np.random.default_rng(seed)
    files = [one for one in sorted(pianos.rglob("*.*")) if soundfile.info(one).channels == 2]
    sides, middle = sorted(bands.glob("mdb_*")), sorted(bands.glob("mir1k_*"))
    for number in range(count):
        path = files[number * len(files) // count]
        piano = at_level(excerpt(path, draw), draw.uniform(-9, 3))
        spread = draw.uniform(0.2, 0.8)
        left, right = draw.choice(len(sides), 2, replace=False)
        parts = [
            panned(excerpt(sides[left], draw), -spread),
            panned(excerpt(sides[right], draw), spread),
            0.7 * panned(excerpt(middle[draw.integers(len(middle))], draw), 0.0),
        ]
        others = at_level(np.sum([at_level(part, 0) for part in parts], axis=0), 0)
        yield path.name, piano + others, piano


def excerpt(path: Path, draw: np.random.Generator) -> np.ndarray:
    """A part of a recording, `[time, channels]`; short recordings are repeated."""
    info = soundfile.info(path)
    start = int(draw.uniform(0, max(info.duration - SECONDS, 0)) * info.samplerate)
    frames = int(SECONDS * info.samplerate)
    samples, _ = soundfile.read(path, frames, start, dtype="float32", always_2d=True)
    samples = soxr.resample(samples, info.samplerate, RATE_HZ)
    return np.resize(samples, (int(SECONDS * RATE_HZ), samples.shape[1]))


def panned(samples: np.ndarray, place: float) -> np.ndarray:
    """Mono to stereo at constant power; place from -1, left, to 1, right."""
    angle = (place + 1) * np.pi / 4
    return samples[:, :1] * np.float32([np.cos(angle), np.sin(angle)])


def at_level(samples: np.ndarray, level_db: float) -> np.ndarray:
    return samples * np.float32(0.05 * 10 ** (level_db / 20) / np.sqrt(np.mean(samples**2)))


def main() -> None:
    """Read the command line and print a line for each mixture, and the means."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="piano")
    parser.add_argument("--songs", type=Path)
    parser.add_argument("--pianos", type=Path)
    parser.add_argument("--bands", type=Path)
    parser.add_argument("--count", type=int, default=24)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    sets = {}
    if options.songs:
        sets["songs"] = songs(options.songs)
    if options.pianos and options.bands:
        sets["pianos in bands"] = among_bands(
            options.pianos, options.bands, options.count, options.seed
        )
    separators = [load(options.model, **way) for way in WAYS.values()]
    for title, mixtures in sets.items():
        rows = []
        for name, mixture, source in mixtures:
            stems = [one.separate(mixture, RATE_HZ)[SOURCE] for one in separators]
            rows.append([si_sdr_improvement(source, stem, mixture) for stem in stems])
            print(f"{name}: " + " ".join(f"{gain:+.2f}" for gain in rows[-1]), flush=True)
        alone = np.array(rows)[:, 0]
        for way, gains in zip(WAYS, np.array(rows).T, strict=True):
            mean, more = mean_with_error(gains), mean_with_error(gains - alone)
            print(
                f"{title}, {way}: {mean.mean:+.2f} ± {mean.error:.2f}, over the network"
                f" {more.mean:+.2f} ± {more.error:.2f}, lowest {(gains - alone).min():+.2f}"
            )


if __name__ == "__main__":
    main()
