"""The HTTP client against real sockets on this machine."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from embctl.http import Http, HttpUnreachable


class Echo(BaseHTTPRequestHandler):
    """Answers with what it was sent; the path's number is the status."""

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers["Content-Length"])))

    def _answer(self, body: bytes) -> None:
        if self.path == "/text":
            payload = b"plain words"
        else:
            said = {"authorization": self.headers["Authorization"], "body": json.loads(body) if body else None}
            payload = json.dumps(said).encode()
        self.send_response(int(self.path[1:]) if self.path[1:].isdigit() else 200)
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Stay silent."""


@pytest.fixture
def url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def http() -> Iterator[Http]:
    with Http() as client:
        yield client


@contextmanager
def listener(*, answer: bytes | None) -> Iterator[str]:
    """A server that takes one connection and sends `answer`, or nothing at all, before it hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                if answer is None:
                    connection.recv(1)  # until the client gives up
                else:
                    connection.sendall(answer)

        thread = Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        thread.join()


def test_an_answer_of_any_status_is_a_reply(http: Http, url: str) -> None:
    assert http.get(f"{url}/200").status == 200
    assert http.get(f"{url}/503").status == 503


def test_json_is_parsed_and_other_text_is_kept(http: Http, url: str) -> None:
    assert http.get(f"{url}/").body == {"authorization": None, "body": None}
    plain = http.get(f"{url}/text")
    assert (plain.body, plain.text) == (None, "plain words")


def test_a_key_travels_as_a_bearer_token(http: Http, url: str) -> None:
    assert http.get(f"{url}/", api_key="secret").body["authorization"] == "Bearer secret"
    assert http.post_json(f"{url}/", {}, api_key="secret").body["authorization"] == "Bearer secret"


def test_a_body_is_posted_as_json(http: Http, url: str) -> None:
    assert http.post_json(f"{url}/", {"input": ["é"]}).body["body"] == {"input": ["é"]}


def test_nobody_listening_is_a_refused_connection(http: Http) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(HttpUnreachable) as unreachable:
        http.get(f"http://127.0.0.1:{port}/")
    assert unreachable.value.reason == "connection refused"


def test_a_server_that_hangs_up_is_told_apart_from_one_that_refuses(http: Http) -> None:
    with listener(answer=b"") as url, pytest.raises(HttpUnreachable) as unreachable:
        http.get(url)
    assert unreachable.value.reason == "the connection was closed before an answer came"


def test_a_silent_server_is_given_up_after_the_timeout(http: Http) -> None:
    with listener(answer=None) as url, pytest.raises(HttpUnreachable) as unreachable:
        http.get(url, timeout=0.05)
    assert unreachable.value.reason == "no answer within 0.05 s"


def test_proxies_of_the_environment_are_not_used(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with Http() as http:
        assert http.get(f"{url}/200").status == 200
