"""A container's definition, as the record keeps it, from its service's. Pure."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from embctl.engine.labels import container_labels, oneoff_labels
from embctl.engine.native.records import Definition
from embctl.engine.native.segments import log_size
from embctl.model import NativeSpec, ObservedImage, Runtime, ServiceSpec

__all__ = ["Ground", "oneoff_definition", "service_definition"]

# Docker's word for the interpreter of an image; here it is embctl's own.
PYTHON = "python"
LOG_SIZE = 10_000_000
LOG_FILES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What every service stands on: an interpreter, the folder `server` with the modules, a folder for each volume."""

    python: str
    server: Path
    volume: Callable[[str], Path]


def service_definition(
    ground: Ground, project: str, service: ServiceSpec, native: NativeSpec, image: ObservedImage
) -> Definition:
    """The service's own container."""
    return Definition(
        id=secrets.token_hex(32),
        name=service.container_name,
        labels=container_labels(project, service, Runtime.NATIVE),
        image=native.module,
        image_id=image.id,
        argv=_argv(ground, (PYTHON, "-m", native.module)),
        environment={
            **service.environment,
            **native.environment,
            **{variable: str(ground.volume(name)) for variable, name in native.folders.items()},
        },
        search_path=str(ground.server),
        volumes=service.volumes,
        networks=service.networks,
        ports=tuple((port.host_ip, port.published, port.target) for port in service.ports),
        restart=service.restart,
        grace=service.stop_grace_period,
        log_size=_size(service.log_options.get("max-size", "")),
        log_files=_count(service.log_options.get("max-file", "")),
        open_files=max((limit.soft for limit in service.ulimits if limit.name == "nofile"), default=0),
    )


def oneoff_definition(
    ground: Ground,
    project: str,
    service: ServiceSpec,
    native: NativeSpec,
    image: ObservedImage,
    *,
    name: str,
    command: tuple[str, ...],
) -> Definition:
    """A throw-away container of the service: exactly `command`, no ports, no restart."""
    return replace(
        service_definition(ground, project, service, native, image),
        name=name,
        labels=oneoff_labels(project, service, Runtime.NATIVE),
        argv=_argv(ground, command),
        ports=(),
        restart="no",
    )


def _argv(ground: Ground, command: tuple[str, ...]) -> tuple[str, ...]:
    # Not from the folder it runs in, where -m would look first.
    return (ground.python, "-P", *command[1:]) if command[0] == PYTHON else command


def _size(text: str) -> int:
    try:
        return log_size(text)
    except ValueError:
        return LOG_SIZE


def _count(text: str) -> int:
    return max(1, int(text)) if text.isdecimal() else LOG_FILES
