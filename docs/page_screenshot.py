"""Takes docs/images/page.png: the embedding server's page in Chromium, while an indexer and searches are at work.

`python docs/page_screenshot.py` needs Debian's `chromium`, npm, and the packages of the extras `server` and `test`.
"""

import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import httpx2

ROOT = Path(__file__).resolve().parents[1]
PICTURE = Path(__file__).with_name("images") / "page.png"
SCRIPT = """
const [library, executablePath, url, picture] = process.argv.slice(1);
const { chromium } = await import(library);
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
const page = await browser.newPage({ viewport: { width: 1000, height: 660 } });
await page.goto(url);
// So many readings that the lines have a shape.
await page.waitForFunction(() => document.querySelector("polyline").getAttribute("points").split(" ").length > 25, null,
  { timeout: 120000 });
await page.screenshot({ path: picture });
await browser.close();
"""
sys.path[:0] = [str(ROOT / "server"), str(ROOT / "tests")]

from e2e.indexing import read_project  # noqa: E402 - the folder has to be on the path first
from e2e.workbench import installed  # noqa: E402 - the same
from fakes.embserver_process import running  # noqa: E402 - the same
from fakes.minilm_folder import minilm_folder  # noqa: E402 - the same


def draw(url: str) -> None:
    """The picture, after some seconds in real time."""
    over = threading.Event()
    blocks = [block.text for block in read_project(ROOT)]

    def index() -> None:
        while not over.is_set():
            for first in range(0, len(blocks), 60):
                if over.is_set():
                    return
                httpx2.post(f"{url}/v1/embeddings", json={"input": blocks[first : first + 60]}, timeout=300)

    def search() -> None:
        while not over.wait(0.7):
            httpx2.post(f"{url}/v1/embeddings", json={"input": "where is the port taken?"}, timeout=300)

    threads = [threading.Thread(target=work) for work in (index, index, search)]
    for thread in threads:
        thread.start()
    program = installed(os.environ)
    command = [program.node, "--input-type=module", "-e", SCRIPT, program.driver, program.browser, url, str(PICTURE)]
    try:
        subprocess.run(command, check=True)  # noqa: S603 - the arguments are above
    finally:
        over.set()
        for thread in threads:
            thread.join()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        settings = {"EMBSERVER_MODEL": str(minilm_folder()), "EMBSERVER_MODELS_DIR": str(Path(scratch) / "models")}
        with running(settings) as server:
            server.event("ready")
            draw(server.url)
