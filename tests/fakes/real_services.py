"""Both services as processes with a real model, under an engine in memory: for flows that ask what runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from embctl.flows.context import Context
from embctl.flows.start import start
from embctl.model import Port
from embstore_process import StoreProcess
from fakes.contexts import context_on
from fakes.embserver_process import running
from fakes.fake_engine import FakeEngine
from fakes.minilm_folder import minilm_folder
from fakes.stacks import make_stack, with_service

__all__ = ["Services", "real_services"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Where they listen."""

    qdrant: int
    jina: int

    @contextmanager
    def context(self, folder: Path) -> Iterator[Context]:
        """A project in which they run."""
        spec = make_stack()
        for name, port in (("qdrant", self.qdrant), ("jina", self.jina)):
            published = (Port(host_ip="127.0.0.1", published=port, target=spec.service(name).ports[0].target),)
            spec = with_service(spec, replace(spec.service(name), ports=published))
        with context_on(FakeEngine(), spec, folder) as context:
            start(context, ("qdrant", "jina"), wait=False)
            yield context


@contextmanager
def real_services(folder: Path) -> Iterator[Services]:
    """Both, until the block ends."""
    settings = {"EMBSERVER_MODEL": str(minilm_folder()), "EMBSERVER_MODELS_DIR": str(folder / "models")}
    with StoreProcess(folder / "store") as store, running(settings) as server:
        server.event("ready")
        yield Services(qdrant=store.port, jina=server.event("listening")["port"])
