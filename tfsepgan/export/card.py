"""The model card: what a model is, its training data, its scores, and how to run it.

It starts with the metadata that the Hugging Face Hub reads.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tfsepgan.export.folder import file_facts
from tfsepgan.export.parity import LIMITS
from tfsepgan.export.savedmodel.signatures import RESIDUAL
from tfsepgan.models.bundle import Manifest

_PARITY_NAMES = {
    "saved_model": "SavedModel",
    "tflite": "TFLite float32",
    "tflite_fp16": "TFLite float16",
}
# of the licences that the Hub knows by name, those that are usual for models
_HUB_LICENCES = {
    *("apache-2.0", "mit", "bsd-3-clause", "gpl-3.0", "agpl-3.0", "openrail", "unknown"),
    *("cc0-1.0", "cc-by-3.0", "cc-by-4.0", "cc-by-sa-4.0", "cc-by-nc-4.0", "cc-by-nc-sa-4.0"),
}


def model_card(
    manifest: Manifest,
    made: Path,
    *,
    parity: Mapping[str, float],
    variants: Mapping[str, Mapping[str, Any]],
) -> str:
    """The card of an exported model, in Markdown.

    Args:
      manifest: of the model; the card lists all of `trained`.
      made: the folder of the model.
      parity: largest difference from Keras relative to peak, by kind of file; empty without the
        SavedModel and the TFLite files in float32 and float16.
      variants: figures of the TFLite files other than float32 and float16, by name.
    """
    return (
        front_matter(manifest, "music-source-separation", pipeline_tag="audio-to-audio")
        + _what_it_is(manifest)
        + training_section(manifest)
        + files_section(parity, made)
        + _variants_section(variants)
        + _usage(manifest)
        + (_usage_of_base(manifest) if parity else "")
        + _usage_of_streams(manifest, variants)
    )


def front_matter(manifest: Manifest, *tags: str, pipeline_tag: str | None = None) -> str:
    """The metadata of a model for the Hub, as YAML between lines of dashes.

    Licence and datasets are those of `trained` in the manifest; datasets are names on the Hub.
    """
    licence = str(manifest.trained.get("licence") or "unknown")
    known = licence.lower() in _HUB_LICENCES
    facts: dict[str, Any] = {"license": licence.lower() if known else "other"}
    facts |= {} if known else {"license_name": licence}
    facts |= {"library_name": "tfsepgan"}
    facts |= {"pipeline_tag": pipeline_tag} if pipeline_tag else {}
    own = dict.fromkeys(("audio", "music", *tags, manifest.system, *manifest.sources))
    facts |= {"tags": [*own, "keras", "tensorflow", "tflite"]}
    datasets = manifest.trained.get("datasets")
    facts |= {"datasets": list(datasets)} if isinstance(datasets, (list, tuple)) else {}
    text = yaml.safe_dump(facts, sort_keys=False, allow_unicode=True)
    return f"---\n{text}---\n\n"


def _what_it_is(manifest: Manifest) -> str:
    return f"""\
# {manifest.name}

A music source separator: it separates a mixture into \
**{", ".join((*manifest.sources, RESIDUAL))}**. Waveform in, waveform out; the stems sum to the \
mixture.

| | |
|---|---|
| made with | tfsepgan {manifest.tfsepgan_version} |
| system, network | `{manifest.system}`, `{manifest.network}` |
| sources | {", ".join(manifest.sources)} |
| sample rate | {manifest.sample_rate_hz} Hz |
| parameters | {manifest.parameters:,} |
| hop, context | {manifest.hop}, {manifest.context} samples |

