"""Exports a generator of sounds to a folder for other programs: checked, or not at all.

exported_models/NAME/
  1/                  SavedModel with the signature `generate`: TF Serving mounts NAME as it is
  NAME.tflite         float32, built-in operators only, one sound at a time
  NAME.fp16.tflite    the same with half the size
  weights.npz         weights for tfsepgan itself
  manifest.json       its description; "export" holds signatures, files with SHA-256, and parity
  card.md             the model card

All files are made from weights that half precision represents exactly, as in `export.exporter`.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import tensorflow as tf

from tfsepgan.export.card import files_section, front_matter, training_section
from tfsepgan.export.folder import VERSION, extend_manifest, whole_or_not_at_all
from tfsepgan.export.parity import LIMITS, check_limits, largest_difference
from tfsepgan.export.savedmodel.writer import save_functions
from tfsepgan.export.tflite.conversion import open_interpreter, write_tflite
from tfsepgan.export.tflite.metadata import facts_inside, write_metadata
from tfsepgan.export.tflite.variants import BASE
from tfsepgan.models.folders import CARD, Manifest
from tfsepgan.models.saved import save_trained

LATENT, SOUND = "latent", "sound"
SIGNATURES = ("serving_default", "generate")  # one function; the first is TF Serving's default name
COMPARED = 4  # number of sounds for the comparison of the files


def export_synthesis(
    system,
    manifest: Manifest,
    output: str | os.PathLike,
    *,
    report: Callable[[str], None] = lambda step: None,
) -> dict[str, float]:
    """Write a sound model as SavedModel, TFLite, weights, manifest and card, once these agree.

    Args:
      system: of `models.saved.load_trained`; its weights are rounded to half precision here.
      manifest: of the model.
      output: folder to make; its name becomes the model's. An earlier export there is replaced.
      report: called with a description of each step.
    Returns: largest difference from the Keras model relative to peak: "saved_model", "tflite",
      "tflite_fp16".
    Raises: ExportError when a file cannot be made or differs too much, or the output is anything
      but an earlier export.
    """
    output = Path(os.path.abspath(output))
    generator, manifest = system.ema_generator, replace(manifest, name=output.name)
    with whole_or_not_at_all(output) as (made, scratch):
        generator.set_weights(
            [one.astype("float16").astype(one.dtype) for one in generator.get_weights()]
        )
        report("writing the weights and the SavedModel")
        save_trained(made, system, manifest.trained)
        _write_saved_model(generator, made / VERSION, SIGNATURES, batch=None)
        _write_saved_model(generator, scratch / "one", ("generate",), batch=1)
        report("converting to TFLite")
        files = {name: made / f"{output.name}{kind.end}" for name, kind in BASE.items()}
        write_tflite(scratch / "one", files, signature="generate")
        _describe_files(files, manifest, system)
        report("comparing them with the Keras model")
        figures = _measure_parity(system, made / VERSION, files)
        (made / CARD).write_text(_card(made, manifest, system, figures), encoding="utf-8")
        extend_manifest(made, _export_facts(system, figures), name=manifest.name)
    return figures


def _write_saved_model(generator, directory: Path, signatures, *, batch: int | None) -> None:
    wanted = [tf.TensorSpec((batch, generator.input_shape[1]), tf.float32, name=LATENT)]
    function = tf.function(
        lambda latent: {SOUND: generator(latent, training=False)},
        input_signature=wanted,
        autograph=False,
    )
    save_functions(dict.fromkeys(signatures, function), directory)


def _describe_files(files: Mapping[str, Path], manifest: Manifest, system) -> None:
    """Write a description into each TFLite file."""
    window = system.experiment.data.window
    signature = {"inputs": {LATENT: [1, system.latent]}, "outputs": {SOUND: [1, window, 1]}}
    for variant, path in files.items():
        summary = (
            f"tfsepgan model {manifest.name}: makes sounds at {manifest.sample_rate_hz} Hz"
            f" ({variant})."
        )
        write_metadata(path, facts_inside(manifest, variant, {"generate": signature}), summary)


def _measure_parity(system, saved_model: Path, files: Mapping[str, Path]) -> dict[str, float]:
    """Largest difference of every file from Keras on a few fixed latents, relative to peak."""
    latents = np.random.default_rng(0).uniform(-1, 1, (COMPARED, system.latent)).astype(np.float32)
    reference = {SOUND: np.asarray(system.ema_generator(latents, training=False))}
    saved = tf.saved_model.load(str(saved_model)).signatures["generate"](
        latent=tf.constant(latents)
    )
    figures = {"saved_model": largest_difference(reference, {SOUND: saved[SOUND].numpy()})}
    for kind, variant in (("tflite", "float32"), ("tflite_fp16", "float16")):
        generate = open_interpreter(files[variant]).get_signature_runner("generate")
        sounds = [generate(latent=one[None])[SOUND].copy() for one in latents]
        figures[kind] = largest_difference(reference, {SOUND: np.concatenate(sounds)})
    check_limits(figures)
    return figures


def _export_facts(system, figures: Mapping[str, float]) -> dict:
    latent, window = system.latent, system.experiment.data.window
    return {
        "signatures": {
            "saved_model": {
                "names": list(SIGNATURES),
                "input": {LATENT: ["batch", latent]},
                "outputs": {SOUND: ["batch", window, 1]},
            },
            "tflite": {
                "names": ["generate"],
                "input": {LATENT: [1, latent]},
                "outputs": {SOUND: [1, window, 1]},
            },
        },
        "parity": {"of_peak": figures, "limits": LIMITS, "sounds": COMPARED},
    }


def _card(made: Path, manifest: Manifest, system, figures: Mapping[str, float]) -> str:
    name, rate, window = manifest.name, manifest.sample_rate_hz, system.experiment.data.window
    head = f"""\
# {name}

Makes sounds of **{manifest.sources[0]}** from random numbers: {window} samples, \
{window / rate:.2f} s, at {rate} Hz. It does not separate mixtures.

| | |
|---|---|
| made with | tfsepgan {manifest.tfsepgan_version} |
| system | `{manifest.system}` |
| parameters | {manifest.parameters:,} |
| random numbers | {system.latent}, each uniform in [-1, 1] |

"""
    usage = f"""\
## How to run it

```bash
tfsepgan-generate --model path/to/{name} --count 16 --output sounds
```

Without tfsepgan (TensorFlow Serving offers the same signature):

```python
import numpy as np
import tensorflow as tf

generate = tf.saved_model.load("{name}/1").signatures["generate"]
latent = tf.random.uniform((16, {system.latent}), -1.0, 1.0)
sounds = generate(latent=latent)["sound"]  # [16, {window}, 1]
```

TFLite, one sound at a time: signature `generate`, `latent` `[1, {system.latent}]` to `sound` \
`[1, {window}, 1]`.
"""
    return (
        front_matter(manifest, "audio-generation", "gan")
        + head
        + training_section(manifest)
        + files_section(figures, made, "fixed random numbers")
        + usage
    )
