"""Finding the engine, with sockets that answer, refuse, hang up or talk nonsense."""

import gc
import json
import socket
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingMixIn, UnixStreamServer
from threading import Thread
from typing import Any

import pytest

from embctl.engine.connect import connect, reason_of
from embctl.errors import EngineUnreachable

VERSION = {"Version": "28.0", "ApiVersion": "1.41", "Os": "linux", "Arch": "amd64"}


class Api(BaseHTTPRequestHandler):
    """As much of an engine as a dial needs; `answers` by the last part of the path."""

    answers: dict[str, Any]

    def do_GET(self) -> None:
        answer = self.answers[self.path.rpartition("/")[2]]
        payload = b"<html>" if answer is None else json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def address_string(self) -> str:
        return "unix"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Stay silent."""


class UnixServer(ThreadingMixIn, UnixStreamServer):
    """Many clients of one socket."""

    daemon_threads = True


@contextmanager
def engine_at(path: Path, version: Any = VERSION) -> Iterator[str]:
    """An engine that answers at the socket `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = type("Handler", (Api,), {"answers": {"version": version, "info": {"MemTotal": 1}}})
    with UnixServer(str(path), handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"unix://{path}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def home() -> Iterator[Path]:
    """A short path: sockets' names have a limit."""
    import tempfile  # noqa: PLC0415 - pytest's own folders are too deep

    with tempfile.TemporaryDirectory(prefix="h") as folder:
        yield Path(folder)


def refused(host: str) -> EngineUnreachable:
    with pytest.raises(EngineUnreachable) as unreachable:
        connect(host=host, context="", env={}, home=Path("/nowhere"))
    return unreachable.value


def test_an_engine_that_answers_is_described_with_its_origin(home: Path) -> None:
    with engine_at(home / "engine.sock") as address:
        engine = connect(host="", context="", env={"DOCKER_HOST": address}, home=home)
        info = engine.info()
        engine.close()
    assert (info.address, info.origin, info.local) == (address, "DOCKER_HOST", True)
    assert (info.version, info.api_version, info.flavour) == ("28.0", "1.41", "Docker Engine")


def test_the_first_usual_socket_that_answers_is_taken(home: Path) -> None:
    (home / ".docker/desktop").mkdir(parents=True)
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(str(home / ".docker/desktop/docker.sock"))
    dead.close()
    env = {"COLIMA_HOME": str(home / "colima")}
    with engine_at(home / "colima/default/docker.sock"), without_system_socket():
        engine = connect(host="", context="", env=env, home=home)
        info = engine.info()
        engine.close()
    assert info.origin == "Colima"


def test_when_none_answers_every_address_is_listed_with_its_reason(home: Path) -> None:
    with without_system_socket(), pytest.raises(EngineUnreachable) as unreachable:
        connect(host="", context="", env={}, home=home)
    tried = unreachable.value.details["tried"]
    assert [attempt["origin"] for attempt in tried][:2] == ["default socket", "Docker Desktop"]
    assert {attempt["reason"] for attempt in tried} == {"there is no such socket"}
    assert str(home / ".orbstack/run/docker.sock") in unreachable.value.message
    assert any(action.startswith("Install one") for action in unreachable.value.actions)
    assert unreachable.value.exit_code == 4


def test_a_named_engine_that_does_not_answer_is_not_replaced_by_another(home: Path) -> None:
    with engine_at(home / ".docker/run/docker.sock"), pytest.raises(EngineUnreachable) as unreachable:
        connect(host="", context="", env={"DOCKER_HOST": f"unix://{home}/gone.sock"}, home=home)
    (attempt,) = unreachable.value.details["tried"]
    assert attempt["origin"] == "DOCKER_HOST"
    assert any("unset DOCKER_HOST" in action for action in unreachable.value.actions)


def test_an_address_that_was_set_is_told_as_a_setting_wherever_it_was_set() -> None:
    error = refused("unix:///nowhere/engine.sock")
    assert error.details["tried"][0]["origin"] == "setting engine.host"
    assert any("config show --origin" in action for action in error.actions)


def test_a_socket_without_a_listener_is_told_from_a_missing_one(home: Path) -> None:
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(str(home / "dead.sock"))
    dead.close()
    assert "nobody listens there" in refused(f"unix://{home}/dead.sock").message
    assert "there is no such socket" in refused(f"unix://{home}/none.sock").message


@pytest.mark.parametrize("version", [["no", "engine"], {"hello": "world"}, None])
def test_something_else_that_answers_is_no_engine(home: Path, version: Any) -> None:
    with engine_at(home / "other.sock", version) as address:
        assert "no container engine" in refused(address).message


def test_an_engine_that_is_too_old_is_named_as_such(home: Path) -> None:
    with engine_at(home / "old.sock", {**VERSION, "ApiVersion": "1.12"}) as address:
        assert "1.24" in refused(address).message


def test_an_address_of_no_known_kind_is_quoted() -> None:
    assert "carrier-pigeon://x" in refused("carrier-pigeon://x").message


def test_a_forbidden_socket_says_how_to_be_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket.socket, "connect", forbidden)
    error = refused("unix:///var/run/docker.sock")
    assert "permission denied" in error.message
    assert error.actions[0].startswith("Let your user use the engine")


def test_an_unexpected_reason_is_quoted() -> None:
    assert reason_of(OSError("the cable is cut")) == "the cable is cut"


def test_an_engine_that_goes_away_is_unreachable(home: Path) -> None:
    with engine_at(home / "engine.sock") as address:
        engine = connect(host=address, context="", env={}, home=home)
    with docker_py_leaks_what_it_cannot_connect():
        with pytest.raises(EngineUnreachable, match=r"engine\.sock") as unreachable:
            engine.inspect("abc")
        assert unreachable.value.retryable
        del unreachable
    engine.close()


@contextmanager
def docker_py_leaks_what_it_cannot_connect() -> Iterator[None]:
    """Collect the socket that docker-py leaves open when a connection fails, before a later test trips over it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        yield
        gc.collect()


@contextmanager
def without_system_socket() -> Iterator[None]:
    """Whatever engine this machine has, the default socket is not there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("embctl.engine.candidates.DEFAULT_SOCKET", "unix:///nowhere/docker.sock")
        yield
