"""Renders ten hours of ten sampled pianos and ten of other instruments, for training. See piano.md.

    python tools/recipes/piano.py --sources DIR --output DATA

DIR holds the sources that piano.md names. Soundfonts and scores are made once, in DIR/ready; files
that exist in DATA are kept, so an interrupted run resumes.
"""

import argparse
import hashlib
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from rich.console import Console
from rich.progress import track

from tfsepgan.cli.command import INTERRUPTED
from tfsepgan.cli.data import main as tfsepgan_data
from tfsepgan.errors import DataError
from tfsepgan.rendering.instruments import CLASSES
from tfsepgan.rendering.midi import write_midi
from tfsepgan.rendering.musicxml import read_musicxml
from tfsepgan.rendering.score import Note, Part

sys.path[:0] = [str(Path(__file__).parent)]
import demo_band  # noqa: E402
import demo_music  # noqa: E402
import instruments  # noqa: E402
import sfz_piano  # noqa: E402
from piano_variants import VARIANTS, varied  # noqa: E402
from soundfont_writer import Zone, write_soundfont  # noqa: E402

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
GENERAL = {
    "fluid": "MIT (Frank Wen)",
    "musescore": "MIT (S. Christian Collins and others)",
}
LICENCES = {name: words for name, (_, words) in SOURCES.items()} | GENERAL
LICENCES |= {
    name: f"{LICENCES[variant.of]}; changed" for name, variant in VARIANTS.items()
} | instruments.LICENCES
OWN = "Apache-2.0 (composed by this script)"
PIANO = "piano"
SONGS, QUARTETS, GROOVES = 120, 4, 60  # scores to make; enough for the minutes below
LARGEST_SCORE = 60_000  # bytes of compressed MusicXML; larger ones take minutes to read
GROOVE_SECONDS = 90.0
STRUCK_MINUTES = 10  # of each synthetic piano
# added to the seed for later pianos: other songs
LATER_SEED, MORE_SEED, STRUCK_SEED = (
    1000,
    2000,
    3000,
)
# velocity from which Iowa's ff sounds; its mf, with hiss at -32 dB, is for soft notes
IOWA_LOUD = 55
IOWA_IN_TUNE = (24, 102)  # some notes outside are 40 to 75 cents off
VSCO_IN_TUNE = (24, 107)
LINES = ("cello", "clarinet", "flute", "saxophone", "trumpet", "violin", "voice")
CHORDS = ("acoustic_guitar", "electric_guitar", "organ", "bass")


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
        sfz_piano.cut_sprites(source, notes)
        return sfz_piano.note_zones([notes])
    # one of the two pairs of microphones of the Headroom
    return sfz_piano.sfz_zones(source, without="DECCA")


def ready_scores(sources: Path, console: Console, seed: int) -> dict[str, Path]:
    """MusicXML scores as MIDI (a hundred times faster to read), and composed drums and basses."""
    made = {"pop909": sources / SOURCES["pop909"][0]}
    for name, most in (("lieder", SONGS), ("quartets", QUARTETS)):
        root = sources / SOURCES[name][0]
        made[name] = sources / "ready" / "scores" / name
        files = [path for path in root.rglob("*.mxl") if path.stat().st_size < LARGEST_SCORE]
        files.sort(key=lambda path: (hashlib.sha256(path.name.encode()).digest(), path))
        for path in track(
            files[:most], f"reading {name}", console=console, disable=not console.is_terminal
        ):
            _once(
                made[name] / path.relative_to(root).with_suffix(".mid"),
                lambda path=path: _from_musicxml(path, console),
            )
    for name, compose in (("drums", drum_part), ("basses", bass_part)):
        made[name] = sources / "ready" / "scores" / (name if seed == 0 else f"{name}-{seed}")
        for number in range(GROOVES):
            rng = np.random.default_rng([seed, number, len(name)])
            _once(
                made[name] / f"{name}{number:03d}.mid",
                lambda compose=compose, rng=rng: [compose(rng)],
            )
    return made


def _once(path: Path, parts: Callable[[], list[Part]]) -> None:
    """Write a MIDI file if it is missing; a score that cannot be read gives no file."""
    if path.is_file():
        return
    found = parts()
    if found:
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch = path.with_suffix(".part")
        write_midi(scratch, found, seconds=max(part.seconds for part in found) + 1)
        scratch.replace(path)


def _from_musicxml(path: Path, console: Console) -> list[Part]:
    try:
        return list(read_musicxml(path).parts)
    except DataError as error:
        console.print(f"  left out: {error}", markup=False)
        return []


