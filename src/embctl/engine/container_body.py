"""What the engine's API is sent to create a container: pure translation of a `ServiceSpec`, nothing left out."""

from collections.abc import Mapping
from typing import Any

from embctl.engine.labels import container_labels, oneoff_labels
from embctl.model import HealthcheckSpec, MountKind, Runtime, ServiceSpec

__all__ = ["oneoff_body", "service_body"]

NANOSECONDS = 1_000_000_000


def service_body(project: str, service: ServiceSpec) -> dict[str, Any]:
    """The body for the service's own container."""
    body = _common(service)
    body["Labels"] = container_labels(project, service, Runtime.DOCKER)
    body["ExposedPorts"] = {f"{port.target}/tcp": {} for port in service.ports}
    body["StopTimeout"] = round(service.stop_grace_period)
    if service.command is not None:
        body["Cmd"] = list(service.command)
    if service.entrypoint is not None:
        body["Entrypoint"] = list(service.entrypoint)
    if service.healthcheck is not None:
        body["Healthcheck"] = _healthcheck(service.healthcheck)
    bindings: dict[str, list[Mapping[str, str]]] = {}
    for port in service.ports:
        binding = {"HostIp": port.host_ip, "HostPort": str(port.published)}
        bindings.setdefault(f"{port.target}/tcp", []).append(binding)
    body["HostConfig"] |= {"PortBindings": bindings, "RestartPolicy": {"Name": service.restart}}
    return body


def oneoff_body(project: str, service: ServiceSpec, command: tuple[str, ...]) -> dict[str, Any]:
    """The body for a throw-away container of the service: exactly `command`, no ports, no healthcheck, no restart."""
    return {
        **_common(service),
        "Labels": oneoff_labels(project, service, Runtime.DOCKER),
        "Entrypoint": list(command),
        "Cmd": [],
        "Healthcheck": {"Test": ["NONE"]},
    }


def _common(service: ServiceSpec) -> dict[str, Any]:
    host = {
        "Mounts": [
            {"Type": "volume", "Source": mount.source, "Target": mount.target, "ReadOnly": mount.read_only}
            for mount in service.mounts
            if mount.kind is MountKind.VOLUME
        ],
        # Not among the mounts: only here do the engine's defaults (mode 1777, nosuid, nodev, noexec) apply.
        "Tmpfs": {mount.target: "" for mount in service.mounts if mount.kind is MountKind.TMPFS},
        "Runtime": service.container_runtime,
        "Init": service.init,
        "ReadonlyRootfs": service.read_only,
        "Memory": service.mem_limit,
        "MemorySwap": service.memswap_limit,
        "PidsLimit": service.pids_limit,
        "Ulimits": [{"Name": limit.name, "Soft": limit.soft, "Hard": limit.hard} for limit in service.ulimits],
        "CapDrop": list(service.cap_drop),
        "SecurityOpt": list(service.security_opt),
        "LogConfig": {"Type": service.log_driver, "Config": dict(service.log_options)},
    }
    if service.networks:
        host["NetworkMode"] = service.networks[0]
    body: dict[str, Any] = {
        "Image": service.image,
        "Env": [f"{name}={value}" for name, value in service.environment.items()],
        "HostConfig": host,
        "NetworkingConfig": {"EndpointsConfig": {network: {"Aliases": [service.name]} for network in service.networks}},
    }
    if service.user is not None:
        body["User"] = service.user
    return body


def _healthcheck(check: HealthcheckSpec) -> Mapping[str, Any]:
    return {
        "Test": list(check.test),
        "Interval": round(check.interval * NANOSECONDS),
        "Timeout": round(check.timeout * NANOSECONDS),
        "Retries": check.retries,
        "StartPeriod": round(check.start_period * NANOSECONDS),
    }
