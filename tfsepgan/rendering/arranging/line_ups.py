"""Line-ups: which instruments play together, and their styles."""

from typing import NamedTuple

# class, styles, suitable programs (empty: all)
Choice = tuple[str, tuple[str, ...], tuple[int, ...]]


class LineUp(NamedTuple):
    """A kind of band, before anything is drawn."""

    name: str
    weight: float
    """Relative frequency."""
    drums: tuple[str, ...] = ()
    """Styles; empty: no drums."""
    drums_share: float = 1.0
    bass: tuple[str, ...] = ()
    """Styles; empty: no bass."""
    bass_share: float = 1.0
    chords: tuple[Choice, ...] = ()
    chord_players: tuple[int, int] = (0, 0)
    """Lowest and highest number of `chords` that play."""
    leads: tuple[str, ...] = ()
    """Classes that can play the melody."""
    sung: float = 0.0
    """Probability that the melody is sung."""
    led: float = 1.0
    """Probability that a lead instrument plays the melody if it is not sung; beside a singer, a
    third of that.
    """
    bridge: float = 0.0
    """Probability that another one of `leads` plays the bridge."""
    bass_programs: tuple[int, ...] = ()
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
        ("swing", "bossa", "brushes", "ballad", "pop"),
        1.0,
        ("walking", "fifths", "roots"),
        1.0,
        bass_programs=(32, 33, 35),
        piano_melody=0.7,
    ),
    LineUp(
        "jazz quartet",
        0.9,
        ("swing", "brushes", "bossa"),
        1.0,
        ("walking", "fifths"),
        1.0,
        leads=_WINDS,
        bass_programs=_UPRIGHT,
    ),
    LineUp(
        "pop band",
        2.2,
        _POP_DRUMS,
        1.0,
        ("eighths", "syncopated", "roots", "octaves"),
        1.0,
        (_ACOUSTIC, _CLEAN, _STRINGS, _PAD),
        (1, 2),
        ("saxophone", "flute", "electric_guitar", "violin"),
        0.75,
        0.9,
        0.25,
        _FINGERED,
    ),
    LineUp(
        "rock band",
        1.2,
        ("rock", "driving", "half time", "shuffle"),
        1.0,
        ("eighths", "roots", "syncopated"),
        1.0,
        (_DRIVEN, _CLEAN, _ORGAN),
        (1, 2),
        ("electric_guitar", "organ"),
        0.7,
        0.8,
        0.15,
        _FINGERED,
    ),
    LineUp(
        "ballad",
        1.4,
        ("ballad", "brushes", "half time"),
        0.45,
        ("held", "fifths", "roots"),
        0.6,
        (_STRINGS, _ACOUSTIC, _PAD),
        (1, 1),
        ("flute", "violin", "cello", "clarinet"),
        0.8,
        1.0,
        0.3,
        (32, 33, 35),
    ),
    LineUp(
        "duo",
        1.2,
        leads=("violin", "cello", "flute", "clarinet", "saxophone", "trumpet", "double_reeds"),
        sung=0.5,
    ),
    LineUp(
        "big band",
        0.9,
        ("swing", "shuffle", "bossa"),
        1.0,
        ("walking",),
        1.0,
        (_BRASS, _CLEAN),
        (1, 2),
        _WINDS,
        0.3,
        1.0,
        0.5,
        _UPRIGHT,
    ),
    LineUp(
        "piano and guitar",
        0.9,
        ("percussion", "brushes"),
        0.2,
        ("held",),
        0.2,
        (_ACOUSTIC, _CLEAN),
        (1, 1),
        ("flute", "violin", "plucked"),
        0.6,
        0.5,
        0.0,
        _UPRIGHT,
    ),
    LineUp(
        "soul band",
        1.0,
        ("sixteenths", "shuffle", "pop", "rock"),
        1.0,
        ("syncopated", "octaves", "roots"),
        1.0,
        (_ORGAN, _BRASS, _CLEAN),
        (1, 2),
        ("saxophone", "trumpet"),
        0.7,
        1.0,
        0.2,
        _FINGERED,
    ),
    LineUp(
        "electronic",
        0.8,
        ("four on the floor", "sixteenths", "half time"),
        1.0,
        ("octaves", "eighths", "held"),
        1.0,
        (_PAD, ("synth_lead", ("picked",), (80, 81)), _STRINGS),
        (1, 2),
        ("synth_lead",),
        0.6,
        0.9,
        0.1,
        _SYNTHETIC,
    ),
    LineUp(
        "chamber",
        0.8,
        (),
        0.0,
        ("held",),
        0.3,
        (_STRINGS, ("harp", ("picked",), ())),
        (0, 1),
        ("violin", "cello", "clarinet", "flute", "horn", "double_reeds"),
        0.1,
        1.0,
        0.6,
        _UPRIGHT,
    ),
    LineUp(
        "reggae",
        0.4,
        ("half time", "pop"),
        1.0,
        ("syncopated",),
        1.0,
        (_CLEAN, _ORGAN),
        (1, 2),
        ("trombone", "saxophone"),
        0.7,
        0.9,
        0.1,
        _FINGERED,
    ),
    LineUp(
        "choir",
        0.4,
        ("ballad",),
        0.3,
        ("held", "roots"),
        0.5,
        (_ORGAN, _STRINGS),
        (0, 1),
        ("voice",),
        0.3,
        1.0,
        0.3,
    ),
)
