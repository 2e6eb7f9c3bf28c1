"""The command line of `compare_systems.py`."""

import argparse
from pathlib import Path

from comparison_rows import SEVERAL_SEEDS


def parser(about: str | None = None) -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(
        description=about, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument(
        "--data", required=True, help="folder of recordings with train, valid and test; or 'demo'"
    )
    made.add_argument("--folder", default="runs/comparison", help="folder of the rows")
    made.add_argument("--rows", nargs="+", metavar="NAME", help="rows to work on; all by default")
    made.add_argument(
        "--processor-minutes",
        type=float,
        default=30.0,
        help="of each row; 30 are 15 minutes of 2 cores",
    )
    made.add_argument(
        "--timing-seconds",
        type=float,
        default=60.0,
        help="processor time for the measurement of a step",
    )
    made.add_argument("--mixtures", type=int, default=24, help="scored mixtures of each set")
    made.add_argument("--seconds", type=float, default=10.0, help="length of each mixture")
    made.add_argument("--source", default="piano", help="the source to separate")
    made.add_argument(
        "--seeds",
        type=int,
        nargs="+",
        default=[0],
        help="each row is trained once with each; these rows need three: "
        + ", ".join(SEVERAL_SEEDS),
    )
    made.add_argument(
        "--score",
        nargs="+",
        metavar="NAME=DIR/SPLIT",
        help="sets to score; the test and valid splits of --data by default",
    )
    made.add_argument(
        "--bss",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="SDR, SIR and SAR, which take most of the scoring",
    )
    made.add_argument("--cache", help="folder for unpacked recordings")
    made.add_argument("--list", action="store_true", help="only print the state of every row")
    made.add_argument(
        "--speed",
        action="store_true",
        help="only measure the speed of all finished rows, in rotation",
    )
    made.add_argument(
        "--write",
        metavar="DOCS",
        type=Path,
        help="folder of comparison.md, whose table is replaced",
    )
    return made
