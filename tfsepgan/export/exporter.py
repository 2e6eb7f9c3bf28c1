"""Exports a trained generator to a folder for other programs: complete and checked, or not at all.

exported_models/NAME/
  1/                  SavedModel: TF Serving mounts NAME as it is
  NAME.tflite         float32, built-in operators only
  NAME.fp16.tflite    the same with half the size
  NAME.VARIANT.tflite further ones on request: quantised, streaming (see `tflite.variants`)
  model.keras         weights for tfsepgan itself
  manifest.json       its description; "export" holds signatures, files with SHA-256, and parity
  card.md             the model card
"""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tfsepgan.errors import ExportError
from tfsepgan.export.card import model_card
from tfsepgan.export.folder import VERSION, file_facts, whole_or_not_at_all
from tfsepgan.export.parity import LIMITS, check_parity_audio, measure_parity
from tfsepgan.export.savedmodel.signatures import (
    MIXTURE,
    RESIDUAL,
    RequestLimits,
    served_limits,
    signature_facts,
)
from tfsepgan.export.savedmodel.writer import write_mono_saved_model, write_saved_model
from tfsepgan.export.tflite.conversion import write_tflite
from tfsepgan.export.tflite.files import OnDevice, describe_base, make_variants
from tfsepgan.export.tflite.variants import check_variants
from tfsepgan.models.bundle import MANIFEST, Bundle, Manifest, save_bundle
from tfsepgan.models.folders import CARD


def export_bundle(
    bundle: Bundle,
    output: str | os.PathLike,
    parity_audio: np.ndarray,
    *,
    limits: RequestLimits | None = None,
    on_device: OnDevice | None = None,
    report: Callable[[str], None] = lambda step: None,
) -> dict[str, float]:
    """Write a model as SavedModel, TFLite, weights, manifest and card, once these agree.

    Everything is made in a temporary folder beside the output and moved into place at the end. An
    error before that leaves the output as it was.

    Args:
      bundle: generator and manifest.
      output: folder to make; its name becomes the model's. An earlier export there is replaced.
      parity_audio: `[time]` or `[time, channels]` floating point at the model's rate; real music,
        at most 30 s.
      limits: of a request to the SavedModel.
      on_device: which TFLite files to make besides float32 and float16.
      report: called with a description of each step.
    Returns: largest difference from the Keras model relative to peak: "saved_model", "tflite",
      "tflite_fp16", and "tflite_VARIANT" of every further file.
    Raises: ExportError when a file cannot be made or differs too much, the output is anything but
      an earlier export, or the model cannot be exported; ConfigError for impossible limits or
      unknown variants.
    """
    reason = bundle.why_not_exported
    if reason:
        raise ExportError(f"a {bundle.manifest.system} model is not exported: {reason}")
    output = Path(os.path.abspath(output))
    limits, on_device = limits or RequestLimits(), on_device or OnDevice()
    check_variants(on_device.variants)
    audio = check_parity_audio(parity_audio, sample_rate_hz=bundle.manifest.sample_rate_hz)
    # at most as much as a request to the SavedModel may hold
    audio = audio[: limits.samples(bundle.manifest) // audio.shape[1]]
    bundle = Bundle(in_half_precision(bundle.generator), replace(bundle.manifest, name=output.name))
    with whole_or_not_at_all(output) as (made, scratch):
        return _make(bundle, made, scratch, audio, limits, on_device, report)


def in_half_precision(generator):
    """A copy of a generator with weights that half precision represents exactly.

    All files of an export are made from it, so they all have the same weights. If the weights were
    rounded for the half-precision TFLite file only, each by up to one part in 2048, the output of a
    deep network would change there by about a hundredth of its peak.
    """
    import keras

    copy = keras.models.clone_model(generator)
    copy.set_weights(
        [weights.astype("float16").astype(weights.dtype) for weights in generator.get_weights()]
    )
    return copy


def _make(
    bundle: Bundle,
    made: Path,
    scratch: Path,
    audio: np.ndarray,
    limits: RequestLimits,
    on_device: OnDevice,
    report: Callable[[str], None],
) -> dict[str, float]:
    """Fill the folder `made`; returns the parity figures."""
    manifest = bundle.manifest
    tflite = {
        "float32": made / f"{manifest.name}.tflite",
        "float16": made / f"{manifest.name}.fp16.tflite",
    }
    report("writing the weights and the SavedModel")
    save_bundle(made, bundle.generator, manifest)
    write_saved_model(bundle, made / VERSION, limits)
    write_mono_saved_model(bundle, scratch / "mono")
    report("converting to TFLite")
    write_tflite(scratch / "mono", tflite)
    describe_base(made, manifest)
    report("comparing them with the Keras model")
    figures = measure_parity(
        bundle,
        audio,
        saved_model=made / VERSION,
        tflite=tflite["float32"],
        tflite_fp16=tflite["float16"],
    )
    variants = make_variants(bundle, made, scratch, on_device, audio, report)
    sizes = {path: facts["bytes"] for path, facts in file_facts(made).items()}
    (made / CARD).write_text(
        model_card(manifest, parity=figures, sizes=sizes, variants=variants), encoding="utf-8"
    )
    _extend_manifest(
        made, manifest, figures, limits, variants, seconds=len(audio) / manifest.sample_rate_hz
    )
    return figures | {f"tflite_{name}": facts["of_peak"] for name, facts in variants.items()}


def _extend_manifest(
    made: Path,
    manifest: Manifest,
    figures: dict[str, float],
    limits: RequestLimits,
    variants: dict[str, dict],
    *,
    seconds: float,
) -> None:
    import keras
    import tensorflow as tf

    stems = [*manifest.sources, RESIDUAL]
    values: dict[str, Any] = json.loads((made / MANIFEST).read_text(encoding="utf-8"))
    values["export"] = {
        "signatures": {
            "saved_model": signature_facts(manifest.sources),
            "tflite": {
                "names": ["separate"],
                "input": {MIXTURE: [1, "time", 1]},
                "outputs": dict.fromkeys(stems, [1, "time", 1]),
            },
        },
        "limits": served_limits(manifest, limits),
        "files": file_facts(made),
        "variants": variants,
        "parity": {"of_peak": figures, "limits": LIMITS, "audio_seconds": round(seconds, 3)},
        "made_with": {"tensorflow": tf.__version__, "keras": keras.__version__},
    }
    (made / MANIFEST).write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")
