"""The signatures of exported models, in plain TensorFlow; running them needs no part of tfsepgan.

| signature | input | output |
|---|---|---|
| `separate`, `serving_default` | `mixture` | each source and `residual` |
| `separate_wav` | `wav`: bytes of WAV files | `SOURCE_bytes`, `residual_bytes`: WAV files |
| `stream` | `block`, `context`, `final` | each source, `residual`, the next `context` |
| `describe` | `question`: any strings | `manifest`: the manifest and limits, as JSON |

Audio is float32 `[batch, time, channels]`, stems are shaped like the mixture, strings are `[batch]`
(`wav` may be a scalar). The stems sum to the mixture. A request that cannot be answered gets an
INVALID_ARGUMENT whose message says what to send. `describe` ignores its input, which exists because
TF Serving's REST interface refuses signatures without inputs.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

import tensorflow as tf

from tfsepgan.errors import ConfigError
from tfsepgan.export.savedmodel.checks import any_rank, checked, checked_audio, not_too_many
from tfsepgan.export.savedmodel.stream_signature import stream_function
from tfsepgan.export.savedmodel.wav_signature import wav_function
from tfsepgan.models.folders import Manifest

RESIDUAL = "residual"
MIXTURE = "mixture"
DEFAULT, SEPARATE = "serving_default", "separate"  # one function; the first is TF Serving's name
WAV, STREAM, DESCRIBE = "separate_wav", "stream", "describe"
SIGNATURES = (DEFAULT, SEPARATE, WAV, STREAM, DESCRIBE)
BYTES = "_bytes"  # TF Serving's REST interface sends strings as base64 if their name ends so
# 1 GiB of float32: TF Serving's messages hold 2 GiB, and a reply has at least two stems
_MOST_SAMPLES = 2**28


@dataclass(frozen=True, kw_only=True)
class RequestLimits:
    """How much audio one request may hold; more gets INVALID_ARGUMENT, before memory runs out."""

    # summed over all channels of all recordings: a minute of stereo
    max_request_seconds: float = 120.0

    def samples(self, manifest: Manifest) -> int:
        """The same limit in samples at a model's rate.

        Raises: ConfigError when a stereo block with its context exceeds the limit, or the limit
          exceeds a message.
        """
        rate, hop = manifest.sample_rate_hz, manifest.hop
        least = 2 * (2 * -(-manifest.context // hop) * hop + hop)
        wanted = self.max_request_seconds * rate
        if not least <= wanted <= _MOST_SAMPLES:
            raise ConfigError(
                f"got max_request_seconds={self.max_request_seconds}; wanted {least / rate:.2f} (a"
                f" stereo block with its context) to {_MOST_SAMPLES // rate} (the most that a"
                " message to a server holds)"
            )
        return int(wanted)


def separation_function(generator, sources: Sequence[str]):
    """Wrap a mono generator for any number of channels.

    Args:
      generator: `keras.Model`, `[batch, time, 1]` to `[batch, sources, time, 1]`.
      sources: names of its estimates, in order.
    Returns: function of `mixture [batch, time, channels]`, float32, to stems by name.
    """

    def separate(mixture):
        shape = tf.shape(mixture)
        batch, time, channels = shape[0], shape[1], shape[2]
        mono = tf.reshape(tf.transpose(mixture, (0, 2, 1)), (batch * channels, time, 1))
        estimates = generator(mono, training=False)
        by_channel = tf.reshape(estimates, (batch, channels, len(sources), time))
        stems = {
            name: tf.transpose(by_channel[:, :, index], (0, 2, 1))
            for index, name in enumerate(sources)
        }
        return _with_residual(mixture, stems)

    return separate


def mono_separation_function(generator, sources: Sequence[str]):
    """Wrap a mono generator for one channel, without the reshapes, which TFLite does not need.

    Returns: function of `mixture [1, time, 1]`, float32, to stems by name.
    """

    def separate(mixture):
        estimates = generator(mixture, training=False)
        stems = {name: estimates[:, index] for index, name in enumerate(sources)}
        return _with_residual(mixture, stems)

    return separate


def served_functions(generator, manifest: Manifest, limits: RequestLimits) -> dict[str, Callable]:
    """Every signature of a served model, with checks of each request.

    Args:
      generator: `keras.Model`, `[batch, time, 1]` to `[batch, sources, time, 1]`.
      manifest: of the model.
      limits: of a request.
    Returns: a `tf.function` with one input signature for each name in `SIGNATURES`; all share one
      copy of the network.
    """
    network = tf.function(
        lambda mono: generator(mono, training=False),
        input_signature=[tf.TensorSpec([None, None, 1], tf.float32, name="mono")],
        autograph=False,
    )
    separate = separation_function(lambda mono, training: network(mono), manifest.sources)
    most = limits.samples(manifest)
    # all that a client needs
    description = json.dumps({**asdict(manifest), "limits": served_limits(manifest, limits)})
    audio = tf.TensorSpec([None, None, None], tf.float32)

    def checked_separate(mixture):
        rate_hz = manifest.sample_rate_hz
        return separate(checked_audio(mixture, MIXTURE, most=most, sample_rate_hz=rate_hz))

    def describe(question):
        shape = tf.shape(any_rank(question))
        shape = checked(shape, not_too_many(tf.reduce_prod(shape), "question"))
        return {"manifest": tf.fill(shape, description)}

    whole = _signature(checked_separate, **{MIXTURE: audio})
    wav = wav_function(separate, manifest, most=most)
    stream = stream_function(separate, manifest, most=most)
    flag = tf.TensorSpec([], tf.bool)
    return {
        DEFAULT: whole,
        SEPARATE: whole,
        WAV: _signature(wav, wav=tf.TensorSpec(None, tf.string)),
        STREAM: _signature(stream, block=audio, context=audio, final=flag),
        DESCRIBE: _signature(describe, question=tf.TensorSpec([None], tf.string)),
    }


def served_limits(manifest: Manifest, limits: RequestLimits) -> dict[str, float]:
    """The limits in seconds and in samples, for the manifest."""
    return {**asdict(limits), "max_request_samples": limits.samples(manifest)}


def signature_facts(sources: Sequence[str]) -> dict[str, dict]:
    """Shapes of all inputs and outputs by kind of file and signature, for the manifest."""
    shape, stems = ["batch", "time", "channels"], [*sources, RESIDUAL]
    separate = {"input": {MIXTURE: shape}, "outputs": dict.fromkeys(stems, shape)}
    stream = {"block": shape, "context": ["batch", "held", "channels"], "final": []}
    served = {
        DEFAULT: separate,
        SEPARATE: separate,
        WAV: {
            "input": {"wav": ["batch"]},
            "outputs": {f"{name}{BYTES}": ["batch"] for name in stems},
        },
        STREAM: {
            "input": stream,
            "outputs": {
                **dict.fromkeys(stems, ["batch", "ready", "channels"]),
                "context": stream["context"],
            },
        },
        DESCRIBE: {"input": {"question": ["batch"]}, "outputs": {"manifest": ["batch"]}},
    }
    mono = {"input": {MIXTURE: [1, "time", 1]}, "outputs": dict.fromkeys(stems, [1, "time", 1])}
    return {"saved_model": served, "tflite": {"names": [SEPARATE], **mono}}


def _signature(function: Callable, **specs) -> Callable:
    named = [tf.TensorSpec(spec.shape, spec.dtype, name=name) for name, spec in specs.items()]
    return tf.function(function, input_signature=named, autograph=False)


def _with_residual(mixture, stems: Mapping) -> dict:
    residual = mixture
    for estimate in stems.values():
        residual = residual - estimate
    return {**stems, RESIDUAL: residual}