def drum_part(rng: np.random.Generator) -> Part:
    """A drum kit: grooves that change every few bars; hands and feet of different ones."""
    tempo_bpm = float(rng.uniform(70, 170))
    song = demo_music.make_song("train", rng, seconds=GROOVE_SECONDS, beats=4, tempo_bpm=tempo_bpm)
    styles = list(demo_band.GROOVES)
    notes, bar = [], 0
    while bar < len(song.chords):
        bars = int(rng.choice([4, 8, 8, 16]))
        section = replace(song, chords=song.chords[bar : bar + bars])
        feet, hands = (str(rng.choice(styles)) for _ in range(2))
        low = (demo_band.KICK,)
        played = [note for note in demo_band.drums(section, rng, style=feet) if note.pitch in low]
        played += [
            note for note in demo_band.drums(section, rng, style=hands) if note.pitch not in low
        ]
        notes += [note._replace(start=note.start + 4 * bar) for note in played]
        bar += bars
    return _part("drums", notes, tempo_bpm, rng, is_drums=True)


def bass_part(rng: np.random.Generator) -> Part:
    """A bass line, walking or driving."""
    tempo_bpm = float(rng.uniform(70, 160))
    song = demo_music.make_song("train", rng, seconds=GROOVE_SECONDS, beats=4, tempo_bpm=tempo_bpm)
    notes = demo_band.bass(song, rng, style=str(rng.choice(["walk", "rock"])))
    return _part("bass", notes, tempo_bpm, rng, program=32 + int(rng.integers(0, 4)))


def _part(
    name: str, notes: list, tempo_bpm: float, rng, *, program: int = 0, is_drums: bool = False
) -> Part:
    """Beats to seconds, slightly off the beat."""
    beat = 60 / tempo_bpm
    played = []
    for note in notes:
        start = max(0.0, note.start * beat + rng.normal(0, 0.006))
        velocity = int(np.clip(note.velocity + rng.normal(0, 8), 20, 126))
        played.append(Note(start, start + note.length * beat, note.pitch, velocity))
    return Part(name=name, program=program, is_drums=is_drums, notes=tuple(sorted(played)))


class Call(NamedTuple):
    """One call of `tfsepgan-data render`."""

    scores: str
    """The name of the collection."""
    fonts: list[str]
    seed: int
    options: list[str]


def calls(
    piano: float, others: float, seed: int, without: Sequence[str] = (), sampled: Sequence[str] = ()
) -> Iterator[Call]:
    """The calls; minutes are of the first ten pianos together, and of each other class.

    Later pianos have their own calls and songs, so that earlier renderings stay the same. Those of
    MORE have as many minutes each as the first ten; each class of sampled instruments has as many
    as General MIDI.

    Args:
      without: pianos to leave out, with their share of the minutes.
      sampled: names of instruments.py.
    """
    written = ["--timing-ms", "12", "--velocity", "24"]  # for scores that are not performances
    sung = ["--longest-rest-seconds", "1.5"]
    groups = ((*PIANOS, *GENERAL), LATER, MORE)
    first, later, more = ([name for name in fonts if name not in without] for fonts in groups)
    for fonts, drawn in ((first, seed), (later, seed + LATER_SEED), (more, seed + MORE_SEED)):
        if not fonts:
            continue
        share = piano * len(fonts) / (len(PIANOS) + len(LATER) + len(GENERAL))
        played = ["--classes", "piano", "--parts", "piano", "--minutes", f"{0.75 * share:g}"]
        yield Call("pop909", fonts, drawn, played)
        yield Call(
            "lieder",
            fonts,
            drawn,
            ["--classes", "piano", "--minutes", f"{0.25 * share:g}", *written],
        )
    struck = [name for name in sampled if instruments.class_of_instrument(name) == PIANO]
    if struck:
        played = [
            "--classes",
            "piano",
            "--parts",
            "piano",
            "--minutes",
            f"{STRUCK_MINUTES * len(struck):g}",
        ]
        yield Call("pop909", struck, seed + STRUCK_SEED, played)
    whole, quarter = ["--minutes", f"{others:g}"], ["--minutes", f"{others / 4:g}"]
    lines = ["--parts", "melody", "bridge", *whole, "--velocity", "20", *sung]
    yield Call("pop909", first, seed, ["--assign", "any", "--classes", *LINES, *lines])
    yield Call(
        "pop909", first, seed, ["--assign", "any", "--classes", *CHORDS, "--parts", "piano", *whole]
    )
    strings = ["--classes", "violin", "viola", "cello", *quarter]
    yield Call("quartets", first, seed, [*strings, *written, *sung])
    yield Call("lieder", first, seed, ["--classes", "voice", *quarter, *written, *sung])
    yield Call("drums", first, seed, ["--classes", "drums", *whole, "--tempo", "0.15"])
    yield Call("basses", first, seed, ["--classes", "bass", *quarter, "--tempo", "0.15"])
    yield from sampled_calls(sampled, lines, whole, seed + MORE_SEED)


