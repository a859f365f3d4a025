"""What the looks are given: what is wanted, what the engine showed, and the effects as parameters."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from embctl.engine.base import Cancel, Engine
from embctl.errors import EmbctlError
from embctl.http import HttpClient
from embctl.model import ContainerState, EngineInfo, Observed, ObservedContainer, Runtime, StackSpec
from embctl.outcomes import EditorStatus
from embctl.probes import Endpoint
from embctl.settings import Settings

__all__ = ["EngineSeen", "Scene"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSeen:
    """What one look at the engine gave; `trouble` is why the rest is None."""

    engine: Engine | None = None
    info: EngineInfo | None = None
    observed: Observed | None = None
    trouble: EmbctlError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """The surroundings of one examination. `platform` as in `sys.platform`; `endpoints` by service; `editors` tells
    what each editor has of ours."""

    settings: Settings
    spec: StackSpec
    env: Mapping[str, str]
    home: Path
    platform: str
    seen: EngineSeen
    endpoints: Mapping[str, Endpoint]
    http: HttpClient
    cancel: Cancel
    editors: Callable[[], tuple[EditorStatus, ...]]

    @property
    def runtime(self) -> Runtime | None:
        """What the services run as; None where nothing answers."""
        return self.seen.info.runtime if self.seen.info else None

    def container(self, service: str) -> ObservedContainer | None:
        """The container that counts as that service's."""
        return self.seen.observed.container_of(self.spec.project, service) if self.seen.observed else None

    def out_of_reach(self, service: str) -> str:
        """Why the service cannot be asked anything over HTTP; empty when it can."""
        if self.seen.info is None or self.seen.observed is None:
            return "what runs cannot be seen (engine.reachable)"
        if not self.seen.info.local:
            return "the engine is on another machine (engine.reachable)"
        container = self.container(service)
        if container is None or container.state is not ContainerState.RUNNING:
            return f"{service} does not run (containers.{service})"
        return ""
