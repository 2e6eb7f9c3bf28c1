"""Exports a trained generator to a folder for other programs: complete and checked, or not at all.

exported_models/NAME/
  1/                  SavedModel: TF Serving mounts NAME as it is
  NAME.tflite         float32, built-in operators only
  NAME.fp16.tflite    the same with half the size
  NAME.VARIANT.tflite further ones on request: quantised, streaming (see `tflite.variants`)
  model.keras         weights for tfsepgan itself
  manifest.json       its description; "export" holds signatures, files with SHA-256, and parity
  card.md             the model card

With `only_variants`, the folder has no SavedModel and no float32 and float16 file.
"""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np

from tfsepgan.errors import ConfigError, ExportError
from tfsepgan.export.card import model_card
from tfsepgan.export.folder import VERSION, extend_manifest, whole_or_not_at_all
from tfsepgan.export.parity import LIMITS, check_parity_audio, measure_parity
from tfsepgan.export.savedmodel.signatures import RequestLimits, served_limits, signature_facts
from tfsepgan.export.savedmodel.writer import write_mono_saved_model, write_saved_model
from tfsepgan.export.tflite.conversion import write_tflite
from tfsepgan.export.tflite.files import OnDevice, describe_base, make_variants
from tfsepgan.export.tflite.variants import BASE, check_variants
from tfsepgan.models.bundle import Bundle, save_bundle
from tfsepgan.models.folders import CARD


def export_bundle(
    bundle: Bundle,
    output: str | os.PathLike,
    parity_audio: np.ndarray,
    *,
    limits: RequestLimits | None = None,
    on_device: OnDevice | None = None,
    only_variants: bool = False,
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
      only_variants: make none besides those of `on_device`, and no SavedModel.
      report: called with a description of each step.
    Returns: largest difference from the Keras model relative to peak: "saved_model", "tflite",
      "tflite_fp16" (none of the three with `only_variants`), and "tflite_VARIANT" of every further
      file.
    Raises: ExportError when a file cannot be made or differs too much, the output is anything but
      an earlier export, or the model cannot be exported; ConfigError for impossible limits, for
      unknown variants, or for none with `only_variants`.
    """
    reason = bundle.why_not_exported
    if reason:
        raise ExportError(f"a {bundle.manifest.system} model is not exported: {reason}")
    output = Path(os.path.abspath(output))
    limits, on_device = limits or RequestLimits(), on_device or OnDevice()
    check_variants(on_device.variants)
    if only_variants and not on_device.variants:
        raise ConfigError("got no variants, and only variants are to be made. Name at least one.")
    audio = check_parity_audio(parity_audio, sample_rate_hz=bundle.manifest.sample_rate_hz)
    # at most as much as a request to the SavedModel may hold
    audio = audio[: limits.samples(bundle.manifest) // audio.shape[1]]
    manifest = replace(bundle.manifest, name=output.name)
    bundle = Bundle(in_half_precision(bundle.generator), manifest)
    with whole_or_not_at_all(output) as (made, scratch):
        report("writing the weights")
        save_bundle(made, bundle.generator, manifest)
        write_mono_saved_model(bundle, scratch / "mono")
        figures, facts = {}, {}
        if not only_variants:
            figures = _write_base(bundle, made, scratch, limits, audio, report)
            facts["signatures"] = signature_facts(manifest.sources)
            facts["limits"] = served_limits(manifest, limits)
        variants = make_variants(bundle, made, scratch, on_device, audio, report)
        card = model_card(manifest, made, parity=figures, variants=variants)
        (made / CARD).write_text(card, encoding="utf-8")
        seconds = round(len(audio) / manifest.sample_rate_hz, 3)
        parity = {"of_peak": figures, "limits": LIMITS, "audio_seconds": seconds}
        extend_manifest(made, {**facts, "variants": variants, "parity": parity})
    return figures | {f"tflite_{name}": facts["of_peak"] for name, facts in variants.items()}


def _write_base(
    bundle: Bundle,
    made: Path,
    scratch: Path,
    limits: RequestLimits,
    audio: np.ndarray,
    report: Callable[[str], None],
) -> dict[str, float]:
    """Write the SavedModel and the TFLite files in float32 and float16; returns their parity."""
    report("writing the SavedModel")
    write_saved_model(bundle, made / VERSION, limits)
    report("converting to TFLite")
    tflite = {name: made / f"{bundle.manifest.name}{kind.end}" for name, kind in BASE.items()}
    write_tflite(scratch / "mono", tflite)
    describe_base(made, bundle.manifest)
    report("comparing them with the Keras model")
    files = {"tflite": tflite["float32"], "tflite_fp16": tflite["float16"]}
    return measure_parity(bundle, audio, saved_model=made / VERSION, **files)


def in_half_precision(generator):
    """A copy of a generator with weights that half precision represents exactly.

    All files of an export are made from it, so they all have the same weights. If the weights were
    rounded for the half-precision TFLite file only, each by up to one part in 2048, the output of a
    deep network would change there by about a hundredth of its peak.
    """
    copy = keras.models.clone_model(generator)
    copy.set_weights(
        [weights.astype("float16").astype(weights.dtype) for weights in generator.get_weights()]
    )
    return copy
