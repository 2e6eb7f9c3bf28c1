"""The instruments of instruments.py: name, folder, program, licence, and names of files."""

from dataclasses import replace

from drum_kits import KITS
from instrument_kinds import CC0_KARORYFER, Instrument, Notes, Sfz
from struck_strings import Struck
from synthesised import Synth

NOTE = r"(?P<note>[A-G][#sb]?-?\d)"

TONEJS = "CC-BY-3.0 (Nicholaus Brosowsky, tonejs-instruments)"
GREG = "CC-BY-3.0 (Greg Sullivan)"
MTG = "CC-BY-4.0 (Music Technology Group, Universitat Pompeu Fabra)"
OWN = "Apache-2.0 (made by synthesised.py)"
WINER = "public domain (Ethan Winer)"
PLAIN = Notes(pattern=rf"/?{NOTE}\.(wav|mp3)$")


def _tonejs(name: str, program: int, *, kind: str = "wav", made: Notes = PLAIN) -> Instrument:
    return Instrument(
        name=f"tonejs_{name.replace('-', '_')}",
        title=f"tonejs {name}",
        folder=f"tonejs-instrument-{name}-{kind}",
        program=program,
        licence=TONEJS,
        made=made,
    )


def _karoryfer(name: str, program: int, folder: str, made: Notes) -> Instrument:
    return Instrument(
        name=name,
        title=name,
        folder=f"karoryfer.{folder}",
        program=program,
        licence=CC0_KARORYFER,
        made=made,
    )


BASSES = (
    _karoryfer(
        "growlybass",
        34,
        "growlybass/sustain",
        Notes(octaves=-1, pattern=rf"{NOTE}_(?P<layer>p|f|ff)_rr1", layers=("p", "f", "ff")),
    ),
    _karoryfer(
        "fashionbass",
        33,
        "fashionbass/notes",
        Notes(pattern=rf"^{NOTE}_(?P<layer>p|mf|ff)_rr1", layers=("p", "mf", "ff")),
    ),
    _karoryfer(
        "swagbass",
        34,
        "swagbass/notes",
        Notes(octaves=-1, pattern=rf"^{NOTE}_(?P<layer>p|f|fff)_rr1", layers=("p", "f", "fff")),
    ),
    _karoryfer(
        "pastabass",
        33,
        "pastabass/samples/fetuccine",
        Notes(octaves=-1, pattern=rf"^{NOTE}_(?P<layer>vl[234])_rr1", layers=("vl2", "vl3", "vl4")),
    ),
    _karoryfer(
        "sneakybass",
        32,
        "sneakybass/Samples/pluck",
        Notes(octaves=-1, keys=(0, 52), pattern=rf"_{NOTE}_pluck_rr1"),
    ),
    _karoryfer(
        "meatbass",
        32,
        "meatbass/Samples/pizz",
        Notes(
            keys=(0, 55), pattern=rf"^{NOTE}_(?P<layer>vl[234])_rr1", layers=("vl2", "vl3", "vl4")
        ),
    ),
    Instrument(
        name="rubnerbass",
        title="D. Smolken Double Bass",
        folder="dsmolken.double-bass/pizz",
        program=32,
        licence="CC0-1.0 (D. Smolken)",
        made=Notes(pattern=rf"^pizz_{NOTE}_(?P<layer>[pmf])a", layers=("p", "m", "f")),
    ),
    Instrument(
        name="fingerbass_yr",
        title="Finger Bass YR",
        folder="electric-bass-YR",
        program=33,
        licence="CC0-1.0 (Andrea Biasior, FreePats)",
        made=Sfz(file="FingerBassYR 20190930.sfz"),
    ),
    _tonejs("bass-electric", 33),
)
GUITARS = (
    Instrument(
        name="fsbs_clean",
        title="EGuitar FSBS bridge clean",
        folder="e-guitar-FSBS-clean/samples",
        program=27,
        licence="CC0-1.0 (FreePats)",
        made=Notes(pattern=rf"^{NOTE}_s\d_01"),
    ),
    _karoryfer(
        "emilyguitar",
        26,
        "emilyguitar/notes",
        Notes(pattern=rf"^{NOTE}_(?P<layer>p|mp|mf|f)_rr1", layers=("p", "mp", "mf", "f")),
    ),
    _karoryfer(
        "shinyguitar",
        27,
        "shinyguitar/Samples/electric",
        Notes(pattern=rf"^{NOTE}_(?P<layer>vl\d)_rr1", layers=("vl1", "vl2", "vl3", "vl4")),
    ),
    _karoryfer(
        "shinyguitar_acoustic",
        25,
        "shinyguitar/Samples/acoustic",
        Notes(pattern=rf"^{NOTE}_(?P<layer>vl\d)_rr1", layers=("vl1", "vl2", "vl3", "vl4")),
    ),
    Instrument(
        name="spanish_guitar",
        title="Spanish Classical Guitar",
        folder="spanish-classical-guitar/samples",
        program=24,
        licence="CC0-1.0 (FreePats)",
        made=Notes(pattern=rf"^{NOTE}\."),
    ),
    _tonejs("guitar-acoustic", 25),
    _tonejs("guitar-electric", 28),
    _tonejs("guitar-nylon", 24, kind="mp3"),
)


