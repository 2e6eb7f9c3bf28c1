"""The page with the model that ships, served once, and visitors who open it in Chromium."""

import shutil

import numpy as np
import pytest
import soundfile
import soxr
from tools_for_tests import from_tools

from tfsepgan.data.recordings.demo import demo_directory
from tfsepgan.web.site import write_site

PAGE = from_tools("page_visit")
RATE_HZ = 44100


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The folder of the page; not to be changed."""
    folder = tmp_path_factory.mktemp("web") / "site"
    write_site("piano", folder)
    return folder


@pytest.fixture(scope="session")
def address(site):
    """Where it is served."""
    with PAGE.served(site) as url:
        yield url


@pytest.fixture(scope="session")
def chromium():
    """A headless browser."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no Chromium; Debian has it as the package chromium")
    reason = "no Playwright; it is in the extra 'test'"
    playwright = pytest.importorskip("playwright.sync_api", reason=reason)
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=PAGE.FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def visit(chromium, address):
    """A visitor who has opened the page."""
    with chromium.new_context(accept_downloads=True) as context:
        visit = PAGE.Visit(context.new_page())
        visit.open(address)
        yield visit
        assert not visit.errors


def packaged(name: str, seconds: float) -> np.ndarray:
    """A packaged recording at 44.1 kHz, repeated to a length, `[time]`."""
    samples, rate_hz = soundfile.read(demo_directory() / "test" / name, always_2d=True)
    samples = soxr.resample(samples.mean(axis=1), rate_hz, RATE_HZ)
    return np.resize(samples, round(seconds * RATE_HZ)).astype(np.float32)


@pytest.fixture(scope="session")
def music():
    """Makes music in stereo: a piano in the middle, a violin left, a guitar right."""

    def make(seconds: float) -> np.ndarray:
        piano, violin, guitar = (
            packaged(name, seconds)
            for name in (
                "piano/01-nocturne.ogg",
                "rest/violin/01-lively.ogg",
                "rest/guitar/01-pick.ogg",
            )
        )
        both = np.stack([piano + 0.5 * violin, 0.9 * piano + 0.5 * guitar], axis=1)
        return 0.7 * both / np.abs(both).max()

    return make


@pytest.fixture(scope="session")
def minute(music, tmp_path_factory):
    """A stereo MP3 of a minute."""
    file = tmp_path_factory.mktemp("music") / "minute.mp3"
    soundfile.write(file, music(60), RATE_HZ)
    return file


@pytest.fixture(scope="session")
def part(music, tmp_path_factory):
    """A stereo MP3 of twenty seconds, a dozen blocks."""
    file = tmp_path_factory.mktemp("music") / "part.mp3"
    soundfile.write(file, music(20), RATE_HZ)
    return file


@pytest.fixture(scope="session")
def second(music, tmp_path_factory):
    """A stereo WAV of a second, without rounding."""
    file = tmp_path_factory.mktemp("music") / "second.wav"
    soundfile.write(file, music(1), RATE_HZ, subtype="FLOAT")
    return file
