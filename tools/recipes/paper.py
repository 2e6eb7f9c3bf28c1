"""The S-SepGAN paper's own set-up: about an hour of piano in files of a minute; the other instruments are those of IRMAS.

    python tools/recipes/paper.py --piano maestro-v3.0.0 --output data/paper [--minutes 60] [--testing IRMAS-TestingData-Part1 ...]

Takes recordings of the piano in an order drawn from the seed until there are so many minutes of each split (a tenth as many of valid
and test), and cuts each into files of a minute; what is left at its end is a file of its own from half a minute on, and goes to the
file before it otherwise. IRMAS' training data are read where they lie. Of its testing data, mixtures of up to 20 s, --testing links those
whose labels do not name the piano, as further others. See docs/paper_setup.md.
"""

import argparse
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import soundfile

from tfsepgan.audio.recording import AudioFile
from tfsepgan.data.recordings.opening import open_catalogue
from tfsepgan.errors import ConfigError, DataError, TfsepganError

FILE_SECONDS = 60  # the paper's
SHARE = {"train": 1.0, "valid": 0.1, "test": 0.1}  # of the minutes
PIANO = "pia"  # IRMAS' label


def pieces(lengths: int, piece: int) -> list[tuple[int, int]]:
    """Start and stop of each file that a recording is cut into, in samples: all of it, none shorter than half a piece unless it is."""
    count = max(1, (lengths + piece // 2) // piece)
    stops = [*(piece * number for number in range(1, count)), lengths]
    return list(zip([0, *stops[:-1]], stops, strict=True))


def chosen(
    files: Sequence[AudioFile], minutes: float, seed: int
) -> Iterator[tuple[AudioFile, int]]:
    """Recordings in an order drawn from the seed, and how many samples of each are taken, until there are enough minutes."""
    missing = 60 * minutes
    for number in np.random.default_rng(seed).permutation(len(files)):
        if missing <= 0:
            return
        file = files[number]
        frames = min(file.frames, round(missing * file.sample_rate_hz))
        missing -= frames / file.sample_rate_hz
        yield file, frames


def cut(file: AudioFile, frames: int, folder: Path) -> int:
    """Write the first samples of a recording as FLAC files of about a minute; returns how many."""
    samples = file.read(mono=False)[:frames]
    spans = pieces(len(samples), FILE_SECONDS * file.sample_rate_hz)
    name = Path(file.name).stem
    for number, (start, stop) in enumerate(spans):
        soundfile.write(
            folder / f"{name}-{number:03d}.flac",
            samples[start:stop],
            file.sample_rate_hz,
            subtype="PCM_16",
        )
    return len(spans)


def labels_of(excerpt: Path) -> set[str]:
    """What a testing excerpt of IRMAS is labelled with: a label a line in the text file beside it.

    Raises: DataError when there is no such file, or it is empty.
    """
    try:
        labels = set(excerpt.with_suffix(".txt").read_text(encoding="utf-8").split())
    except OSError as error:
        raise DataError(
            f"{excerpt} has no labels beside it ({error}). Unpack the folder anew."
        ) from error
    if not labels:
        raise DataError(
            f"{excerpt.with_suffix('.txt')} names no instrument. Unpack the folder anew."
        )
    return labels


def link_testing(folders: Sequence[Path], target: Path) -> tuple[int, int]:
    """Link the excerpts whose labels do not name the piano; returns how many, and how many were left out.

    Raises: DataError for a folder without excerpts, and as `labels_of`.
    """
    kept = left = 0
    for folder in folders:
        excerpts = sorted(folder.rglob("*.wav"))
        if not excerpts:
            raise DataError(
                f"{folder} holds no excerpts: give IRMAS-TestingData-Part1 and so on, unpacked."
            )
        for excerpt in excerpts:
            if PIANO in labels_of(excerpt):
                left += 1
                continue
            place = target / folder.name / excerpt.name
            place.parent.mkdir(parents=True, exist_ok=True)
            os.symlink(excerpt.resolve(), place)
            kept += 1
    return kept, left


def make(options: argparse.Namespace) -> None:
    """Write the folder, all of it or nothing."""
    output = Path(options.output)
    if output.exists():
        raise ConfigError(f"{output} is there already: name a folder to make.")
    if not options.minutes > 0:
        raise ConfigError(f"--minutes is {options.minutes}; it must be above zero.")
    catalogue = open_catalogue(options.piano, ("piano",))
    trial = output.with_name(f".{output.name}.{os.getpid()}.tmp")
    try:
        for number, (split, share) in enumerate(SHARE.items()):
            files = catalogue.splits.get(split, {}).get("piano", ())
            folder = trial / split / "piano"
            folder.mkdir(parents=True)
            taken = list(chosen(files, share * options.minutes, options.seed + number))
            count = sum(cut(file, frames, folder) for file, frames in taken)
            minutes = sum(frames / file.sample_rate_hz for file, frames in taken) / 60
            print(f"{split}: {minutes:.1f} minutes of {len(taken)} recordings in {count} files")
            if not count:
                raise DataError(
                    f"{options.piano} holds no piano in its split {split}, of which some is needed."
                )
        if options.testing:
            kept, left = link_testing(
                [Path(one) for one in options.testing], trial / "train" / "others" / "irmas_testing"
            )
            print(f"IRMAS testing data: {kept} excerpts linked, {left} with a piano left out")
        trial.rename(output)
    finally:
        shutil.rmtree(trial, ignore_errors=True)


def main() -> int:
    """Cut and link."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--piano",
        required=True,
        help="MAESTRO, or a folder with train, valid and test, each with piano/",
    )
    parser.add_argument("--output", required=True, help="folder to make; must not be there")
    parser.add_argument(
        "--minutes",
        type=float,
        default=60.0,
        help="of piano to train on; a tenth of it for valid and test each",
    )
    parser.add_argument(
        "--testing",
        nargs="*",
        default=[],
        metavar="FOLDER",
        help="IRMAS' testing data, as further others",
    )
    parser.add_argument("--seed", type=int, default=0)
    try:
        make(parser.parse_args())
    except TfsepganError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