def _greg(
    name: str, folder: str, program: int, pattern: str, layers: tuple[str, ...]
) -> Instrument:
    made = Notes(pattern=pattern, layers=layers)
    return Instrument(
        name=name,
        title=folder,
        folder=f"GregSullivan.E-Pianos/{folder}/Samples",
        program=program,
        licence=GREG,
        made=made,
    )


def _mtg(name: str, title: str, program: int) -> Instrument:
    return Instrument(
        name=f"mtg_{title}_sax",
        title=f"MTG {title} sax",
        folder="MTG.SoloSax/MTG Solo Saxophones",
        program=program,
        licence=MTG,
        made=Sfz(
            file=f"Data/{name}_f_rr1.txt", defines={"$EXT": "flac", "default_path": "../Samples/"}
        ),
    )


ELECTRIC_PIANOS = (
    _greg(
        "wurlitzer",
        "Wurlitzer EP200",
        4,
        rf"^{NOTE}(?P<layer>pp|mp|ff|f)\.",
        ("pp", "mp", "f", "ff"),
    ),
    _greg("pianet", "Pianet T", 4, rf"^\d+_{NOTE}_(?P<layer>P|FF)\.", ("p", "ff")),
    _greg("cp80", "CP80", 2, rf"^\d+-{NOTE}-(?P<layer>PP|MP|FF|F)\.", ("pp", "mp", "f", "ff")),
    Instrument(
        name="fm_piano",
        title="FM Piano 1",
        folder="fm-piano1/samples",
        program=5,
        licence="CC0-1.0 (FreePats)",
        made=Notes(pattern=rf"^{NOTE}v(?P<layer>60|80|100)\.", layers=("60", "80", "100")),
    ),
)
OTHERS = (
    _mtg("alt", "alto", 65),
    _mtg("ten", "tenor", 66),
    _mtg("sop", "soprano", 64),
    _mtg("bar", "baritone", 67),
    _karoryfer(
        "bear_sax",
        66,
        "bear-sax/Samples",
        Notes(pattern=rf"^{NOTE}_(?P<layer>vl[234])_rr1", layers=("vl2", "vl3", "vl4")),
    ),
    _karoryfer(
        "weresax",
        65,
        "weresax/Samples/alto",
        Notes(pattern=rf"^{NOTE}_(?P<layer>[pf])_rr1_cnd", layers=("p", "f"), octaves=1),
    ),
    _karoryfer("war_tuba", 58, "war-tuba/Samples", Notes(pattern=rf"^{NOTE}_sus_cnd", octaves=1)),
    _karoryfer(
        "meatbass_arco",
        43,
        "meatbass/Samples/arco",
        Notes(pattern=rf"^{NOTE}_(?P<layer>vl[24])_down", layers=("vl2", "vl4")),
    ),
    Instrument(
        name="rubnerbass_arco",
        title="D. Smolken Double Bass arco",
        folder="dsmolken.double-bass/arco",
        program=43,
        licence="CC0-1.0 (D. Smolken)",
        made=Notes(pattern=rf"^arco_{NOTE}_f_down"),
    ),
    Instrument(
        name="winer_cello",
        title="Ethan's Cello",
        folder="EthanWiner.Soundfonts/Ethan Winer Collection/Samples/cello_solo",
        program=42,
        licence=WINER,
        made=Notes(pattern=rf"^Cello {NOTE}\.", octaves=-1),
    ),
    Instrument(
        name="winer_bassoon",
        title="Ethan's Bassoon",
        folder="EthanWiner.Soundfonts/Ethan Winer Collection/Samples/bassoon",
        program=70,
        licence=WINER,
        made=Notes(pattern=rf"^Bassoon (?P<layer>mp|mf) {NOTE}\.", layers=("mp", "mf"), octaves=1),
    ),
    Instrument(
        name="ganjo",
        title="Ganjo",
        folder="ganjo/Common",
        program=105,
        licence="CC0-1.0 (itsclipping)",
        made=Notes(pattern=rf"- {NOTE}\.wav", octaves=-1),
    ),
    _tonejs("cello", 42),
    _tonejs("violin", 40),
    _tonejs("contrabass", 43),
    _tonejs("flute", 73),
    _tonejs("clarinet", 71, kind="mp3", made=replace(PLAIN, keys=(0, 88))),
    _tonejs("bassoon", 70, kind="mp3"),
    _tonejs("saxophone", 65),
    _tonejs("trumpet", 56, made=replace(PLAIN, pattern=rf"/?(?!As3){NOTE}\.wav$")),
    _tonejs("trombone", 57, kind="mp3"),
    _tonejs("french-horn", 60, kind="mp3"),
    _tonejs("tuba", 58, kind="mp3"),
    _tonejs("harp", 46),
    _tonejs("xylophone", 13),
    _tonejs("organ", 16, kind="mp3"),
    _tonejs("harmonium", 20, kind="mp3"),
)


