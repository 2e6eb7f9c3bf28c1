"""Measures the page of `tfsepgan-web` in headless Chromium: bytes, speed, memory, exactness.

    python tools/checks/check_web_page.py [--model piano] [--minutes 20] [--limit 1e-3]

It prints the bytes of the first load; seconds for a stereo minute, from an empty browser and after
that; the largest difference of its stems from the NumPy runtime, or from native LiteRT where that
runs the model; and the memory of the browser while two long recordings are separated, one after the
other; with --minutes 0 none are. The exit code is 1 if the difference exceeds
the limit, the stems do not have the length of the recording or do not sum to it, or the second
recording needs more memory than the first. Needs Chromium, and `pip install playwright psutil`.
"""

import argparse
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psutil
import soundfile
import soxr
from page_visit import FLAGS, STEMS, Visit, served
from playwright.sync_api import sync_playwright
from rich.console import Console

from tfsepgan.data.recordings.demo import demo_directory
from tfsepgan.models.folders import find_bundle, read_manifest
from tfsepgan.ondevice.streaming import StreamingSeparator
from tfsepgan.separation.numpy_masker import NumpyMasker, read_weights
from tfsepgan.web.network import why_not_page
from tfsepgan.web.site import browser_file, write_site
from tfsepgan.web.weights import rounded

RATE_HZ = 44100
PARTS = ("piano/01-nocturne.ogg", "rest/violin/01-lively.ogg", "rest/guitar/01-pick.ogg")
GROWTH = 1.15  # of memory from the first long recording to the second
PATIENCE_MS = 3_600_000
SECONDS_BETWEEN_LOOKS = 0.25


def main(arguments: list[str] | None = None) -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="piano", help="name or folder of a model (piano)")
    parser.add_argument("--minutes", type=float, default=20, help="length of the long one (20)")
    parser.add_argument("--limit", type=float, default=1e-3, help="of the difference (1e-3)")
    options = parser.parse_args(arguments)
    console = Console(soft_wrap=True, highlight=False)
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as driver:
        folder = Path(scratch)
        write_site(options.model, folder / "site")
        program = shutil.which("chromium") or shutil.which("google-chrome")
        browser = driver.chromium.launch(executable_path=program, args=FLAGS)
        with served(folder / "site") as address:
            visit = Visit(browser.new_page())
            fine = check_minute(visit, address, folder, options, console)
            if options.minutes:
                fine &= check_memory(visit, folder, options.minutes, console)
        browser.close()
    return 0 if fine else 1


def check_minute(visit, address, folder, options, console) -> bool:
    """Bytes, speed and exactness on a stereo minute."""
    file, sizes = folder / "minute.wav", []
    written = write_music(file, 60)
    visit.page.on("requestfinished", lambda one: sizes.append(one.sizes()["responseBodySize"]))
    started = time.perf_counter()
    visit.page.goto(address)
    visit.choose(file)
    visit.wait_until_done()
    cold = time.perf_counter() - started
    console.print(f"first load: {sum(sizes) / 1e6:.2f} MB, a minute from cold in {cold:.1f} s")
    for _ in range(3):
        started, used = time.perf_counter(), renderer_seconds()
        visit.choose(file)
        visit.page.wait_for_selector("#play:disabled", state="attached")
        visit.wait_until_done()
        warm, used = time.perf_counter() - started, renderer_seconds() - used
        console.print(
            f"a minute again: {warm:.2f} s, {60 / warm:.0f} x real time;"
            f" {used:.2f} s of the processor"
        )
    stems = {stem: visit.save(stem, folder)[0] for stem in STEMS}
    total = sum(stems.values())
    differences = []
    for kind, expected in natively(find_bundle(options.model), written).items():
        difference = np.abs(stems["piano"] - expected) / np.abs(written).max()
        differences.append(difference.max())
        rms = np.sqrt(np.mean(difference**2))
        console.print(f"from {kind}: at most {difference.max():.1e} of peak, RMS {rms:.1e}")
    console.print(f"sum of the stems: {np.abs(total - written).max():.1e} from the recording")
    return bool(differences[0] < options.limit and np.abs(total - written).max() < 1e-6)


