"""Singing voice on MIR-1K by the published protocol: GNSDR, GSIR, GSAR beside published figures.

    python tools/experiments/mir1k.py --data MIR-1K --model RUN_OR_MODEL [--output scores.json]
    # for another separator, which writes DIR/CLIP/voice.wav or DIR/CLIP.wav:
    python tools/experiments/mir1k.py --data MIR-1K --write-mixtures DIR
    python tools/experiments/mir1k.py --data MIR-1K --estimates DIR
    python tools/experiments/mir1k.py --data MIR-1K --bound oracle --clips 40

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
from typing import NamedTuple

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import soundfile
from rich.console import Console
from rich.table import Table

from tfsepgan.data.layouts.mir1k import CHANNELS, TRAINING_SINGERS, root
from tfsepgan.errors import DataError, TfsepganError
from tfsepgan.evaluation.ideal_mask import ratio_mask_bound
from tfsepgan.metrics.global_nsdr import ClipScores, clip_scores, global_scores, mix_at_equal_energy
from tfsepgan.metrics.uncertainty import mean_with_error
from tfsepgan.processes import run_jobs

SOURCES = ("voice", "accompaniment")
NAMES = {
    "voice": ("voice", "vocals", "vocal", "singing"),
    "accompaniment": ("accompaniment", "instrumental", "residual"),
}
ORACLE_FRAME = 1024  # samples, 64 ms at 16 kHz, as in the published networks
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


class Clip(NamedTuple):
    """A clip of the test set, mixed; signals are `[time]`."""

    name: str
    singer: str
    voice: np.ndarray
    accompaniment: np.ndarray
    mixture: np.ndarray
    sample_rate_hz: int


def test_clips(data: Path) -> list[Path]:
    """The scored recordings, ordered by name; DataError when the folder is not MIR-1K."""
    place = root(data)
    if place is None:
        raise DataError(f"{data} holds no Wavfile/SINGER_SONG_CLIP.wav; use the folder of MIR-1K")
    found = sorted((place / "Wavfile").glob("*.wav"))
    clips = [path for path in found if path.stem.split("_")[0].lower() not in TRAINING_SINGERS]
    if not clips:
        raise DataError(
            f"{place} holds only the singers for training, {' and '.join(TRAINING_SINGERS)}"
        )
    return clips


def read_clip(path: Path, *, recorded: bool = False) -> Clip:
    """A recording mixed at equal energy, or as recorded; DataError without two channels."""
    audio, rate_hz = soundfile.read(path, dtype="float64", always_2d=True)
    if audio.shape[1] != 2:
        raise DataError(
            f"{path} has {audio.shape[1]} channels, wanted two: accompaniment left and voice right"
        )
    voice, accompaniment = audio[:, CHANNELS["voice"]], audio[:, CHANNELS["accompaniment"]]
    halves = (voice / 2, accompaniment / 2, audio.mean(axis=1))
    signals = halves if recorded else mix_at_equal_energy(voice, accompaniment)
    return Clip(path.stem, path.stem.split("_")[0], *signals, rate_hz)


class Bound:
    """The mixture itself, or the ideal ratio mask."""

    def __init__(self, kind: str):
        self._kind = kind

    def __call__(self, clip: Clip) -> np.ndarray:
        """Voice and accompaniment, `[2, time]`."""
        if self._kind == "mixture":
            return np.stack([clip.mixture] * 2)
        sources = {"voice": clip.voice, "accompaniment": clip.accompaniment}
        masked = ratio_mask_bound(sources, clip.mixture, frame=ORACLE_FRAME, hop=ORACLE_FRAME // 4)
        return np.stack([masked[name] for name in SOURCES])


class Folder:
    """Estimates from `DIR/CLIP/voice.wav` (and accompaniment or residual), or `DIR/CLIP.wav`."""

    def __init__(self, directory: Path):
        self._directory = directory

    def __call__(self, clip: Clip) -> np.ndarray:
        """Voice and accompaniment, `[2, time]`; DataError without a voice, or of another length."""
        voice = self._read(clip, "voice", [self._directory / f"{clip.name}.wav"])
        if voice is None:
            raise DataError(
                f"{self._directory} holds no {clip.name}/voice.wav and no {clip.name}.wav"
            )
        other = self._read(clip, "accompaniment", [])
        return np.stack([voice, clip.mixture - voice if other is None else other])

    def _read(self, clip: Clip, source: str, more: list[Path]) -> np.ndarray | None:
        places = [self._directory / clip.name / f"{name}.wav" for name in NAMES[source]] + more
        path = next((place for place in places if place.is_file()), None)
        if path is None:
            return None
        audio, rate_hz = soundfile.read(path, dtype="float64", always_2d=True)
        if (len(audio), rate_hz) != (len(clip.mixture), clip.sample_rate_hz):
            wanted = f"{len(clip.mixture)} at {clip.sample_rate_hz} Hz"
            raise DataError(
                f"{path} has {len(audio)} samples at {rate_hz} Hz, wanted {wanted}; "
                "separate the mixture of the clip"
            )
        return audio.mean(axis=1)


class Model:
    """A run, a model folder or the name of a model; loaded at the first clip."""

    def __init__(self, model: str, voice: str | None):
        from tfsepgan.separation.separator import load

        self._separator = load(model)
        known = [name for name in self._separator.sources if name in NAMES["voice"]]
        self._voice = voice or (known[0] if known else self._separator.sources[0])
        if self._voice not in self._separator.sources:
            raise DataError(
                f"the model has no source {self._voice!r}; "
                f"it has {', '.join(self._separator.sources)}"
            )

    def __call__(self, clip: Clip) -> np.ndarray:
        """Voice and accompaniment, `[2, time]`."""
        audio = clip.mixture[:, None].astype(np.float32)
        voice = self._separator.separate(audio, clip.sample_rate_hz)[self._voice][:, 0].astype(
            np.float64
        )
        return np.stack([voice, clip.mixture - voice])


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


def write_mixtures(paths: list[Path], directory: Path, *, recorded: bool = False) -> None:
    """The mixtures as 32-bit float WAV, `DIRECTORY/CLIP.wav`."""
    directory.mkdir(parents=True, exist_ok=True)
    for path in paths:
        clip = read_clip(path, recorded=recorded)
        soundfile.write(
            directory / f"{clip.name}.wav", clip.mixture, clip.sample_rate_hz, subtype="FLOAT"
        )


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
        choices=("mixture", "oracle"),
        help="score the mixture itself, or the ideal ratio mask",
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
            {"mixture": "the mixture", "oracle": "ideal ratio mask"}[options.bound],
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
