"""`tfsepgan-evaluate`: scores a model on a split, beside the mixture itself and an ideal mask."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tfsepgan.cli.command import command, say
from tfsepgan.cli.flags import read_options
from tfsepgan.config import SetLayout
from tfsepgan.errors import ConfigError
from tfsepgan.quiet import quiet_tensorflow

Measure = Literal["spectra", "bleed", "multi_resolution", "embedding"]


@dataclass(frozen=True, kw_only=True)
class EvaluateOptions:
    """Score a model on a split, for each track and over all tracks.

    SDR, ISR, SIR, SAR, SNR, SI-SDR and its gain over the mixture, spectra, bleed.
    """

    data: str
    """Folder of recordings, laid out as for training, or shards or their address; 'demo' is the
    packaged set."""
    layout: SetLayout = "auto"
    """Layout of the folder: the name of a public set, 'plain' for your own folders, or 'auto' to
    detect it."""
    leave_out: tuple[str, ...] = ()
    """Recordings to leave out: patterns of SET/SPLIT/SOURCE/... in which * stands for anything."""
    model: str = "piano"
    """Name of a model that ships with tfsepgan, a folder written by tfsepgan-export, or a run."""
    output: str = "scores"
    """Folder for report.json, tracks/NAME.json, plots and pictures."""
    split: str = "test"
    """Split to score."""
    mixtures: int = 24
    """Mixtures made from an unpaired split, or songs taken from a multitrack split."""
    seconds: float = 10.0
    """Length of each mixture, in seconds."""
    snr_db: tuple[float, float] = (-6.0, 6.0)
    """Range of the level of the first source over the others, in dB (unpaired splits)."""
    bss: bool = True
    """Run BSS Eval (SDR, ISR, SIR, SAR), which takes most of the time."""
    measures: tuple[Measure, ...] = ("spectra", "bleed", "multi_resolution")
    """Further measures: spectra compared with the true source, bleedless and fullness,
    multi-resolution distance, and 'embedding', the Frechet distance of notes, which needs the
    package basic-pitch."""
    workers: int = 2
    """Number of processes that compute scores."""
    stems: bool = False
    """Also write the separated stems, to OUTPUT/separated."""
    cache: str | None = None
    """Folder for recordings unpacked from shards; default: the user's cache folder."""


def _evaluate(arguments, console):
    options = read_options(EvaluateOptions, arguments, program="tfsepgan-evaluate")
    for name, value in {"mixtures": options.mixtures, "seconds": options.seconds}.items():
        if not 0 < value < float("inf"):
            raise ConfigError(f"{name} is {value}; it must be above zero.")
    from tfsepgan.cli.catalogue import open_and_show
    from tfsepgan.models.folders import find_bundle, read_manifest

    folder = find_bundle(options.model)
    manifest = read_manifest(folder)
    catalogue = open_and_show(options.data, manifest.sources, options, console)
    catalogue.require(options.split, manifest.sources)
    quiet_tensorflow()
    from tfsepgan.evaluation.scoring import score, scoring_mixtures, write_separated
    from tfsepgan.separation.separator import load

    mixtures = scoring_mixtures(
        catalogue,
        manifest.sources,
        manifest.sample_rate_hz,
        split=options.split,
        count=options.mixtures,
        seconds=options.seconds,
        snr_db=options.snr_db,
    )
    output, separator = Path(options.output), load(folder)
    taken = {"bss": options.bss, "measures": options.measures, "workers": options.workers}
    score(separator, mixtures, output, console, **taken)
    if options.stems:
        write_separated(separator, mixtures, output / "separated")
    say(console, f"Scores and pictures: {output}")


main = command(_evaluate)

if __name__ == "__main__":
    raise SystemExit(main())
