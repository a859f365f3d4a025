"""The store's metrics on their way to the page: as they are, or with the reason why not."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx2
import pytest

from embserver.settings import Settings
from embserver.store import Store, StoreSilent
from embstore_process import StoreProcess, free_port
from fakes.embedding_model import FakeModel
from fakes.served_app import envelope, serving


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoreProcess]:
    with StoreProcess(tmp_path_factory.mktemp("store"), QDRANT__SERVICE__API_KEY="the store's") as store:
        body = {"vectors": {"size": 2, "distance": "Cosine"}}
        httpx2.put(f"{store.url}/collections/ws-1", json=body, headers={"api-key": "the store's"}).raise_for_status()
        yield store


class Peer:
    """A server at `url` that answers as `way` says; `asked` are the paths, `over` ends what it holds back."""

    def __init__(self) -> None:
        self.way, self.asked, self.over = "", list[str](), threading.Event()
        peer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                peer.asked.append(self.path)
                match peer.way:
                    case "silent":
                        peer.over.wait()
                    case "no-http":
                        self.wfile.write(b"SSH-2.0-OpenSSH_9.2\r\n")
                    case "elsewhere":
                        self.send_response(302)
                        self.send_header("Location", f"http://127.0.0.1:{peer.server.server_port}/other")
                        self.end_headers()
                    case "broken":
                        self.send_response(200)
                        self.send_header("Content-Length", "100")
                        self.end_headers()
                        self.wfile.write(b"half")
                    case way:
                        self.send_response(200)
                        self.end_headers()
                        while way == "endless" and not peer.over.is_set():
                            try:
                                self.wfile.write(b"# more\n" * 10_000)
                            except OSError:
                                return
                        self.wfile.write(b"# all\n")

            def log_message(self, *_: object) -> None:
                """Keep the tests' output clean."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def peer() -> Iterator[Peer]:
    running = Peer()
    thread = threading.Thread(target=running.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield running
    running.over.set()
    running.server.shutdown()
    running.server.server_close()
    thread.join()


def test_the_stores_own_words_are_passed_on(real: StoreProcess) -> None:
    with serving(FakeModel(), Settings(store_url=real.url, store_api_key="the store's")) as client:
        reply = client.get("/store/metrics")

    assert reply.status_code == 200
    assert reply.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert 'collection_points{id="ws-1"} 0' in reply.text


@pytest.mark.parametrize("key", ["", "another"])
def test_a_store_that_wants_another_key_is_said_to(real: StoreProcess, key: str) -> None:
    with serving(FakeModel(), Settings(store_url=real.url, store_api_key=key)) as client:
        reply = client.get("/store/metrics")

    assert reply.status_code == 502
    assert "refuses the key that this server has for it (HTTP 401)" in envelope(reply.json())["message"]


def test_without_a_store_there_is_nothing_to_pass_on() -> None:
    with serving(FakeModel()) as client:
        reply = client.get("/store/metrics")
        assert client.get("/info").json()["store"] is None

    assert reply.status_code == 404
    assert "EMBSERVER_STORE_URL" in envelope(reply.json())["message"]


def test_the_info_names_the_store_without_a_password_in_its_address() -> None:
    with serving(FakeModel(), Settings(store_url="http://user:hunter2@qdrant:6333")) as client:
        assert client.get("/info").json()["store"] == "http://qdrant:6333"


def test_whoever_lacks_this_servers_key_sees_nothing_of_the_store(peer: Peer) -> None:
    with serving(FakeModel(), Settings(store_url=peer.url, api_key="k"), wait=False) as client:
        assert client.get("/store/metrics").status_code == 401
        assert peer.asked == []
        assert client.get("/store/metrics", headers={"api-key": "k"}).text == "# all\n"


@pytest.mark.parametrize(
    ("way", "reason"),
    [
        ("silent", "does not answer within"),
        ("no-http", "SSH-2.0"),
        ("elsewhere", "answers HTTP 302"),
        ("broken", "IncompleteRead"),
        ("endless", "tells more than 4 MiB"),
    ],
)
def test_a_store_that_does_not_tell_is_named_with_the_reason(
    peer: Peer, monkeypatch: pytest.MonkeyPatch, way: str, reason: str
) -> None:
    # Too short for nothing but the silent one.
    monkeypatch.setattr("embserver.store._SECONDS", 0.2 if way == "silent" else 60.0)
    peer.way = way

    with pytest.raises(StoreSilent, match=reason):
        Store(f"{peer.url}/behind/a/proxy/", "").metrics()

    assert peer.asked == ["/behind/a/proxy/metrics"], "once, and nowhere else"


def test_a_store_that_never_comes_to_an_end_is_left(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("embserver.store._SECONDS", 0.2)
    monkeypatch.setattr("embserver.store._LIMIT_BYTES", 2**60)
    peer.way = "endless"

    with pytest.raises(StoreSilent, match="does not answer within"):
        Store(peer.url, "").metrics()


def test_a_store_that_is_not_there_is_said_to_be() -> None:
    with pytest.raises(StoreSilent, match="refused"):
        Store(f"http://127.0.0.1:{free_port()}", "").metrics()


def test_a_proxy_of_the_environment_is_not_asked(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")

    assert Store(peer.url, "").metrics() == b"# all\n"
