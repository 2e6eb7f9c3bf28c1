"""Small imitations of published data sets: folders, file names, metadata and quirks, with noise.

They follow the pages of IRMAS (zenodo 1290750), MUSDB18 (1117372, 3338373), MAESTRO
(magenta.tensorflow.org) and MIR-1K; the metadata of github.com/marl/medleydb; README and splits of
github.com/ethman/slakh-utils; the reader of github.com/moises-ai/moises-db; the loaders of
github.com/mir-dataset-loaders/mirdata.
"""

import csv
import json
from pathlib import Path

import av
import numpy as np
import soundfile
import yaml

RATE_HZ = 8000
SECONDS = 1.5


def noise(seed: int, seconds: float = SECONDS, channels: int = 1) -> np.ndarray:
    samples = np.random.default_rng(seed).normal(
        scale=0.1, size=(round(seconds * RATE_HZ), channels)
    )
    return np.clip(samples, -0.99, 0.99)


def write(path: Path, seed: int, seconds: float = SECONDS, channels: int = 1) -> np.ndarray:
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = noise(seed, seconds, channels)
    soundfile.write(path, samples, RATE_HZ)
    return samples


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


def write_stem_file(
    path: Path, seed: int, streams: int = 5, seconds: float = SECONDS
) -> list[np.ndarray]:
    """A stem.mp4 with AAC streams: mixture, drums, bass, other, vocals."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rate_hz = 44100
    rng = np.random.default_rng(seed)
    tones = [
        0.1
        * np.sin(2 * np.pi * rng.uniform(100, 4000) * np.arange(round(seconds * rate_hz)) / rate_hz)
        for _ in range(streams - 1)
    ]
    signals = [np.sum(tones, axis=0), *tones]
    with av.open(str(path), "w", format="mp4") as container:
        outputs = [container.add_stream("aac", rate=rate_hz, layout="stereo") for _ in signals]
        for output, signal in zip(outputs, signals, strict=True):
            samples = np.repeat(signal[None].astype(np.float32), 2, axis=0)
            for start in range(0, samples.shape[1], 1024):
                frame = av.AudioFrame.from_ndarray(
                    np.ascontiguousarray(samples[:, start : start + 1024]), "fltp", "stereo"
                )
                frame.sample_rate, frame.pts = rate_hz, start
                container.mux(output.encode(frame))
            container.mux(output.encode(None))
    return signals


MUSDB_TRAIN = (
    "A Classic Education - NightOwl",
    "Actions - One Minute Smile",
    "Music Delta - 80s Rock",
)
MUSDB_TEST = ("AM Contra - Heart Peripheral",)


def make_musdb18(folder: Path) -> Path:
    for seed, (split, song) in enumerate(
        [*(("train", song) for song in MUSDB_TRAIN), *(("test", song) for song in MUSDB_TEST)]
    ):
        write_stem_file(folder / split / f"{song}.stem.mp4", seed)
    return folder


def make_musdb18hq(folder: Path) -> Path:
    seed = 6000  # no recording of another set
    for split, song in [
        *(("train", song) for song in MUSDB_TRAIN),
        *(("test", song) for song in MUSDB_TEST),
    ]:
        for name in ("mixture", "drums", "bass", "other", "vocals"):
            seed += 1
            write(folder / split / song / f"{name}.wav", seed, channels=2)
    return folder


def slakh_stem(inst_class: str, program: int, *, rendered: bool = True) -> dict:
    drums = inst_class == "Drums"
    loudness, plugin = (
        {"integrated_loudness": -12.8, "midi_program_name": inst_class},
        {"plugin_name": "x.nkm"},
    )
    return (
        {
            "audio_rendered": rendered,
            "inst_class": inst_class,
            "is_drum": drums,
            "midi_saved": True,
            "program_num": program,
        }
        | loudness
        | plugin
    )


def make_slakh2100(folder: Path) -> Path:
    """Songs in all four folders of redux.

    A duplicate (49) is in train as in the original set, and one stem was not rendered.
    """
    folder = folder / "slakh2100_flac_redux"
    placed = [
        ("train", 1),
        ("train", 2),
        ("train", 49),
        ("validation", 1501),
        ("test", 1877),
        ("omitted", 77),
    ]
    for split, number in placed:
        track = folder / split / f"Track{number:05d}"
        stems = {
            "S00": slakh_stem("Piano", 0),
            "S01": slakh_stem("Strings (continued)", 48),
            "S02": slakh_stem("Piano", 4),
            "S03": slakh_stem("Drums", 128),
            "S04": slakh_stem("Sound Effects", 120, rendered=False),
        }
        for place, (key, stem) in enumerate(stems.items()):
            if stem["audio_rendered"]:
                write(track / "stems" / f"{key}.flac", 10 * number + place, SECONDS - 0.1 * place)
        write(track / "mix.flac", 10 * number + 9)
        (track / "all_src.mid").write_bytes(b"MThd")
        metadata = {
            "UUID": "1a81ae",
            "audio_dir": "stems",
            "midi_dir": "MIDI",
            "normalized": True,
            "overall_gain": 0.18,
            "stems": stems,
        }
        (track / "metadata.yaml").write_text(yaml.safe_dump(metadata))
    return folder


def make_medleydb(folder: Path) -> Path:
    """Four artists; metadata in the track's folder or in Metadata.

    One stem is missing, and one track has bleed.
    """
    folder = folder / "MedleyDB"
    tracks = (
        "AClassicEducation_NightOwl",
        "LizNelson_Rainfall",
        "LizNelson_Coldwar",
        "Mozart_DiesBildnis",
        "Phoenix_ElzicsFarewell",
    )
    labels = (
        "piano",
        "distorted electric guitar",
        "distorted electric guitar",
        "male singer",
        "fx/processed sound",
    )
    seed = 0
    for track in tracks:
        place, stems = folder / "Audio" / track, {}
        for number, label in enumerate(labels, start=1):
            seed += 1
            name = f"{track}_STEM_{number:02d}.wav"
            if (track, number) != ("Mozart_DiesBildnis", 5):
                write(place / f"{track}_STEMS" / name, seed, channels=2)
            raw = {"R01": {"filename": f"{track}_RAW_{number:02d}_01.wav", "instrument": label}}
            stems[f"S{number:02d}"] = {
                "component": "",
                "filename": name,
                "instrument": label,
                "raw": raw,
            }
        write(place / f"{track}_MIX.wav", 500 + seed, channels=2)
        write(place / f"{track}_RAW" / f"{track}_RAW_01_01.wav", 700 + seed)
        metadata = {
            "artist": "A",
            "excerpt": "no",
            "has_bleed": "yes" if track.startswith("Mozart") else "no",
            "stems": stems,
            "version": 1.2,
        }
        home = folder / "Metadata" if track == "LizNelson_Coldwar" else place
        home.mkdir(exist_ok=True)
        (home / f"{track}_METADATA.yaml").write_text(yaml.safe_dump(metadata))
    return folder


def make_moisesdb(folder: Path) -> Path:
    """Four songs by three artists: a stem of two tracks (one mono), a stem listed twice, bleed."""
    folder = folder / "moisesdb" / "moisesdb_v0.1"
    for number, artist in enumerate(("Ann", "Ben", "Ann", "Cy")):
        song = folder / f"0000000{number}-aaaa-bbbb-cccc-0123456789ab"
        stems = []
        for place, (stem, kinds) in enumerate(
            (
                ("piano", ("grand_piano", "electric_piano")),
                ("bass", ("bass_guitar",)),
                ("other_keys", ("organ",)),
                ("bass", ("synth",)),
            )
        ):
            tracks = []
            for index, kind in enumerate(kinds):
                identity = f"{stem}-{place}-{index}"
                write(
                    song / stem / f"{identity}.wav",
                    100 * number + 10 * place + index,
                    channels=2 - index,
                )
                tracks.append(
                    {
                        "id": identity,
                        "trackType": kind,
                        "extension": "wav",
                        "has_bleed": number == 3,
                    }
                )
            stems.append({"id": f"stem{place}", "stemName": stem, "tracks": tracks})
        (song / "data.json").write_text(
            json.dumps({"song": "S", "artist": artist, "genre": "rock", "stems": stems})
        )
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
