"""`tfsepgan-generate`: generates sounds from a seed with a trained model."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tfsepgan.cli.command import command, say
from tfsepgan.cli.flags import read_options
from tfsepgan.errors import CheckpointError, ConfigError
from tfsepgan.progress import ProgressBar
from tfsepgan.quiet import quiet_tensorflow


@dataclass(frozen=True, kw_only=True)
class GenerateOptions:
    """Generate sounds: writes OUTPUT/seed<SEED>-000.wav and so on, all of them or none."""

    model: str
    """Run of a system that generates sounds, such as wavegan, or the folder of its model."""
    count: int = 16
    """Number of sounds."""
    output: str = "sounds"
    """Folder for the sounds."""
    seed: int = 0
    """The same seed gives the same sounds; a larger count adds sounds and keeps the first ones."""
    subtype: Literal["FLOAT", "PCM_16", "PCM_24"] = "FLOAT"
    """Sample format; FLOAT cannot clip."""


def _generate(arguments, console):
    options = read_options(GenerateOptions, arguments, program="tfsepgan-generate")
    if options.count < 1 or options.seed < 0:
        raise ConfigError(
            f"count is {options.count} and seed {options.seed}; count must be at least 1, seed at"
            " least 0."
        )
    from tfsepgan.models.folders import find_bundle, read_manifest

    folder = find_bundle(options.model)
    manifest = read_manifest(folder)
    if manifest.kind != "synthesis":
        raise CheckpointError(
            f"{options.model} is a {manifest.system} model, which separates recordings and makes no"
            " sounds. Use tfsepgan-separate, or train a model that generates sounds: tfsepgan-train"
            " --system wavegan."
        )
    from tfsepgan.cli.sounds import refuse_existing, sound_names, write_sounds

    output = Path(options.output)
    names = sound_names(options.count, options.seed)
    refuse_existing(output, names)
    quiet_tensorflow()
    from tfsepgan.models.saved import load_trained

    system = load_trained(folder)
    with ProgressBar(console, "making sounds", options.count, unit="", stays=False) as bar:
        sounds = bar.over(system.make(options.count, seed=options.seed))
        write_sounds(output, names, sounds, manifest.sample_rate_hz, subtype=options.subtype)
    seconds = system.experiment.data.window / manifest.sample_rate_hz
    say(
        console,
        f"{output}: {options.count} sounds of {manifest.sources[0]}, {seconds:.2f} s each,"
        f" {manifest.sample_rate_hz} Hz, seed {options.seed}: {names[0]}"
        + (f" to {names[-1]}" if options.count > 1 else ""),
    )


main = command(_generate)

if __name__ == "__main__":
    raise SystemExit(main())
