"""A folder served on loopback, and a page of it in headless Chromium, as a visitor uses it.

The tests of the page and `check_web_page.py` use it.
"""

import functools
import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import soundfile

# quiet, without sound or graphics hardware; the microphone gives beeps
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
    *("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"),
)
DROPPED = """([name, bytes]) => {
    const dropped = new DataTransfer();
    dropped.items.add(new File([Uint8Array.from(bytes)], name));
    return dropped;
}"""
# looks at each frame of the screen; Playwright looks for selectors only twice a second
DONE = """(patience) => new Promise((done, fail) => {
    setTimeout(() => fail(new Error("the stems cannot be played")), patience);
    const look = () => {
        const ready = document.querySelector("#play:enabled");
        return ready ? done() : requestAnimationFrame(look);
    };
    look();
})"""
STEMS = ("piano", "residual")
PATIENCE_MS = 120_000  # of a busy machine


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments) -> None:
        """Say nothing."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder as `python -m http.server` does; yields its address."""
    handler = functools.partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()


class Visit:
    """One visitor at the page."""

    def __init__(self, page):
        self.page = page
        self.requests: list[tuple[str, str]] = []
        self.errors: list[str] = []
        page.context.on("request", lambda one: self.requests.append((one.method, one.url)))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.set_default_timeout(PATIENCE_MS)

    def open(self, address: str) -> None:
        """Load the page and wait for the model."""
        self.page.goto(address)
        self.page.wait_for_selector("#model-state[data-kind=ready]")

    def choose(self, file: Path) -> None:
        """Give the page a recording."""
        self.page.set_input_files("#file", file)

    def drop(self, file: Path) -> None:
        """Drop a recording on the page."""
        dropped = self.page.evaluate_handle(DROPPED, [file.name, list(file.read_bytes())])
        self.page.dispatch_event("#opening", "drop", {"dataTransfer": dropped})

    def wait_until_done(self, patience_ms: int = PATIENCE_MS) -> None:
        """Wait until the stems can be played."""
        self.page.evaluate(DONE, patience_ms)

    def problem(self) -> str:
        """The message that is shown, once there is one."""
        self.page.wait_for_selector("#problem:visible")
        return self.page.inner_text("#problem")

    def save(self, stem: str, folder: Path, *, kind: str = "wav32") -> tuple[np.ndarray, int, str]:
        """Download a stem: samples `[time, channels]`, rate, format and subtype as libsndfile says.

        Args:
          kind: a value of the page's list of formats, such as "flac24".
        """
        lane = self.page.locator(".lane").nth(1 + STEMS.index(stem))
        self.page.select_option("#format", kind)
        with self.page.expect_download() as waiting:
            lane.locator(".download").click()
        path = folder / waiting.value.suggested_filename
        waiting.value.save_as(path)
        samples, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
        info = soundfile.info(path)
        return samples, rate_hz, f"{info.format} {info.subtype}"

    def separate(self, file: Path, folder: Path) -> dict[str, np.ndarray]:
        """The stems of a recording, `[time, channels]`, as the page saves them in 32 bits."""
        self.choose(file)
        return self.stems(folder)

    def stems(self, folder: Path) -> dict[str, np.ndarray]:
        """The stems of the recording that is open."""
        self.wait_until_done()
        return {stem: self.save(stem, folder)[0] for stem in STEMS}
