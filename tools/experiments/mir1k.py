"""Singing voice on MIR-1K by the published protocol: GNSDR, GSIR, GSAR beside published figures.

    python tools/experiments/mir1k.py --data MIR-1K --model RUN_OR_MODEL [--output scores.json]
    # for another separator, which writes DIR/CLIP/voice.wav or DIR/CLIP.wav:
    python tools/experiments/mir1k.py --data MIR-1K --write-mixtures DIR
    python tools/experiments/mir1k.py --data MIR-1K --estimates DIR
    python tools/experiments/mir1k.py --data MIR-1K --bound ideal-mask --clips 40

The singers abjones and amy are for training (175 clips). The clips of the other singers (825) are
scored, each mixed with equal energy of voice and accompaniment, at 0 dB. NSDR is the gain in SDR
over the mixture; means are weighted by the lengths of the clips; SDR, SIR and SAR are those of BSS
Eval 3 with one filter of 512 taps for the whole clip (`tfsepgan.metrics.global_nsdr`). Without an
estimate of the accompaniment, it is the mixture minus the voice. `--bound` scores the mixture
itself (GNSDR 0) or the ideal ratio mask instead of a model. The standard error is over singers. The
table of published figures has their sources. `--recorded` keeps the recorded levels, as the
released evaluation of the stacked hourglass does (`eval_mir_1k.py` of
sungheonpark/music_source_sepearation_SH_net).
"""

import argparse
import json
import os
import sys
from pathlib import Path

import numpy as np
from mir1k_clips import SOURCES, Bound, Folder, Model, read_clip, test_clips, write_mixtures
from rich.console import Console
from rich.table import Table

from tfsepgan.errors import DataError, TfsepganError
from tfsepgan.metrics.global_nsdr import ClipScores, clip_scores, global_scores
from tfsepgan.metrics.uncertainty import mean_with_error
from tfsepgan.processes import run_jobs

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
HUANG = "Huang et al. 2015, arXiv:1502.04149, table III"
PUBLISHED = (  # voice, 0 dB: name, GNSDR, GSIR, GSAR, source of the figures
    ("MLRR (Yang 2013)", 3.85, 5.63, 10.70, f"quoted by {HUANG}"),
    ("RNMF (Sprechmann 2012)", 4.97, 7.66, 10.03, f"quoted by {HUANG}"),
    ("DRNN-2", 7.27, 11.98, 9.99, HUANG),
    ("DRNN-2, discriminative", 7.45, 13.08, 9.68, HUANG),
    (
        "stacked hourglass, 4 stacks (Park 2018, arXiv:1805.08559)",
        10.51,
        16.01,
        12.53,
        "quoted by the report of a reimplementation, github.com/ZYFZYF/Music-Source-Separation",
    ),
)


def score_clip(job: tuple[np.ndarray, np.ndarray, np.ndarray]) -> ClipScores:
    """The figures of references, estimates and mixture."""
    return clip_scores(*job)


def scores_of(
    paths: list[Path], separate, *, recorded: bool, workers: int, console: Console
) -> dict[str, ClipScores]:
    """Figures of every clip by its name.

    Args:
      paths: the recordings.
      separate: takes a Clip, gives voice and accompaniment, `[2, time]`.
      recorded: keep the recorded levels.
      workers, console: number of processes, and console for progress.

    Raises: DataError that names a clip that cannot be scored; the protocol needs all clips.
    """

    def jobs():
        for path in paths:
            clip = read_clip(path, recorded=recorded)
            sources = np.stack([clip.voice, clip.accompaniment])
            yield clip.name, (sources, separate(clip), clip.mixture)

    found: dict[str, ClipScores] = {}
    for name, scores, error in run_jobs(score_clip, jobs(), workers=workers):
        if error is not None:
            raise DataError(f"clip {name} cannot be scored: {error}") from error
        found[name] = scores
        if len(found) % 100 == 0:
            console.print(f"{len(found)} of {len(paths)} clips")
    return {path.stem: found[path.stem] for path in paths}


def summary(scores: dict[str, ClipScores]) -> dict:
    """{source: {figure: mean, figure_error: standard error over singers}}, dB; number of clips."""
    singers: dict[str, list[ClipScores]] = {}
    for name, clip in scores.items():
        singers.setdefault(name.split("_")[0], []).append(clip)
    means, by_singer = (
        global_scores(list(scores.values())),
        [global_scores(clips) for clips in singers.values()],
    )
    summarised: dict = {"clips": len(scores), "singers": len(singers)}
    for index, source in enumerate(SOURCES):
        summarised[source] = {}
        for figure in ("gnsdr", "gsir", "gsar"):
            summarised[source][figure] = round(float(getattr(means, figure)[index]), 3)
            error = mean_with_error([getattr(one, figure)[index] for one in by_singer]).error
            summarised[source][f"{figure}_error"] = None if np.isnan(error) else round(error, 3)
    return summarised


