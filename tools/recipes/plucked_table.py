"""Basses and guitars, clean and driven."""

from dataclasses import replace

from instrument_kinds import NOTE, Instrument, Notes, Sfz, karoryfer, tonejs

BASSES = (
    karoryfer(
        "growlybass",
        34,
        "growlybass/sustain",
        Notes(octaves=-1, pattern=rf"{NOTE}_(?P<layer>p|f|ff)_rr1", layers=("p", "f", "ff")),
    ),
    karoryfer(
        "fashionbass",
        33,
        "fashionbass/notes",
        Notes(pattern=rf"^{NOTE}_(?P<layer>p|mf|ff)_rr1", layers=("p", "mf", "ff")),
    ),
    karoryfer(
        "swagbass",
        34,
        "swagbass/notes",
        Notes(octaves=-1, pattern=rf"^{NOTE}_(?P<layer>p|f|fff)_rr1", layers=("p", "f", "fff")),
    ),
    karoryfer(
        "pastabass",
        33,
        "pastabass/samples/fetuccine",
        Notes(octaves=-1, pattern=rf"^{NOTE}_(?P<layer>vl[234])_rr1", layers=("vl2", "vl3", "vl4")),
    ),
    karoryfer(
        "sneakybass",
        32,
        "sneakybass/Samples/pluck",
        Notes(octaves=-1, keys=(0, 52), pattern=rf"_{NOTE}_pluck_rr1"),
    ),
    karoryfer(
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
    tonejs("bass-electric", 33),
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
    karoryfer(
        "emilyguitar",
        26,
        "emilyguitar/notes",
        Notes(pattern=rf"^{NOTE}_(?P<layer>p|mp|mf|f)_rr1", layers=("p", "mp", "mf", "f")),
    ),
    karoryfer(
        "shinyguitar",
        27,
        "shinyguitar/Samples/electric",
        Notes(pattern=rf"^{NOTE}_(?P<layer>vl\d)_rr1", layers=("vl1", "vl2", "vl3", "vl4")),
    ),
    karoryfer(
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
    tonejs("guitar-acoustic", 25),
    tonejs("guitar-electric", 28),
    tonejs("guitar-nylon", 24, kind="mp3"),
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
