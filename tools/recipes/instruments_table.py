"""The instruments of instruments.py: name, folder in SOURCES, General MIDI program, licence, and how files are named.

Two that share samples have one `family`: a yardstick must not hold what training hears.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

NOTE = r"(?P<note>[A-G][#sb]?-?\d)"


@dataclass(frozen=True, kw_only=True)
class Notes:
    """Sampled notes: see `sampled.pattern_zones`."""

    pattern: str
    layers: tuple[str, ...] = ()
    octaves: int = 0
    keys: tuple[int, int] = (0, 127)
    release_seconds: float = 0.3
    drive_db: float = 0.0
    tune: bool = True


@dataclass(frozen=True, kw_only=True)
class Kit:
    """A drum kit: see `sampled.kit_zones`."""

    pieces: Mapping[tuple[int, ...], str]
    microphones: tuple[str, ...] = ()
    gains_db: Mapping[int, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Sfz:
    """An SFZ file within the folder: see `sfz_piano.sfz_zones`."""

    file: str
    without: str = ""
    defines: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Instrument:
    """A sampled instrument."""

    name: str
    title: str
    folder: str
    program: int
    """General MIDI's, from 0; a kit's number for drums."""
    licence: str
    made: Notes | Kit | Sfz


CC0_KARORYFER = "CC0-1.0 (Karoryfer Samples)"
TONEJS = "CC-BY-3.0 (Nicholaus Brosowsky, tonejs-instruments)"
GREG = "CC-BY-3.0 (Greg Sullivan)"
MTG = "CC-BY-4.0 (Music Technology Group, Universitat Pompeu Fabra)"
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


def _karoryfer(name: str, program: int, folder: str, made: Notes | Kit) -> Instrument:
    return Instrument(
        name=name, title=name, folder=f"karoryfer.{folder}", program=program, licence=CC0_KARORYFER, made=made
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
        "sneakybass", 32, "sneakybass/Samples/pluck", Notes(octaves=-1, keys=(0, 52), pattern=rf"_{NOTE}_pluck_rr1")
    ),
    _karoryfer(
        "meatbass",
        32,
        "meatbass/Samples/pizz",
        Notes(keys=(0, 55), pattern=rf"^{NOTE}_(?P<layer>vl[234])_rr1", layers=("vl2", "vl3", "vl4")),
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
KITS = (
    Instrument(
        name="muldjord",
        title="MuldjordKit FreePats",
        folder="muldjordkit/samples",
        program=0,
        licence="CC-BY-4.0 (Lars Muldjord, DrumGizmo.org; FreePats)",
        made=Kit(
            pieces={
                (35, 36): "KdrumR/",
                (38,): "Snare1/",
                (40, 39): "Snare2/",
                (37,): "SnareRest1/",
                (41, 43): "Tom4/",
                (45,): "Tom3/",
                (47, 48): "Tom2/",
                (50,): "Tom1/",
                (42, 44): "HihatClosed/",
                (46,): "HihatOpen/",
                (49,): "CrashL/",
                (57, 55): "CrashR/",
                (52,): "China/",
                (51,): "RideR/",
                (59,): "RideL/",
                (53,): "RideRBell/",
            },
        ),
    ),
    _karoryfer(
        "gogodze",
        0,
        "gogodze-phu-vol-ii/Samples",
        Kit(
            pieces={
                (35, 36): "retro_mic/ks_",
                (38,): "retro_mic/sc_",
                (40,): "retro_mic/se_",
                (37, 39): "retro_mic/ss_",
                (41, 43): "retro_mic/tl_",
                (45, 47): "retro_mic/tm_",
                (48, 50): "retro_mic/th_",
                (42,): "retro_mic/hc_",
                (44,): "retro_mic/hf_",
                (46,): "retro_mic/ho_",
                (51, 59): "retro_mic/hl_",
                (49, 57): "retro_mic/ho_vl5",
            },
            microphones=("retro_mic", "oh_mic"),
            gains_db={42: 11.0, 44: 18.0, 46: 9.0, 37: 12.0, 51: 11.0, 49: 9.0},
        ),
    ),
    Instrument(
        name="pearl_master",
        title="Pearl Master Studio",
        folder="pearl-master-studio/DRUMS/pearl-master-studio",
        program=16,
        licence="CC-BY-3.0 (enoe)",
        made=Kit(
            pieces={
                (35, 36): "kick-01",
                (38, 40): "snare-0[13]",
                (37, 39): "snare-02",
                (41, 43): "tom-03",
                (45, 47): "tom-02",
                (48, 50): "tom-01",
                (42, 44): "hihat-closed",
                (46,): "hihat-open",
                (49,): "crash-01",
                (57,): "crash-02",
                (55,): "splash-01",
                (51,): "ride-01",
                (53, 59): "ride-02",
            },
        ),
    ),
    Instrument(
        name="sonicpi",
        title="Sonic Pi drums",
        folder="sonic-pi/etc/samples",
        program=0,
        licence="CC0-1.0 (freesound.org, Sonic Pi)",
        made=Kit(
            pieces={
                (35, 36): "drum_bass_",
                (38,): "drum_snare_",
                (40,): "sn_generic",
                (37,): "elec_wood",
                (39,): "perc_snap2?\\.|elec_filt_snare",
                (41, 43): "drum_tom_lo_",
                (45, 47): "drum_tom_mid_",
                (48, 50): "drum_tom_hi_",
                (42,): "drum_cymbal_closed",
                (44,): "drum_cymbal_pedal",
                (46,): "drum_cymbal_open",
                (49,): "drum_cymbal_hard",
                (57, 55): "drum_splash_",
                (51, 59): "drum_cymbal_soft",
                (56,): "drum_cowbell",
            },
        ),
    ),
    Instrument(
        name="rumpf",
        title="rumpf kit z01",
        folder="/usr/share/hydrogen/data/drumkits/rumpf_kit_z01_h2",
        program=8,
        licence="CC-BY-3.0 (Emanuel Rumpf)",
        made=Kit(
            pieces={
                (35, 36): "beats_06-38",
                (37,): "beats_09-12",
                (38,): "beats_01-21",
                (39,): "beats_01-26",
                (40,): "beats_06-25",
                (42,): "beats_09-10",
                (44,): "beats_06-28",
                (46,): "beats_08-31",
                (41, 43): "beats_08-17",
                (45, 47): "beats_08-18",
                (48, 50): "beats_08-19",
                (49, 57): "beats_06-43",
                (51, 59): "beats_08-20",
                (53,): "beats_06-40",
                (55,): "beats_06-30",
            },
        ),
    ),
)


def _greg(name: str, folder: str, program: int, pattern: str, layers: tuple[str, ...]) -> Instrument:
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
        made=Sfz(file=f"Data/{name}_f_rr1.txt", defines={"$EXT": "flac", "default_path": "../Samples/"}),
    )


ELECTRIC_PIANOS = (
    _greg("wurlitzer", "Wurlitzer EP200", 4, rf"^{NOTE}(?P<layer>pp|mp|ff|f)\.", ("pp", "mp", "f", "ff")),
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
    """A guitar or a bass through an amplifier that distorts."""
    clean = next(each for each in (*GUITARS, *BASSES) if each.name == name)
    made = replace(clean.made, drive_db=drive_db)
    return replace(clean, name=f"{name}_{kind}", title=f"{clean.title} {kind}", program=program, made=made)


DRIVEN = (
    _driven("fsbs_clean", "overdriven", 29, 18.0),
    _driven("fsbs_clean", "distorted", 30, 36.0),
    _driven("emilyguitar", "distorted", 30, 30.0),
    _driven("shinyguitar", "overdriven", 29, 20.0),
    _driven("tonejs_guitar_electric", "distorted", 30, 34.0),
    _driven("growlybass", "driven", 34, 14.0),
)
DISCORD = (
    Instrument(
        name="killer_bass",
        title="Killer Bass",
        folder="Discord-SFZ-GM-Bank/Discord GM/Melodic/034-Electric Bass (finger)",
        program=33,
        licence=CC0_KARORYFER,
        made=Notes(pattern=rf"_{NOTE}_(?P<layer>vl[245])", layers=("vl2", "vl4", "vl5"), octaves=-1),
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
    Instrument(
        name="pizzicato_strings",
        title="VS Pizzicato Strings",
        folder="Discord-SFZ-GM-Bank/Discord GM/Melodic/046-Pizzicato Strings",
        program=45,
        licence="CC0-1.0 (Versilian Studios)",
        made=Notes(pattern=rf"_{NOTE}\.", octaves=1),
    ),
)
INSTRUMENTS = (*BASSES, *GUITARS, *DRIVEN, *DISCORD, *KITS, *ELECTRIC_PIANOS, *OTHERS)
