"""Takes the README's picture of the page: `python -m tests.browser.take_picture`.

Starts the real service, reads a form that the project draws itself, and writes `docs/images/page.png`.
"""

import io
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from tests.browser.chromium import ARGUMENTS, program
from tests.live.running import RunningService

ROOT = Path(__file__).resolve().parents[2]
SCAN = ROOT / "examples" / "scans" / "form.jpg"
PICTURE = ROOT / "docs" / "images" / "page.png"
COLOURS = 160
"""A palette of this many keeps the file well below 300 kB, and the scan's shades smooth."""


def main() -> int:
    """Take the picture; return the exit status."""
    found = program()
    if found is None:
        sys.stderr.write("Chromium is not installed.\n")
        return 1
    with tempfile.TemporaryDirectory(prefix="ts-") as folder, sync_playwright() as playwright:
        service = RunningService(Path(folder) / "home", {}).start()
        browser = playwright.chromium.launch(executable_path=found, args=list(ARGUMENTS))
        page = browser.new_page(viewport={"width": 1366, "height": 900}, device_scale_factor=1)
        page.goto(service.login_link)
        write(take(page))
        browser.close()
        service.stop()
    return 0


def take(page: Page) -> bytes:
    """Read the scan and return the picture as PNG."""
    page.locator("#files").set_input_files(SCAN)
    page.get_by_role("button", name="Read & Predict").click()
    page.locator(".scan-boxes").wait_for()
    page.locator(".field-item").nth(1).click()
    page.mouse.move(0, 0)
    return page.screenshot(animations="disabled")


def write(png: bytes) -> None:
    """Write the picture with a small palette."""
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.open(io.BytesIO(png)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    picture.save(PICTURE, optimize=True)


if __name__ == "__main__":
    sys.exit(main())