def table_of(name: str, summarised: dict, *, recorded: bool = False) -> Table:
    """The scored system above the published ones."""
    level = "as recorded" if recorded else "at 0 dB"
    title = (
        f"MIR-1K, voice {level}, dB; {summarised['clips']} clips of {summarised['singers']} singers"
    )
    table = Table(title=title, title_justify="left", caption_justify="left")
    table.add_column("system", overflow="fold")
    for head in ("GNSDR", "GSIR", "GSAR"):
        table.add_column(head, justify="right", no_wrap=True)
    table.add_column("read in", overflow="fold")
    for source in SOURCES:
        cells = []
        for figure in ("gnsdr", "gsir", "gsar"):
            error = summarised[source][f"{figure}_error"]
            cells.append(
                f"{summarised[source][figure]:.2f}" + ("" if error is None else f" ± {error:.2f}")
            )
        label = name if source == "voice" else f"{name}, its accompaniment"
        table.add_row(
            label,
            *cells,
            "here",
            style="bold" if source == "voice" else None,
            end_section=source != "voice",
        )
    for label, *figures, place in PUBLISHED:
        table.add_row(label, *(f"{figure:.2f}" for figure in figures), place)
    return table


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--data", type=Path, required=True, help="folder of MIR-1K, which holds Wavfile"
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--model", help="run, model folder or name of a model")
    what.add_argument(
        "--estimates", type=Path, help="folder of estimates: CLIP/voice.wav or CLIP.wav"
    )
    what.add_argument(
        "--bound",
        choices=("mixture", "ideal-mask", "oracle"),
        help="score the mixture itself, or the ideal ratio mask (also as `oracle`)",
    )
    what.add_argument(
        "--write-mixtures", type=Path, help="write the mixtures to this folder and score nothing"
    )
    parser.add_argument(
        "--recorded", action="store_true", help="recorded levels instead of equal energy"
    )
    parser.add_argument(
        "--voice", help="source of the model that is the voice; default: found by its name"
    )
    parser.add_argument(
        "--clips", type=int, help="number of clips, evenly over the test set; default: all"
    )
    parser.add_argument("--workers", type=int, default=2, help="processes that score")
    parser.add_argument("--output", type=Path, help="JSON file for all numbers")
    return parser.parse_args()


def main() -> int:
    """Score and show the table; 1 after an error of the package, which is printed."""
    options = _options()
    console = Console() if Console().is_terminal else Console(width=120)
    try:
        _run(options, console)
    except TfsepganError as error:
        console.print(f"{type(error).__name__}: {error}", markup=False, highlight=False)
        return 1
    return 0


def _run(options: argparse.Namespace, console: Console) -> None:
    paths = test_clips(options.data)
    if options.clips:
        paths = [
            paths[index]
            for index in np.unique(
                np.linspace(0, len(paths) - 1, options.clips).round().astype(int)
            )
        ]
    if options.write_mixtures:
        write_mixtures(paths, options.write_mixtures, recorded=options.recorded)
        console.print(f"{len(paths)} mixtures: {options.write_mixtures}", markup=False)
        return
    if options.bound:
        name, separate = (
            "the mixture" if options.bound == "mixture" else "ideal ratio mask",
            Bound(options.bound),
        )
    elif options.estimates:
        name, separate = str(options.estimates), Folder(options.estimates)
    else:
        name, separate = options.model, Model(options.model, options.voice)
    scores = scores_of(
        paths, separate, recorded=options.recorded, workers=options.workers, console=console
    )
    summarised = summary(scores)
    console.print(table_of(name, summarised, recorded=options.recorded))
    if options.output:
        clips = {
            clip: {
                "samples": one.samples,
                **{k: np.round(getattr(one, k), 3).tolist() for k in ("nsdr", "sir", "sar")},
            }
            for clip, one in scores.items()
        }
        options.output.write_text(
            json.dumps(
                {
                    "system": name,
                    "recorded": options.recorded,
                    "sources": SOURCES,
                    "summary": summarised,
                    "clips": clips,
                },
                indent=1,
            )
        )


if __name__ == "__main__":
    sys.exit(main())
