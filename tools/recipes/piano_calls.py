"""The calls of `tfsepgan-data render` that make the recipe of piano.md."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import instruments
from piano_soundfonts import GENERAL, LATER, MORE, PIANOS

from tfsepgan.rendering.instruments import CLASSES

PIANO = "piano"
STRUCK_MINUTES = 10  # of each synthetic piano
# Added to the seed of later pianos, which play other songs.
LATER_SEED, MORE_SEED, STRUCK_SEED = 1000, 2000, 3000
LINES = ("cello", "clarinet", "flute", "saxophone", "trumpet", "violin", "voice")
CHORDS = ("acoustic_guitar", "electric_guitar", "organ", "bass")


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
