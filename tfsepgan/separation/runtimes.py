"""The runtime of a model: NumPy, LiteRT or TensorFlow; the stems are the same to float32 rounding.

NumPy runs filterbank networks: it starts sooner than the others and is at least as fast. LiteRT
runs the float32 `.tflite` file of an export. TensorFlow runs everything: also other networks
without such a file, and systems that search.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

import numpy as np

from tfsepgan.errors import CheckpointError, ConfigError
from tfsepgan.models.digests import WEIGHTS, check_digest
from tfsepgan.models.folders import Manifest
from tfsepgan.ondevice.description import describe
from tfsepgan.separation.engine import CHANNELS_PER_PASS, BlockSeparator, Network

if TYPE_CHECKING:
    from tfsepgan.separation.numpy_masker import NumpyMasker

Runtime = Literal["auto", "numpy", "litert", "tensorflow"]
RUNTIMES = get_args(Runtime)
# of music: above, TensorFlow is faster than LiteRT by more than its start takes
LONG_SECONDS = 1800.0
SIGNATURE = "separate"
LIBRARIES = {"numpy": "NumPy", "litert": "LiteRT"}


class LoadedModel(NamedTuple):
    """A model in NumPy, in LiteRT or on a server; used like a `Bundle`, which needs Keras."""

    network: Network
    manifest: Manifest
    engine: Callable[..., BlockSeparator] = BlockSeparator
    """Takes long mixtures through the network."""

    def separate_function(self) -> Network:
        """The function `[batch, time, 1]` to `[batch, sources, time, 1]` on arrays."""
        return self.network


class LiteRTNetwork:
    """A generator in LiteRT; each channel runs in a thread with its own interpreter.

    Args:
      path: float32 TFLite file with the signature `separate`.
      sources: names of the estimates, in order.
    Raises: CheckpointError when the file cannot be run.
    """

    def __init__(self, path: Path, sources: tuple[str, ...]):
        self._path, self._sources = path, sources
        self._start([_runner(path)])

    def _start(self, idle: list[Any]) -> None:
        # interpreters that are not running: none may run in two threads at once
        self._idle = idle
        self._pool = ThreadPoolExecutor(CHANNELS_PER_PASS, thread_name_prefix="litert")
        self._process = os.getpid()

    def separate(self, mixture: np.ndarray) -> np.ndarray:
        """Separate `[batch, time, 1]` float32 into `[batch, sources, time, 1]`.

        Works from any thread, and after a fork.
        """
        if self._process != os.getpid():  # a forked child has no threads
            self._start([])
        estimates = np.empty((len(mixture), len(self._sources), *mixture.shape[1:]), np.float32)

        def run(item: int) -> None:
            try:
                runner = self._idle.pop()
            except IndexError:
                runner = _runner(self._path)
            stems = runner(mixture=np.ascontiguousarray(mixture[item : item + 1]))
            for source, name in enumerate(self._sources):
                estimates[item, source] = stems[name][0]
            self._idle.append(runner)

        list(self._pool.map(run, range(len(mixture))))
        return estimates


def choose_runtime(
    runtime: Runtime, folder: Path, manifest: Manifest, *, seconds: float | None = None
) -> Runtime:
    """Choose 'numpy', 'litert' or 'tensorflow' for a model.

    Args:
      runtime: 'auto' chooses the first of the three that can run the model, but TensorFlow instead
        of LiteRT from LONG_SECONDS of music on.
      folder, manifest: of the model.
      seconds: of music, if known.
    Raises: ConfigError for an unknown runtime; CheckpointError for one that cannot run the model.
    """
    if runtime not in RUNTIMES:
        raise ConfigError(f"got runtime {runtime!r}; wanted one of {', '.join(RUNTIMES)}")
    if runtime == "tensorflow":
        return runtime
    searches = None
    if not manifest.separates_in_one_pass:
        searches = f"{manifest.system} searches for each mixture"
    reasons = {
        "numpy": searches or why_not_numpy(folder, manifest),
        "litert": searches or _why_not_litert(folder, manifest),
    }
    if runtime == "auto":
        if not reasons["numpy"]:
            return "numpy"
        is_long = seconds is not None and seconds >= LONG_SECONDS and find_spec("tensorflow")
        return "tensorflow" if reasons["litert"] or is_long else "litert"
    if reasons[runtime]:
        raise CheckpointError(
            f"{folder} cannot be run by {LIBRARIES[runtime]}: {reasons[runtime]}. Use the runtime"
            " 'tensorflow'."
        )
    return runtime


def open_numpy(folder: Path, manifest: Manifest) -> LoadedModel:
    """Open a model in NumPy; raises as `numpy_masker`."""
    from tfsepgan.separation.numpy_stream import NumpyBlocks

    masker = numpy_masker(folder, manifest)
    return LoadedModel(masker.separate, manifest, partial(NumpyBlocks, masker, manifest))


def numpy_masker(folder: Path, manifest: Manifest) -> "NumpyMasker":
    """The network of a model in NumPy.

    Raises: CheckpointError when its weights are damaged or belong to another model.
    """
    from tfsepgan.separation.numpy_masker import NumpyMasker, read_weights

    check_digest(folder, WEIGHTS)
    return NumpyMasker(read_weights(folder / WEIGHTS), manifest)


def open_litert(folder: Path, manifest: Manifest) -> LoadedModel:
    """Open a model in LiteRT.

    Raises: CheckpointError when its file is damaged or belongs to another model.
    """
    path = tflite_file(folder, manifest)
    check_digest(folder, path.name)
    facts = describe(path)
    same = (tuple(facts.get("sources", ())), facts.get("sample_rate_hz"), facts.get("hop"))
    if same != (manifest.sources, manifest.sample_rate_hz, manifest.hop):
        raise CheckpointError(
            f"{path} does not belong to the model in {folder}. Export the model again."
        )
    return LoadedModel(LiteRTNetwork(path, manifest.sources).separate, manifest)


def tflite_file(folder: Path, manifest: Manifest) -> Path:
    """The path of an exported model's float32 TFLite file, which need not exist."""
    by_folder = folder / f"{folder.name}.tflite"
    return by_folder if by_folder.is_file() else folder / f"{manifest.name}.tflite"


def why_not_numpy(folder: Path, manifest: Manifest) -> str | None:
    """Say why NumPy cannot run the model in a folder; None if it can."""
    from tfsepgan.separation.numpy_masker import why_not_numpy as why_not_the_network

    if not (folder / WEIGHTS).is_file():
        return f"it has no {WEIGHTS}"
    if find_spec("h5py") is None:
        return "h5py is not installed"
    return why_not_the_network(manifest)


def _why_not_litert(folder: Path, manifest: Manifest) -> str | None:
    if not tflite_file(folder, manifest).is_file():
        return f"it has no {manifest.name}.tflite, which tfsepgan-export writes"
    if find_spec("ai_edge_litert") is None:
        return "ai-edge-litert is not installed"
    return None


def _runner(path: Path) -> Any:
    from ai_edge_litert.interpreter import Interpreter

    try:
        return Interpreter(model_path=str(path), num_threads=1).get_signature_runner(SIGNATURE)
    except (ValueError, RuntimeError) as error:
        raise CheckpointError(f"{path} cannot be run: {error}. Copy or export it again.") from error
