"""Small imitations of published sets of songs with stems; see `sets_for_tests`."""

import json
from pathlib import Path

import yaml
from set_files_for_tests import SECONDS, write, write_stem_file

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
