"""The same workbench on every engine; here the fake one, and a real one with an image made here, without a registry.
The native one has a module of its own."""

import io
import os
import shutil
import socket
import tarfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import docker
import docker.errors
import pytest

from embctl.engine.base import Engine
from embctl.engine.connect import connect
from embctl.engine.docker_sdk import DockerEngine
from embctl.errors import EngineUnreachable
from embctl.model import Label, Port, ServiceSpec, StackSpec
from engines.programs import SLEEPS, Program
from fakes.fake_engine import FakeEngine
from fakes.stacks import make_stack

__all__ = [
    "MEMORY",
    "Bench",
    "ContainerBench",
    "RealBench",
    "RealEngine",
    "fake_bench",
    "free_port",
    "probe_stack",
    "real_bench",
    "real_engine",
]

MEMORY = 64 << 20
NOWHERE = "127.0.0.1:1/nowhere:1"


class Bench(Protocol):
    """An engine and what a test needs around it; everything it makes belongs to `project` and goes at the end.

    `memory_limit` is what a sample of the probe must tell, `no_image_code` the error when its image cannot be had,
    `owner_kind` what a port is said to be taken by."""

    engine: Engine
    project: str
    memory_limit: int
    no_image_code: str
    owner_kind: str

    def stack(self, program: Program = SLEEPS) -> StackSpec:
        """One service named `probe` that does `program`; its network and volume are not created yet."""

    def add_foreign(self, name: str, port: Port | None = None) -> None:
        """A running container that embctl did not make."""

    def without_image(self, service: ServiceSpec) -> ServiceSpec:
        """The service, changed so that its image is not there and cannot be had."""

    def listen(self, port: int) -> None:
        """Let this process hold `port` on 127.0.0.1 until the end."""


class ContainerBench(Bench, Protocol):
    """An engine that has containers in the proper sense: with images of their own, and the means to freeze them."""

    def pause(self, container_id: str) -> None:
        """Freeze a container, as a user might."""


def probe_stack(project: str, image: str, program: Program) -> StackSpec:
    """The stack of a bench: one service that does `program`."""
    base = make_stack(project)
    qdrant = base.service("qdrant")
    service = replace(
        qdrant,
        name="probe",
        image=image,
        container_name=f"{project}-probe",
        command=program.command,
        ports=(Port(host_ip="127.0.0.1", published=free_port(), target=8000),),
        restart="no",
        stop_grace_period=1.0,
        mem_limit=MEMORY,
        memswap_limit=MEMORY,
        log_options={"max-size": "1m"},
    )
    return replace(base, services=(service,), volumes=base.volumes[:1])


