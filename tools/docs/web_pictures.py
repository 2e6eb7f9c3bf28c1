"""Takes the pictures of the page of `tfsepgan-web` in docs/images, in headless Chromium.

    python tools/docs/web_pictures.py

The recording is packaged music. Needs Chromium, `pip install playwright pillow`.
"""

import io
import shutil
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tools" / "checks"))

from check_web_page import write_music  # noqa: E402
from page_visit import FLAGS, Visit, served  # noqa: E402

from tfsepgan.web.site import write_site  # noqa: E402

SECONDS = 40
PLAYED_SECONDS = 9
VIEWS = {  # name: colours, width and height in pixels
    "web_light": ("light", 1120, 900),
    "web_dark": ("dark", 1120, 900),
    "web_phone": ("light", 360, 1140),
}


def main() -> None:
    """Write the pictures."""
    images = ROOT / "docs" / "images"
    images.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as driver:
        folder = Path(scratch)
        file = folder / "Evening trio.wav"
        write_music(file, SECONDS)
        write_site("piano", folder / "site")
        program = shutil.which("chromium") or shutil.which("google-chrome")
        browser = driver.chromium.launch(executable_path=program, args=FLAGS)
        with served(folder / "site") as address:
            for name, (colours, width, height) in VIEWS.items():
                size = {"width": width, "height": height}
                context = browser.new_context(color_scheme=colours, viewport=size)
                visit = Visit(context.new_page())
                visit.open(address)
                picture = take(visit, file)
                picture.save(images / f"{name}.webp", quality=80, method=6)
                context.close()


def take(visit: Visit, file: Path) -> Image.Image:
    """The page with a separated recording, some seconds into it."""
    page = visit.page
    page.get_by_text("also offline").wait_for()
    visit.choose(file)
    visit.wait_until_done()
    page.wait_for_timeout(3000)  # the pictures of the stems
    timeline = page.locator("#timeline").bounding_box()
    x = timeline["x"] + timeline["width"] * PLAYED_SECONDS / SECONDS
    page.mouse.click(x, timeline["y"] + timeline["height"] - 5)
    page.mouse.move(0, 0)
    page.evaluate("document.activeElement.blur()")
    return Image.open(io.BytesIO(page.screenshot())).convert("RGB")


if __name__ == "__main__":
    main()
