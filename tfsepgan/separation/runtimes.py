"""What runs a model: LiteRT, which starts at once, or TensorFlow, which takes seconds to start and
is faster over hours.

Both give the same stems to the rounding of float32. LiteRT runs the float32 `.tflite` file that an
export writes; a run, and a system that searches, have none and take TensorFlow.
"""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from tfsepgan.errors import CheckpointError, ConfigError
from tfsepgan.files import sha256_of
from tfsepgan.models.folders import MANIFEST, Manifest
from tfsepgan.ondevice.description import describe

Runtime = Literal["auto", "litert", "tensorflow"]
RUNTIMES = ("auto", "litert", "tensorflow")
# of music; from here on what TensorFlow is faster by is worth more than its start
LONG_SECONDS = 1800.0
SIGNATURE = "separate"
_CHANNELS_AT_ONCE = 2  # as many as a pass of the engine has


class LoadedModel(NamedTuple):
    """What separates, and what it is; in the place of a `Bundle`, which needs Keras."""

    generator: "LiteRTNetwork"
    manifest: Manifest


class LiteRTNetwork:
    """A generator as LiteRT runs it, a channel a thread, each with an interpreter of its own.

    Args:
      path: float32 TFLite file with the signature `separate`.
      sources: names of its estimates, in order.
    Raises: CheckpointError when the file cannot be run.
    """

    def __init__(self, path: Path, sources: tuple[str, ...]):
        self._path, self._sources = path, sources
        self._start([_runner(path)])

    def __reduce__(self):
        return LiteRTNetwork, (self._path, self._sources)

    def _start(self, idle: list[Any]) -> None:
        # interpreters; one is taken out while it runs, as none may run in two threads at once
        self._idle = idle
        self._pool = ThreadPoolExecutor(_CHANNELS_AT_ONCE, thread_name_prefix="litert")
        self._process = os.getpid()

    def separate(self, mixture: np.ndarray) -> np.ndarray:
        """`[batch, time, 1]` float32 to `[batch, sources, time, 1]`; from any thread, and after a
        fork."""
        if self._process != os.getpid():  # threads do not follow into the child
            self._start([])
        estimates = np.empty((len(mixture), len(self._sources), *mixture.shape[1:]), np.float32)

        def run(item: int) -> None:
            try:
                runner = self._idle.pop()
            except IndexError:
                runner = _runner(self._path)
            given = runner(mixture=np.ascontiguousarray(mixture[item : item + 1]))
            for source, name in enumerate(self._sources):
                estimates[item, source] = given[name][0]
            self._idle.append(runner)

        list(self._pool.map(run, range(len(mixture))))
        return estimates


def choose_runtime(
    runtime: Runtime, folder: Path, manifest: Manifest, *, seconds: float | None = None
) -> Runtime:
    """'litert' or 'tensorflow'.

    Args:
      runtime: what was asked for; 'auto' takes LiteRT where the model has a file for it, but for
        much music.
      folder, manifest: of the model.
      seconds: of music, where that is known.
    Raises: ConfigError for a runtime that there is not; CheckpointError when it cannot run this
      model.
    """
    if runtime not in RUNTIMES:
        raise ConfigError(f"got runtime {runtime!r}; wanted one of {', '.join(RUNTIMES)}")
    if runtime == "tensorflow":
        return runtime
    reason = _why_not_litert(folder, manifest)
    if runtime == "litert":
        if reason:
            raise CheckpointError(
                f"{folder} cannot be run by LiteRT: {reason}. Take the runtime 'tensorflow'."
            )
        return runtime
    if reason or (seconds is not None and seconds >= LONG_SECONDS and find_spec("tensorflow")):
        return "tensorflow"
    return "litert"


def open_litert(folder: Path, manifest: Manifest) -> LoadedModel:
    """A model for LiteRT.

    Raises: CheckpointError when its file is damaged or of another model.
    """
    path = tflite_file(folder, manifest)
    _refuse_another_file(folder, path)
    facts = describe(path)
    same = (tuple(facts.get("sources", ())), facts.get("sample_rate_hz"), facts.get("hop"))
    if same != (manifest.sources, manifest.sample_rate_hz, manifest.hop):
        raise CheckpointError(f"{path} is not of the model in {folder}. Export the model again.")
    return LoadedModel(LiteRTNetwork(path, manifest.sources), manifest)


def tflite_file(folder: Path, manifest: Manifest) -> Path:
    """Where the float32 TFLite file of an exported model lies, or would lie."""
    own = folder / f"{folder.name}.tflite"
    return own if own.is_file() else folder / f"{manifest.name}.tflite"


def _why_not_litert(folder: Path, manifest: Manifest) -> str | None:
    if manifest.kind != "generator":
        return f"{manifest.system} searches for each mixture"
    if not tflite_file(folder, manifest).is_file():
        return f"it has no {manifest.name}.tflite, which tfsepgan-export writes"
    if find_spec("ai_edge_litert") is None:
        return "ai-edge-litert is not installed"
    return None


def _refuse_another_file(folder: Path, path: Path) -> None:
    """Compare a file with the checksum that the export wrote down; manifests without one are
    believed."""
    told = json.loads((folder / MANIFEST).read_text())
    for name in ("export", "files", path.name, "sha256"):
        told = told.get(name) if isinstance(told, dict) else None
    written = told
    if written and sha256_of(path) != written:
        raise CheckpointError(
            f"{path} is not the file that was exported: its SHA-256 differs. Copy or export it"
            " again."
        )


def _runner(path: Path):
    from ai_edge_litert.interpreter import Interpreter

    try:
        return Interpreter(model_path=str(path), num_threads=1).get_signature_runner(SIGNATURE)
    except (ValueError, RuntimeError) as error:
        raise CheckpointError(f"{path} cannot be run: {error}. Copy or export it again.") from error
