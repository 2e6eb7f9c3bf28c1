"""Line-ups: which instruments play together, and their styles."""

from typing import NamedTuple

# class, styles, suitable programs (empty: all)
Choice = tuple[str, tuple[str, ...], tuple[int, ...]]


class Section(NamedTuple):
    """The drums or the bass of a band."""

    styles: tuple[str, ...] = ()
    """Empty: there are none."""
    share: float = 1.0
    """Probability that they play."""
    programs: tuple[int, ...] = ()
    """Suitable programs; empty: all."""


class Leads(NamedTuple):
    """Who plays the melody of a band."""

    classes: tuple[str, ...] = ()
    sung: float = 0.0
    """Probability that the melody is sung."""
    led: float = 1.0
    """Probability that a lead instrument plays the melody if it is not sung; beside a singer, a
    third of that.
    """
    bridge: float = 0.0
    """Probability that another one of `classes` plays the bridge."""


class LineUp(NamedTuple):
    """A kind of band, before anything is drawn."""

    name: str
    weight: float
    """Relative frequency."""
    drums: Section = Section()
    bass: Section = Section()
    chords: tuple[Choice, ...] = ()
    chord_players: tuple[int, int] = (0, 0)
    """Lowest and highest number of `chords` that play."""
    leads: Leads = Leads()
    piano_melody: float = 0.1
    """Probability that the piano also plays the melody."""


_POP_DRUMS = ("pop", "rock", "sixteenths", "four on the floor", "half time", "ballad", "percussion")
_ACOUSTIC = ("acoustic_guitar", ("strum", "picked"), ())
_CLEAN = ("electric_guitar", ("strum", "picked", "skanks"), (26, 27, 28))
_DRIVEN = ("electric_guitar", ("power",), (29, 30))
_STRINGS = ("strings", ("pad",), (48, 49, 50, 51))
_ORGAN = ("organ", ("organ", "pad"), (16, 17, 18))
_BRASS = ("brass", ("stabs",), (61, 62))
_PAD = ("synth_pad", ("pad",), (88, 89, 90, 91, 94))
_WINDS = ("saxophone", "trumpet", "clarinet", "flute", "trombone")
_FINGERED, _SYNTHETIC, _UPRIGHT = (33, 34, 35), (38, 39), (32,)

LINE_UPS = (
    LineUp(
        "trio",
        1.2,
        drums=Section(("swing", "bossa", "brushes", "ballad", "pop")),
        bass=Section(("walking", "fifths", "roots"), programs=(32, 33, 35)),
        piano_melody=0.7,
    ),
    LineUp(
        "jazz quartet",
        0.9,
        drums=Section(("swing", "brushes", "bossa")),
        bass=Section(("walking", "fifths"), programs=_UPRIGHT),
        leads=Leads(_WINDS),
    ),
    LineUp(
        "pop band",
        2.2,
        drums=Section(_POP_DRUMS),
        bass=Section(("eighths", "syncopated", "roots", "octaves"), programs=_FINGERED),
        chords=(_ACOUSTIC, _CLEAN, _STRINGS, _PAD),
        chord_players=(1, 2),
        leads=Leads(
            ("saxophone", "flute", "electric_guitar", "violin"), sung=0.75, led=0.9, bridge=0.25
        ),
    ),
    LineUp(
        "rock band",
        1.2,
        drums=Section(("rock", "driving", "half time", "shuffle")),
        bass=Section(("eighths", "roots", "syncopated"), programs=_FINGERED),
        chords=(_DRIVEN, _CLEAN, _ORGAN),
        chord_players=(1, 2),
        leads=Leads(("electric_guitar", "organ"), sung=0.7, led=0.8, bridge=0.15),
    ),
    LineUp(
        "ballad",
        1.4,
        drums=Section(("ballad", "brushes", "half time"), share=0.45),
        bass=Section(("held", "fifths", "roots"), share=0.6, programs=(32, 33, 35)),
        chords=(_STRINGS, _ACOUSTIC, _PAD),
        chord_players=(1, 1),
        leads=Leads(("flute", "violin", "cello", "clarinet"), sung=0.8, bridge=0.3),
    ),
    LineUp(
        "duo",
        1.2,
        leads=Leads(
            ("violin", "cello", "flute", "clarinet", "saxophone", "trumpet", "double_reeds"),
            sung=0.5,
        ),
    ),
    LineUp(
        "big band",
        0.9,
        drums=Section(("swing", "shuffle", "bossa")),
        bass=Section(("walking",), programs=_UPRIGHT),
        chords=(_BRASS, _CLEAN),
        chord_players=(1, 2),
        leads=Leads(_WINDS, sung=0.3, bridge=0.5),
    ),
    LineUp(
        "piano and guitar",
        0.9,
        drums=Section(("percussion", "brushes"), share=0.2),
        bass=Section(("held",), share=0.2, programs=_UPRIGHT),
        chords=(_ACOUSTIC, _CLEAN),
        chord_players=(1, 1),
        leads=Leads(("flute", "violin", "plucked"), sung=0.6, led=0.5),
    ),
    LineUp(
        "soul band",
        1.0,
        drums=Section(("sixteenths", "shuffle", "pop", "rock")),
        bass=Section(("syncopated", "octaves", "roots"), programs=_FINGERED),
        chords=(_ORGAN, _BRASS, _CLEAN),
        chord_players=(1, 2),
        leads=Leads(("saxophone", "trumpet"), sung=0.7, bridge=0.2),
    ),
    LineUp(
        "electronic",
        0.8,
        drums=Section(("four on the floor", "sixteenths", "half time")),
        bass=Section(("octaves", "eighths", "held"), programs=_SYNTHETIC),
        chords=(_PAD, ("synth_lead", ("picked",), (80, 81)), _STRINGS),
        chord_players=(1, 2),
        leads=Leads(("synth_lead",), sung=0.6, led=0.9, bridge=0.1),
    ),
    LineUp(
        "chamber",
        0.8,
        bass=Section(("held",), share=0.3, programs=_UPRIGHT),
        chords=(_STRINGS, ("harp", ("picked",), ())),
        chord_players=(0, 1),
        leads=Leads(
            ("violin", "cello", "clarinet", "flute", "horn", "double_reeds"), sung=0.1, bridge=0.6
        ),
    ),
    LineUp(
        "reggae",
        0.4,
        drums=Section(("half time", "pop")),
        bass=Section(("syncopated",), programs=_FINGERED),
        chords=(_CLEAN, _ORGAN),
        chord_players=(1, 2),
        leads=Leads(("trombone", "saxophone"), sung=0.7, led=0.9, bridge=0.1),
    ),
    LineUp(
        "choir",
        0.4,
        drums=Section(("ballad",), share=0.3),
        bass=Section(("held", "roots"), share=0.5),
        chords=(_ORGAN, _STRINGS),
        chord_players=(0, 1),
        leads=Leads(("voice",), sung=0.3, bridge=0.3),
    ),
)
