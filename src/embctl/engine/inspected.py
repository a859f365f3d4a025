"""What the engine's API answers, as embctl's nouns: pure translation of inspections, samples and versions."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from embctl.model import (
    ContainerState,
    Health,
    Label,
    ObservedContainer,
    ObservedImage,
    ObservedNetwork,
    ObservedVolume,
    Port,
    ResourceUse,
)

__all__ = ["container", "engine_flavour", "image", "listed_ports", "moment", "network", "resource_use", "volume"]

MOMENT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)")
# Docker's states, and Podman's beyond them.
STATES = {state.value: state for state in ContainerState} | {
    "configured": ContainerState.CREATED,
    "initialized": ContainerState.CREATED,
    "stopping": ContainerState.RUNNING,
    "stopped": ContainerState.EXITED,
}
HEALTH = {health.value: health for health in Health}
NO_EXIT_YET = frozenset({ContainerState.CREATED, ContainerState.RUNNING, ContainerState.PAUSED})


def moment(text: str) -> datetime | None:
    """The engine's timestamp (nanoseconds, any zone) as UTC; None for its zero time and for what is no timestamp."""
    match = MOMENT.fullmatch(text)
    if match is None or text.startswith("0001-"):
        return None
    seconds, fraction, zone = match.groups()
    return datetime.fromisoformat(f"{seconds}.{(fraction or '0').ljust(6, '0')[:6]}{zone}").astimezone(UTC)


def container(inspection: Mapping[str, Any]) -> ObservedContainer:
    """From `GET /containers/{id}/json`. The exit code is that of the last exit, None while the first run goes on."""
    state, config = inspection["State"], inspection["Config"]
    labels = config.get("Labels") or {}
    status = _state(state)
    return ObservedContainer(
        id=inspection["Id"],
        name=inspection["Name"].removeprefix("/"),
        project=labels.get(Label.PROJECT),
        service=labels.get(Label.SERVICE),
        config_hash=labels.get(Label.CONFIG_HASH),
        image=config["Image"],
        image_id=inspection["Image"],
        state=status,
        health=HEALTH.get((state.get("Health") or {}).get("Status", ""), Health.NONE),
        exit_code=None if status in NO_EXIT_YET else state["ExitCode"],
        oom_killed=bool(state.get("OOMKilled")),
        error=state.get("Error") or "",
        started_at=moment(state["StartedAt"]),
        restarts=inspection.get("RestartCount", 0),
        ports=_bound_ports(inspection),
        labels=labels,
        mounted={
            mount["Destination"]: name
            for mount in inspection.get("Mounts") or ()
            if (name := mount.get("Name") or mount.get("Source"))  # a tmpfs has neither
        },
    )


def _state(state: Mapping[str, Any]) -> ContainerState:
    """A word that no engine was known to use is read by the flag beside it: what runs must not be taken for gone."""
    known = STATES.get(state["Status"])
    if known is not None:
        return known
    return ContainerState.RUNNING if state.get("Running") else ContainerState.EXITED


def _bound_ports(inspection: Mapping[str, Any]) -> tuple[Port, ...]:
    """The ports asked for, which a stopped container has too; a port left to the engine is known only while it runs."""
    given = (inspection.get("NetworkSettings") or {}).get("Ports") or {}
    asked = inspection["HostConfig"].get("PortBindings") or {}
    return tuple(
        Port(host_ip=binding.get("HostIp", ""), published=int(binding["HostPort"]), target=int(target.split("/")[0]))
        for target, bindings in asked.items()
        if target.endswith("/tcp")
        for binding in (given.get(target) or bindings or ())
        if binding.get("HostPort", "").isdigit()
    )


def listed_ports(listing: Mapping[str, Any]) -> tuple[Port, ...]:
    """From one entry of `GET /containers/json`: the TCP ports published now."""
    return tuple(
        Port(host_ip=port.get("IP", ""), published=port["PublicPort"], target=port["PrivatePort"])
        for port in listing.get("Ports") or ()
        if port.get("Type") == "tcp" and port.get("PublicPort")
    )


def image(reference: str, inspection: Mapping[str, Any]) -> ObservedImage:
    """From `GET /images/{reference}/json`."""
    return ObservedImage(
        reference=reference,
        id=inspection["Id"],
        labels=(inspection.get("Config") or {}).get("Labels") or {},
    )


def volume(listing: Mapping[str, Any]) -> ObservedVolume:
    """From one entry of `GET /volumes`."""
    return ObservedVolume(name=listing["Name"], project=(listing.get("Labels") or {}).get(Label.PROJECT))


def network(listing: Mapping[str, Any]) -> ObservedNetwork:
    """From one entry of `GET /networks`."""
    return ObservedNetwork(name=listing["Name"], project=(listing.get("Labels") or {}).get(Label.PROJECT))


def resource_use(sample: Mapping[str, Any], *, machine_memory: int) -> ResourceUse:
    """From `GET /containers/{id}/stats`; all zero when it does not run.

    The counters are those of cgroup v2, else of v1. An engine reports the machine's memory where there is no limit.
    """
    memory = sample.get("memory_stats") or {}
    counters = memory.get("stats") or {}
    limit = memory.get("limit", 0)
    return ResourceUse(
        cpu_percent=_cpu_percent(sample.get("cpu_stats") or {}, sample.get("precpu_stats") or {}),
        memory_anonymous=_first(counters, ("anon", "total_rss", "rss"), otherwise=memory.get("usage", 0)),
        memory_limit=limit if limit < machine_memory else 0,
    )


def _first(counters: Mapping[str, int], names: Iterable[str], *, otherwise: int) -> int:
    return next((counters[name] for name in names if name in counters), otherwise)


def _cpu_percent(now: Mapping[str, Any], before: Mapping[str, Any]) -> float:
    """The container's share of all processors' time between two readings, times their number."""
    machine = now.get("system_cpu_usage", 0) - before.get("system_cpu_usage", 0)
    if machine <= 0 or not before.get("system_cpu_usage"):
        return 0.0
    used: int = now["cpu_usage"]["total_usage"] - before["cpu_usage"]["total_usage"]
    cores: int = now.get("online_cpus") or len(now["cpu_usage"].get("percpu_usage") or (0,))
    return max(0.0, float(100 * cores * used / machine))


def engine_flavour(version: Mapping[str, Any], info: Mapping[str, Any]) -> str:
    """The product that answers, from `GET /version` and `GET /info`."""
    components = [component.get("Name", "") for component in version.get("Components") or ()]
    if any(name.startswith("Podman") for name in components):
        return "Podman"
    system, host = info.get("OperatingSystem", ""), info.get("Name", "")
    for product, marks in (
        ("Docker Desktop", ("docker desktop", "docker-desktop")),
        ("OrbStack", ("orbstack",)),
        ("Rancher Desktop", ("rancher desktop", "rancher-desktop")),
        ("Colima", ("colima",)),
        ("Lima", ("lima-",)),
    ):
        if any(mark in f"{system}\n{host}".lower() for mark in marks):
            return product
    return "Docker Engine"
