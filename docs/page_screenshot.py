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
COLLECTIONS = ("ws-3f2a9c41d07be865", "ws-8b60e1f49ad2c753")
PICTURE = Path(__file__).with_name("images") / "page.png"
SCRIPT = """
const [library, executablePath, url, picture] = process.argv.slice(1);
const { chromium } = await import(library);
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
const page = await browser.newPage({ viewport: { width: 1000, height: 860 } });
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
from embstore_process import StoreProcess  # noqa: E402 - the same
from fakes.embserver_process import running  # noqa: E402 - the same
from fakes.minilm_folder import minilm_folder  # noqa: E402 - the same


def draw(url: str, store: str) -> None:
    """The picture, after some seconds in real time."""
    for name in COLLECTIONS:
        body = {"vectors": {"size": 384, "distance": "Cosine"}}
        httpx2.put(f"{store}/collections/{name}", json=body).raise_for_status()
    over = threading.Event()
    blocks = [block.text for block in read_project(ROOT)]

    def index(name: str) -> None:
        for first in range(0, len(blocks), 60):
            if over.is_set():
                return
            body = {"input": blocks[first : first + 60], "encoding_format": "float"}
            found = httpx2.post(f"{url}/v1/embeddings", json=body, timeout=300).raise_for_status().json()["data"]
            points = [{"id": first + 1 + each["index"], "vector": each["embedding"]} for each in found]
            httpx2.put(f"{store}/collections/{name}/points?wait=true", json={"points": points}).raise_for_status()

    def search() -> None:
        while not over.wait(0.7):
            httpx2.post(f"{url}/v1/embeddings", json={"input": "where is the port taken?"}, timeout=300)

    threads = [threading.Thread(target=index, args=(name,)) for name in COLLECTIONS]
    threads.append(threading.Thread(target=search))
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
        with (
            StoreProcess(Path(scratch) / "store") as store,
            running({**settings, "EMBSERVER_STORE_URL": store.url}) as server,
        ):
            server.event("ready")
            draw(server.url, store.url)
