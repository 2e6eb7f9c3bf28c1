"""Soundfonts of sampled instruments other than General MIDI's. See songs.md.

    python tools/recipes/instruments.py --sources SOURCES [--only NAME ...]

Each becomes SOURCES/ready/soundfonts/NAME.sf2; existing files are kept. `songs.py training` and
`piano.py` use it.
"""

import argparse
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from rich.console import Console

from tfsepgan.rendering.instruments import DRUM_BANK, class_of

sys.path[:0] = [str(Path(__file__).parent)]
from instrument_kinds import Instrument, Kit, Sfz, Synth  # noqa: E402
from instruments_table import INSTRUMENTS  # noqa: E402
from sampled import kit_zones, pattern_zones  # noqa: E402
from sfz_piano import sfz_zones  # noqa: E402
from soundfont_writer import Zone, write_soundfont  # noqa: E402
from struck_strings import Struck, struck_zones  # noqa: E402
from synthesised import synth_zones  # noqa: E402

BY_NAME = {instrument.name: instrument for instrument in INSTRUMENTS}
LICENCES = {instrument.name: instrument.licence for instrument in INSTRUMENTS}


def class_of_instrument(name: str) -> str:
    """The class of an instrument."""
    instrument = BY_NAME[name]
    return class_of(instrument.program, is_drums=isinstance(instrument.made, Kit))


def folder_of(instrument: Instrument, sources: Path) -> Path:
    """The folder of its samples; a path that begins with / is of a Debian package."""
    return sources / instrument.folder


def zones_of(instrument: Instrument, sources: Path) -> Iterator[Zone]:
    """The samples of an instrument, with their keys and velocities."""
    folder, made = folder_of(instrument, sources), instrument.made
    if isinstance(made, Kit):
        return kit_zones(folder, made.pieces, microphones=made.microphones, gains_db=made.gains_db)
    if isinstance(made, Synth):
        return synth_zones(made, instrument.program)
    if isinstance(made, Struck):
        return struck_zones(made)
    if isinstance(made, Sfz):
        return sfz_zones(
            folder / made.file, without=made.without, stretched=True, defines=made.defines
        )
    return pattern_zones(
        folder,
        made.pattern,
        layers=made.layers,
        octaves=made.octaves,
        keys=made.keys,
        release_seconds=made.release_seconds,
        drive_db=made.drive_db,
        tune=made.tune,
    )


def ready_instruments(
    sources: Path, console: Console, names: Iterable[str] = tuple(BY_NAME)
) -> dict[str, Path]:
    """Soundfonts of these instruments, made where missing; without samples, reported instead.

    Args:
      names: keys of `BY_NAME`; default: all.
    """
    made, missing = {}, []
    for name in names:
        instrument = BY_NAME[name]
        path = sources / "ready" / "soundfonts" / f"{name}.sf2"
        if not path.is_file():
            if (
                not isinstance(instrument.made, Synth | Struck)
                and not folder_of(instrument, sources).is_dir()
            ):
                missing.append(f"{name} ({instrument.folder})")
                continue
            console.print(f"Making {path}")
            path.parent.mkdir(parents=True, exist_ok=True)
            bank = DRUM_BANK if isinstance(instrument.made, Kit) else 0
            scratch = path.with_suffix(".part")
            write_soundfont(
                scratch,
                zones_of(instrument, sources),
                title=instrument.title,
                copyright=instrument.licence,
                preset=(bank, instrument.program),
            )
            scratch.replace(path)
        made[name] = path
    if missing:
        console.print(
            f"Left out without samples: {', '.join(missing)}. "
            "Download them with tools/recipes/get_sources.py."
        )
    return made


def main() -> int:
    """Make every missing soundfont."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sources", type=Path, required=True, help="folder of get_sources.py")
    parser.add_argument("--only", nargs="+", choices=BY_NAME, default=list(BY_NAME), metavar="NAME")
    options = parser.parse_args()
    made = ready_instruments(options.sources, Console(soft_wrap=True), options.only)
    return 0 if made else 1


if __name__ == "__main__":
    raise SystemExit(main())
