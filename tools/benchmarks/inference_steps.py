"""The steps of bench_inference.py, each in a process of its own: make files, measure a form."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from peak_memory import peak_memory_bytes

# rows and columns of the matrix product: beyond all caches, done in a tenth of a second
MATRIX = 1536
STREAMING = {
    "stream": ".stream.tflite",
    "stream.fp16": ".stream.fp16.tflite",
    "stream.dynamic": ".stream.dynamic.tflite",
}


def make(folder: str, model: str, blocks: list[int]) -> dict:
    """Write every file that is measured; returns facts about them."""
    from tfsepgan.export.exporter import export_bundle, in_half_precision
    from tfsepgan.export.rehearsal import parity_audio, rehearsal_for
    from tfsepgan.export.tflite.files import OnDevice, make_variants
    from tfsepgan.models.folders import find_bundle
    from tfsepgan.models.saved import open_model

    bundle = open_model(find_bundle(model))
    bundle = bundle._replace(generator=in_half_precision(bundle.generator))
    arithmetic = multiply_adds(bundle)
    manifest, folder = bundle.manifest, Path(folder)
    audio = parity_audio(None, manifest)
    np.save(folder / "audio.npy", audio[:, 0])
    rehearsal = rehearsal_for(manifest)
    plain = OnDevice(variants=("dynamic", "int8"), rehearsal=rehearsal)
    export_bundle(bundle, folder / manifest.name, audio, on_device=plain)
    facts = json.loads((folder / manifest.name / "manifest.json").read_text())["export"]["variants"]
    for block in blocks:
        place = folder / f"block{block}"
        place.mkdir()
        streaming = OnDevice(variants=tuple(STREAMING), block=block, rehearsal=rehearsal)
        figures = make_variants(bundle, place, place, streaming, audio, lambda step: None)
        facts |= {f"{name} {block}": each for name, each in figures.items()}
    return {
        "name": manifest.name,
        "sample_rate_hz": manifest.sample_rate_hz,
        "parameters": manifest.parameters,
        "multiply_adds_per_second": arithmetic,
        "figures": facts,
    }


def multiply_adds(bundle) -> float:
    """Multiply-adds for one second of audio."""
    from multiply_adds import products_in

    time_samples = 64 * bundle.manifest.hop
    return (
        products_in(bundle.generator, time_samples) * bundle.manifest.sample_rate_hz / time_samples
    )


def matrix_product(threads: int) -> dict:
    """Float32 operations per second in a large matrix product."""
    import tensorflow as tf

    use_threads(threads)
    left = tf.random.normal((MATRIX, MATRIX))
    product = tf.function(lambda: tf.reduce_sum(tf.matmul(left, left)))
    product().numpy()
    seconds = min(timed(lambda: product().numpy()) for _ in range(10))
    return {"operations_per_second": 2 * MATRIX**3 / seconds}


def use_threads(threads: int) -> None:
    """Set the number of threads that TensorFlow uses."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)


def timed(function) -> float:
    """Seconds that a call takes."""
    started = time.perf_counter()
    function()
    return time.perf_counter() - started


def measure(runtime: str, path: str, audio: str, threads: int, block: int, seconds: float) -> dict:
    """Separate audio block by block; returns the seconds of each block, and the memory."""
    samples = np.load(audio)
    run = opened(runtime, path, threads)
    blocks = [
        samples[first : first + block] for first in range(0, len(samples) - block + 1, block)
    ] or [samples]
    for one in blocks[:2]:
        run(one)
    taken: list[float] = []
    until = time.perf_counter() + seconds
    while time.perf_counter() < until or len(taken) < 3:
        one = blocks[len(taken) % len(blocks)]
        taken.append(timed(lambda one=one: run(one)))
    return {"block_seconds": taken, "samples": len(blocks[0]), "memory_bytes": peak_memory_bytes()}


def opened(runtime: str, path: str, threads: int):
    """A function of a block `[time]` that separates it."""
    if runtime.startswith("stream"):
        from tfsepgan.ondevice import StreamingSeparator

        return StreamingSeparator(path, threads=threads).push
    if runtime.startswith("TFLite"):
        from ai_edge_litert.interpreter import Interpreter

        separate = Interpreter(path, num_threads=threads).get_signature_runner("separate")
        return lambda block: separate(mixture=block[None, :, None])
    import tensorflow as tf

    use_threads(threads)
    if runtime == "SavedModel":
        loaded = tf.saved_model.load(path)
        separate = loaded.signatures["separate"]
        return lambda block, kept=loaded: separate(mixture=tf.constant(block[None, :, None]))
    from tfsepgan.models.bundle import load_bundle, network_function

    network = network_function(load_bundle(Path(path)).generator)
    return lambda block: network(block[None, :, None])


STEPS = {"make": make, "matrix_product": matrix_product, "measure": measure}


def in_a_process(step: str, **arguments) -> dict:
    """Run a step in a new process; returns its result."""
    finished = subprocess.run(
        [sys.executable, __file__, step, json.dumps(arguments)],
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(finished.stdout.splitlines()[-1])


if __name__ == "__main__":
    sys.stdout.write("\n" + json.dumps(STEPS[sys.argv[1]](**json.loads(sys.argv[2]))) + "\n")
