"""Compares every form of an exported generator with Keras, on real audio.

    python tools/checks/check_parity.py --model exported_models/piano [--data DIR --split test] \\
        [--output FILE.json]

The forms: the SavedModel in Python and in TensorFlow's C API, a loopback server with gRPC and with
both clients, and the TFLite files of the folder. All signatures are compared, with batches of one
and eight mixtures, lengths from one sample to five seconds, and streams in several block lengths.
Float files are compared sample by sample with one pass of the Keras model; those with 8-bit weights
by their loss in SDR on the longest mixtures, whose sources are known. The exit code is 1 if a form
exceeds the limit of its kind.
"""

import argparse
import io
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

import numpy as np
import soundfile
from rich.console import Console
from rich.table import Table

from tfsepgan.config import DataConfig
from tfsepgan.data.recordings.opening import open_catalogue
from tfsepgan.data.references.fixed_mixtures import Mixture, fixed_mixtures
from tfsepgan.export.parity import largest_difference
from tfsepgan.export.savedmodel.signatures import (
    BYTES,
    DEFAULT,
    SEPARATE,
    STREAM,
    WAV,
    separation_function,
)
from tfsepgan.export.tflite.conversion import run_tflite
from tfsepgan.export.tflite.files import run_streaming
from tfsepgan.export.tflite.variants import BASE, MAX_SDR_LOSS_DB, OF_PEAK, VARIANTS
from tfsepgan.metrics.waveform import snr
from tfsepgan.models.bundle import Bundle, load_bundle
from tfsepgan.serving.separator import connect

sys.path[:0] = [str(Path(__file__).parents[2] / "tests" / "doubles")]
from c_session import Session  # noqa: E402
from loopback_process import ServerProcess  # noqa: E402

BATCHES = (1, 8)
SECONDS = 5.0
STREAM_BLOCKS = (1024, 5000, 16384)
CLIENT_BLOCK_SECONDS = 2.0

Stems = Mapping[str, np.ndarray]  # [batch, time, channels] by name
Signature = Callable[[str, dict], Stems]  # runs one on arrays


def lengths(bundle: Bundle) -> tuple[int, ...]:
    """Lengths of the mixtures: around those where the framing changes, and of music."""
    hop = bundle.manifest.hop
    return (1, hop - 1, hop, 10 * hop + 77, round(SECONDS * bundle.manifest.sample_rate_hz))


def saved_model(folder: Path) -> Signature:
    """The signatures, run by TensorFlow in Python."""
    import tensorflow as tf

    signatures = tf.saved_model.load(str(folder)).signatures

    def run(name: str, inputs: dict) -> Stems:
        given = {
            key: tf.constant(list(value) if value.dtype == object else value)
            for key, value in inputs.items()
        }
        return {key: value.numpy() for key, value in signatures[name](**given).items()}

    return run


def served(server: ServerProcess) -> Signature:
    """The signatures, run by a server with gRPC."""
    import grpc
    import tensorflow as tf
    from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

    options = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
    stub = prediction_service_pb2_grpc.PredictionServiceStub(
        grpc.insecure_channel(f"127.0.0.1:{server.port}", options)
    )

    def run(name: str, inputs: dict) -> Stems:
        request = predict_pb2.PredictRequest()
        request.model_spec.name, request.model_spec.signature_name = server.name, name
        for key, value in inputs.items():
            request.inputs[key].CopyFrom(
                tf.make_tensor_proto(list(value) if value.dtype == object else value)
            )
        reply = stub.Predict(request, timeout=300)
        return {key: tf.make_ndarray(value) for key, value in reply.outputs.items()}

    return run


def by_signature(run: Signature, rate: int) -> dict[str, Callable[[np.ndarray], Stems]]:
    """Each separating signature as a function of `[batch, time, 1]`; streams by block length."""

    def files(mixture: np.ndarray) -> Stems:
        wavs = np.empty(len(mixture), object)
        for index, one in enumerate(mixture):
            file = io.BytesIO()
            soundfile.write(file, one, rate, format="WAV", subtype="FLOAT")
            wavs[index] = file.getvalue()
        read = partial(soundfile.read, dtype="float32", always_2d=True)
        return {
            name.removesuffix(BYTES): np.stack(
                [read(io.BytesIO(content))[0] for content in contents]
            )
            for name, contents in run(WAV, {"wav": wavs}).items()
        }

    def stream(length: int, mixture: np.ndarray) -> Stems:
        context, replies = mixture[:, :0], []
        for start in range(0, mixture.shape[1], length):
            block, final = (
                mixture[:, start : start + length],
                np.array(start + length >= mixture.shape[1]),
            )
            replies.append(dict(run(STREAM, {"block": block, "context": context, "final": final})))
            context = replies[-1].pop("context")
        return {
            name: np.concatenate([reply[name] for reply in replies], axis=1) for name in replies[0]
        }

    return {
        **{
            name: partial(lambda name, mixture: run(name, {"mixture": mixture}), name)
            for name in (DEFAULT, SEPARATE)
        },
        WAV: files,
        **{f"{STREAM}, blocks of {length}": partial(stream, length) for length in STREAM_BLOCKS},
    }


def as_channels(run: Callable[[np.ndarray], Stems], mixture: np.ndarray) -> Stems:
    """A function of `[time, channels]` on `[batch, time, 1]`: each mixture is a channel."""
    return {
        name: stem.T[..., None]
        for name, stem in run(np.ascontiguousarray(mixture[..., 0].T)).items()
    }


