"""The Docker engine (and what speaks its API) behind the `Engine` protocol: each method one thing asked of the engine.

Translations live in the pure modules beside this one; this one calls.
"""

import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

import docker
import docker.errors

from embctl.conflicts import port_taken
from embctl.engine import faults, inspected, observing
from embctl.engine.asking import Ask, explanation
from embctl.engine.base import Cancel, OnProgress
from embctl.engine.buildcontext import pack
from embctl.engine.container_body import oneoff_body, service_body
from embctl.engine.labels import network_labels, volume_labels
from embctl.engine.progress import BuildStream, PullStream
from embctl.engine.streaming import Streams
from embctl.errors import EmbctlError
from embctl.model import (
    EngineInfo,
    Label,
    LogLine,
    NetworkSpec,
    Observed,
    ObservedContainer,
    Port,
    ResourceUse,
    Runtime,
    ServiceSpec,
    StackSpec,
    VolumeSpec,
)

__all__ = ["DockerEngine"]

EXIT_TIMEOUT = 60


class DockerEngine:
    """An engine reached through `client`; `origin` says where its `address` came from, `local` whether its published
    ports are this machine's."""

    def __init__(self, client: docker.APIClient, *, address: str, origin: str, local: bool) -> None:
        self._client = client
        self._address = address
        self._origin = origin
        self._local = local
        self._machine_memory: int | None = None
        self._ask = Ask(address)
        self._streams = Streams(client, self._ask)

    def info(self) -> EngineInfo:
        """Two calls: the version, and the product's name."""
        with self._ask("describe", "itself"):
            version, info = self._client.version(), self._client.info()
        return EngineInfo(
            runtime=Runtime.DOCKER,
            flavour=inspected.engine_flavour(version, info),
            version=version["Version"],
            api_version=self._client.api_version,
            address=self._address,
            origin=self._origin,
            local=self._local,
            os=version["Os"],
            architecture=version["Arch"],
            data_root=info.get("DockerRootDir") or "",
        )

    def observe(self, spec: StackSpec) -> Observed:
        """Three lists, then an inspection of each container and image that matters."""
        return observing.observe(self._client, self._ask, spec, local=self._local)

    def inspect(self, container_id: str) -> ObservedContainer:
        """One call."""
        with self._ask("inspect container", container_id):
            return inspected.container(self._client.inspect_container(container_id))

    def pull_image(self, reference: str, on_progress: OnProgress, cancel: Cancel) -> None:
        """One call, then a look whether the image is there: a stream that breaks off looks like one that ends."""
        stream = PullStream(reference)

        def call() -> Iterator[Mapping[str, Any]]:
            messages: Iterator[Mapping[str, Any]] = self._client.pull(reference, stream=True, decode=True)
            return messages

        for message in self._streams.messages("pull", reference, call, cancel):
            if message.get("error"):
                raise faults.pull_failed(reference, message["error"])
            for progress in stream.read(message):
                on_progress(progress)
        self._stop_if(cancel, f"pulling {reference}")
        if not observing.images(self._client, self._ask, {reference}):
            raise faults.pull_failed(reference, "the engine broke off")

    def build_image(self, service: ServiceSpec, on_progress: OnProgress, cancel: Cancel) -> None:
        """One call of the classic builder, then a look whether the image is there."""
        build = service.build
        if build is None:
            raise ValueError(f"{service.name} has nothing to build")
        stream = BuildStream(service.image, build.args)
        with tempfile.TemporaryFile() as context:
            pack(build.context, build.files, context)

            def call() -> Iterator[Mapping[str, Any]]:
                return self._client.build(  # type: ignore[no-any-return, no-untyped-call, unused-ignore]  # docker-py's has no types
                    fileobj=context,
                    custom_context=True,
                    dockerfile=build.dockerfile,
                    target=build.target,
                    buildargs=dict(build.args),
                    labels={Label.BUILD_HASH.value: build.digest},
                    tag=service.image,
                    rm=True,
                    forcerm=True,
                    decode=True,
                )

            for message in self._streams.messages("build", service.image, call, cancel):
                if message.get("error"):
                    raise self._build_failed(service.image, stream, message["error"])
                for progress in stream.read(message):
                    on_progress(progress)
        self._stop_if(cancel, f"building {service.image}")
        if not observing.images(self._client, self._ask, {service.image}):
            raise self._build_failed(service.image, stream, "the engine broke off")
        on_progress(stream.finished())

    def create_network(self, project: str, network: NetworkSpec) -> None:
        """One call; a second network of the same name is refused, not made."""
        with self._ask("create network", network.name):
            self._client.create_network(
                network.name, driver="bridge", check_duplicate=True, labels=network_labels(project, network)
            )

    def create_volume(self, project: str, volume: VolumeSpec) -> None:
        """One call; an existing volume is kept as it is."""
        with self._ask("create volume", volume.name):
            self._client.create_volume(volume.name, labels=volume_labels(project, volume))

    def create_container(self, project: str, service: ServiceSpec) -> str:
        """One call."""
        with self._ask("create container", service.container_name):
            return self._create(service_body(project, service), service.container_name)

    def rename_container(self, container_id: str, name: str) -> None:
        """One call."""
        with self._ask("rename container", container_id):
            self._client.rename(container_id, name)

    def start_container(self, container_id: str) -> None:
        """One call for a stopped container; a paused one refuses it and is unpaused."""
        with self._ask("start container", container_id):
            try:
                self._client.start(container_id)
            except docker.errors.APIError as error:
                reason = explanation(error)
                if "paused container" in reason:
                    self._client.unpause(container_id)
                    return
                port = faults.taken_port(reason)
                if port is not None:
                    raise self._port_taken(container_id, port) from error
                raise

    def stop_container(self, container_id: str, grace: float) -> None:
        """One call, which returns once the container is stopped."""
        with self._ask("stop container", container_id):
            self._client.stop(container_id, timeout=round(grace))

    def remove_container(self, container_id: str) -> None:
        """One call."""
        with self._ask("remove container", container_id):
            try:
                self._client.remove_container(container_id, v=True)
            except docker.errors.NotFound:
                return
            except docker.errors.APIError as error:
                if "already in progress" not in explanation(error):
                    raise

    def remove_network(self, name: str) -> None:
        """One call."""
        with self._ask("remove network", name), suppress(docker.errors.NotFound):
            self._client.remove_network(name)

    def remove_volume(self, name: str) -> None:
        """One call."""
        with self._ask("remove volume", name), suppress(docker.errors.NotFound):
            self._client.remove_volume(name)

    def run_once(
        self,
        project: str,
        service: ServiceSpec,
        command: tuple[str, ...],
        on_line: Callable[[str], None],
        cancel: Cancel,
    ) -> int:
        """Create, start, follow, wait, remove."""
        name = f"{service.container_name}-run-{uuid.uuid4().hex[:12]}"
        with self._ask("create container", name):
            container_id = self._create(oneoff_body(project, service, command), name)
        try:
            with self._ask("start container", name):
                self._client.start(container_id)
            for line in self._streams.lines(container_id, service.name, {"follow": 1, "tail": "all"}, cancel):
                on_line(line.text)
            self._stop_if(cancel, f"running {' '.join(command)}")
            with self._ask("wait for container", name):
                return int(self._client.wait(container_id, timeout=EXIT_TIMEOUT)["StatusCode"])
        finally:
            with self._ask("remove container", name), suppress(docker.errors.NotFound):
                self._client.remove_container(container_id, v=True, force=True)

    def logs(
        self,
        container: ObservedContainer,
        *,
        follow: bool,
        tail: int | None,
        since: datetime | None,
        cancel: Cancel,
    ) -> Iterator[LogLine]:
        """One call, read as it comes; ends at once when `cancel` is set, however silent the container is."""
        params: dict[str, str | int] = {"follow": int(follow), "tail": "all" if tail is None else tail}
        if since is not None:
            params["since"] = f"{since.timestamp():.6f}"
        return self._streams.lines(container.id, container.service or container.name, params, cancel)

    def stats(self, container_id: str) -> ResourceUse:
        """One call, in which the engine itself waits for two readings, about a second: CPU use is their difference."""
        with self._ask("sample container", container_id):
            if self._machine_memory is None:
                self._machine_memory = self._client.info()["MemTotal"]
            sample = self._client.stats(container_id, stream=False)
        return inspected.resource_use(sample, machine_memory=self._machine_memory)

    def close(self) -> None:
        """Give back the connections."""
        self._client.close()

    def _create(self, body: dict[str, Any], name: str) -> str:
        created = self._client.create_container_from_config(body, name)  # type: ignore[no-untyped-call]  # docker-py's has no types
        return str(created["Id"])

    def _port_taken(self, container_id: str, port: int) -> EmbctlError:
        container = inspected.container(self._client.inspect_container(container_id))
        wanted = next((p for p in container.ports if p.published == port), Port(host_ip="", published=port, target=0))
        owner = observing.owner_of(self._client, wanted, besides=container_id, local=self._local)
        return port_taken(container.service or container.name, port, owner)

    @staticmethod
    def _build_failed(image: str, stream: BuildStream, reason: str) -> EmbctlError:
        return faults.build_failed(
            image,
            step=stream.step,
            fetching_base=stream.fetching_base,
            reason=reason,
            last_lines=tuple(stream.last_lines),
        )

    @staticmethod
    def _stop_if(cancel: Cancel, what: str) -> None:
        if cancel.is_set():
            raise faults.interrupted(what)
