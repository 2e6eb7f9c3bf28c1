"""`tfsepgan-separate`: recordings in, stems out, at the recording's own rate, channels and exact length."""

from dataclasses import dataclass
from typing import Annotated, Literal

import tyro

from tfsepgan.cli.command import command, quiet_tensorflow
from tfsepgan.errors import ConfigError, DataError

DEFAULT_MODEL = "piano"


@dataclass(frozen=True, kw_only=True)
class SeparateOptions:
    """Take instruments out of recordings: writes OUTPUT/<track>/<source>.wav and residual.wav; together they are the recording."""

    inputs: Annotated[tuple[str, ...], tyro.conf.Positional]
    """Audio files (wav, flac, ogg, mp3 and whatever else libsndfile reads) and folders of them."""
    model: str = DEFAULT_MODEL
    """Name of a model that ships with tfsepgan, a folder written by tfsepgan-export, or a run."""
    output: str = "separated"
    """Folder for the stems."""
    subtype: Literal["FLOAT", "DOUBLE", "PCM_16", "PCM_24", "PCM_32"] = "FLOAT"
    """Sample format; FLOAT cannot clip, and only floating point keeps the sum of the stems exact."""
    clip: Literal["rescale", "clip", "error"] = "rescale"
    """What to do when PCM would clip: one gain for all stems, clip them, or give up; it is said which happened."""
    block_seconds: float = 25.0
    """Length of the pieces the network works on; it changes speed and memory, not the result."""


def _separate(arguments, console):
    options = tyro.cli(SeparateOptions, args=arguments, prog="tfsepgan-separate")
    if not options.inputs:
        raise ConfigError("Nothing to separate: name at least one recording or folder.")
    from tfsepgan.networks.folders import find_bundle
    from tfsepgan.separation.naming import find_inputs

    recordings = find_inputs(options.inputs, options.output)
    folder = find_bundle(options.model)
    quiet_tensorflow()
    from tfsepgan.separation.bulk import separate_files
    from tfsepgan.separation.separator import load

    separator = load(folder, block_seconds=options.block_seconds)
    done, failed = separate_files(
        separator, recordings, options.output, subtype=options.subtype, clip=options.clip, console=console
    )
    for item in done:
        stems = ", ".join(f"{name}.wav" for name in item.stems)
        where = next(iter(item.stems.values())).parent
        console.print(
            f"{where}: {stems}; {item.frames / item.sample_rate_hz:.1f} s, {item.sample_rate_hz} Hz, "
            f"{item.channels} channels, {item.times_real_time:.0f} x real time",
            markup=False,
            highlight=False,
        )
        for note in item.notes:
            console.print(f"  note: {note}", markup=False, highlight=False)
    if failed:
        raise DataError(f"{len(failed)} of {len(recordings)} recordings could not be separated; the reasons are above.")


main = command(_separate)

if __name__ == "__main__":
    raise SystemExit(main())
