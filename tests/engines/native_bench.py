"""The workbench on the native runtime: a state folder of its own, and a module that does what a test's program says."""

import os
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psutil

from embctl.engine.base import Engine
from embctl.engine.native.container import Container
from embctl.engine.native.engine import NativeEngine
from embctl.engine.native.home import Home
from embctl.engine.native.identity import identify, kill
from embctl.model import NativeSpec, Port, ServiceSpec, StackSpec
from engines.bench import probe_stack
from engines.programs import SLEEPS, Program

__all__ = ["MODULE", "NativeBench", "native_bench"]

MODULE = "program"
SCRIPT = """import os
os.execv("/bin/sh", ("sh", "-c", os.environ["PROGRAM"]))
"""


class NativeBench:
    """In `folder`; every process that it brings about carries the bench's mark and ends with it."""

    memory_limit = 0
    no_image_code = "server_missing"
    owner_kind = "service"

    def __init__(self, folder: Path) -> None:
        self.project = f"t{uuid.uuid4().hex[:8]}"
        self.state = folder / "state"
        self.data = folder / "data"
        self.server = folder / "server"
        (self.server / MODULE).mkdir(parents=True)
        (self.server / MODULE / "__main__.py").write_text(SCRIPT)
        self.home = Home(self.state, self.data)
        self.engine: Engine = self.another_engine()
        self._sockets: list[socket.socket] = []

    def another_engine(self) -> NativeEngine:
        """As another embctl would have it, on the same folders."""
        return NativeEngine(state=self.state, data=self.data, server=self.server)

    def stack(self, program: Program = SLEEPS) -> StackSpec:
        """See Bench."""
        return self.stack_of(self.project, program)

    def stack_of(self, project: str, program: Program = SLEEPS) -> StackSpec:
        """The same for another project."""
        spec = probe_stack(project, "test/native:1", program)
        native = NativeSpec(
            module=MODULE,
            environment={"PROGRAM": program.script, "BENCH": self.project},
            folders={"DATA": spec.volumes[0].name},
        )
        return replace(spec, services=(replace(spec.services[0], native=native),))

    def without_image(self, service: ServiceSpec) -> ServiceSpec:
        """See Bench."""
        return replace(service, native=NativeSpec(module="nowhere", environment={}, folders={}))

    def add_foreign(self, name: str, port: Port | None = None) -> None:
        """See Bench."""
        service = self.stack().services[0]
        service = replace(service, container_name=name, ports=(port,) if port else (), networks=())
        container = self.container(self.engine.create_container(f"{self.project}-other", service))
        definition = container.definition()
        assert definition
        container.define(replace(definition, labels={}))
        self.engine.start_container(container.id)

    def listen(self, port: int) -> None:
        """See Bench."""
        self._sockets.append(socket.create_server(("127.0.0.1", port)))

    def container(self, container_id: str) -> Container:
        """The folder of that container."""
        return Container(state=self.state, id=container_id)

    def clear(self) -> None:
        """End all that was started, also what no record tells of any more."""
        for held in self._sockets:
            held.close()
        for process in psutil.process_iter(["pid", "environ", "cmdline"]):
            marked = (process.info["environ"] or {}).get("BENCH") == self.project
            supervisor = str(self.state) in " ".join(process.info["cmdline"] or ())
            if (marked or supervisor) and process.pid != os.getpid() and (found := identify(process.pid)):
                kill(found)


@contextmanager
def native_bench(folder: Path) -> Iterator[NativeBench]:
    """A bench in an empty `folder`, cleared at the end whatever happened."""
    bench = NativeBench(folder)
    try:
        yield bench
    finally:
        bench.clear()
