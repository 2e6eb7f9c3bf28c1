"""A trained model that separates recordings into stems.

separator = tfsepgan.Separator.from_preset("piano")
stems = separator.separate(mixture, 44100)  # {"piano": ..., "residual": ...}, shaped like mixture
"""

import math
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from functools import partial
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tfsepgan.audio.formats import MOST_CHANNELS
from tfsepgan.errors import CheckpointError, ConfigError, ShapeError
from tfsepgan.quiet import hide_tensorflow_log
from tfsepgan.separation.engine import BlockSeparator, block_samples
from tfsepgan.separation.mixture import check_rate_and_channels, checked_mixture
from tfsepgan.separation.naming import is_safe_name
from tfsepgan.separation.refinement import LowRankSwitch, Refining, Stereo
from tfsepgan.separation.stream import RESIDUAL, Stems, StemStream

if TYPE_CHECKING:
    from tfsepgan.models.bundle import Bundle, Manifest
    from tfsepgan.models.saved import TrainedSystem
    from tfsepgan.separation.files import ProgressFunction
    from tfsepgan.separation.runtimes import LoadedModel, Runtime

# context is then about a tenth of the work, and a stereo block takes a few hundred megabytes
BLOCK_SECONDS = 25.0
SMALL_BLOCK_SECONDS = 7.0  # in NumPy and LiteRT: as fast as 25 s, at most 330 MB