def _driven(name: str, kind: str, program: int, drive_db: float) -> Instrument:
    """A guitar or a bass through a distorting amplifier."""
    clean = next(each for each in (*GUITARS, *BASSES) if each.name == name)
    made = replace(clean.made, drive_db=drive_db)
    return replace(
        clean, name=f"{name}_{kind}", title=f"{clean.title} {kind}", program=program, made=made
    )


DRIVEN = (
    _driven("fsbs_clean", "overdriven", 29, 18.0),
    _driven("fsbs_clean", "distorted", 30, 36.0),
    _driven("emilyguitar", "distorted", 30, 30.0),
    _driven("shinyguitar", "overdriven", 29, 20.0),
    _driven("tonejs_guitar_electric", "distorted", 30, 34.0),
    _driven("growlybass", "driven", 34, 14.0),
)


def _synth(name: str, program: int, made: Synth) -> Instrument:
    return Instrument(
        name=f"synth_{name}",
        title=f"Synth {name}",
        folder="",
        program=program,
        licence=OWN,
        made=made,
    )


SYNTHS = (
    _synth("bass", 38, Synth(corner=5.0, sweep=4.0, octave_below=0.5)),
    _synth("square_bass", 39, Synth(odd_only=True, corner=7.0, sweep=3.0)),
    _synth("wide_bass", 38, Synth(oscillators=3, spread_cents=9.0, corner=9.0, sweep=2.0)),
    _synth("square_lead", 80, Synth(odd_only=True, corner=20.0, attack_seconds=0.01)),
    _synth("saw_lead", 81, Synth(oscillators=2, spread_cents=8.0, corner=15.0, sweep=2.0)),
    _synth("super_lead", 81, Synth(oscillators=7, spread_cents=18.0, corner=25.0)),
    _synth(
        "warm_pad",
        89,
        Synth(
            oscillators=5, spread_cents=12.0, corner=4.0, attack_seconds=0.4, release_seconds=0.9
        ),
    ),
    _synth(
        "poly_pad",
        90,
        Synth(
            oscillators=5,
            spread_cents=15.0,
            corner=10.0,
            sweep=2.0,
            attack_seconds=0.08,
            release_seconds=0.6,
        ),
    ),
    _synth(
        "hollow_pad",
        91,
        Synth(
            oscillators=3,
            spread_cents=10.0,
            odd_only=True,
            corner=5.0,
            attack_seconds=0.3,
            release_seconds=0.8,
        ),
    ),
    _synth(
        "halo_pad",
        94,
        Synth(
            oscillators=7,
            spread_cents=20.0,
            corner=8.0,
            slope=1.0,
            attack_seconds=0.6,
            release_seconds=1.2,
        ),
    ),
    _synth(
        "strings",
        50,
        Synth(
            oscillators=7,
            spread_cents=14.0,
            corner=9.0,
            slope=1.0,
            attack_seconds=0.15,
            release_seconds=0.5,
        ),
    ),
    _synth(
        "strings_dark",
        51,
        Synth(
            oscillators=5,
            spread_cents=10.0,
            corner=5.0,
            slope=1.0,
            attack_seconds=0.25,
            release_seconds=0.6,
        ),
    ),
    _synth(
        "brass",
        62,
        Synth(oscillators=3, spread_cents=7.0, corner=7.0, sweep=2.5, attack_seconds=0.03),
    ),
    _synth(
        "brass_bright",
        62,
        Synth(oscillators=5, spread_cents=12.0, corner=14.0, sweep=1.5, attack_seconds=0.04),
    ),
)
DISCORD = (
    Instrument(
        name="killer_bass",
        title="Killer Bass",
        folder="Discord-SFZ-GM-Bank/Discord GM/Melodic/034-Electric Bass (finger)",
        program=33,
        licence=CC0_KARORYFER,
        made=Notes(
            pattern=rf"_{NOTE}_(?P<layer>vl[245])", layers=("vl2", "vl4", "vl5"), octaves=-1
        ),
    ),
    Instrument(
        name="martin_guitar",
        title="Martin HD28",
        folder="Discord-SFZ-GM-Bank/Discord GM/Melodic/026-Acoustic Guitar (steel)",
        program=25,
        licence="CC0-1.0 (Jeff Learman)",
        made=Notes(pattern=rf"_{NOTE}_1"),
    ),
    Instrument(
        name="tremolo_strings",
        title="VS Tremolo Strings",
        folder="Discord-SFZ-GM-Bank/Discord GM/Melodic/045-Tremolo Strings",
        program=44,
        licence="CC0-1.0 (Versilian Studios)",
        made=Notes(pattern=rf"_{NOTE}\.", octaves=1),
    ),
)
# As many as sampled pianos for training, so that both kinds are equally likely.
STRUCK = tuple(
    Instrument(
        name=f"struck_{number:02d}",
        title=f"synthetic piano {number}",
        folder="",
        program=0,
        licence="Apache-2.0 (made by struck_strings.py)",
        made=Struck(number=number),
    )
    for number in range(20)
)

INSTRUMENTS = (
    *(*BASSES, *GUITARS, *DRIVEN, *DISCORD, *SYNTHS, *KITS, *ELECTRIC_PIANOS, *OTHERS),
    *STRUCK,
)
