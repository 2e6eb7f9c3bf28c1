"""Renders hours of sampled pianos and of other instruments, for training. See piano.md.

    python tools/recipes/piano.py --sources DIR --output DATA

DIR holds the sources that piano.md names. Soundfonts and scores are made once, in DIR/ready; files
that exist in DATA are kept, so an interrupted run resumes.
"""

import argparse
import time
from pathlib import Path

import instruments
from piano_calls import Call, calls
from piano_scores import ready_scores
from piano_soundfonts import LICENCES, SAMPLED, SOURCES, ready_soundfonts
from rich.console import Console

from tfsepgan.cli.command import INTERRUPTED
from tfsepgan.cli.data import main as tfsepgan_data

OWN = "Apache-2.0 (composed by this script)"


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


def render_words(
    call: Call, scores: Path, fonts: dict[str, Path], arguments: argparse.Namespace
) -> list[str]:
    """The arguments of `tfsepgan-data` for a call."""
    places = [f"{font}={fonts[font]}" for font in call.fonts]
    licences = [f"{name}={LICENCES.get(name, OWN)}" for name in (call.scores, *call.fonts)]
    return [
        *("render", f"{call.scores}={scores}", "--output", str(arguments.output), *call.options),
        *("--valid-share", "0.05", "--channels", "1", "--workers", str(arguments.workers)),
        *("--seed", str(call.seed), "--soundfont", *places, "--licence", *licences),
    ]


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
        words = render_words(call, scores[call.scores], fonts, arguments)
        code = tfsepgan_data(words)
        worst = max(worst, code)
        if code == INTERRUPTED:
            return code
    console.print(f"Done after {(time.monotonic() - begun) / 60:.1f} minutes.")
    return worst


if __name__ == "__main__":
    raise SystemExit(main())
