"""Measures speed, size and exactness of every form of a trained generator.

    python tools/benchmarks/bench_inference.py [--model piano] [--threads 1 2] \\
        [--blocks 2048 4096 8192 16384] [--output FILE.json]

The forms are Keras, SavedModel, the TFLite files, and streaming in several block lengths. Each line
is measured in a process of its own, which separates real audio (a packaged recording mixed with
others) block by block. The columns:
- times real time, from the median block;
- latency of a block: median and 99th percentile;
- highest resident memory; size on disk;
- SDR lost against the Keras model;
- the share of the speed of a float32 matrix product with as many threads. It counts multiply-adds
  of dense layers and convolutions, without transforms and learned filterbanks. A share above 100 %
  means 8-bit arithmetic.
"""

import argparse
import json
import os
import platform
import tempfile
from pathlib import Path

import numpy as np
from inference_steps import STREAMING, in_a_process

AUDIO_SECONDS = 10
ONE_PASS = {
    "TFLite float32": "{name}.tflite",
    "TFLite float16": "{name}.fp16.tflite",
    "TFLite dynamic": "{name}.dynamic.tflite",
    "TFLite int8": "{name}.int8.tflite",
}


def size_of(path: Path) -> int:
    """Bytes of a file, or of all files in a folder."""
    return (
        sum(one.stat().st_size for one in path.rglob("*") if one.is_file())
        if path.is_dir()
        else path.stat().st_size
    )


def candidates(folder: Path, facts: dict, blocks: list[int]) -> list[tuple[str, Path, int, dict]]:
    """Runtime, path, samples of a block and figures of each form."""
    name, whole = facts["name"], AUDIO_SECONDS * facts["sample_rate_hz"]
    exported = folder / name
    rows = [("Keras", exported, whole, {}), ("SavedModel", exported / "1", whole, {})]
    for runtime, file in ONE_PASS.items():
        rows.append(
            (
                runtime,
                exported / file.format(name=name),
                whole,
                facts["figures"].get(runtime.split()[1], {}),
            )
        )
    for block in blocks:
        for runtime, end in STREAMING.items():
            path = folder / f"block{block}" / f"{facts['name']}{end}"
            rows.append((runtime, path, block, facts["figures"][f"{runtime} {block}"]))
    return rows


def bench(options: argparse.Namespace, folder: Path) -> dict:
    """Make and measure everything; returns the rows and the facts beside them."""
    facts = in_a_process("make", folder=str(folder), model=options.model, blocks=options.blocks)
    limits = {
        threads: in_a_process("matrix_product", threads=threads)["operations_per_second"]
        for threads in options.threads
    }
    rows = []
    for runtime, path, block, figures in candidates(folder, facts, options.blocks):
        for threads in options.threads:
            arguments = {"runtime": runtime, "path": str(path), "threads": threads, "block": block}
            given = in_a_process(
                "measure", **arguments, audio=str(folder / "audio.npy"), seconds=options.seconds
            )
            taken = np.array(given["block_seconds"])
            speed = given["samples"] / facts["sample_rate_hz"] / float(np.median(taken))
            used = 2 * facts["multiply_adds_per_second"] * speed
            rows.append(
                {
                    "runtime": runtime,
                    "threads": threads,
                    "block": given["samples"],
                    "x_real_time": speed,
                    "p50_ms": 1000 * float(np.median(taken)),
                    "p99_ms": 1000 * float(np.percentile(taken, 99)),
                    "memory_bytes": given["memory_bytes"],
                    "size_bytes": size_of(path / "model.keras" if runtime == "Keras" else path),
                    "sdr_loss_db": figures.get("sdr_loss_db"),
                    "of_peak": figures.get("of_peak"),
                    "latency_ms": figures.get("streaming", {}).get("latency_ms"),
                    "share_of_limit": used / limits[threads],
                }
            )
    machine = {"processor": platform.processor() or platform.machine(), "cores": os.cpu_count()}
    facts = {name: each for name, each in facts.items() if name != "figures"}
    return {
        "model": facts,
        "matrix_product_operations_per_second": limits,
        "machine": machine,
        "rows": rows,
    }


def show(result: dict) -> None:
    """Print the table."""
    from rich.console import Console
    from rich.table import Table

    model = result["model"]
    billions = model["multiply_adds_per_second"] / 1e9
    table = Table(title=f"{model['name']}: {billions:.2f} G multiply-adds per second of audio")
    heads = (
        "runtime",
        "threads",
        "block",
        "x real time",
        "p50 ms",
        "p99 ms",
        "memory MB",
        "file MB",
    )
    for head in (*heads, "SDR lost dB", "latency ms", "of limit"):
        table.add_column(head, justify="left" if head == "runtime" else "right")
    for row in result["rows"]:
        cells = [
            row["runtime"],
            str(row["threads"]),
            str(row["block"]),
            f"{row['x_real_time']:.0f}",
        ]
        cells += [f"{row['p50_ms']:.1f}", f"{row['p99_ms']:.1f}"]
        cells += [f"{row['memory_bytes'] / 1e6:.0f}", f"{row['size_bytes'] / 1e6:.1f}"]
        cells.append("" if row["sdr_loss_db"] is None else f"{row['sdr_loss_db']:.3f}")
        cells.append("" if row["latency_ms"] is None else f"{row['latency_ms']:.0f}")
        table.add_row(*cells, f"{row['share_of_limit']:.0%}")
    console = Console(width=140)
    console.print(table)
    for threads, speed in result["matrix_product_operations_per_second"].items():
        console.print(
            f"matrix product, {threads} threads: {speed / 1e9:.0f} G float32 operations per second",
            highlight=False,
        )


def main() -> int:
    """Read the options, measure, print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="piano", help="name or path of a model")
    parser.add_argument(
        "--threads", type=int, nargs="+", default=[1, 2], help="threads that a runtime uses"
    )
    parser.add_argument(
        "--blocks",
        type=int,
        nargs="+",
        default=[2048, 4096, 8192, 16384],
        help="of streaming, samples",
    )
    parser.add_argument("--seconds", type=float, default=10.0, help="duration of each measurement")
    parser.add_argument("--output", type=Path, help="JSON file for the figures")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        result = bench(options, Path(scratch))
    show(result)
    if options.output:
        options.output.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
