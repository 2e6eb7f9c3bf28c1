"""Separates many recordings at once with a faulty server; each is complete, or a clear error.

    python tools/benchmarks/bench_serving.py --model exported_models/piano --requests 200

Files of real audio go through the clients of `tfsepgan.serving`, half of them with gRPC and half
with REST. Connections are reset, replies are late, truncated or altered, requests are refused, and
the server is killed and restarted. The stems are compared with one pass of the model in
TensorFlow's C API. The exit code is 1 if any stem is wrong without an error.
"""

import argparse
import json
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import numpy as np
import soundfile
from rich.console import Console
from rich.table import Table

from tfsepgan.audio.decoding import decode
from tfsepgan.data.recordings.demo import demo_directory
from tfsepgan.errors import TfsepganError
from tfsepgan.separation.files import separate_file
from tfsepgan.serving.retry import Patience
from tfsepgan.serving.separator import RemoteSeparator, connect

sys.path[:0] = [str(Path(__file__).parents[2] / "tests" / "doubles")]
from c_session import Session  # noqa: E402
from loopback_faults import Relay  # noqa: E402
from loopback_process import ServerProcess  # noqa: E402

FAULTS = {"slow": 0.03, "slow_seconds": 6.0, "exhausted": 0.1, "truncated": 0.05, "altered": 0.05}
MEAN_BYTES = 3e6  # transferred before a connection is reset
CONNECTIONS = 4  # of each kind, shared by all recordings
LIMIT = 1e-4  # of peak; rounding of float32


def recordings(folder: Path, count: int, rate: int, seed: int) -> list[Path]:
    """Pieces of the packaged recordings as WAV files: 1 to 5 s, one or two channels."""
    random = np.random.default_rng(seed)
    music = [
        decode(path, rate)[:, 0] for path in sorted((demo_directory() / "test").rglob("*.ogg"))
    ]
    paths = []
    for index in range(count):
        length, channels = round(rate * random.uniform(1, 5)), int(random.integers(1, 3))
        pieces = [
            _piece(music[random.integers(len(music))], length, random) for _ in range(channels)
        ]
        paths.append(folder / f"{index:03d}.wav")
        soundfile.write(paths[-1], np.stack(pieces, axis=1), rate, subtype="FLOAT")
    return paths


def _piece(music: np.ndarray, length: int, random) -> np.ndarray:
    start = random.integers(max(len(music) - length, 1))
    return music[start : start + length] if len(music) >= length else np.resize(music, length)


def outcome(
    separator: RemoteSeparator, path: Path, output: Path, session: Session
) -> tuple[str, str, float]:
    """Separate one recording and compare: "whole", "error" or "wrong", the reason, and seconds."""
    started = time.monotonic()
    try:
        done = separate_file(separator, path, output)
    except TfsepganError as error:
        left = [one for one in (output / path.stem).glob("*") if one.is_file()]
        return (
            ("wrong", "an error that left files", 0.0)
            if left
            else ("error", str(error), time.monotonic() - started)
        )
    mixture, _ = soundfile.read(path, dtype="float32", always_2d=True)
    expected = session.run("separate", {"mixture": mixture[None]})
    peak = max(np.abs(stem).max() for stem in expected.values())
    for name, stem in expected.items():
        samples, _ = soundfile.read(done.stems[name], dtype="float32", always_2d=True)
        if samples.shape != stem[0].shape:
            return "wrong", f"{name} has the shape {samples.shape} in place of {stem[0].shape}", 0.0
        if not np.abs(samples - stem[0]).max() <= LIMIT * peak:
            return (
                "wrong",
                f"{name} differs by {np.abs(samples - stem[0]).max() / peak:.1e} of peak",
                0.0,
            )
    return "whole", "", time.monotonic() - started


def run(
    model: Path,
    *,
    requests: int,
    faults: dict,
    mean_bytes: float,
    restart: bool,
    seed: int,
    deadline: float,
) -> dict:
    """Separate all recordings at once; returns the figures."""
    manifest = json.loads((model / "manifest.json").read_text())
    server = ServerProcess(manifest["name"], model, faults=faults, seed=seed, workers=8)
    with tempfile.TemporaryDirectory() as scratch, server:
        folder = Path(scratch)
        paths = recordings(folder, requests, manifest["sample_rate_hz"], seed)
        relays = [
            Relay(server.port, mean_bytes=mean_bytes, seed=seed),
            Relay(server.rest_port, mean_bytes=mean_bytes, seed=seed),
        ]
        patience = Patience(deadline_seconds=deadline, attempt_seconds=5.0, attempts=40)
        separators = [
            connect(
                f"127.0.0.1:{relay.port}",
                manifest["name"],
                rest=rest,
                patience=patience,
                parallel=4,
                stereo="apart",  # as the model itself, which the results are compared with
            )
            for rest, relay in enumerate(relays)
            for _ in range(CONNECTIONS)
        ]
        session, results, started = Session(model / "1"), [], time.monotonic()
        restarting = threading.Thread(target=_restart, args=(server,))
        with ThreadPoolExecutor(requests) as pool:
            waiting = [
                pool.submit(
                    outcome, separators[index % len(separators)], path, folder / "out", session
                )
                for index, path in enumerate(paths)
            ]
            for count, done in enumerate(as_completed(waiting), start=1):
                results.append(done.result())
                if restart and count == max(1, requests // 10):
                    restarting.start()
        seconds = time.monotonic() - started
        if restart:
            restarting.join()  # otherwise a server could start after the end
        for one in separators:
            one.close()
        for relay in relays:
            relay.close()
    events = [json.loads(line) for line in server.said.splitlines()]
    injected = Counter(line["fault"] for line in events if "fault" in line)
    return _figures(
        results, seconds, sum(relay.dropped for relay in relays), injected, restarts=int(restart)
    )


def _restart(server: ServerProcess) -> None:
    server.kill()
    time.sleep(1.0)
    server.start()


def _figures(results, seconds: float, dropped: int, injected: Counter, *, restarts: int) -> dict:
    counts = Counter(kind for kind, _, _ in results)
    times = sorted(took for kind, _, took in results if kind == "whole") or [float("nan")]
    return {
        "requests": len(results),
        **{kind: counts[kind] for kind in ("whole", "error", "wrong")},
        "reasons": sorted({reason for kind, reason, _ in results if kind != "whole"}),
        "seconds": round(seconds, 1),
        "p50_seconds": round(times[len(times) // 2], 2),
        "p99_seconds": round(times[min(len(times) - 1, int(0.99 * len(times)))], 2),
        "connections_dropped": dropped,
        "restarts": restarts,
        "faults": dict(injected),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--model",
        type=Path,
        default=Path("exported_models/piano"),
        help="folder of tfsepgan-export",
    )
    parser.add_argument("--requests", type=int, default=200, help="recordings at once")
    parser.add_argument("--deadline-seconds", type=float, default=300.0, help="for a block")
    parser.add_argument("--no-faults", action="store_true", help="for comparison")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="file for the figures")
    options = parser.parse_args()
    well = options.no_faults
    figures = run(
        options.model,
        requests=options.requests,
        faults={} if well else FAULTS,
        mean_bytes=0 if well else MEAN_BYTES,
        restart=not well,
        seed=options.seed,
        deadline=options.deadline_seconds,
    )
    table = Table("", "")
    for name, value in figures.items():
        table.add_row(
            name.replace("_", " "), "\n".join(value) if isinstance(value, list) else str(value)
        )
    Console().print(table)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")
    sys.exit(1 if figures["wrong"] else 0)


if __name__ == "__main__":
    main()