def forms(
    folder: Path, bundle: Bundle, server: ServerProcess
) -> Iterator[tuple[str, str, str, Callable]]:
    """Runtime, interface, precision, and the function of mixtures, of every form."""
    rate, name = bundle.manifest.sample_rate_hz, bundle.manifest.name
    session = Session(folder / "1")
    sessions = {
        "SavedModel": saved_model(folder / "1"),
        "C API": session.run,
        "server, gRPC": served(server),
    }
    for runtime, run in sessions.items():
        for signature, function in by_signature(run, rate).items():
            yield runtime, signature, "float32", function
    session.close()
    for rest, port in enumerate((server.port, server.rest_port)):
        kind = {"rest": bool(rest), "block_seconds": CLIENT_BLOCK_SECONDS, "stereo": "apart"}
        with connect(f"127.0.0.1:{port}", name, **kind) as client:
            separate = partial(client.separate, sample_rate_hz=rate)
            yield (
                f"client, {'REST' if rest else 'gRPC'}",
                "separate",
                "float32",
                partial(as_channels, separate),
            )
    for variant in (BASE | VARIANTS).values():
        path = folder / f"{name}{variant.end}"
        if path.exists():
            run = partial(run_streaming if variant.streaming else run_tflite, path)
            yield "TFLite", path.name, variant.precision, partial(as_channels, run)


def sdr_lost(
    function: Callable, mixtures: list[Mixture], whole: Stems, sources: tuple[str, ...]
) -> float:
    """Mean loss of SDR in dB of the worst source, against the Keras model."""
    given, losses = function(np.stack([one.mixture for one in mixtures])), []
    for name in sources:
        truths = [one.sources[name] for one in mixtures]
        before, after = (np.mean([*map(snr, truths, stems[name])]) for stems in (whole, given))
        losses.append(float(before - after))
    return max(losses)


def check(folder: Path, mixtures: list[Mixture], report: Callable[[str], None]) -> list[dict]:
    """Compare everything; returns a row for each form."""
    bundle = load_bundle(folder)
    separate = separation_function(bundle.generator, bundle.manifest.sources)
    music = np.stack([one.mixture for one in mixtures])
    cases = [
        np.ascontiguousarray(music[:batch, :time]) for batch in BATCHES for time in lengths(bundle)
    ]
    expected = [{name: np.asarray(stem) for name, stem in separate(case).items()} for case in cases]
    rows = []
    with ServerProcess(bundle.manifest.name, folder) as server:
        for runtime, what, precision, function in forms(folder, bundle, server):
            report(f"{runtime}, {what}")
            row = {"runtime": runtime, "what": what, "cases": len(cases)}
            if precision in OF_PEAK:
                limit, unit = OF_PEAK[precision], "of peak"
                worst = max(
                    largest_difference(one, function(case))
                    for case, one in zip(cases, expected, strict=True)
                )
            else:
                limit, unit, row["cases"] = MAX_SDR_LOSS_DB, "dB SDR lost", 1
                worst = sdr_lost(function, mixtures, expected[-1], bundle.manifest.sources)
            rows.append(
                {**row, "worst": worst, "unit": unit, "limit": limit, "good": bool(worst <= limit)}
            )
    return rows


def main() -> int:
    """Compare, and show a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--model",
        type=Path,
        default=Path("exported_models/piano"),
        help="folder of tfsepgan-export",
    )
    parser.add_argument(
        "--data", default="demo", help="real recordings that have the model's sources"
    )
    parser.add_argument("--split", default="test", choices=("valid", "test"))
    parser.add_argument("--output", type=Path, help="JSON file for the figures")
    options = parser.parse_args()
    manifest = json.loads((options.model / "manifest.json").read_text())
    config = DataConfig(
        sample_rate_hz=manifest["sample_rate_hz"], sources=tuple(manifest["sources"]), law="snr"
    )
    catalogue = open_catalogue(options.data, config.sources)
    mixtures = fixed_mixtures(
        catalogue, config, split=options.split, count=max(BATCHES), seconds=SECONDS
    )
    console = Console() if Console().is_terminal else Console(width=110)
    with console.status("separating with Keras") as status:
        rows = check(options.model, mixtures, status.update)
    table = Table(
        title=f"{manifest['name']} against one pass of Keras, {options.data}, {options.split}"
    )
    for head in ("runtime", "what", "cases", "worst", "limit"):
        table.add_column(head, justify="right" if head in ("cases", "worst", "limit") else "left")
    for row in rows:
        worst = f"{row['worst']:.1e}" if row["unit"] == "of peak" else f"{row['worst']:.3f}"
        limit = f"{row['limit']:g} {row['unit']}"
        table.add_row(
            row["runtime"],
            row["what"],
            str(row["cases"]),
            worst,
            limit,
            style="" if row["good"] else "red",
        )
    console.print(table)
    if options.output:
        options.output.write_text(
            json.dumps({"model": str(options.model), "rows": rows}, indent=2) + "\n"
        )
    bad = [f"{row['runtime']}, {row['what']}" for row in rows if not row["good"]]
    console.print(f"Beyond the limit: {'; '.join(bad)}" if bad else "All agree.", highlight=False)
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main())