class Separator:
    """Separates recordings of any length, rate and channel count into stems.

    The stems do not depend on `block_seconds`: they equal one pass of the network over the whole
    signal to float rounding, refined afterwards (`refinement`). The network processes every channel
    alone; both channels of stereo are refined together. In `stream`, memory does not grow with
    length.
    """

    folder: Path | None = None
    """The folder of the model; None for one that was made in memory."""
    runtime = "tensorflow"
    """The library that runs the network."""
    recordings_at_once = 1
    """How many recordings of a folder to separate at a time; TensorFlow takes all cores for one."""

    def __init__(
        self,
        bundle: "Bundle | TrainedSystem | LoadedModel",
        *,
        block_seconds: float = BLOCK_SECONDS,
        stereo: Stereo = "together",
        low_rank: LowRankSwitch = "auto",
    ) -> None:
        """
        Args:
          bundle: the model, with its manifest.
          block_seconds: new output per pass of the network. Longer blocks are a little faster;
            shorter ones need less memory and reduce the delay of a stream. A block has at least
            four contexts.
          stereo: 'together' refines the estimates of recordings with two channels by the position
            of each source (`spatial`), which takes half as much time again; 'apart' separates
            each channel alone, as recordings with any other number of channels.
          low_rank: 'on' refines the estimates by approximations with a few spectra, 'off' does not;
            'auto' follows the manifest of the model.
        """
        if not isinstance(block_seconds, Real) or not 0 < block_seconds < math.inf:
            raise ConfigError(
                f"got block_seconds={block_seconds!r}; wanted a number above zero, such as 25"
            )
        self.refining = Refining(stereo=stereo, low_rank=low_rank)
        _check_sources(bundle.manifest)
        self.manifest: Manifest = bundle.manifest
        self.network = bundle.separate_function()
        self._engine: Callable[..., BlockSeparator] = getattr(bundle, "engine", BlockSeparator)
        self._bundle = bundle
        self.block = block_samples(
            block_seconds,
            sample_rate_hz=self.manifest.sample_rate_hz,
            hop=self.manifest.hop,
            context=self.manifest.context,
        )

    @classmethod
    def from_preset(
        cls,
        name_or_path: str | os.PathLike[str],
        *,
        block_seconds: float | None = None,
        runtime: "Runtime" = "auto",
        stereo: Stereo = "together",
        low_rank: LowRankSwitch = "auto",
        seconds: float | None = None,
    ) -> "Separator":
        """Load a model.

        Args:
          name_or_path: name of a model that ships with the package, such as "piano"; or a model
            folder, or a run; or "hf://user/name", a model on the Hugging Face Hub.
          block_seconds: see `Separator`; by default 7 in NumPy and LiteRT, 25 in TensorFlow.
          runtime: 'numpy', 'litert' or 'tensorflow'; 'auto' chooses the first of them that can run
            the model, but TensorFlow instead of LiteRT from half an hour of music on. The stems are
            the same to float32 rounding.
          stereo, low_rank: see `Separator`.
          seconds: of music to separate, if known; used by 'auto'.
        Raises: CheckpointError when there is no such model, it is damaged or does not separate, or
          the runtime cannot run it; ConfigError for an unknown runtime.
        """
        from tfsepgan.models.folders import find_bundle, read_manifest
        from tfsepgan.separation.runtimes import choose_runtime, open_litert, open_numpy

        folder = Path(os.path.abspath(find_bundle(name_or_path)))
        manifest = read_manifest(folder)
        if manifest.makes_sounds:
            raise CheckpointError(
                f"{name_or_path} is a {manifest.system} model, which makes sounds and separates"
                " nothing: use tfsepgan-generate."
            )
        chosen = choose_runtime(runtime, folder, manifest, seconds=seconds)
        bundle: Bundle | TrainedSystem | LoadedModel
        if chosen == "numpy":
            bundle, default = open_numpy(folder, manifest), SMALL_BLOCK_SECONDS
        elif chosen == "litert":
            bundle, default = open_litert(folder, manifest), SMALL_BLOCK_SECONDS
        else:
            hide_tensorflow_log()
            from tfsepgan.models.saved import open_model

            bundle, default = open_model(folder), BLOCK_SECONDS
        block_seconds = default if block_seconds is None else block_seconds
        separator = cls(bundle, block_seconds=block_seconds, stereo=stereo, low_rank=low_rank)
        separator.folder, separator.runtime = folder, chosen
        if chosen != "tensorflow":
            separator.recordings_at_once = os.cpu_count() or 1
        return separator

    def save_to_preset(self, path: str | os.PathLike[str]) -> None:
        """Write the model to a folder that `from_preset` and the commands open.

        A loaded model is copied with all its files; one that was made in memory is written as
        manifest and weights.

        Args:
          path: a folder that does not exist yet, or an empty one.
        Raises: CheckpointError when the folder holds anything, or writing fails.
        """
        from tfsepgan.models.folders import check_new_folder, copy_bundle

        if self.folder is not None:
            copy_bundle(self.folder, path)
            return
        save = getattr(self._bundle, "save", None)
        if save is None:
            raise CheckpointError(f"{self!r} has no files here that could be saved.")
        check_new_folder(path)
        save(path)

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy in another process loads the model from its folder."""
        if self.folder is None:
            raise CheckpointError(
                f"{self!r} is only in memory, so no other process can load it. Write it with"
                " save_to_preset and load that folder with from_preset."
            )
        options = {"runtime": self.runtime, "block_seconds": self.block_seconds}
        options |= asdict(self.refining)
        return partial(type(self).from_preset, self.folder, **options), ()

    def __repr__(self) -> str:
        return (
            f"<{type(self).__name__} of {', '.join(self.sources)}; {self.sample_rate_hz} Hz; 1 to"
            f" {MOST_CHANNELS} channels; {self.runtime}; {self.folder or 'in memory'}>"
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

    @property
    def block_seconds(self) -> float:
        """New output per pass of the network."""
        return self.block / self.sample_rate_hz

    def separate(
        self,
        mixture: np.ndarray,
        sample_rate_hz: float,
        *,
        progress: "ProgressFunction | None" = None,
    ) -> Stems:
        """Separate a recording.

        Args:
          mixture: `[time]` or `[time, channels]`, floating point in [-1, 1].
          sample_rate_hz: of the mixture.
          progress: called with the samples that are done and the samples of the mixture, after
            each block. What it raises ends the work and reaches the caller.
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
            if progress is not None:
                progress(done, len(columns))
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
        check_rate_and_channels(sample_rate_hz, channels)
        engine = self._engine(
            self.network,
            channels=channels,
            sources=len(self.sources),
            hop=self.manifest.hop,
            context=self.manifest.context,
            block=self.block,
        )
        stream = StemStream(
            self.refining.around(engine, self.manifest, channels=channels),
            sources=self.sources,
            channels=channels,
            sample_rate_hz=sample_rate_hz,
            model_rate_hz=self.sample_rate_hz,
        )
        return _stems_of(stream, blocks, channels)


load = Separator.from_preset


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
