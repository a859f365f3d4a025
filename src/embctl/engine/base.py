"""The seam to container engines: a dozen methods, each one engine call. Implementations decide nothing: no retries, no
ordering, no policy; they translate names and raise `EmbctlError`s that name the thing, the reason and the next step."""

from collections.abc import Callable, Iterator
from datetime import datetime
from threading import Event as Cancel
from typing import Protocol

from embctl.events import Progress
from embctl.model import (
    EngineInfo,
    LogLine,
    NetworkSpec,
    Observed,
    ObservedContainer,
    ResourceUse,
    ServiceSpec,
    StackSpec,
    VolumeSpec,
)

__all__ = ["Cancel", "Engine", "OnProgress"]

OnProgress = Callable[[Progress], None]


class Engine(Protocol):
    """A container engine. Every method may raise EngineUnreachable when the engine goes away, Failed when it
    refuses."""

    def info(self) -> EngineInfo:
        """The engine that answers."""

    def observe(self, spec: StackSpec) -> Observed:
        """The state that a plan for `spec` depends on, taken once; `port_owners` lists other containers and, on a local
        engine, other processes that hold a port of `spec`; the project's own containers never appear among them."""

    def inspect(self, container_id: str) -> ObservedContainer:
        """One container, now. Failed(code="container_gone") when it no longer exists."""

    def pull_image(self, reference: str, on_progress: OnProgress, cancel: Cancel) -> None:
        """Fetch an image with progress in bytes over all layers. Stops early, raising Interrupted, once `cancel` is
        set."""

    def build_image(self, service: ServiceSpec, on_progress: OnProgress, cancel: Cancel) -> None:
        """Build `service.image` from `service.build`, labelled with the build digest. Progress counts Dockerfile
        steps; a failing step's last output lines are in the error. Stops early, raising Interrupted, once `cancel` is
        set."""

    def create_network(self, project: str, network: NetworkSpec) -> None:
        """Create a bridge network with our labels and compose's."""

    def create_volume(self, project: str, volume: VolumeSpec) -> None:
        """Create a named volume with our labels and compose's."""

    def create_container(self, project: str, service: ServiceSpec) -> str:
        """Create (not start) the container with our labels and compose's; returns its id."""

    def rename_container(self, container_id: str, name: str) -> None:
        """Give a container, running or not, another name. Conflict(code="name_taken") when somebody has it."""

    def start_container(self, container_id: str) -> None:
        """Start a created or stopped container, or unpause a paused one. One that runs unsupervised runs on, under a
        supervisor again."""

    def stop_container(self, container_id: str, grace: float) -> None:
        """SIGTERM, then SIGKILL after `grace` seconds. Stopping what is stopped is no error."""

    def remove_container(self, container_id: str) -> None:
        """Remove a stopped container and its anonymous volumes. Removing what is gone is no error."""

    def remove_network(self, name: str) -> None:
        """Remove a network. Removing what is gone is no error."""

    def remove_volume(self, name: str) -> None:
        """Remove a named volume and all that is in it. Removing what is gone is no error."""

    def run_once(
        self,
        project: str,
        service: ServiceSpec,
        command: tuple[str, ...],
        on_line: Callable[[str], None],
        cancel: Cancel,
    ) -> int:
        """Run `command` in a throw-away container of the service (its image, mounts, environment; no ports, no
        restart), hand over each line of its output, remove it whatever happens, and return its exit code."""

    def logs(
        self,
        container: ObservedContainer,
        *,
        follow: bool,
        tail: int | None,
        since: datetime | None,
        cancel: Cancel,
    ) -> Iterator[LogLine]:
        """The container's output, oldest first, timestamps always filled; with `follow` until it ends or `cancel`."""

    def stats(self, container_id: str) -> ResourceUse:
        """One sample of the container's resources."""

    def close(self) -> None:
        """Give back connections."""
