"""The sampled pianos of piano.md as soundfonts, and the licences of all sources."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import instruments
import note_samples
import sfz_piano
from piano_variants import VARIANTS, varied
from rich.console import Console
from soundfont_writer import Zone, write_soundfont

SOURCES = {  # in DIR: (path, licence)
    "splendid": ("SplendidGrandPiano/Splendid Grand Piano.sfz", "public domain (AKAI)"),
    "headroom": (
        "BengtNilsson.HeadroomPiano/Headroom Piano (NoFX).sfz",
        "CC-BY-4.0 (Bengt Nilsson)",
    ),
    "upright": ("upright-piano-KW/UprightPianoKW-20220221.sfz", "CC0-1.0 (FreePats)"),
    "salamander": ("salamander", "CC-BY-3.0 (Alexander Holm)"),
    "iowa": ("xmacex-piano", "free for any use (University of Iowa Electronic Music Studios)"),
    "vsco": (
        "tonejs-instrument-piano-wav",
        "CC-BY-3.0 (Nicholaus Brosowsky, of VSCO 2 CE, CC0-1.0, by Versilian Studios)",
    ),
    "disklavier": ("fantasia/src/piano/sounds", "CC-BY-3.0 (Zenph Studios; Roberto Gordo Saez)"),
    "yamaha_upright": (
        "Discord-SFZ-GM-Bank/Discord GM/Melodic/002-Bright Acoustic Piano.sfz",
        "CC0-1.0 (Versilian Studios)",
    ),
    "player": ("old-piano-FB/PianoFB 20200401.sfz", "CC0-1.0 (Piotr Barcz, FreePats)"),
    "pop909": ("POP909-Dataset/POP909", "MIT (Music X Lab)"),
    "lieder": ("Lieder/scores", "CC0-1.0 (OpenScore)"),
    "quartets": ("StringQuartets/scores", "CC0-1.0 (OpenScore)"),
}
PIANOS = {
    "splendid": "Splendid Grand Piano",
    "headroom": "Headroom Piano",
    "upright": "Upright Piano KW",
}
PIANOS |= {"salamander": "Salamander Grand Piano V3"}
LATER = {
    "iowa": "Iowa Steinway B",
    "vsco": "VSCO 2 Upright",
    "disklavier": "Disklavier Pro",
    "player": "Piano FB",
}
MORE = {"yamaha_upright": "VCSL Yamaha Upright"} | {
    name: variant.title for name, variant in VARIANTS.items()
}
SAMPLED = PIANOS | LATER | MORE
# General MIDI
GENERAL = {"fluid": "MIT (Frank Wen)", "musescore": "MIT (S. Christian Collins and others)"}
LICENCES = {name: words for name, (_, words) in SOURCES.items()} | GENERAL
LICENCES |= {
    name: f"{LICENCES[variant.of]}; changed" for name, variant in VARIANTS.items()
} | instruments.LICENCES
# velocity from which Iowa's ff sounds; its mf, with hiss at -32 dB, is for soft notes
IOWA_LOUD = 55
IOWA_IN_TUNE = (24, 102)  # some notes outside are 40 to 75 cents off
VSCO_IN_TUNE = (24, 107)


def ready_soundfonts(
    sources: Path, console: Console, names: Iterable[str] = tuple(SAMPLED)
) -> dict[str, Path]:
    """Sampled pianos as SF2 files, made where missing.

    Args:
      names: keys of `SAMPLED`; default: all.
    """
    made = {}
    for name in names:
        title = SAMPLED[name]
        path = sources / "ready" / "soundfonts" / f"{name}.sf2"
        made[name] = path
        if path.is_file():
            continue
        console.print(f"Making {path}")
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch = path.with_suffix(".part")
        write_soundfont(scratch, piano_zones(name, sources), title=title, copyright=LICENCES[name])
        scratch.replace(path)
    return made


def piano_zones(name: str, sources: Path) -> Iterator[Zone]:
    """The samples of one piano, with their keys and velocities."""
    if name in VARIANTS:
        return varied(piano_zones(VARIANTS[name].of, sources), VARIANTS[name])
    source = sources / SOURCES[name][0]
    if not source.exists():
        raise SystemExit(f"{source} does not exist. Download it with tools/recipes/get_sources.py.")
    if name == "salamander":
        return sfz_piano.salamander_zones(source)
    if name == "iowa":  # without its third layer, pp: its hiss is only 13 dB below the notes
        layers = [source / "mf", source / "ff"]
        return sfz_piano.note_zones(layers, tops=[IOWA_LOUD - 1], roots=IOWA_IN_TUNE)
    if name == "vsco":
        return sfz_piano.note_zones([source], roots=VSCO_IN_TUNE)
    if name == "disklavier":
        notes = sources / "ready" / "notes" / name
        note_samples.cut_sprites(source, notes)
        return sfz_piano.note_zones([notes])
    # one of the two pairs of microphones of the Headroom
    return sfz_piano.sfz_zones(source, without="DECCA")