def natively(folder: Path, mixture: np.ndarray) -> dict[str, np.ndarray]:
    """The piano outside the browser, `[time, channels]`; first what the page should give."""
    if why_not_page(folder) is not None:
        separator = StreamingSeparator(browser_file(folder), channels=2)
        first, last = separator.push(mixture), separator.finish()
        return {"native LiteRT": np.concatenate([first["piano"], last["piano"]])}
    manifest, weights = read_manifest(folder), read_weights(folder / "model.keras")
    channels = np.ascontiguousarray(mixture.T)[..., None]
    return {
        kind: NumpyMasker(used, manifest).separate(channels)[:, 0, :, 0].T
        for kind, used in (
            ("NumPy with the same 8-bit weights", rounded(weights)),
            ("NumPy with float32 weights", weights),
        )
    }


def check_memory(visit, folder, minutes: float, console) -> bool:
    """Memory while two long recordings are separated."""
    file, peaks = folder / "long.wav", []
    visit.page.set_default_timeout(PATIENCE_MS)
    frames = len(write_music(file, 60 * minutes))
    console.print(f"{minutes:g} minutes decoded are {frames * 2 * 4 / 1e6:.0f} MB")
    for number in ("first", "second"):
        with watching() as memory:
            started = time.perf_counter()
            visit.choose(file)
            visit.page.wait_for_selector("#play:disabled", state="attached")
            visit.wait_until_done(PATIENCE_MS)
            seconds = time.perf_counter() - started
        peaks.append(max(memory))
        console.print(
            f"{number}: {60 * minutes / seconds:.0f} x real time, memory {memory[0] / 1e6:.0f} MB"
            f" before, {peaks[-1] / 1e6:.0f} MB at most, {memory[-1] / 1e6:.0f} MB after"
        )
    samples, _, _ = visit.save("residual", folder, kind="wav16")
    return len(samples) == frames and peaks[1] < GROWTH * peaks[0]


def write_music(file: Path, seconds: float) -> np.ndarray:
    """Packaged music in stereo, repeated to a length, as floats; returns it."""
    parts = []
    for name in PARTS:
        samples, rate_hz = soundfile.read(demo_directory() / "test" / name, always_2d=True)
        samples = soxr.resample(samples.mean(axis=1), rate_hz, RATE_HZ).astype(np.float32)
        parts.append(np.resize(samples, round(seconds * RATE_HZ)))
    piano, violin, guitar = parts
    music = np.stack([piano + 0.5 * violin, 0.9 * piano + 0.5 * guitar], axis=1)
    music *= np.float32(0.7) / np.abs(music).max()
    soundfile.write(file, music, RATE_HZ, subtype="FLOAT")
    return music


@contextmanager
def watching() -> Iterator[list[int]]:
    """Within this context, a list of the bytes that the page's processes hold grows."""
    seen, over = [renderer_bytes()], threading.Event()

    def watch() -> None:
        while not over.wait(SECONDS_BETWEEN_LOOKS):
            seen.append(renderer_bytes())

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


def renderer_bytes() -> int:
    """Memory of the processes that show pages, without what they share."""
    return sum(of_renderers(lambda process: process.memory_full_info().uss))


def renderer_seconds() -> float:
    """Time that they have used of the processor, in all threads."""
    return sum(of_renderers(lambda process: sum(process.cpu_times()[:2])))


def of_renderers(measure) -> list:
    """A figure of each process that shows pages."""
    figures = []
    for process in psutil.Process().children(recursive=True):
        try:
            if "--type=renderer" in process.cmdline():
                figures.append(measure(process))
        except psutil.Error:  # it has ended since
            continue
    return figures


if __name__ == "__main__":
    sys.exit(main())
