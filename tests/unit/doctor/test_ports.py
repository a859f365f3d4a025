"""Real sockets on the ports that are wanted."""

import os
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from embctl.doctor.ports import PORTS
from embctl.engine.ports import free_port
from embctl.model import Port, StackSpec
from embctl.outcomes import Finding, Verdict
from fakes.fake_engine import FakeEngine
from fakes.scenes import examined, make_scene
from fakes.stacks import make_stack, with_service


@pytest.fixture
def taken() -> Iterator[int]:
    """A port on which this process listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def stack(qdrant_port: int) -> StackSpec:
    spec = make_stack()
    port = Port(host_ip="127.0.0.1", published=qdrant_port, target=6333)
    return with_service(spec, replace(spec.service("qdrant"), ports=(port,)))


def qdrant(folder: Path, spec: StackSpec, engine: FakeEngine | None = None) -> Finding:
    with make_scene(folder, engine, spec=spec) as scene:
        return examined(PORTS, scene)["ports.qdrant"]


def test_a_port_that_another_process_has_fails_with_its_owner_even_without_an_engine(
    tmp_path: Path, taken: int
) -> None:
    seen = qdrant(tmp_path, stack(taken))
    assert seen.verdict is Verdict.FAIL
    assert f"pid {os.getpid()}" in seen.evidence
    assert "EMBCTL_QDRANT_PORT" in seen.fix


def test_a_free_port_is_well(tmp_path: Path) -> None:
    assert qdrant(tmp_path, stack(free_port())).verdict is Verdict.OK


def test_a_port_that_a_strange_container_has_fails_with_its_name(tmp_path: Path) -> None:
    engine = FakeEngine()
    engine.add_container("old-qdrant", ports=(Port(host_ip="", published=6333, target=6333),))
    seen = qdrant(tmp_path, make_stack(), engine)
    assert seen.verdict is Verdict.FAIL
    assert "old-qdrant" in seen.evidence


def test_a_port_that_our_own_container_has_is_well(tmp_path: Path, taken: int) -> None:
    spec = stack(taken)
    engine = FakeEngine(images=(spec.service("qdrant").image,))
    engine.start_container(
        engine.create_container(spec.project, replace(spec.service("qdrant"), mounts=(), networks=()))
    )
    seen = qdrant(tmp_path, spec, engine)
    assert (seen.verdict, seen.evidence) == (Verdict.OK, f"qdrant has port {taken}")
