"""The instruments of instruments.py: name, folder, program, licence, and names of files."""

from dataclasses import replace

from drum_kits import KITS
from instrument_kinds import CC0_KARORYFER, NOTE, PLAIN, Instrument, Notes, Sfz, karoryfer, tonejs
from plucked_table import BASSES, DRIVEN, GUITARS
from synthesised_table import STRUCK, SYNTHS

GREG = "CC-BY-3.0 (Greg Sullivan)"
MTG = "CC-BY-4.0 (Music Technology Group, Universitat Pompeu Fabra)"
WINER = "public domain (Ethan Winer)"


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
    karoryfer(
        "bear_sax",
        66,
        "bear-sax/Samples",
        Notes(pattern=rf"^{NOTE}_(?P<layer>vl[234])_rr1", layers=("vl2", "vl3", "vl4")),
    ),
    karoryfer(
        "weresax",
        65,
        "weresax/Samples/alto",
        Notes(pattern=rf"^{NOTE}_(?P<layer>[pf])_rr1_cnd", layers=("p", "f"), octaves=1),
    ),
    karoryfer("war_tuba", 58, "war-tuba/Samples", Notes(pattern=rf"^{NOTE}_sus_cnd", octaves=1)),
    karoryfer(
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
    tonejs("cello", 42),
    tonejs("violin", 40),
    tonejs("contrabass", 43),
    tonejs("flute", 73),
    tonejs("clarinet", 71, kind="mp3", made=replace(PLAIN, keys=(0, 88))),
    tonejs("bassoon", 70, kind="mp3"),
    tonejs("saxophone", 65),
    tonejs("trumpet", 56, made=replace(PLAIN, pattern=rf"/?(?!As3){NOTE}\.wav$")),
    tonejs("trombone", 57, kind="mp3"),
    tonejs("french-horn", 60, kind="mp3"),
    tonejs("tuba", 58, kind="mp3"),
    tonejs("harp", 46),
    tonejs("xylophone", 13),
    tonejs("organ", 16, kind="mp3"),
    tonejs("harmonium", 20, kind="mp3"),
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
INSTRUMENTS = (
    *(*BASSES, *GUITARS, *DRIVEN, *DISCORD, *SYNTHS, *KITS, *ELECTRIC_PIANOS, *OTHERS),
    *STRUCK,
)
