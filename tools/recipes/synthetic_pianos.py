"""Renders many synthetic pianos, for training: more timbres than sampled pianos offer.

    python tools/recipes/synthetic_pianos.py --sources SOURCES --output data/synthetic

Every piano has random parameters (struck_strings.py) and plays a few minutes of POP909. The pianos
are grouped into a few folders, so that `--balance folders` draws them as often as a few players,
not as often as sixty. Existing files are kept, so an interrupted run resumes.
"""

import argparse
import shutil
from pathlib import Path

from piano_soundfonts import SOURCES
from soundfont_writer import write_soundfont
from struck_strings import Struck, struck_zones

from tfsepgan.cli.data import main as tfsepgan_data

FIRST = 20  # instruments_table.py has the pianos below
LICENCE = "Apache-2.0 (made by struck_strings.py)"


def soundfont(number: int, folder: Path) -> Path:
    """The SF2 file of a synthetic piano, made if missing."""
    path = folder / f"struck_{number:03d}.sf2"
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        scratch = path.with_suffix(".part")
        zones = struck_zones(Struck(number=number))
        write_soundfont(scratch, zones, title=f"Struck strings {number}", copyright=LICENCE)
        scratch.replace(path)
    return path


def render(fonts: dict[str, Path], scores: Path, options: argparse.Namespace, group: int) -> int:
    """Render the pianos of one group, then move them into one folder; returns an exit code."""
    scratch = options.output / f"group_{group}.rendering"
    words = ["render", f"pop909={scores}", "--output", str(scratch)]
    words += ["--classes", "piano", "--parts", "piano", "--valid-share", "0", "--channels", "1"]
    words += ["--minutes", f"{options.minutes / options.groups:g}"]
    words += ["--seed", str(options.seed + group), "--workers", str(options.workers)]
    words += ["--soundfont", *(f"{name}={path}" for name, path in fonts.items())]
    words += ["--licence", f"pop909={SOURCES['pop909'][1]}", *(f"{n}={LICENCE}" for n in fonts)]
    code = tfsepgan_data(words)
    if code == 0:
        whole = options.output / "train" / "piano" / f"group_{group}"
        whole.parent.mkdir(parents=True, exist_ok=True)
        (scratch / "train" / "piano").rename(whole)
        (scratch / "manifest.json").rename(options.output / f"group_{group}.json")
        shutil.rmtree(scratch)
    return code


def main() -> int:
    """Read the command line, make the soundfonts and render."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sources", type=Path, required=True, help="folder of get_sources.py")
    parser.add_argument("--output", type=Path, required=True, help="the data folder to write")
    parser.add_argument("--count", type=int, default=60, help="synthetic pianos")
    parser.add_argument("--groups", type=int, default=6, help="folders to share them out to")
    parser.add_argument("--minutes", type=float, default=240.0, help="of all together")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    folder = options.sources / "ready" / "soundfonts" / "synthetic"
    numbers = range(FIRST, FIRST + options.count)
    for group in range(options.groups):
        if (options.output / "train" / "piano" / f"group_{group}").exists():
            continue
        fonts = {
            f"struck_{number:03d}": soundfont(number, folder)
            for number in numbers[group :: options.groups]
        }
        code = render(fonts, options.sources / SOURCES["pop909"][0], options, group)
        if code:
            return code
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
