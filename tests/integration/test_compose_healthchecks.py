"""The health checks of the definitions, run as the engine runs them, on servers that are ready and that are not."""

import subprocess
import sys
from collections.abc import Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from embctl.compose import load_stack
from embctl.model import ServiceSpec
from embctl.paths import bundle
from embctl.settings import Settings


class Service(BaseHTTPRequestHandler):
    """Answers /readyz with the server's status, without a body that could pass for one."""

    def do_GET(self) -> None:
        """Answer one probe."""
        status = self.server.status if self.path == "/readyz" else HTTPStatus.NOT_FOUND  # type: ignore[attr-defined]  # the test's own word to its handler
        self.send_response(status)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[HTTPServer]:
    with HTTPServer(("127.0.0.1", 0), Service) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(params=["qdrant", "jina"])
def service(request: pytest.FixtureRequest) -> ServiceSpec:
    return load_stack(bundle() / "compose", Settings().variables()).service(request.param)


def verdict(service: ServiceSpec, port: int) -> int:
    """The exit code of the service's check with the host's port in the place of the container's own."""
    assert service.healthcheck is not None
    _, program, *arguments = service.healthcheck.test
    inside = str(service.ports[0].target)
    arguments = [each.replace(inside, str(port)) for each in arguments]
    program = sys.executable if program == "python" else program
    environment = {"PATH": "/usr/bin:/bin", "http_proxy": "http://127.0.0.1:1"}
    return subprocess.run([program, *arguments], env=environment, capture_output=True, check=False).returncode


def test_a_service_that_is_ready_is_healthy_whatever_proxy_the_engine_hands_in(
    service: ServiceSpec, server: HTTPServer
) -> None:
    server.status = HTTPStatus.OK  # type: ignore[attr-defined]  # the test's own word to its handler
    assert verdict(service, server.server_port) == 0


def test_a_service_that_is_still_loading_is_not_healthy(service: ServiceSpec, server: HTTPServer) -> None:
    server.status = HTTPStatus.SERVICE_UNAVAILABLE  # type: ignore[attr-defined]  # the test's own word to its handler
    assert verdict(service, server.server_port) != 0


def test_a_service_that_does_not_listen_is_not_healthy(service: ServiceSpec) -> None:
    with HTTPServer(("127.0.0.1", 0), Service) as gone:
        port = gone.server_port
    assert verdict(service, port) != 0
