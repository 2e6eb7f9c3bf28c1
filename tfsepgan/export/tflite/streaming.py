"""The streaming twin of a model as a SavedModel, for conversion to TFLite.

Its signature `stream` maps `block [channels, block, 1]`, `state [channels, state]` (zeros at the
start) and `valid [1]` int32 to each source and `residual`, `[channels, block, 1]`, and the next
`state`.
"""

import contextlib
import io
from pathlib import Path

import keras
import tensorflow as tf

from tfsepgan.errors import ExportError
from tfsepgan.export.savedmodel.signatures import RESIDUAL
from tfsepgan.models.bundle import Bundle, Manifest
from tfsepgan.networks.streaming import StreamingTwin, each_source
from tfsepgan.ondevice.streaming import SIGNATURE

STATE = "state"


def shortest_block(hop: int, least: int) -> int:
    """The shortest block of whole hops with at least `least` samples."""
    return -(-least // hop) * hop


def streaming_facts(twin: StreamingTwin, manifest: Manifest) -> dict:
    """The facts that a program needs to stream, for the file and the manifest."""
    latency = twin.delay + twin.block
    return {
        "block_samples": twin.block,
        "delay_samples": twin.delay,
        "latency_samples": latency,
        "latency_ms": round(1000 * latency / manifest.sample_rate_hz, 1),
        "state_size": twin.state,
        "channels": twin.channels,
        "hop": manifest.hop,
    }


def write_streaming_saved_model(bundle: Bundle, twin: StreamingTwin, directory: Path) -> None:
    """Write a streaming twin for the converter.

    Args:
      bundle: of the generator that the twin belongs to.
      twin: of `networks.streaming.streaming_twin`.
      directory: must not exist.
    Raises: ExportError when it cannot be written.
    """
    if STATE in bundle.manifest.sources:
        raise ExportError(
            f"a source is called {STATE!r}, as is an output of the streaming model; rename it."
        )

    def stream(block, state, valid):
        outputs = twin.model({"block": block, "state": state, "valid": valid}, training=False)
        estimates = each_source(outputs["estimates"])
        stems = dict(zip(bundle.manifest.sources, estimates, strict=True))
        return {**stems, RESIDUAL: outputs["residual"], STATE: outputs["state"]}

    wanted = [
        tf.TensorSpec((twin.channels, twin.block, 1), tf.float32, name="block"),
        tf.TensorSpec((twin.channels, twin.state), tf.float32, name="state"),
        tf.TensorSpec((1,), tf.int32, name="valid"),
    ]
    archive = keras.export.ExportArchive()
    archive.track(twin.model)
    try:
        archive.add_endpoint(SIGNATURE, stream, input_signature=wanted)
        with contextlib.redirect_stdout(io.StringIO()):  # it prints a page on its endpoints
            archive.write_out(str(directory), verbose=False)
    except (OSError, tf.errors.OpError, ValueError) as error:
        raise ExportError(
            f"the streaming model of {bundle.manifest.name!r} could not be written: {error}"
        ) from error
