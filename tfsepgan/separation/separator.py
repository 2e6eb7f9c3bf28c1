"""A trained model that separates recordings into stems.

separator = tfsepgan.load("piano")
stems = separator.separate(mixture, 44100)  # {"piano": ..., "residual": ...}, shaped like mixture
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from tfsepgan.audio.formats import MOST_CHANNELS, RATES_HZ
from tfsepgan.errors import CheckpointError, ConfigError, ShapeError
from tfsepgan.separation.engine import BlockSeparator, block_samples
from tfsepgan.separation.naming import is_safe_name
from tfsepgan.separation.stream import RESIDUAL, Stems, StemStream

if TYPE_CHECKING:
    from tfsepgan.models.bundle import Bundle, Manifest
    from tfsepgan.models.saved import TrainedSystem
    from tfsepgan.separation.runtimes import LoadedModel, Runtime

# context is then about a tenth of the work, and a stereo block takes a few hundred megabytes
BLOCK_SECONDS = 25.0
LITERT_BLOCK_SECONDS = 7.0  # as fast in LiteRT as 25 s, with 330 MB in place of 550 MB


def load(
    name_or_path,
    *,
    block_seconds: float | None = None,
    runtime: "Runtime" = "auto",
    seconds: float | None = None,
) -> "Separator":
    """Load a model as a separator.

    Args:
      name_or_path: name of a model that ships with the package, such as "piano"; or a model
        directory, or a run directory.
      block_seconds: see `Separator`; by default 7 in LiteRT, 25 in TensorFlow.
      runtime: 'litert' starts in a fraction of a second; 'tensorflow' is faster over hours; 'auto'
        chooses LiteRT where the model was exported for it and there is less than half an hour of
        music. The stems are the same to float32 rounding.
      seconds: of music to separate, if known; used by 'auto'.
    Raises: CheckpointError when there is no such model, it does not separate, or the runtime cannot
      run it; ConfigError for an unknown runtime.
    """
    from tfsepgan.models.folders import find_bundle, read_manifest
    from tfsepgan.separation.runtimes import choose_runtime, open_litert

    folder = find_bundle(name_or_path)
    manifest = read_manifest(folder)
    if manifest.makes_sounds:
        raise CheckpointError(
            f"{name_or_path} is a {manifest.system} model, which makes sounds and separates"
            " nothing: use tfsepgan-generate."
        )
    if choose_runtime(runtime, folder, manifest, seconds=seconds) == "litert":
        return Separator(
            open_litert(folder, manifest),
            block_seconds=_or_default(block_seconds, LITERT_BLOCK_SECONDS),
        )
    from tfsepgan.models.saved import open_model

    return Separator(
        open_model(name_or_path), block_seconds=_or_default(block_seconds, BLOCK_SECONDS)
    )


def _or_default(value: float | None, default: float) -> float:
    return default if value is None else value


class Separator:
    """Separates recordings of any length, rate and channel count into stems.

    The stems do not depend on `block_seconds`: they equal one pass of the network over the whole
    signal to float rounding. Every channel is separated on its own. In `stream`, memory does not
    grow with length.
    """

    def __init__(
        self,
        bundle: "Bundle | TrainedSystem | LoadedModel",
        *,
        block_seconds: float = BLOCK_SECONDS,
    ):
        """
        Args:
          bundle: the model, with its manifest.
          block_seconds: new output per pass of the network. Longer blocks are a little faster;
            shorter ones need less memory and reduce the delay of a stream. A block has at least
            four contexts.
        """
        if not block_seconds > 0:
            raise ConfigError(
                f"got block_seconds={block_seconds}; wanted a number above zero, such as 25"
            )
        _check_sources(bundle.manifest)
        self.manifest: Manifest = bundle.manifest
        self.network = bundle.separate_function()
        self.block = block_samples(
            block_seconds,
            sample_rate_hz=self.manifest.sample_rate_hz,
            hop=self.manifest.hop,
            context=self.manifest.context,
        )

    @property
    def sources(self) -> tuple[str, ...]:
        """Names of the sources that the model estimates."""
        return self.manifest.sources

    @property
    def stems(self) -> tuple[str, ...]:
        """Names of the stems that `separate` returns: the sources and "residual"."""
        return (*self.sources, RESIDUAL)

    @property
    def sample_rate_hz(self) -> int:
        """Rate of the model; recordings at other rates are resampled, and the estimates back."""
        return self.manifest.sample_rate_hz

    def separate(self, mixture: np.ndarray, sample_rate_hz: float) -> Stems:
        """Separate a recording.

        Args:
          mixture: `[time]` or `[time, channels]`, floating point in [-1, 1].
          sample_rate_hz: of the mixture.
        Returns: every source and "residual" by name, float32, shaped like the mixture; they sum to
          it.
        Raises: ShapeError for integers, values that are not finite, an empty array, another rank,
          or a rate or channel count beyond the limits.
        """
        checked = checked_mixture(mixture)
        columns = checked[:, None] if checked.ndim == 1 else checked
        stems = {name: np.empty_like(columns) for name in self.stems}
        done = 0
        pieces = (
            columns[first : first + self.block] for first in range(0, len(columns), self.block)
        )
        for block in self.stream(pieces, sample_rate_hz, columns.shape[1]):
            count = len(block[RESIDUAL])
            for name, samples in block.items():
                stems[name][done : done + count] = samples
            done += count
        return {name: samples.reshape(checked.shape) for name, samples in stems.items()}

    def stream(
        self, blocks: Iterable[np.ndarray], sample_rate_hz: float, channels: int
    ) -> Iterator[Stems]:
        """Separate a recording piece by piece, with memory that does not grow with its length.

        Args:
          blocks: pieces of the mixture, `[time, channels]` (or `[time]` for one channel), of any
            length.
          sample_rate_hz, channels: of the mixture.
        Yields: stems as `separate` returns them, in pieces that are together as long as the
          mixture.
        Raises: ShapeError as `separate` does; for a bad rate or channel count at once.
        """
        stream = self._open_stream(sample_rate_hz, channels)
        return _stems_of(stream, blocks, channels)

    def _open_stream(self, sample_rate_hz: float, channels: int) -> StemStream:
        low, high = RATES_HZ
        if not low <= sample_rate_hz <= high:
            raise ShapeError(f"got a sample rate of {sample_rate_hz} Hz; wanted {low} to {high} Hz")
        if not 1 <= channels <= MOST_CHANNELS:
            raise ShapeError(f"got {channels} channels; wanted 1 to {MOST_CHANNELS}")
        return StemStream(
            self._open_engine(channels),
            sources=self.sources,
            channels=channels,
            sample_rate_hz=sample_rate_hz,
            model_rate_hz=self.sample_rate_hz,
        )

    def _open_engine(
        self, channels: int, kind: type[BlockSeparator] = BlockSeparator, **named
    ) -> BlockSeparator:
        """The engine for one recording.

        Args:
          kind: its class.
          named: further arguments of that class.
        """
        return kind(
            self.network,
            channels=channels,
            sources=len(self.sources),
            hop=self.manifest.hop,
            context=self.manifest.context,
            block=self.block,
            **named,
        )


def checked_mixture(mixture: np.ndarray) -> np.ndarray:
    """The mixture as float32, in the same shape.

    Args:
      mixture: `[time]` or `[time, channels]`, floating point, finite, not empty.
    Raises: ShapeError for anything else.
    """
    mixture = np.asarray(mixture)
    if mixture.ndim not in (1, 2):
        raise ShapeError(
            f"got an array of shape {mixture.shape}; wanted [time] or [time, channels], one"
            " recording at a time"
        )
    if mixture.size == 0:
        raise ShapeError(f"got an empty array of shape {mixture.shape}; wanted at least one sample")
    if mixture.ndim == 2 and mixture.shape[1] > MOST_CHANNELS:
        raise ShapeError(
            f"got {mixture.shape[1]} channels of {len(mixture)} samples; wanted [time, channels]:"
            " transpose it (.T)"
        )
    if not np.issubdtype(mixture.dtype, np.floating):
        raise ShapeError(
            f"got {mixture.dtype} samples; wanted floating point in [-1, 1]: divide 16-bit integers"
            " by 32768"
        )
    with np.errstate(over="ignore"):
        single = mixture.astype(np.float32)
    if not np.isfinite(single).all():
        first = int(np.argwhere(~np.isfinite(single))[0][0])
        raise ShapeError(
            f"got a value that is not a finite float32 at sample {first}; repair the recording"
            " first"
        )
    return single


def _stems_of(stream: StemStream, blocks: Iterable[np.ndarray], channels: int) -> Iterator[Stems]:
    for block in blocks:
        if np.size(block):
            checked = checked_mixture(block)
            columns = checked[:, None] if checked.ndim == 1 else checked
            if columns.shape[1] != channels:
                raise ShapeError(
                    f"got a piece with {columns.shape[1]} channels in a stream of {channels}"
                )
            yield from stream.push(columns)
    yield from stream.finish()


def _check_sources(manifest: "Manifest") -> None:
    """Raise CheckpointError unless the source names can be file names and keys of stems."""
    names = manifest.sources
    bad = [name for name in names if not is_safe_name(name) or name == RESIDUAL]
    if bad or not names or len({name.casefold() for name in names}) < len(names):
        raise CheckpointError(
            f"the model {manifest.name!r} names its sources {list(names)}; wanted distinct file"
            f" names without special characters, other than {RESIDUAL!r}: its manifest is broken"
            " or not from tfsepgan"
        )
