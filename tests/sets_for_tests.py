"""Small imitations of published data sets: folders, file names, metadata and quirks, with noise.

They follow the pages of IRMAS (zenodo 1290750), MUSDB18 (1117372, 3338373), MAESTRO
(magenta.tensorflow.org) and MIR-1K; the metadata of github.com/marl/medleydb; README and splits of
github.com/ethman/slakh-utils; the reader of github.com/moises-ai/moises-db; the loaders of
github.com/mir-dataset-loaders/mirdata.
"""

import csv
from pathlib import Path

import soundfile
from set_files_for_tests import RATE_HZ, write
from song_sets_for_tests import (
    make_medleydb,
    make_moisesdb,
    make_musdb18,
    make_musdb18hq,
    make_slakh2100,
)


def make_irmas(folder: Path) -> Path:
    """Two classes of eight recordings with two excerpts each.

    The tags for drums and genre are missing in some names.
    """
    seed = 0
    for number in range(8):
        for excerpt in (1, 2):
            for name, tags in (
                ("pia", "[pia][nod][cla]"),
                ("voi", "[voi][pop_roc]" if number % 2 else "[voi][dru][lat_sou]"),
            ):
                seed += 1
                offset = 1000 if name == "voi" else 0
                file = f"{tags}{number + 1 + offset:04d}__{excerpt}.wav"
                write(folder / "IRMAS-TrainingData" / name / file, seed, channels=2)
    write(folder / "IRMAS-TestingData-Part1" / "Part1" / "01 - Overture-1.wav", 900, channels=2)
    (folder / "IRMAS-TestingData-Part1" / "Part1" / "01 - Overture-1.txt").write_text(
        "vio\t\npia\t\n"
    )
    (folder / "IRMAS-TrainingData" / "README.txt").write_text("IRMAS")
    return folder


COLUMNS = (
    "canonical_composer",
    "canonical_title",
    "split",
    "year",
    "midi_filename",
    "audio_filename",
    "duration",
)


def make_maestro(folder: Path) -> Path:
    """Four recordings: one missing, one as FLAC; titles contain commas and quotes."""
    folder = folder / "maestro-v3.0.0"
    names = (
        "MIDI-Unprocessed_Chamber3_MID--AUDIO_10_R3_2018_wav--1",
        "MIDI-Unprocessed_SMF_02_R1_2004_01-05_ORIG_MID--AUDIO_02_R1_2004_05_Track05_wav",
    )
    rows = [
        ("Alban Berg", "Sonata Op. 1", "train", 2018, names[0]),
        ("Frédéric Chopin", 'Etudes, Op. 10 "No. 3", in E', "train", 2004, names[1]),
        ("Franz Liszt", "Ballade No. 2", "validation", 2008, "ORIG-MIDI_03_7_6_13"),
        ("Franz Liszt", "La Campanella", "test", 2009, "not-downloaded"),
    ]
    folder.mkdir(parents=True)
    with open(folder / "maestro-v3.0.0.csv", "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(COLUMNS)
        for composer, title, split, year, name in rows:
            table.writerow(
                (composer, title, split, year, f"{year}/{name}.midi", f"{year}/{name}.wav", 1.5)
            )
    for number, (*_, year, name) in enumerate(rows[:3]):
        write(
            folder / str(year) / f"{name}.{'flac' if number == 2 else 'wav'}",
            5000 + number,
            channels=2,
        )
        (folder / str(year) / f"{name}.midi").write_bytes(b"MThd")
    return folder


def make_mir1k(folder: Path) -> Path:
    """Clips of two training singers and another one; accompaniment left, voice right."""
    folder = folder / "MIR-1K"
    names = [
        f"{singer}_{song}_{clip:02d}"
        for singer in ("abjones", "amy", "Ani")
        for song in (1, 2, 3)
        for clip in (1, 2)
    ]
    for seed, name in enumerate(names):
        samples = write(folder / "Wavfile" / f"{name}.wav", seed, channels=2)
        samples[:, 0] *= 0.5
        soundfile.write(folder / "Wavfile" / f"{name}.wav", samples, RATE_HZ)
        (folder / "PitchLabel").mkdir(exist_ok=True)
        (folder / "PitchLabel" / f"{name}.pv").write_text("0\n0\n")
    return folder


MAKERS = {
    "irmas": (make_irmas, ("piano",)),
    "maestro": (make_maestro, ("piano",)),
    "mir1k": (make_mir1k, ("voice",)),
    "musdb18": (make_musdb18, ("vocals",)),
    "musdb18hq": (make_musdb18hq, ("vocals",)),
    "slakh2100": (make_slakh2100, ("piano",)),
    "medleydb": (make_medleydb, ("piano",)),
    "moisesdb": (make_moisesdb, ("piano",)),
}
