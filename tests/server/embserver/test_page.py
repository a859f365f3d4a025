"""The page at /: static, whole, asking nobody but this server; in a real browser it shows what the server does."""

import asyncio
import itertools
import os
import re
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import httpx2
import pytest
from fastapi.testclient import TestClient

from embserver.app import create_app
from embserver.server import Server, listen
from embserver.settings import Settings
from embstore_process import StoreProcess
from fakes.embedding_model import FakeModel
from fakes.embserver_process import ServerProcess, running
from fakes.minilm_folder import minilm_folder
from fakes.screenshot import colours, taken
from fakes.served_app import WANTED, serving


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    folder = tmp_path_factory.mktemp("models")
    with running({"EMBSERVER_MODEL": str(minilm_folder()), "EMBSERVER_MODELS_DIR": str(folder)}) as process:
        process.event("ready")
        yield process


def browser() -> str:
    found = shutil.which("chromium")
    if found is None:
        assert not os.environ.get("CI"), "CI has a browser"
        pytest.skip("chromium is not installed")
    return found


def opened(url: str, folder: Path) -> tuple[str, str, list[str]]:
    """The page's elements after a few seconds, what its scripts said on the console, every URL that was asked for."""
    log = folder / "net.json"
    command = [
        browser(), "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'profile'}",
        "--enable-logging=stderr", "--v=0", f"--log-net-log={log}", "--virtual-time-budget=7000", "--dump-dom", url,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    asked = re.findall(r'"url":"(http[^"]+)"', log.read_text(errors="replace"))
    return done.stdout, "\n".join(line for line in done.stderr.splitlines() if "CONSOLE" in line), asked


def test_in_a_browser_it_shows_figures_and_asks_this_server_alone(server: ServerProcess) -> None:
    for texts in (["where is it?"], [f"def function_{number}(): ..." for number in range(30)]):
        httpx2.post(f"{server.url}/v1/embeddings", json={"input": texts}).raise_for_status()
    with tempfile.TemporaryDirectory() as folder:
        page, said, asked = opened(f"{server.url}/", Path(folder))
    shown = dict(re.findall(r'<output id="(\w+)"[^>]*>([^<]*)</output>', page))
    assert '<p id="state" role="status">ready</p>' in page
    assert "no vector store is set" in page
    assert "none since the start" in page
    assert "384 dimensions" in page
    assert shown["memory"].endswith(" MiB")
    assert shown["search"].endswith(" ms")
    assert shown["scan"] != "-"
    assert re.search(r'<polyline points="[\d., -]+"', page)
    assert said == ""
    assert {url for url in asked if server.url in url} >= {f"{server.url}/metrics", f"{server.url}/info"}
    # What the browser itself asks its maker for is not the page's doing.
    assert not re.search(r'(?:src|href|action)="(?!data:)', page)


def test_in_a_browser_it_shows_the_stores_collections_growing_and_the_last_errors_as_text(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fake, over = FakeModel(), threading.Event()

    def fails(*_: object) -> None:
        raise RuntimeError("<img src=x onerror=alert(1)> & more")

    with StoreProcess(tmp_path / "store") as store, listening(fake, Settings(store_url=store.url)) as url:
        monkeypatch.setattr(fake.encoder, "encode", fails)
        assert httpx2.post(f"{url}/v1/embeddings", json={"input": "x"}).status_code == 500
        for name in ("ws-1", "a & b"):
            body = {"vectors": {"size": 2, "distance": "Cosine"}}
            httpx2.put(f"{store.url}/collections/{quote(name)}", json=body).raise_for_status()

        def index() -> None:
            for number in itertools.count(1):
                body = {"points": [{"id": number, "vector": [1.0, number]}]}
                httpx2.put(f"{store.url}/collections/ws-1/points?wait=true", json=body).raise_for_status()
                if over.is_set():
                    return

        indexing = threading.Thread(target=index)
        indexing.start()
        try:
            page, said, asked = opened(f"{url}/", tmp_path)
        finally:
            over.set()
            indexing.join()

    rows = re.findall(r"<tr><td>([^<]+)</td><td[^>]*>([^<]+)</td><td[^>]*>([^<]+)</td><td[^>]*>(.*?)</td></tr>", page)
    (first, *still), (second, points, speed, line) = rows
    assert (first, second, still[:2]) == ("a &amp; b", "ws-1", ["0", "0.0"])
    assert int(points.replace(",", "")) > 0
    assert float(speed) > 0
    assert re.search(r'<polyline points="[\d., ]+"', line)
    assert re.search(r'<time datetime="[^"]+">[^<]+</time>[^<]*&lt;img src=x onerror=alert\(1\)&gt; &amp; more', page)
    assert said == ""
    assert {found for found in asked if url in found} >= {f"{url}/metrics", f"{url}/info", f"{url}/store/metrics"}


def test_a_screenshot_shows_charts_on_cards(server: ServerProcess, tmp_path: Path) -> None:
    painted = colours(taken(browser(), f"{server.url}/", tmp_path))
    line, card = (0x1F, 0x6F, 0x5C), (0xF4, 0xF6, 0xF8)
    assert painted[line] > 10, "the charts' lines"
    assert painted[card] > painted.total() / 4, "what they lie on"


@contextmanager
def listening(fake: FakeModel, settings: Settings) -> Iterator[str]:
    """The address of the application over the fake, ready, behind a real socket."""
    app = create_app(settings, WANTED, fake.load, failed=lambda _: None)
    server, listener = Server(app, stopping=lambda: None), listen("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])))
    thread.start()
    try:
        while httpx2.get(f"{url}/readyz").status_code != 200:
            pass
        yield url
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture
def client() -> Iterator[TestClient]:
    with serving(FakeModel()) as ready:
        yield ready


def test_its_policy_lets_it_ask_this_server_alone_and_run_its_own_script_alone(client: TestClient) -> None:
    reply = client.get("/")
    policy = reply.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "connect-src 'self'" in policy
    assert re.search(r"script-src 'sha256-[\w+/]+='", policy)
    assert "unsafe" not in policy
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    assert not re.findall(r"https?://", reply.text)


def test_with_a_key_the_page_is_there_and_asks_for_it() -> None:
    with serving(FakeModel(), Settings(api_key="k"), wait=False) as client:
        assert client.get("/").status_code == 200
        assert client.get("/info").status_code == 401


def test_what_the_page_asks_for_every_two_seconds_does_not_fill_the_log(server: ServerProcess) -> None:
    before = len(server.lines)
    for path in ("/metrics", "/store/metrics", "/info", "/"):
        httpx2.get(f"{server.url}{path}")
    httpx2.get(f"{server.url}/v1/models").raise_for_status()
    paths = [line["path"] for line in server.lines[before:] if line["event"] == "request"]
    while "/v1/models" not in paths:
        paths = [line["path"] for line in server.lines[before:] if line["event"] == "request"]
    assert set(paths) == {"/", "/v1/models"}
