"""The S-SepGAN paper's set-up: an hour of piano in one-minute files; the others are those of IRMAS.

    python tools/recipes/paper.py --piano maestro-v3.0.0 --output data/paper [--minutes 60] \\
        [--testing IRMAS-TestingData-Part1 ...]

Takes piano recordings in a random order (by seed) until each split has its minutes (valid and test
a tenth of train), and cuts each into files of a minute. The remainder of a recording is a file of
its own if it has at least half a minute, otherwise part of the file before it. The training data of
IRMAS are read in place. Of its testing data (mixtures of up to 20 s), --testing links those without
the label piano, as further others. See docs/paper_setup.md.
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

FILE_SECONDS = 60  # as in the paper
SHARE = {"train": 1.0, "valid": 0.1, "test": 0.1}  # of the minutes
PIANO = "pia"  # label of IRMAS


def pieces(lengths: int, piece: int) -> list[tuple[int, int]]:
    """Start and stop of each file of a recording, in samples; a short remainder joins the last."""
    count = max(1, (lengths + piece // 2) // piece)
    stops = [*(piece * number for number in range(1, count)), lengths]
    return list(zip([0, *stops[:-1]], stops, strict=True))


def chosen(
    files: Sequence[AudioFile], minutes: float, seed: int
) -> Iterator[tuple[AudioFile, int]]:
    """Recordings in a random order until there are enough minutes, with the samples of each."""
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
    """The labels of a testing excerpt of IRMAS: one per line in the text file beside it.

    Raises: DataError for a missing or empty file.
    """
    try:
        labels = set(excerpt.with_suffix(".txt").read_text(encoding="utf-8").split())
    except OSError as error:
        raise DataError(
            f"{excerpt} has no labels beside it ({error}). Unpack the folder again."
        ) from error
    if not labels:
        raise DataError(
            f"{excerpt.with_suffix('.txt')} names no instrument. Unpack the folder again."
        )
    return labels


def link_testing(folders: Sequence[Path], target: Path) -> tuple[int, int]:
    """Link the excerpts without piano; returns how many, and how many were left out.

    Raises: DataError for a folder without excerpts, and as `labels_of`.
    """
    kept = left = 0
    for folder in folders:
        excerpts = sorted(folder.rglob("*.wav"))
        if not excerpts:
            raise DataError(
                f"{folder} holds no excerpts; use the unpacked IRMAS-TestingData-Part1 and so on."
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
        raise ConfigError(f"{output} exists already; name a new folder.")
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
                    f"{options.piano} holds no piano in its split {split}, which needs some."
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
    parser.add_argument("--output", required=True, help="folder to make; must not exist")
    parser.add_argument(
        "--minutes",
        type=float,
        default=60.0,
        help="of piano for training; valid and test have a tenth each",
    )
    parser.add_argument(
        "--testing",
        nargs="*",
        default=[],
        metavar="FOLDER",
        help="testing data of IRMAS, as further others",
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