def free_port() -> int:
    """A port that nobody holds now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


class FakeBench:
    """On the fake engine."""

    memory_limit = MEMORY
    no_image_code = "pull_failed"
    owner_kind = "container"

    def __init__(self) -> None:
        self.project = f"t{uuid.uuid4().hex[:8]}"
        self.fake = FakeEngine(images=("test/tiny:1",), registry=frozenset())
        self.engine: Engine = self.fake

    def stack(self, program: Program = SLEEPS) -> StackSpec:
        """See Bench."""
        self.fake.behave("probe", program.behaviour)
        return probe_stack(self.project, "test/tiny:1", program)

    def without_image(self, service: ServiceSpec) -> ServiceSpec:
        """See Bench."""
        return replace(service, image=NOWHERE)

    def add_foreign(self, name: str, port: Port | None = None) -> None:
        """See Bench."""
        self.fake.add_container(name, ports=(port,) if port else ())

    def pause(self, container_id: str) -> None:
        """See Bench."""
        self.fake.pause(container_id)

    def listen(self, port: int) -> None:
        """See Bench."""
        self.fake.add_process(port, "python", os.getpid())


class RealBench:
    """On a container engine; `client` is for what no embctl would do."""

    memory_limit = MEMORY
    no_image_code = "pull_failed"
    owner_kind = "container"

    def __init__(self, engine: DockerEngine, client: docker.APIClient, image: str) -> None:
        self.project = f"t{uuid.uuid4().hex[:8]}"
        self.engine: Engine = engine
        self.client = client
        self.image = image
        self._sockets: list[socket.socket] = []
        self._foreign: list[str] = []

    def stack(self, program: Program = SLEEPS) -> StackSpec:
        """See Bench."""
        return probe_stack(self.project, self.image, program)

    def without_image(self, service: ServiceSpec) -> ServiceSpec:
        """See Bench."""
        return replace(service, image=NOWHERE)

    def add_foreign(self, name: str, port: Port | None = None) -> None:
        """See Bench."""
        service = replace(self.stack().service("probe"), container_name=name, ports=(port,) if port else ())
        body = self.client.create_container_from_config(  # type: ignore[no-untyped-call]  # docker-py's has no types
            {
                "Image": self.image,
                "Cmd": list(SLEEPS.command),
                "ExposedPorts": {f"{p.target}/tcp": {} for p in service.ports},
                "HostConfig": {
                    "Init": True,
                    "PortBindings": {
                        f"{p.target}/tcp": [{"HostIp": p.host_ip, "HostPort": str(p.published)}] for p in service.ports
                    },
                },
            },
            name,
        )
        self._foreign.append(body["Id"])
        self.client.start(body["Id"])

    def pause(self, container_id: str) -> None:
        """See Bench."""
        self.client.pause(container_id)

    def listen(self, port: int) -> None:
        """See Bench."""
        self._sockets.append(socket.create_server(("127.0.0.1", port)))

    def clear(self) -> None:
        """Remove all that belongs to the project, whatever state it is in."""
        for held in self._sockets:
            held.close()
        own = {"label": f"{Label.PROJECT.value}={self.project}"}
        for container in [entry["Id"] for entry in self.client.containers(all=True, filters=own)] + self._foreign:
            with suppress(docker.errors.NotFound):
                self.client.remove_container(container, force=True, v=True)
        for network in self.client.networks(filters=own):
            self.client.remove_network(network["Id"])
        for volume in self.client.volumes()["Volumes"] or ():
            if volume["Name"].startswith(self.project):
                self.client.remove_volume(volume["Name"])
        for image in self.client.images(name=f"{self.project}/*"):
            self.client.remove_image(image["Id"], force=True)


@contextmanager
def fake_bench() -> Iterator[FakeBench]:
    """A bench on a new fake engine."""
    yield FakeBench()


@dataclass(frozen=True, slots=True, kw_only=True)
class RealEngine:
    """The engine of this machine, docker-py's client of it, and the name of a tiny image on it."""

    engine: DockerEngine
    client: docker.APIClient
    image: str


@contextmanager
def real_engine() -> Iterator[RealEngine]:
    """The engine of this machine for a while; the test is skipped where none answers, except in CI."""
    try:
        filesystem = _root_filesystem()
        engine = connect(host="", context="", env=os.environ, home=Path.home())
    except (EngineUnreachable, FileNotFoundError) as missing:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"needs a container engine and a static busybox: {missing}")
    client = docker.APIClient(base_url=engine.info().address, version="auto")
    name = f"embctl-test-{uuid.uuid4().hex[:8]}/tiny"
    try:
        client.import_image_from_data(filesystem, repository=name, tag="1")
        yield RealEngine(engine=engine, client=client, image=f"{name}:1")
    finally:
        with suppress(docker.errors.NotFound):
            client.remove_image(f"{name}:1", force=True)
        client.close()
        engine.close()


@contextmanager
def real_bench(machine: RealEngine) -> Iterator[RealBench]:
    """A bench on a real engine, cleared at the end whatever happened."""
    bench = RealBench(machine.engine, machine.client, machine.image)
    try:
        yield bench
    finally:
        bench.clear()


def _root_filesystem() -> bytes:
    """Busybox, the programs that tests use as links to it, and folders to mount on."""
    busybox = shutil.which("busybox")
    if busybox is None or _needs_libraries(Path(busybox).read_bytes()):
        raise FileNotFoundError("no static busybox (on Debian: apt-get install busybox-static)")
    buffer = io.BytesIO()
    with tarfile.open(mode="w", fileobj=buffer) as archive:
        archive.add(Path(busybox).resolve(), arcname="bin/busybox")
        for name in ("sh", "sleep", "echo", "cat", "tail", "printf", "id", "touch", "true", "false", "ls"):
            link = tarfile.TarInfo(f"bin/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            archive.addfile(link)
        for name, mode in (("tmp", 0o1777), ("data", 0o777), ("proc", 0o755), ("etc", 0o755)):
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode = tarfile.DIRTYPE, mode
            archive.addfile(folder)
    return buffer.getvalue()


def _needs_libraries(elf: bytes) -> bool:
    """Whether a 64-bit little-endian ELF program names an interpreter, which a bare image has not."""
    offset = int.from_bytes(elf[32:40], "little")
    size, count = (int.from_bytes(elf[at : at + 2], "little") for at in (54, 56))
    interpreter = 3
    return any(
        int.from_bytes(elf[at : at + 4], "little") == interpreter for at in range(offset, offset + size * count, size)
    )
