"""Songs for training a piano model, and songs for choosing between models. See songs.md.

    python tools/recipes/songs.py yardstick --sources DIR --output DATA/songs
    python tools/recipes/songs.py training --sources DIR --output DATA/train_songs --count 300
    python tools/recipes/songs.py bands --valid VALID --output DATA/pianos_in_bands

DIR is the folder of get_sources.py. The soundfonts, singers and scores of the yardstick are never
used for training: `APART`.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile
import soxr
from rich.console import Console

from tfsepgan.audio.formats import SUFFIXES
from tfsepgan.cli.data import main as tfsepgan_data
from tfsepgan.rendering.arranging.desk import active_rms

sys.path[:0] = [str(Path(__file__).parent)]
import instruments  # noqa: E402
import piano_soundfonts  # noqa: E402

RATE_HZ = 44100
GENERAL_MIDI = Path("/usr/share/sounds/sf2")
FONTS = {  # place of a soundfont; those of SAMPLED are made by piano.py
    "fluid": (GENERAL_MIDI / "FluidR3_GM.sf2", "MIT (Frank Wen)"),
    "musescore": (
        GENERAL_MIDI / "MuseScore_General_Full.sf2",
        "MIT (S. Christian Collins and others)",
    ),
    "timgm": (GENERAL_MIDI / "TimGM6mb.sf2", "GPL-2 (Tim Brechbill)"),
}
ASTERISK = "/usr/share/asterisk/sounds"
SPEECH = {  # folder (below --sources if relative), licence
    "kerstin": ("dataset-voice-kerstin/verified", "CC0-1.0 (Kerstin, rhasspy)"),
    "kathleen": ("dataset-voice-kathleen/data", "CC0-1.0 (Kathleen, rhasspy)"),
    "librispeech": ("librispeech", "CC-BY-4.0 (LibriSpeech, through librosa/data)"),
    "carlo": (f"{ASTERISK}/it_IT_m_Carlo", "CC-BY-3.0 (Carlo Flora)"),
    "ivrvoice": (f"{ASTERISK}/ru_RU_f_IvrvoiceRU", "CC-BY-3.0 (ivrvoice.ru)"),
}


class Band(NamedTuple):
    """The soundfonts and singers of a set of songs."""

    fonts: tuple[str, ...]
    singers: dict[str, tuple[str, float, int]]
    """By name: the speech, the formant and the middle note of melodies."""
    numbers: tuple[int, int]
    """Of POP909."""
    split: str
    sampled: tuple[str, ...] = ()
    """Of instruments.py."""


APART = Band(
    ("headroom", "vsco", "timgm"),
    {
        "kathleen_alto": ("kathleen", 1.0, 62),
        "kathleen_high": ("kathleen", 1.1, 68),
        "kathleen_low": ("kathleen", 0.83, 54),
        "libri": ("librispeech", 1.0, 59),
    },
    (861, 909),
    "valid",
)
TRAINING = Band(
    (
        "splendid",
        "upright",
        "salamander",
        "iowa",
        "disklavier",
        "player",
        *piano_soundfonts.MORE,
        "fluid",
        "musescore",
    ),
    {
        "kerstin_high": ("kerstin", 1.0, 67),
        "kerstin_alto": ("kerstin", 0.93, 60),
        "kerstin_child": ("kerstin", 1.18, 70),
        "kerstin_low": ("kerstin", 0.82, 52),
        "carlo": ("carlo", 1.0, 54),
        "ivrvoice": ("ivrvoice", 1.0, 65),
    },
    (1, 860),
    "train",
    tuple(instruments.BY_NAME),
)
LEVELS_DB = (-9.0, -3.0, 3.0)  # of the piano relative to the band, each where it sounds
BAND_PREFIX = "mdb_"  # MDB Drums' songs; the other files of valid/rest are voices
BAND_SECONDS = 20.0
CEILING = 10 ** (-1 / 20)


def songs_command(band: Band, sources: Path, output: Path, options: argparse.Namespace) -> int:
    """Call `tfsepgan-data songs` with the soundfonts and singers of a band."""
    console = Console(soft_wrap=True)
    made = piano_soundfonts.ready_soundfonts(
        sources, console, [name for name in band.fonts if name in piano_soundfonts.SAMPLED]
    )
    sampled = instruments.ready_instruments(sources, console, band.sampled)
    places = made | sampled | {name: FONTS[name][0] for name in band.fonts if name in FONTS}
    scores = sources / piano_soundfonts.SOURCES["pop909"][0]
    singers = {
        name: (sources / SPEECH[speech][0], *rest) for name, (speech, *rest) in band.singers.items()
    }
    missing = [str(path) for path in (scores, *places.values()) if not path.exists()]
    if missing:
        console.print(f"Missing: {', '.join(missing)}. Download with tools/recipes/get_sources.py.")
        return 1
    silent = [name for name, (folder, *_) in singers.items() if not folder.exists()]
    if silent:
        console.print(f"No speech for {', '.join(silent)}; others sing instead.")
    licences = {"pop909": piano_soundfonts.SOURCES["pop909"][1]} | {
        name: piano_soundfonts.LICENCES.get(name, "") for name in made
    }
    licences |= {name: instruments.LICENCES[name] for name in sampled}
    licences |= {name: FONTS[name][1] for name in band.fonts if name in FONTS}
    licences |= {
        name: SPEECH[speech][1] for name, (speech, *_) in band.singers.items() if name not in silent
    }
    words = ["songs", f"pop909={scores}", "--output", str(output), "--split", band.split]
    words += [
        "--numbers",
        *map(str, band.numbers),
        "--count",
        str(options.count),
        "--seconds",
        str(options.seconds),
    ]
    words += ["--seed", str(options.seed), "--workers", str(options.workers)]
    words += ["--soundfont", *(f"{name}={path}" for name, path in places.items())]
    singers = [
        f"{name}={folder}:{formant}:{note}"
        for name, (folder, formant, note) in singers.items()
        if name not in silent
    ]
    words += ["--singer", *singers] if singers else []
    return tfsepgan_data(
        [*words, "--licence", *(f"{name}={licence}" for name, licence in licences.items())]
    )


def excerpts(valid: Path, seed: int) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Each band track with an excerpt of the next soloist: a name, and both as `[frames, 2]`."""
    pianos, bands = (
        _recordings(valid / source, prefix)
        for source, prefix in (("piano", ""), ("rest", BAND_PREFIX))
    )
    if not pianos or not bands:
        raise SystemExit(
            f"{valid} needs piano/ and rest/ with recordings; band tracks are named {BAND_PREFIX}*."
        )
    for number, path in enumerate(bands):
        rng = np.random.default_rng([seed, number])
        player = pianos[number % len(pianos)]
        band, soloist = _stereo(path), _stereo(player)
        frames = min(len(band), len(soloist), round(BAND_SECONDS * RATE_HZ))
        start = int(rng.integers(0, len(soloist) - frames + 1))
        yield f"{path.stem}-{player.stem}", soloist[start : start + frames], band[:frames]


