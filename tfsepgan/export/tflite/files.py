"""The TFLite files that only some exports have: quantised ones, and those for streaming."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from tfsepgan.export.parity import Stems
from tfsepgan.export.tflite.conversion import run_tflite, write_tflite
from tfsepgan.export.tflite.metadata import write_metadata
from tfsepgan.export.tflite.streaming import (
    default_block,
    streaming_facts,
    write_streaming_saved_model,
)
from tfsepgan.export.tflite.variants import (
    BASE,
    OF_PEAK,
    VARIANTS,
    Comparison,
    Rehearsal,
    check_variant,
    file_facts_inside,
)
from tfsepgan.models.bundle import Bundle, Manifest
from tfsepgan.networks.streaming import StreamingTwin, streaming_twin
from tfsepgan.ondevice.streaming import SIGNATURE, StreamingSeparator

CALIBRATION_SECONDS = 5.0  # of one input; the runtime holds all intermediate values in memory


@dataclass(frozen=True, kw_only=True)
class OnDevice:
    """Which TFLite files to make besides float32 and float16."""

    variants: tuple[str, ...] = ()
    """Names in `variants.VARIANTS`."""
    block: int = 0
    """Samples of a streaming block, a multiple of the model's hop; 0 takes the shortest of at least
    1024 samples."""
    rehearsal: Rehearsal | None = None
    """Audio for quantised files; by default the audio that parity is measured on."""


def describe_base(made: Path, manifest: Manifest) -> None:
    """Write descriptions into the two TFLite files that every export has."""
    for name, variant in BASE.items():
        facts = file_facts_inside(manifest, name)
        write_metadata(
            made / f"{manifest.name}{variant.end}", facts, sentence(manifest, variant.summary)
        )


def make_variants(
    bundle: Bundle,
    made: Path,
    scratch: Path,
    wanted: OnDevice,
    audio: np.ndarray,
    report: Callable[[str], None],
) -> dict[str, dict]:
    """Make the wanted files, write their descriptions, and compare them with the Keras model.

    Args:
      bundle: generator and manifest, with its final name.
      made: folder of the export.
      scratch: folder with the SavedModel `mono`, from which files without streaming are converted.
      wanted: the files to make.
      audio: `[time, channels]` real music at the model's rate.
      report: called with a description of each step.
    Returns: figures of `variants.Comparison` by name of the variant; for streaming ones also
      "streaming", see `streaming.streaming_facts`.
    Raises: ExportError when a file cannot be made or misses its limit.
    """
    if not wanted.variants:
        return {}
    report("making further TFLite files")
    rehearsal = wanted.rehearsal or Rehearsal(calibration=(audio,))
    files = {name: made / f"{bundle.manifest.name}{VARIANTS[name].end}" for name in wanted.variants}
    twin = _convert_streaming(bundle, scratch, files, wanted.block)
    _convert_plain(bundle, scratch, files, rehearsal)
    report("comparing them with the Keras model")
    comparison, figures = Comparison(bundle, audio, rehearsal.mixtures), {}
    for name, path in files.items():
        streaming = _describe(bundle.manifest, name, path, twin)
        figures[name] = _measure(comparison, name, path)
        if streaming:
            figures[name]["streaming"] = streaming
    return figures


def sentence(manifest: Manifest, summary: str) -> str:
    """A sentence that describes a file, for its `description` field."""
    stems = ", ".join((*manifest.sources, "residual"))
    return (
        f"tfsepgan model {manifest.name}: music at {manifest.sample_rate_hz} Hz into {stems}"
        f" ({summary})."
    )


def _convert_streaming(
    bundle: Bundle, scratch: Path, files: Mapping[str, Path], block: int
) -> StreamingTwin | None:
    outputs = {
        VARIANTS[name].precision: path for name, path in files.items() if VARIANTS[name].streaming
    }
    if not outputs:
        return None
    twin = streaming_twin(bundle.generator, block=block or default_block(bundle.manifest.hop))
    write_streaming_saved_model(bundle, twin, scratch / "stream")
    write_tflite(scratch / "stream", outputs, signature=SIGNATURE)
    return twin


def _convert_plain(
    bundle: Bundle, scratch: Path, files: Mapping[str, Path], rehearsal: Rehearsal
) -> None:
    outputs = {
        VARIANTS[name].precision: path
        for name, path in files.items()
        if not VARIANTS[name].streaming
    }
    if not outputs:
        return
    pieces = _pieces(
        rehearsal.calibration, round(CALIBRATION_SECONDS * bundle.manifest.sample_rate_hz)
    )
    calibration = scratch / "calibration.npz"
    np.savez(calibration, *pieces)
    write_tflite(scratch / "mono", outputs, calibration=calibration)


def _pieces(recordings: Sequence[np.ndarray], length: int) -> list[np.ndarray]:
    """Every channel of every recording, cut into pieces `[1, time, 1]`."""
    channels = [channel for recording in recordings for channel in np.atleast_2d(recording.T)]
    return [
        np.ascontiguousarray(channel[first : first + length], np.float32)[None, :, None]
        for channel in channels
        for first in range(0, len(channel), length)
    ]


def _describe(manifest: Manifest, name: str, path: Path, twin: StreamingTwin | None) -> dict | None:
    """Write a description into a file; returns its streaming facts, or None."""
    variant, streaming = VARIANTS[name], None
    if variant.streaming:
        streaming = streaming_facts(twin, hop=manifest.hop, sample_rate_hz=manifest.sample_rate_hz)
    facts = file_facts_inside(manifest, name, streaming=streaming)
    write_metadata(path, facts, sentence(manifest, variant.summary))
    return streaming


def _measure(comparison: Comparison, name: str, path: Path) -> dict:
    """Run a file as an app would, and compare its stems with the Keras model's."""
    variant = VARIANTS[name]
    run = partial(run_streaming if variant.streaming else run_tflite, path)
    figures = comparison.figures(run, with_sdr=variant.precision not in OF_PEAK)
    check_variant(name, figures)
    return figures


def run_streaming(path: Path, mixture: np.ndarray) -> Stems:
    """The stems of a mixture `[time, channels]` by a streaming TFLite file, run as in an app."""
    separator = StreamingSeparator(path, channels=mixture.shape[1], threads=2)
    first, last = separator.push(mixture), separator.finish()
    return {name: np.concatenate([first[name], last[name]]) for name in first}
