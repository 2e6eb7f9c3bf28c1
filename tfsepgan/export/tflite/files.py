"""The TFLite files that only some exports have: quantised ones, and those for streaming."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from tfsepgan.export.parity import Stems
from tfsepgan.export.tflite.conversion import run_tflite, write_tflite
from tfsepgan.export.tflite.metadata import keep_weights, write_metadata
from tfsepgan.export.tflite.streaming import (
    shortest_block,
    streaming_facts,
    write_streaming_saved_model,
)
from tfsepgan.export.tflite.variants import (
    BASE,
    OF_PEAK,
    VARIANTS,
    Comparison,
    Rehearsal,
    Stream,
    check_variant,
    file_facts_inside,
)
from tfsepgan.layers.matrix_fourier import NAME as BY_PRODUCTS
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
    1024 samples, for the web of at least 65 536."""
    rehearsal: Rehearsal | None = None
    """Audio for quantised files; by default the audio that parity is measured on."""


def describe_base(made: Path, manifest: Manifest) -> None:
    """Write descriptions into the two TFLite files that every export has."""
    for name, variant in BASE.items():
        _describe(manifest, name, made / f"{manifest.name}{variant.end}")


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
    twins = _convert_streaming(bundle, scratch, files, wanted.block)
    _convert_plain(bundle, scratch, files, rehearsal)
    report("comparing them with the Keras model")
    comparison, figures = Comparison(bundle, audio, rehearsal.mixtures), {}
    for name, path in files.items():
        twin = twins.get(VARIANTS[name].stream)
        further = {"streaming": streaming_facts(twin, bundle.manifest)} if twin else {}
        _describe(bundle.manifest, name, path, **further)
        figures[name] = _measure(comparison, name, path) | further
    return figures


def _convert_streaming(
    bundle: Bundle, scratch: Path, files: Mapping[str, Path], block: int
) -> dict[Stream | None, StreamingTwin]:
    """Make the streaming files; returns the twins that they come from."""
    twins, generator, hop = {}, bundle.generator, bundle.manifest.hop
    for number, stream in enumerate({VARIANTS[name].stream: None for name in files}):
        if stream is None:
            continue
        options = {"channels": stream.channels, "complex_numbers": stream.complex_numbers}
        length = block or shortest_block(hop, stream.least_block)
        twins[stream] = streaming_twin(generator, block=length, **options)
        write_streaming_saved_model(bundle, twins[stream], scratch / f"stream{number}")
        outputs = _by_precision(files, stream)
        exact = {} if stream.complex_numbers else {"float32": scratch / f"exact{number}.tflite"}
        write_tflite(scratch / f"stream{number}", exact | outputs, signature=SIGNATURE)
        for path in outputs.values() if exact else ():
            keep_weights(path, exact["float32"], BY_PRODUCTS)
    return twins


def _convert_plain(
    bundle: Bundle, scratch: Path, files: Mapping[str, Path], rehearsal: Rehearsal
) -> None:
    outputs = _by_precision(files, None)
    if not outputs:
        return
    length = round(CALIBRATION_SECONDS * bundle.manifest.sample_rate_hz)
    calibration = scratch / "calibration.npz"
    np.savez(calibration, *_pieces(rehearsal.calibration, length))
    write_tflite(scratch / "mono", outputs, calibration=calibration)


def _by_precision(files: Mapping[str, Path], stream: Stream | None) -> dict[str, Path]:
    """The paths of the files that take a signal in one way, by their precision."""
    kinds = {VARIANTS[name]: path for name, path in files.items()}
    return {kind.precision: path for kind, path in kinds.items() if kind.stream == stream}


def _pieces(recordings: Sequence[np.ndarray], length: int) -> list[np.ndarray]:
    """Every channel of every recording, cut into pieces `[1, time, 1]`."""
    channels = [channel for recording in recordings for channel in np.atleast_2d(recording.T)]
    return [
        np.ascontiguousarray(channel[first : first + length], np.float32)[None, :, None]
        for channel in channels
        for first in range(0, len(channel), length)
    ]


def _describe(manifest: Manifest, name: str, path: Path, streaming: dict | None = None) -> None:
    """Write the facts of a file and a sentence on it into the file."""
    variant = (BASE | VARIANTS)[name]
    stems = ", ".join((*manifest.sources, "residual"))
    sentence = (
        f"tfsepgan model {manifest.name}: music at {manifest.sample_rate_hz} Hz into {stems}"
        f" ({variant.summary})."
    )
    write_metadata(path, file_facts_inside(manifest, name, streaming=streaming), sentence)


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
