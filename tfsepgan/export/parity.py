"""The difference between exported files and the Keras model, measured on real audio."""

import io
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import numpy as np
import soundfile
import tensorflow as tf

from tfsepgan.errors import ExportError
from tfsepgan.export.savedmodel.signatures import (
    BYTES,
    DEFAULT,
    SEPARATE,
    STREAM,
    WAV,
    separation_function,
)
from tfsepgan.export.tflite.conversion import run_tflite
from tfsepgan.models.bundle import Bundle

# largest difference relative to peak: the rounding of float32 and float16 arithmetic
LIMITS = {"saved_model": 1e-4, "tflite": 1e-4, "tflite_fp16": 1e-2}
MAX_SECONDS = 30.0  # one pass over the whole audio must fit into memory

Stems = Mapping[str, np.ndarray]


def check_parity_audio(audio: np.ndarray, *, sample_rate_hz: int) -> np.ndarray:
    """The audio to compare on, as float32 `[time, channels]`.

    Raises: ExportError unless it is finite audio of at most 30 seconds that is not silent.
    """
    audio = np.asarray(audio)
    if audio.ndim == 1:
        audio = audio[:, None]
    if audio.ndim != 2 or not audio.size or not np.issubdtype(audio.dtype, np.floating):
        raise ExportError(
            f"got parity audio of shape {audio.shape}, {audio.dtype}; wanted float [time, channels]"
        )
    if not np.isfinite(audio).all() or np.abs(audio).max() < 1e-3:
        raise ExportError(
            "the parity audio is silent or not finite, so agreement on it proves nothing; give real"
            " music"
        )
    if len(audio) > MAX_SECONDS * sample_rate_hz:
        raise ExportError(
            f"got {len(audio) / sample_rate_hz:.0f} s of parity audio; wanted at most"
            f" {MAX_SECONDS:.0f} s"
        )
    return audio.astype(np.float32)


def keras_stems(bundle: Bundle, audio: np.ndarray) -> dict[str, np.ndarray]:
    """The reference: stems of `[time, channels]` by the Keras model in one pass."""
    stems = separation_function(bundle.generator, bundle.manifest.sources)(audio[None])
    return {name: np.asarray(samples)[0] for name, samples in stems.items()}


def served_stems(
    directory: Path, audio: np.ndarray, sample_rate_hz: int
) -> dict[str, dict[str, np.ndarray]]:
    """Stems of `[time, channels]` by each signature of a SavedModel that separates.

    `stream` gets blocks of uneven length.
    """
    loaded = tf.saved_model.load(str(directory))
    wav, stream = loaded.signatures[WAV], loaded.signatures[STREAM]
    file = io.BytesIO()
    soundfile.write(file, audio, sample_rate_hz, format="WAV", subtype="FLOAT")
    files = {
        name.removesuffix(BYTES): io.BytesIO(one.numpy()[0])
        for name, one in wav(wav=tf.constant([file.getvalue()])).items()
    }
    context, pieces = tf.zeros((1, 0, audio.shape[1])), []
    cuts = [0, len(audio) // 7, len(audio) // 2, len(audio)]
    for start, end in pairwise(cuts):
        block, final = tf.constant(audio[None, start:end]), tf.constant(end == len(audio))
        pieces.append(stream(block=block, context=context, final=final))
        context = pieces[-1].pop("context")
    mixture = tf.constant(audio[None])
    whole = {name: loaded.signatures[name](mixture=mixture) for name in (DEFAULT, SEPARATE)}
    return {
        **{
            signature: {name: one.numpy()[0] for name, one in stems.items()}
            for signature, stems in whole.items()
        },
        WAV: {
            name: soundfile.read(one, dtype="float32", always_2d=True)[0]
            for name, one in files.items()
        },
        STREAM: {
            name: np.concatenate([piece[name].numpy()[0] for piece in pieces]) for name in pieces[0]
        },
    }


def largest_difference(reference: Stems, other: Stems) -> float:
    """Largest difference of any sample of any stem, relative to the peak of the reference.

    Infinite where the stems differ in name or shape, or are not finite.
    """
    shapes = [{name: one.shape for name, one in stems.items()} for stems in (reference, other)]
    if shapes[0] != shapes[1]:
        return float("inf")
    peak = max(float(np.abs(samples).max()) for samples in reference.values())
    differences = [float(np.abs(reference[name] - other[name]).max()) for name in reference]
    worst = max(differences) / peak if peak else float("inf")
    return worst if np.isfinite(differences).all() else float("inf")


def measure_parity(
    bundle: Bundle, audio: np.ndarray, *, saved_model: Path, tflite: Path, tflite_fp16: Path
) -> dict[str, float]:
    """Compare every exported file with the Keras model.

    Args:
      bundle: the Keras model.
      audio: `[time, channels]` float32 at the model's rate.
      saved_model, tflite, tflite_fp16: paths of the exported files.
    Returns: largest difference relative to peak, by kind of file; for the SavedModel, that of the
      worst signature.
    Raises: ExportError when one of them exceeds its limit in `LIMITS`.
    """
    reference = keras_stems(bundle, audio)
    served = served_stems(saved_model, audio, bundle.manifest.sample_rate_hz)
    figures = {
        "saved_model": max(largest_difference(reference, stems) for stems in served.values()),
        "tflite": largest_difference(reference, run_tflite(tflite, audio)),
        "tflite_fp16": largest_difference(reference, run_tflite(tflite_fp16, audio)),
    }
    check_limits(figures)
    return figures


def check_limits(figures: Mapping[str, float]) -> None:
    """Raise ExportError where a difference exceeds its limit in `LIMITS`.

    Args:
      figures: largest difference relative to peak, by kind of file.
    """
    for kind, figure in figures.items():
        if not figure <= LIMITS[kind]:
            raise ExportError(
                f"the {kind} differs from the Keras model by {figure:.1e} of peak; wanted at most"
                f" {LIMITS[kind]:.0e}. Nothing was written"
            )