def sampled_calls(
    sampled: Sequence[str], lines: list[str], whole: list[str], seed: int
) -> Iterator[Call]:
    """Calls for sampled instruments: melodies, chords and drums of their classes."""
    fonts = {
        kind: [name for name in sampled if instruments.class_of_instrument(name) == kind]
        for kind in CLASSES
    }
    able = [kind for kind in CLASSES.values() if fonts[kind.name] and kind.name != PIANO]
    for plays, scores, options in (
        (("line", "low line"), "pop909", ["--assign", "any", *lines]),
        (("chords",), "pop909", ["--assign", "any", "--parts", "piano", *whole]),
        (("drums",), "drums", [*whole, "--tempo", "0.15"]),
    ):
        kinds = [kind.name for kind in able if kind.plays in plays]
        if kinds:
            players = [name for kind in kinds for name in fonts[kind]]
            yield Call(scores, players, seed, ["--classes", *kinds, *options])


def command_line() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--sources", type=Path, required=True, help="folder of the sources in piano.md"
    )
    parser.add_argument("--output", type=Path, required=True, help="the data folder to write")
    parser.add_argument("--fluid", type=Path, default=Path("/usr/share/sounds/sf2/FluidR3_GM.sf2"))
    parser.add_argument(
        "--musescore", type=Path, default=Path("/usr/share/sounds/sf2/MuseScore_General_Full.sf2")
    )
    parser.add_argument(
        "--piano-minutes",
        type=float,
        default=640.0,
        help="ten hours for training, and a valid split",
    )
    parser.add_argument(
        "--other-minutes",
        type=float,
        default=52.0,
        help="at least, of each of the other twelve classes",
    )
    parser.add_argument(
        "--without",
        nargs="+",
        default=[],
        choices=SAMPLED,
        metavar="PIANO",
        help=f"leave pianos out: {', '.join(SAMPLED)}",
    )
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only-ready", action="store_true", help="only make soundfonts and scores")
    return parser


def main() -> int:
    """Read the command line, prepare the sources and render."""
    arguments = command_line().parse_args()
    console = Console(soft_wrap=True)
    needed = [
        arguments.sources / path
        for name, (path, _) in SOURCES.items()
        if name not in arguments.without
    ]
    needed += [arguments.fluid, arguments.musescore]
    missing = [str(path) for path in needed if not path.exists()]
    if missing:
        console.print(
            "Not here: " + ", ".join(missing) + ". tools/recipes/piano.md has their addresses."
        )
        return 1
    begun = time.monotonic()
    fonts = ready_soundfonts(
        arguments.sources, console, [name for name in SAMPLED if name not in arguments.without]
    )
    sampled = instruments.ready_instruments(arguments.sources, console)
    fonts |= sampled | {"fluid": arguments.fluid, "musescore": arguments.musescore}
    scores = ready_scores(arguments.sources, console, arguments.seed)
    console.print(f"Ready after {(time.monotonic() - begun) / 60:.1f} minutes.")
    worst = 0
    drawn = calls(
        arguments.piano_minutes,
        arguments.other_minutes,
        arguments.seed,
        arguments.without,
        tuple(sampled),
    )
    wanted = () if arguments.only_ready else drawn
    for call in wanted:
        words = [
            "render",
            f"{call.scores}={scores[call.scores]}",
            "--output",
            str(arguments.output),
            *call.options,
        ]
        words += ["--valid-share", "0.05", "--channels", "1", "--workers", str(arguments.workers)]
        words += [
            "--seed",
            str(call.seed),
            "--soundfont",
            *(f"{font}={fonts[font]}" for font in call.fonts),
        ]
        words += [
            "--licence",
            *(f"{name}={LICENCES.get(name, OWN)}" for name in (call.scores, *call.fonts)),
        ]
        code = tfsepgan_data(words)
        worst = max(worst, code)
        if code == INTERRUPTED:
            return code
    console.print(f"Done after {(time.monotonic() - begun) / 60:.1f} minutes.")
    return worst


if __name__ == "__main__":
    raise SystemExit(main())
