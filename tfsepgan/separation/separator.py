"""A trained model as something you give a recording and get stems from.

separator = tfsepgan.load("piano")
stems = separator.separate(mixture, 44100)     # {"piano": ..., "residual": ...}, shaped like the mixture
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from tfsepgan.audio.formats import MOST_CHANNELS, RATES_HZ
from tfsepgan.errors import CheckpointError, ConfigError, ShapeError
from tfsepgan.separation.engine import BlockSeparator, block_samples, network_function
from tfsepgan.separation.naming import is_safe_name
from tfsepgan.separation.stream import RESIDUAL, Stems, StemStream

if TYPE_CHECKING:
    from tfsepgan.models.bundle import Bundle, Manifest
    from tfsepgan.separation.runtimes import LoadedModel, Runtime

# context is then a few percent of the work, and a stereo block some hundred megabytes
BLOCK_SECONDS = 25.0
LITERT_BLOCK_SECONDS = 7.0  # as fast there, in 330 MB where 25 s take 550


def load(
    name_or_path,
    *,
    block_seconds: float | None = None,
    runtime: "Runtime" = "auto",
    seconds: float | None = None,
) -> "Separator":
    """A separator from a model that ships with the package, a model directory or a run directory.

    Args:
      name_or_path: "piano", or a path.
      block_seconds: see `Separator`; by default 7 in LiteRT, 25 in TensorFlow.
      runtime: 'litert', which starts in a fraction of a second; 'tensorflow', which is faster over
        hours; or 'auto': LiteRT where the model has been exported for it, unless there is much
        music. The stems are the same to the rounding of float32.
      seconds: how much music will be separated, for 'auto', where that is known.
    Raises: CheckpointError when there is no model, one that does not separate, or one that the
      runtime cannot run; ConfigError for a runtime that there is not.
    """
    from tfsepgan.models.folders import find_bundle, read_manifest
    from tfsepgan.separation.runtimes import choose_runtime, open_litert

    folder = find_bundle(name_or_path)
    manifest = read_manifest(folder)
    if manifest.kind == "synthesis":
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


def _or_default(given: float | None, default: float) -> float:
    return default if given is None else given


class Separator:
    """Takes instruments out of recordings of any length, rate and channel count.

    The result does not depend on `block_seconds`: it equals one pass of the network over the whole
    signal to float rounding. Every channel is separated on its own; memory does not grow with
    length in `stream`.
    """

    def __init__(self, bundle: "Bundle | LoadedModel", *, block_seconds: float = BLOCK_SECONDS):
        """
        Args:
          bundle: generator, or a system that searches, and manifest.
          block_seconds: new output per pass of the network; longer is a little faster, shorter
            takes less memory and answers sooner in a stream. At least four contexts are used.
        """
        if not block_seconds > 0:
            raise ConfigError(
                f"got block_seconds={block_seconds}; wanted a number above zero, such as 25"
            )
        _check_sources(bundle.manifest)
        self.manifest: Manifest = bundle.manifest
        self.network = network_function(bundle.generator)
        self.block = block_samples(
            block_seconds,
            sample_rate_hz=self.manifest.sample_rate_hz,
            hop=self.manifest.hop,
            context=self.manifest.context,
        )

    @property
    def sources(self) -> tuple[str, ...]:
        """Names of what the model takes out; `separate` gives "residual" as well."""
        return self.manifest.sources

    @property
    def stems(self) -> tuple[str, ...]:
        """Names of all that `separate` gives back: the sources and "residual"."""
        return (*self.sources, RESIDUAL)

    @property
    def sample_rate_hz(self) -> int:
        """Rate the model works at; other rates are resampled on the way in and out."""
        return self.manifest.sample_rate_hz

    def separate(self, mixture: np.ndarray, sample_rate_hz: float) -> Stems:
        """Take a recording apart.

        Args:
          mixture: `[time]` or `[time, channels]`, floating point in [-1, 1].
          sample_rate_hz: rate of the mixture.
        Returns: every source and "residual" by name, float32, shaped like the mixture; they sum to
          it.
        Raises: ShapeError for integers, values that are not finite, empty arrays, other ranks, an
          impossible rate.
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
        """Take a recording apart while it comes in, with memory that does not grow with its length.

        Args:
          blocks: pieces of the mixture, `[time, channels]` (or `[time]` for one channel), of any
            length.
          sample_rate_hz, channels: of the mixture.
        Yields: stems as `separate` gives them, piece after piece; together as long as the mixture.
        Raises: ShapeError as `separate` does, before the first piece for a bad rate or channel
          count.
        """
        stream = self._open_stream(sample_rate_hz, channels)
        return _pulled(stream, blocks, channels)

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
        """What cuts one recording into blocks and puts it together again; `named` is what a kind
        takes beside the model's facts."""
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
    """The mixture as float32 if it can be separated, a ShapeError that says why if it cannot.

    Args:
      mixture: `[time]` or `[time, channels]`, floating point, finite, not empty.
    Returns: the same values as float32, in the same shape.
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


def _pulled(stream: StemStream, blocks: Iterable[np.ndarray], channels: int) -> Iterator[Stems]:
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
    """A model's source names become file names and keys, so they must be plain, distinct and not
    the residual."""
    names = manifest.sources
    bad = [name for name in names if not is_safe_name(name) or name == RESIDUAL]
    if bad or not names or len({name.casefold() for name in names}) < len(names):
        raise CheckpointError(
            f"the model {manifest.name!r} names its sources {list(names)}; wanted distinct plain"
            f" file names other than {RESIDUAL!r}: its manifest is broken or not from tfsepgan"
        )
