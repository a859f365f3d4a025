"""What stops a command before it changes anything: each with its exit code, message and JSON error."""

import os
import socket
from collections.abc import Iterator

import pytest

from e2e.stack import Stack
from images.choice import Images
from images.docker_cli import docker_output

pytestmark = pytest.mark.engine

NOTHING: dict[str, list[str]] = {"container": [], "network": [], "volume": []}


@pytest.fixture
def container_on_the_port(stack: Stack, images: Images) -> Iterator[str]:
    """Somebody else's container that publishes the port that the test's Qdrant wants."""
    name = f"{stack.name}-neighbour"
    publish = f"127.0.0.1:{stack.qdrant_port}:80"
    docker_output("run", "--detach", "--name", name, "--publish", publish, images.base, "sleep", "infinity")
    yield name
    docker_output("rm", "--force", name)


def test_a_port_taken_by_a_process_stops_the_start_before_anything_is_created(stack: Stack) -> None:
    with socket.create_server(("127.0.0.1", stack.qdrant_port)):
        reply = stack.run("start", "all")
    assert reply.exit_code == 6
    assert reply.error["code"] == "port_taken"
    assert reply.error["details"]["port"] == stack.qdrant_port
    assert reply.error["details"]["owner"]["pid"] == os.getpid()
    assert str(os.getpid()) in reply.error["message"]
    assert stack.things() == NOTHING


def test_a_port_taken_by_a_container_stops_the_start_naming_that_container(
    stack: Stack, container_on_the_port: str
) -> None:
    reply = stack.run("start", "all")
    assert reply.exit_code == 6
    assert reply.error["code"] == "port_taken"
    assert reply.error["details"]["owner"]["kind"] == "container"
    assert reply.error["details"]["owner"]["name"] == container_on_the_port
    assert stack.things() == NOTHING


def test_a_foreign_container_with_our_name_is_never_touched(stack: Stack, images: Images) -> None:
    name = f"{stack.name}-qdrant"
    foreign = docker_output("run", "--detach", "--name", name, images.base, "sleep", "infinity")
    try:
        reply = stack.run("start", "all")
        assert stack.run("down", "--volumes", "--yes").exit_code == 0
        assert docker_output("inspect", "--format", "{{.State.Running}}", foreign) == "true"
    finally:
        docker_output("rm", "--force", foreign)
    assert reply.exit_code == 6
    assert reply.error["code"] == "name_taken"
    assert stack.things() == NOTHING


def test_data_is_not_deleted_without_a_confirmation(stack: Stack) -> None:
    stack.succeed("start", "qdrant")
    reply = stack.run("down", "--volumes")
    assert reply.exit_code == 3
    assert reply.error["category"] == "confirmation"
    assert len(stack.things()["container"]) == 1


def test_down_keeps_the_data_and_down_with_volumes_leaves_nothing(stack: Stack) -> None:
    stack.succeed("start", "qdrant")
    stack.succeed("down")
    assert (stack.things()["container"], stack.things()["network"]) == ([], [])
    assert len(stack.things()["volume"]) == 2
    stack.succeed("down", "--volumes", "--yes")
    assert stack.things() == NOTHING
