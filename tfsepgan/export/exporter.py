"""A trained generator to a folder that others can run, complete and checked, or not there at all.

exported_models/NAME/
  1/                  SavedModel: TF Serving mounts NAME as it is
  NAME.tflite         float32, built-in operators only
  NAME.fp16.tflite    the same with half the size
  model.keras         weights for tfsepgan itself
  manifest.json       what it is; under "export" the signatures, files with SHA-256 and parity
  card.md             the same for people
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tfsepgan.errors import CheckpointError, ExportError
from tfsepgan.export.card import model_card
from tfsepgan.export.parity import LIMITS, check_parity_audio, measure_parity
from tfsepgan.export.savedmodel import write_mono_saved_model, write_saved_model
from tfsepgan.export.signatures import MIXTURE, RESIDUAL, SIGNATURES
from tfsepgan.export.tflite import write_tflite
from tfsepgan.networks.bundle import MANIFEST, WEIGHTS, Bundle, Manifest, read_manifest, save_bundle

VERSION = "1"  # the folder that TF Serving looks for below a model
CARD = "card.md"


def export_bundle(
    bundle: Bundle,
    output: str | os.PathLike,
    parity_audio: np.ndarray,
    *,
    report: Callable[[str], None] = lambda step: None,
) -> dict[str, float]:
    """Write a model as SavedModel, TFLite, weights, manifest and card, after checking that they agree.

    Everything is made in a temporary folder beside the output and moved into place at the end. Whatever fails before
    leaves the output as it was.

    Args:
      bundle: generator and manifest.
      output: folder to make; its name becomes the model's. An earlier export there is replaced.
      parity_audio: `[time]` or `[time, channels]` floating point at the model's rate, real music, 30 s at most.
      report: told what is being done.
    Returns: largest difference from the Keras model over peak: "saved_model", "tflite", "tflite_fp16".
    Raises: ExportError when a file cannot be made or differs too much, the output holds something else, or the system
      that was trained says why it is not exported.
    """
    reason = getattr(bundle.generator, "why_not_exported", None)
    if reason:
        raise ExportError(f"a {bundle.manifest.system} model is not exported: {reason}")
    output = Path(os.path.abspath(output))
    audio = check_parity_audio(parity_audio, sample_rate_hz=bundle.manifest.sample_rate_hz)
    _check_output(output)
    bundle = Bundle(in_half_precision(bundle.generator), replace(bundle.manifest, name=output.name))
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=output.parent, prefix=f".{output.name}-") as scratch:
            made = Path(scratch) / "made"
            made.mkdir()  # the scratch folder itself is closed to others, and a server is one
            figures = _make(bundle, made, Path(scratch), audio, report)
            _swap(made, output, Path(scratch) / "replaced")
    except OSError as error:
        raise ExportError(f"cannot write {output}: {error.strerror or error}; nothing was replaced") from error
    except CheckpointError as error:
        raise ExportError(f"cannot write {output}: {error}") from error
    return figures


def in_half_precision(generator):
    """A copy of a generator whose weights are values that half precision holds exactly.

    All files of an export are made of it, so that the TFLite file with half-precision weights computes what the others do: rounding
    only there, each weight by up to one part in 2048, moves the output of a deep network by about a hundredth of its peak.
    """
    import keras

    copy = keras.models.clone_model(generator)
    copy.set_weights([weights.astype("float16").astype(weights.dtype) for weights in generator.get_weights()])
    return copy


def _make(
    bundle: Bundle, made: Path, scratch: Path, audio: np.ndarray, report: Callable[[str], None]
) -> dict[str, float]:
    """Fill the folder `made`; returns the parity figures."""
    manifest = bundle.manifest
    tflite = {
        "float32": made / f"{manifest.name}.tflite",
        "float16": made / f"{manifest.name}.fp16.tflite",
    }
    report("writing the weights and the SavedModel")
    save_bundle(made, bundle.generator, manifest)
    write_saved_model(bundle, made / VERSION)
    write_mono_saved_model(bundle, scratch / "mono")
    report("converting to TFLite")
    write_tflite(scratch / "mono", tflite)
    report("comparing them with the Keras model")
    figures = measure_parity(
        bundle, audio, saved_model=made / VERSION, tflite=tflite["float32"], tflite_fp16=tflite["float16"]
    )
    sizes = {path: facts["bytes"] for path, facts in _file_facts(made).items() if path != MANIFEST}
    (made / CARD).write_text(model_card(manifest, parity=figures, sizes=sizes), encoding="utf-8")
    _extend_manifest(made, manifest, figures, seconds=len(audio) / manifest.sample_rate_hz)
    return figures


def _extend_manifest(made: Path, manifest: Manifest, figures: dict[str, float], *, seconds: float) -> None:
    import keras
    import tensorflow as tf

    stems = [*manifest.sources, RESIDUAL]
    values: dict[str, Any] = json.loads((made / MANIFEST).read_text(encoding="utf-8"))
    values["export"] = {
        "signatures": {
            "saved_model": {
                "names": list(SIGNATURES),
                "input": {MIXTURE: ["batch", "time", "channels"]},
                "outputs": dict.fromkeys(stems, ["batch", "time", "channels"]),
            },
            "tflite": {
                "names": ["separate"],
                "input": {MIXTURE: [1, "time", 1]},
                "outputs": dict.fromkeys(stems, [1, "time", 1]),
            },
        },
        "files": {path: facts for path, facts in _file_facts(made).items() if path != MANIFEST},
        "parity": {"of_peak": figures, "limits": LIMITS, "audio_seconds": round(seconds, 3)},
        "made_with": {"tensorflow": tf.__version__, "keras": keras.__version__},
    }
    (made / MANIFEST).write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")


def _file_facts(directory: Path) -> dict[str, dict[str, Any]]:
    """Size and SHA-256 of every file below a folder, by its path in it."""
    facts = {}
    for path in sorted(one for one in directory.rglob("*") if one.is_file()):
        with open(path, "rb") as file:
            digest = hashlib.sha256()
            while block := file.read(1 << 20):
                digest.update(block)
        facts[path.relative_to(directory).as_posix()] = {
            "bytes": path.stat().st_size,
            "sha256": digest.hexdigest(),
        }
    return facts


def _check_output(output: Path) -> None:
    """Refuse to replace anything but an earlier export, and names that TF Serving or a URL would stumble over."""
    if not all(one.isalnum() or one in "._-" for one in output.name) or not output.name[:1].isalnum():
        raise ExportError(f"got {output.name!r} as the model's name; wanted letters, digits, '.', '_' and '-'")
    if not output.exists():
        return
    if not output.is_dir():
        raise ExportError(f"{output} is a file; wanted a folder that does not exist yet, or an earlier export")
    there = {path.name for path in output.iterdir()}
    if not there:
        return
    try:
        earlier = read_manifest(output)
    except CheckpointError as error:
        raise ExportError(f"{output} is not an exported model and is left as it is; choose another output") from error
    names = {earlier.name, output.name}
    ours = {
        VERSION,
        CARD,
        WEIGHTS,
        MANIFEST,
        *(f"{one}{end}" for one in names for end in (".tflite", ".fp16.tflite")),
    }
    if there - ours:
        raise ExportError(
            f"{output} holds more than an exported model ({', '.join(sorted(there - ours))}) and would be replaced; "
            "move that away or choose another output"
        )


def _swap(made: Path, output: Path, replaced: Path) -> None:
    """Put the new folder where the old one is; the old one comes back if that fails."""
    if output.exists():
        os.replace(output, replaced)
    try:
        os.replace(made, output)
    except OSError:
        if replaced.exists():
            os.replace(replaced, output)
        raise
