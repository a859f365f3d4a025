"""What there is on the engine that a definition touches: a few lists, then an inspection of each thing that matters.
Changes nothing."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

import docker
import docker.errors

from embctl.engine import inspected
from embctl.engine.asking import Ask
from embctl.engine.ports import listening_processes, overlapping, port_owners
from embctl.model import (
    Label,
    Observed,
    ObservedContainer,
    ObservedImage,
    Port,
    PortOwner,
    StackSpec,
)

__all__ = ["images", "observe", "owner_of"]


def observe(client: docker.APIClient, ask: Ask, spec: StackSpec, *, local: bool) -> Observed:
    """The state that a plan for `spec` depends on; what disappears between list and inspection is left out."""
    with ask("list", "containers, volumes and networks"):
        listed = client.containers(all=True)
        volumes = client.volumes()["Volumes"] or ()
        networks = client.networks()
    names = {service.container_name for service in spec.services}
    volume_names = {volume.name for volume in spec.volumes}
    network_names = {network.name for network in spec.networks}
    return Observed(
        containers=_containers(
            client,
            ask,
            (entry for entry in listed if _is_own(entry, spec) or names & {name[1:] for name in entry["Names"] or ()}),
        ),
        volumes=tuple(
            volume
            for volume in sorted(map(inspected.volume, volumes), key=lambda volume: volume.name)
            if volume.project == spec.project or volume.name in volume_names
        ),
        networks=tuple(
            network
            for network in sorted(map(inspected.network, networks), key=lambda network: network.name)
            if network.project == spec.project or network.name in network_names
        ),
        images=images(client, ask, {service.image for service in spec.services}),
        port_owners=_port_owners(listed, spec, local=local),
    )


def images(client: docker.APIClient, ask: Ask, references: set[str]) -> tuple[ObservedImage, ...]:
    """Those of `references` that the engine holds."""
    found = []
    for reference in sorted(references):
        with ask("inspect image", reference), suppress(docker.errors.NotFound):
            inspection = client.inspect_image(reference)  # type: ignore[no-untyped-call]  # docker-py's has no types
            found.append(inspected.image(reference, inspection))
    return tuple(found)


def owner_of(client: docker.APIClient, wanted: Port, *, besides: str, local: bool) -> PortOwner | None:
    """Who holds `wanted` now, the container `besides` excepted."""
    for entry in client.containers():
        if entry["Id"] != besides and any(overlapping(wanted, port) for port in inspected.listed_ports(entry)):
            return PortOwner(port=wanted.published, kind="container", name=entry["Names"][0][1:])
    return next(iter(listening_processes([wanted])), None) if local else None


def _containers(
    client: docker.APIClient, ask: Ask, entries: Iterator[Mapping[str, Any]]
) -> tuple[ObservedContainer, ...]:
    found = []
    for entry in entries:
        with ask("inspect container", entry["Id"]), suppress(docker.errors.NotFound):
            found.append(inspected.container(client.inspect_container(entry["Id"])))
    return tuple(sorted(found, key=lambda container: container.name))


def _port_owners(listed: list[Mapping[str, Any]], spec: StackSpec, *, local: bool) -> tuple[PortOwner, ...]:
    published = [(entry, port) for entry in listed for port in inspected.listed_ports(entry)]
    return port_owners(
        [port for service in spec.services for port in service.ports],
        own=[port for entry, port in published if _is_own(entry, spec)],
        others=[(entry["Names"][0][1:], port) for entry, port in published if not _is_own(entry, spec)],
        kind="container",
        local=local,
    )


def _is_own(entry: Mapping[str, Any], spec: StackSpec) -> bool:
    return (entry.get("Labels") or {}).get(Label.PROJECT) == spec.project
