"""What starts, stops, waits and looks found or did."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from embctl.model import EngineInfo
from embctl.plan import Plan

__all__ = ["Changed", "Planned", "Ready", "ServiceReady", "ServiceStatus", "Started", "Status", "Streamed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A plan that was only computed."""

    plan: Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A plan that was carried out."""

    plan: Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceReady:
    """A service that answered: the step it reached, how long that took, where it is, what it says of itself."""

    service: str
    stage: str
    seconds: float
    url: str
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A plan that was carried out and the services that it made ready."""

    plan: Plan
    services: tuple[ServiceReady, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """Services that were waited for or warmed; nothing was changed."""

    services: tuple[ServiceReady, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceStatus:
    """One service now. `state` is "absent" without a container; figures are None where nothing could be asked.

    `unsupervised` says that nobody would start it again after a crash; `stage` is the last step of readiness reached,
    None when nothing answers; `memory` is anonymous memory, without page cache; `facts` are the service's own (model
    and dimension; version and points per collection)."""

    service: str
    state: str
    health: str
    stage: str | None
    url: str
    image: str
    stand_in: str | None
    drifted: bool
    unsupervised: bool
    exit_code: int | None
    oom_killed: bool
    started_at: datetime | None
    uptime: float | None
    restarts: int
    cpu_percent: float | None
    memory: int | None
    memory_limit: int | None
    detail: str
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """The whole stack now."""

    project: str
    engine: EngineInfo
    services: tuple[ServiceStatus, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Streamed:
    """Log lines went out while the command ran; this many."""

    lines: int
