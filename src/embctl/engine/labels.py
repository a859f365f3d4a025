"""The labels that things carry on the engine: ours, by which embctl finds them again, and compose's own, by which
Docker Desktop and `docker compose -p PROJECT ps|logs|stop` show them as one project. Pure."""

from collections.abc import Mapping

from embctl import __version__
from embctl.model import Label, NetworkSpec, Runtime, ServiceSpec, VolumeSpec

__all__ = ["container_labels", "network_labels", "oneoff_labels", "volume_labels"]

COMPOSE = "com.docker.compose"
COMPOSE_VERSION = "2.40.0"  # tools parse it as compose's own version; the labels written here are those of 2.x


def container_labels(project: str, service: ServiceSpec, runtime: Runtime) -> dict[str, str]:
    """The labels of a service's container; the definition's own come first and cannot displace these."""
    return {
        **service.labels,
        Label.PROJECT.value: project,
        Label.SERVICE.value: service.name,
        Label.CONFIG_HASH.value: service.hash_on(runtime),
        Label.VERSION.value: __version__,
        **_compose(project, service, runtime, oneoff=False),
        f"{COMPOSE}.container-number": "1",
    }


def oneoff_labels(project: str, service: ServiceSpec, runtime: Runtime) -> dict[str, str]:
    """The labels of a throw-away container: the project's, so that a leftover is found, but never the service's."""
    return {
        **service.labels,
        Label.PROJECT.value: project,
        Label.VERSION.value: __version__,
        **_compose(project, service, runtime, oneoff=True),
    }


def volume_labels(project: str, volume: VolumeSpec) -> dict[str, str]:
    """The labels of a named volume."""
    return {**_owned(project), f"{COMPOSE}.volume": volume.key}


def network_labels(project: str, network: NetworkSpec) -> dict[str, str]:
    """The labels of a network."""
    return {**_owned(project), f"{COMPOSE}.network": network.key}


def _owned(project: str) -> Mapping[str, str]:
    return {
        Label.PROJECT.value: project,
        Label.VERSION.value: __version__,
        f"{COMPOSE}.project": project,
        f"{COMPOSE}.version": COMPOSE_VERSION,
    }


def _compose(project: str, service: ServiceSpec, runtime: Runtime, *, oneoff: bool) -> Mapping[str, str]:
    return {
        f"{COMPOSE}.project": project,
        f"{COMPOSE}.service": service.name,
        f"{COMPOSE}.config-hash": service.hash_on(runtime),
        f"{COMPOSE}.oneoff": str(oneoff),
        f"{COMPOSE}.version": COMPOSE_VERSION,
        f"{COMPOSE}.project.config_files": str(service.compose_file),
        f"{COMPOSE}.project.working_dir": str(service.compose_file.parent),
    }
