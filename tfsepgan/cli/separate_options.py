"""The flags of `tfsepgan-separate`."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import tyro

from tfsepgan.cli.pipes import PIPE
from tfsepgan.errors import ConfigError

if TYPE_CHECKING:
    from tfsepgan.separation.refinement import Refining

DEFAULT_MODEL = "piano"


@dataclass(frozen=True, kw_only=True)
class SeparateOptions:
    """Separate recordings into stems that sum to the recording."""

    TOPICS: ClassVar = {
        "model": ("inputs", "model", "server", "runtime", "stereo", "low_rank"),
        "stems": ("output", "sources", "residual_only", "name"),
        "many recordings": ("jobs", "skip_existing", "retry_failed"),
        "format": ("format", "subtype", "bit_rate", "clip"),
        "messages": ("json", "quiet", "verbose"),
    }

    inputs: Annotated[tuple[str, ...], tyro.conf.Positional]
    """Audio files (wav, flac, ogg, mp3, m4a, mp4 and other video, wma, aiff, opus ...) and folders
    of them; - for the standard input."""
    model: Annotated[str, tyro.conf.arg(aliases=("-m",))] = DEFAULT_MODEL
    """Name of a model that ships with tfsepgan, a folder written by tfsepgan-export, or a run; with
    --server, the name of the model on the server."""
    output: Annotated[str, tyro.conf.arg(aliases=("-o",))] = "separated"
    """Folder for the stems; - for the standard output, where one stem of one recording is
    written."""
    sources: tuple[str, ...] | None = None
    """Stems to write, such as `piano`, or `residual` for the accompaniment; all by default."""
    residual_only: bool = False
    """Write only the residual, the recording without its sources: the same as --sources
    residual."""
    name: str = "{track}/{source}.{ext}"
    """Path of a stem below OUTPUT: {track} is the name of the recording, {source} that of the stem,
    {ext} the suffix of the format."""
    jobs: Annotated[int, tyro.conf.arg(aliases=("-j",))] = 1
    """Number of processes that separate recordings at the same time; of threads with
    --runner DirectRunner."""
    skip_existing: bool = False
    """Leave out recordings whose stems exist already, with any model and settings."""
    retry_failed: bool = False
    """Try recordings again that failed in an earlier run."""
    results: str | None = None
    """File with a line for each recording, from which the command continues; by default
    OUTPUT/results.jsonl if a folder is separated or --jobs is given."""
    json: bool = False
    """Print one JSON object for each recording."""
    quiet: Annotated[bool, tyro.conf.arg(aliases=("-q",))] = False
    """Show no progress and no notes."""
    verbose: Annotated[bool, tyro.conf.arg(aliases=("-v",))] = False
    """Also show the model and what runs it, and the time for each recording."""
    format: Literal["wav", "flac", "ogg", "mp3", "m4a", "opus"] = "wav"
    """File format of the stems; all but wav get the tags of the recording."""
    subtype: str | None = None
    """Sample format of wav (FLOAT, DOUBLE, PCM_16, PCM_24, PCM_32; FLOAT by default, which cannot
    clip) and flac (PCM_24, PCM_16)."""
    bit_rate: int | None = None
    """Bit rate of mp3, m4a (256 by default) and opus (160), in kbit/s for two channels."""
    clip: Literal["rescale", "clip", "error"] = "rescale"
    """What to do when a format would clip: apply one gain to all stems, clip them, or stop with an
    error. A note says which happened."""
    runtime: Literal["auto", "numpy", "litert", "tensorflow"] = "auto"
    """Library that runs the model; auto takes the fastest that can run it."""
    stereo: Literal["together", "apart"] = "together"
    """Refine stereo by both channels together, or separate each channel alone, which is faster."""
    low_rank: Literal["auto", "on", "off"] = "auto"
    """Refine the estimates by approximations with a few spectra; auto follows the model."""
    block_seconds: float | None = None
    """Length of a block for the network (default: 25 for tensorflow, else 7); it changes
    speed and memory, not the result."""
    runner: Literal["DirectRunner", "FlinkRunner", "SparkRunner", "DataflowRunner"] | None = None
    """Separate on this runner of Apache Beam, with inputs and OUTPUT at any address of fsspec, such
    as gs://bucket/music (pip install "tfsepgan[beam]")."""
    runner_options: tuple[str, ...] = ()
    """Options of the runner, such as project=NAME region=europe-west1."""
    server: str | None = None
    """HOST:PORT of a TF Serving server with the model: the network runs there, everything else here
    (docs/serving.md)."""
    rest: bool = False
    """Use REST instead of gRPC: slower, but needs no tensorflow-serving-api."""
    secure: bool = False
    """Encrypt the connection to the server (TLS)."""
    parallel: int = 4
    """Number of blocks that are sent to the server at the same time."""
    deadline_seconds: float = 120.0
    """Time limit for one block, retries included, in seconds; the recording then fails."""
    max_message_mib: float = 64.0
    """Largest request and reply, in MiB; lower it for proxies with a smaller limit."""

    @property
    def refining(self) -> "Refining":
        """Both flags of the refinement."""
        from tfsepgan.separation.refinement import Refining

        return Refining(stereo=self.stereo, low_rank=self.low_rank)

    def check(self) -> None:
        """Raises: ConfigError for flags that cannot be used together."""
        if not self.inputs:
            raise ConfigError("Nothing to separate: name at least one recording or folder.")
        if self.rest and self.server is None:
            raise ConfigError("--rest needs a server: name it with --server HOST:PORT.")
        if self.server is not None and self.runtime != "auto":
            raise ConfigError(
                "--runtime is for this machine; with --server the network runs on the server. Leave"
                " one of them out."
            )
        if self.quiet and self.verbose:
            raise ConfigError("--quiet and --verbose exclude each other.")
        if self.residual_only and self.sources is not None:
            raise ConfigError("--residual-only is --sources residual; give one of them.")
        if PIPE in self.inputs and len(self.inputs) > 1:
            raise ConfigError("- is a single recording; separate the others with another command.")
        if self.output == PIPE and (self.json or self.name != SeparateOptions.name):
            raise ConfigError(
                "-o - writes sound to the standard output; leave out --json and --name."
            )
        if self.runner_options and self.runner is None:
            raise ConfigError("--runner-options needs --runner.")
        if self.runner is not None and (self.results is not None or self.skip_existing):
            raise ConfigError("--runner works without --results and --skip-existing.")
        if self.runner is not None and PIPE in (*self.inputs, self.output):
            raise ConfigError("--runner works on files and folders, not on -.")
        if self.jobs < 1:
            raise ConfigError(f"jobs is {self.jobs}; wanted 1 process or more.")
        if PIPE in (*self.inputs, self.output) and (self.jobs > 1 or self.results is not None):
            raise ConfigError("- is a single recording; leave out --jobs and --results.")
