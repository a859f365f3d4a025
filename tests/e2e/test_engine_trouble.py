"""An engine that stops, or has no room: tried on an engine of the test's own."""

import json
from contextlib import suppress
from pathlib import Path

import pytest

from e2e.private_engine import private_engine, small_disk
from e2e.stack import Stack, parse
from images.choice import Images

pytestmark = pytest.mark.engine

MEBIBYTE = 1 << 20


def test_an_engine_that_stops_is_named_by_status(stack: Stack) -> None:
    with private_engine() as engine:
        here = stack.having(DOCKER_HOST=engine.address)
        assert {each["state"] for each in here.succeed("status").data["services"]} == {"absent"}
        engine.kill()
        reply = here.run("status")
    assert reply.exit_code == 4
    assert reply.error["category"] == "engine"
    assert engine.address in reply.error["message"]


def test_an_engine_that_stops_during_a_start_ends_it(stack: Stack, images: Images) -> None:
    with private_engine() as engine:
        engine.copy_image(images.base)
        with stack.having(DOCKER_HOST=engine.address).open("start", "jina") as start:
            assert start.stdout is not None
            lines = iter(start.stdout)
            while json.loads(next(lines))["type"] != "operation_progress":
                pass
            engine.kill()
            last = list(lines)[-1]
            assert start.stderr is not None
            errors = start.stderr.read()
    reply = parse(start.returncode, last, errors)
    assert reply.exit_code == 4
    assert reply.error["category"] == "engine"


def test_a_full_disk_under_the_engine_is_named_as_the_reason(stack: Stack, images: Images) -> None:
    with small_disk(megabytes=700) as disk, private_engine(data_root=disk) as engine:
        engine.copy_image(images.base)
        fill(disk)
        reply = stack.having(DOCKER_HOST=engine.address).run("pull", "jina")
    assert reply.exit_code == 1
    assert reply.error["code"] == "no_space"
    assert reply.error["actions"]


def fill(disk: Path) -> None:
    """Leave no room."""
    with suppress(OSError), (disk / "filler").open("wb", buffering=0) as filler:
        while True:
            filler.write(bytes(MEBIBYTE))
