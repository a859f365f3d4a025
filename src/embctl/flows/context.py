"""Everything a flow is given: settings and definition, and the effects (engine, HTTP, time, prompts) as parameters."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from embctl.clock import Clock
from embctl.engine.base import Cancel, Engine
from embctl.events import Sink
from embctl.http import Http
from embctl.model import ObservedContainer, StackSpec
from embctl.probes import Endpoint
from embctl.settings import Settings

__all__ = ["Context"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The surroundings of one command. `connect` dials the engine on first use; `confirm` asks a yes/no question and
    is False where nobody can answer. `remembered_file` keeps what the project's last start decided. `dimension` is the
    length of the wanted model's vectors, where it is known."""

    settings: Settings
    spec: StackSpec
    connect: Callable[[], Engine]
    http: Http
    clock: Clock
    emit: Sink
    cancel: Cancel
    state_dir: Path
    remembered_file: Path
    wait_for_lock: bool
    confirm: Callable[[str], bool]
    dimension: int | None

    def endpoint(self, service: str, container: ObservedContainer | None = None) -> Endpoint:
        """Where a service answers from this machine: what runs keeps the port it was made with, whatever the settings
        have said since."""
        keys = {"qdrant": self.settings.qdrant_api_key, "jina": self.settings.jina_api_key}
        wanted = self.spec.service(service).ports[0]
        there = (port.published for port in container.ports if port.target == wanted.target) if container else ()
        port = next(iter(there), wanted.published)
        return Endpoint(service=service, url=f"http://127.0.0.1:{port}", api_key=keys[service] or None)
