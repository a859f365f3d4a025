"""An index moves from containers to processes and back, and is the same at each place."""

import json
import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from e2e.indexing import Block, Database
from e2e.stack import Stack, free_ports, temporary_stack
from images.choice import Images

pytestmark = pytest.mark.engine

DIMENSION = 384
COLLECTION = "ws-0123456789abcdef"
POINTS = 1000


@pytest.fixture
def stack(images: Images, tmp_path: Path) -> Iterator[Stack]:
    """A project with both runtimes, of which nothing is left."""
    with temporary_stack(tmp_path, images) as stack:
        try:
            yield stack
        finally:
            stack.succeed("down", "--volumes", "--yes", "--runtime", "native")


@pytest.fixture
def indexed(stack: Stack) -> Stack:
    """Qdrant in a container, with an editor's collection."""
    stack.succeed("start", "qdrant", "--runtime", "docker")
    with Database(stack.qdrant_url, COLLECTION) as database:
        database.create(DIMENSION)
        blocks = [Block(path=f"src/file{n}.py", text=f"def function_{n}()", start=1, end=1) for n in range(POINTS)]
        vectors = [[float(n % (column + 2)) for column in range(DIMENSION)] for n in range(POINTS)]
        for begin in range(0, POINTS, 60):
            database.upsert(blocks[begin : begin + 60], vectors[begin : begin + 60])
    return stack


def content(stack: Stack) -> object:
    """All points of the collection and its own description of itself, as they are served now."""
    with Database(stack.qdrant_url, COLLECTION) as database:
        return database.everything()


def switch(stack: Stack, *, source: str, target: str) -> None:
    stack.succeed("down", "--runtime", source)
    stack.succeed("start", "qdrant", "--runtime", target)


def test_there_and_back_the_content_is_equal(indexed: Stack) -> None:
    before = content(indexed)
    moved = indexed.succeed("migrate", "--to", "native")
    assert moved.data["collections"] == [{"collection": COLLECTION, "points": POINTS, "copied": POINTS}]
    assert content(indexed) == before
    assert indexed.succeed("status").data["engine"]["runtime"] == "docker"
    assert moved.data["next"][1] == "embctl start all --runtime native --project " + indexed.name
    switch(indexed, source="docker", target="native")
    assert indexed.succeed("status").data["engine"]["flavour"] == "Native"
    assert content(indexed) == before

    with Database(indexed.qdrant_url, COLLECTION) as database:
        database.upsert([Block(path="new.py", text="new", start=1, end=1)], [[1.0] * DIMENSION])
    refused = indexed.run("migrate", "--to", "docker")
    assert (refused.exit_code, refused.error["code"]) == (6, "collection_differs")

    before = content(indexed)
    back = indexed.succeed("migrate", "--to", "docker", "--yes")
    assert back.data["collections"] == [{"collection": COLLECTION, "points": POINTS + 1, "copied": POINTS + 1}]
    switch(indexed, source="native", target="docker")
    assert content(indexed) == before


def test_a_database_that_is_in_use_there_is_left_alone(indexed: Stack) -> None:
    (port,) = free_ports(1)
    indexed.having(EMBCTL_QDRANT_PORT=str(port)).succeed("start", "qdrant", "--runtime", "native")
    refused = indexed.run("migrate", "--to", "native")
    assert (refused.exit_code, refused.error["code"]) == (6, "target_running")
    assert indexed.succeed("status", "qdrant", "--runtime", "native").service("qdrant")["state"] == "running"


def test_an_interrupted_copy_goes_on_where_it_stopped(indexed: Stack) -> None:
    copying = indexed.open("migrate", "--to", "native")
    assert copying.stdout is not None
    for line in copying.stdout:
        event = json.loads(line)
        if event["type"] == "stage_progress" and event["progress"]["text"] == f"copying {COLLECTION}":
            os.kill(copying.pid, signal.SIGKILL)
            break
    copying.communicate()
    (again,) = indexed.succeed("migrate", "--to", "native").data["collections"]
    assert again["points"] == POINTS
    assert 0 < again["copied"] < POINTS


def test_without_a_running_source_nothing_is_copied(stack: Stack) -> None:
    refused = stack.run("migrate", "--to", "native")
    assert (refused.exit_code, refused.error["code"]) == (5, "not_started")
    assert replace(stack, name=stack.name).things()["container"] == []