def in_band(
    soloist: np.ndarray, band: np.ndarray, level_db: float
) -> tuple[np.ndarray, np.ndarray]:
    """A soloist at a level relative to a band; both are lowered where the sum exceeds -1 dBFS."""
    gain = (
        active_rms(band, RATE_HZ) * 10 ** (level_db / 20) / max(active_rms(soloist, RATE_HZ), 1e-9)
    )
    soloist = soloist * np.float32(gain)
    peak = max(np.abs(each).max() for each in (soloist, band, soloist + band))
    down = np.float32(min(1.0, CEILING / peak))
    return soloist * down, band * down


def write_bands(valid: Path, output: Path, seed: int) -> int:
    """Write `pianos_in_bands`: a folder for each band track and level."""
    for name, soloist, band in excerpts(valid, seed):
        for level_db in LEVELS_DB:
            folder = output / "valid" / f"{name}-{level_db:+.0f}dB"
            folder.mkdir(parents=True, exist_ok=True)
            for source, sound in zip(
                ("piano", "rest"), in_band(soloist, band, level_db), strict=True
            ):
                soundfile.write(folder / f"{source}.flac", sound, RATE_HZ, subtype="PCM_16")
    return 0


def _recordings(folder: Path, prefix: str) -> list[Path]:
    return sorted(p for p in folder.glob(f"{prefix}*") if p.suffix.lower() in SUFFIXES)


def _stereo(path: Path) -> np.ndarray:
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    return soxr.resample(
        np.broadcast_to(samples, (len(samples), 2)) if samples.shape[1] == 1 else samples,
        rate,
        RATE_HZ,
    )


def main() -> int:
    """Read the command line and make the songs."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("yardstick", "training", "bands"))
    parser.add_argument(
        "--sources", type=Path, help="folder of get_sources.py (yardstick, training)"
    )
    parser.add_argument("--valid", type=Path, help="folder with piano/ and rest/ (bands)")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--count", type=int, help="songs: 32 for the yardstick, 300 for training")
    parser.add_argument(
        "--seconds", type=float, help="of a song: 25 for the yardstick, 75 for training"
    )
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if options.what == "bands":
        if not options.valid:
            parser.error("bands need --valid")
        return write_bands(options.valid, options.output, options.seed)
    if not options.sources:
        parser.error("songs need --sources")
    band, count, seconds = (
        (APART, 32, 25.0) if options.what == "yardstick" else (TRAINING, 300, 75.0)
    )
    options.count, options.seconds = options.count or count, options.seconds or seconds
    return songs_command(band, options.sources, options.output, options)


if __name__ == "__main__":
    raise SystemExit(main())