"""


def training_section(manifest: Manifest) -> str:
    """Markdown on the training data of a model, and its scores."""
    head = "## Training data, licences and scores\n\n"
    rows = [f"| {_cell(key)} | {_cell(value)} |" for key, value in _flat(manifest.trained)]
    if not rows:
        return head + "Not recorded. Ask whoever trained the model before you ship it.\n\n"
    return "\n".join([f"{head}| | |", "|---|---|", *rows, "\n"])


def files_section(parity: Mapping[str, float], made: Path, compared_on: str = "real audio") -> str:
    """Markdown on the files of a folder, and their difference from the Keras model."""
    sizes = {path: facts["bytes"] for path, facts in file_facts(made).items()}
    table = [
        "## Files\n\n| file | size |\n|---|---|",
        *(f"| `{path}` | {_readable(size)} |" for path, size in sizes.items()),
    ]
    if not parity:
        return "\n".join([*table, "\n"])
    return "\n".join(
        [
            *table,
            f"\nLargest difference from the Keras model on {compared_on}, relative to peak:\n",
            "| | difference | limit |\n|---|---|---|",
            *(
                f"| {_PARITY_NAMES[kind]} | {value:.1e} | {LIMITS[kind]:.0e} |"
                for kind, value in parity.items()
            ),
            "\n",
        ]
    )


def _variants_section(variants: Mapping[str, Mapping[str, Any]]) -> str:
    """Markdown on the TFLite variants: their difference, and latency of streams."""
    if not variants:
        return ""
    lines = [
        "Variants of the TFLite file, compared with the Keras model:\n",
        "| variant | difference, of peak | dB below the sources | SDR lost | latency |",
        "|---|---|---|---|---|",
    ]
    for name, facts in variants.items():
        lost = f"{facts['sdr_loss_db']:.2f} dB" if "sdr_loss_db" in facts else ""
        delay = f"{facts['streaming']['latency_ms']:.0f} ms" if "streaming" in facts else ""
        lines.append(
            f"| `{name}` | {facts['of_peak']:.1e} | {facts['closeness_db']:.0f} | {lost}"
            f" | {delay} |"
        )
    return "\n".join([*lines, "\n"])


def _usage(manifest: Manifest) -> str:
    name, first = manifest.name, manifest.sources[0]
    return f"""\
## How to run it

Any recording, with tfsepgan (any length, rate and number of channels):

```python
import tfsepgan

stems = tfsepgan.load("path/to/{name}").separate(mixture, sample_rate_hz)  # {{"{first}": ..., ...}}
```
"""


def _usage_of_base(manifest: Manifest) -> str:
    name, first = manifest.name, manifest.sources[0]
    return f"""
Without tfsepgan, audio at {manifest.sample_rate_hz} Hz, float32 `[batch, time, channels]` in \
[-1, 1]:

```python
import tensorflow as tf

separate = tf.saved_model.load("{name}/1").signatures["separate"]
{first} = separate(mixture=tf.constant(mixture))["{first}"]
```

TensorFlow Serving:

```sh
docker run -p 8501:8501 -v "$PWD/{name}:/models/{name}" -e MODEL_NAME={name} tensorflow/serving
curl localhost:8501/v1/models/{name}:predict \\
  -d '{{"signature_name": "separate", "inputs": {{"mixture": [[[0.1], [0.2], [0.3]]]}}}}'
```

TFLite, one channel at a time, `[1, time, 1]`:

```python
from ai_edge_litert.interpreter import Interpreter

separate = Interpreter("{name}/{name}.tflite").get_signature_runner("separate")
{first} = separate(mixture=block)["{first}"]
```

Long audio without seams: start blocks on multiples of {manifest.hop} samples. Extend each by \
{manifest.context} samples of the recording on both sides (none beyond its ends), and discard the \
output of these samples.
"""


def _usage_of_streams(manifest: Manifest, variants: Mapping[str, Mapping[str, Any]]) -> str:
    """How to run the first streaming file; empty without one."""
    streams = [name for name, facts in variants.items() if "streaming" in facts]
    if not streams:
        return ""
    file = f"{manifest.name}/{manifest.name}.{streams[0]}.tflite"
    return f"""
A stream, block by block, at {manifest.sample_rate_hz} Hz:

```python
from tfsepgan.ondevice import StreamingSeparator

stream = StreamingSeparator("{file}", channels=2)
stems = stream.push(samples)  # [time, 2]; the stems that are ready, later by the latency
```
"""


def _flat(values: Mapping[str, Any], prefix: str = ""):
    """Nested facts as pairs: `{"scores": {"demo": 5}}` to `("scores, demo", 5)`."""
    for key, value in values.items():
        label = f"{prefix}{str(key).replace('_', ' ')}"
        if isinstance(value, Mapping):
            yield from _flat(value, f"{label}, ")
        elif isinstance(value, (list, tuple)):
            yield label, ", ".join(map(str, value))
        else:
            yield label, f"{value:.4g}" if isinstance(value, float) else value


def _cell(value: Any) -> str:
    return " ".join(str(value).split()).replace("|", "\\|")


def _readable(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{size / 1e3:.1f} kB"
