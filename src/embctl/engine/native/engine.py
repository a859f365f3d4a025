"""Services as supervised processes of this machine, behind the `Engine` protocol."""

import platform
import sys
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from embctl import __version__
from embctl.engine.base import Cancel, OnProgress
from embctl.engine.faults import interrupted
from embctl.engine.labels import network_labels, volume_labels
from embctl.engine.native import faults
from embctl.engine.native.child import UNSEEN
from embctl.engine.native.drafting import Ground, oneoff_definition, service_definition
from embctl.engine.native.faults import asked
from embctl.engine.native.home import Home
from embctl.engine.native.images import Images
from embctl.engine.native.locking import hold
from embctl.engine.native.observing import look, observe, sights
from embctl.engine.native.reading import read_log
from embctl.engine.native.records import Definition
from embctl.engine.native.starting import start
from embctl.engine.native.stopping import stop
from embctl.errors import EmbctlError, Failed
from embctl.model import (
    EngineInfo,
    Label,
    LogLine,
    NativeSpec,
    NetworkSpec,
    Observed,
    ObservedContainer,
    ObservedImage,
    ResourceUse,
    Runtime,
    ServiceSpec,
    StackSpec,
    VolumeSpec,
)

__all__ = ["NativeEngine"]

# A supervisor that has told the end may still be about to leave.
PATIENCE = 5.0


class NativeEngine:
    """Keeps containers in the folder `state` and volumes in `data`, neither of which need exist. `server` holds the
    services' modules; `python` is the interpreter whose environment has what they need."""

    def __init__(self, *, state: Path, data: Path, server: Path, python: str = sys.executable) -> None:
        self._state = state.absolute()
        self._data = data.absolute()
        self._home = Home(self._state, self._data)
        self._images = Images(server.absolute(), python)
        self._python = python
        self._ground = Ground(python=python, server=server.absolute(), volume=self._home.volume)

    def info(self) -> EngineInfo:
        """What is known without asking anybody."""
        return EngineInfo(
            runtime=Runtime.NATIVE,
            flavour="Native",
            version=__version__,
            api_version="1",
            address=str(self._state),
            origin="processes, each under its supervisor",
            local=True,
            os=platform.system().lower(),
            architecture=platform.machine().lower(),
            data_root=str(self._data),
        )

    def observe(self, spec: StackSpec) -> Observed:
        """All records, a look at each of their processes and at the ports."""
        with asked("observe", spec.project):
            return observe(self._home, self._images, spec)

    def inspect(self, container_id: str) -> ObservedContainer:
        """Its records and a look at its processes."""
        with asked("inspect", self._home.known_as(container_id)):
            sight = look(self._home.container(container_id))
        if sight is None:
            raise faults.container_gone(container_id)
        return sight.observed()

    def pull_image(self, reference: str, on_progress: OnProgress, cancel: Cancel) -> None:  # noqa: ARG002 - no progress
        """Refused: what a service needs is installed by the user, beside embctl."""
        raise self._refusal(reference, (), cancel)

    def build_image(self, service: ServiceSpec, on_progress: OnProgress, cancel: Cancel) -> None:  # noqa: ARG002 - the same
        """Refused: what a service needs is installed by the user, beside embctl."""
        raise self._refusal(service.image, self._images.missing(service), cancel)

    def create_network(self, project: str, network: NetworkSpec) -> None:
        """A record: processes of one machine need no network of their own."""
        with asked("create network", network.name), self._home.locked():
            if network.name in self._home.networks():
                raise faults.network_taken(network.name)
            self._home.add_network(network.name, network_labels(project, network))

    def create_volume(self, project: str, volume: VolumeSpec) -> None:
        """A folder; one that exists is kept as it is."""
        with asked("create volume", volume.name), self._home.locked():
            self._home.add_volume(volume.name, volume_labels(project, volume))

    def create_container(self, project: str, service: ServiceSpec) -> str:
        """A folder with a record; missing volumes are made, unlabelled, as every engine does."""
        native, image = self._found(service)
        return self._create(service_definition(self._ground, project, service, native, image))

    def rename_container(self, container_id: str, name: str) -> None:
        """Its record, rewritten."""
        with asked("rename", self._home.known_as(container_id)), self._home.locked():
            container = self._home.container(container_id)
            definition = container.definition()
            if definition is None:
                raise faults.container_gone(container_id)
            self._refuse_taken("rename", name, definition)
            container.define(replace(definition, name=name))

    def start_container(self, container_id: str) -> None:
        """A supervisor, which starts the process."""
        with asked("start", self._home.known_as(container_id)):
            start(self._home, container_id, self._python)

    def stop_container(self, container_id: str, grace: float) -> None:
        """Word to the supervisor; returns once it and the process are gone."""
        with asked("stop", self._home.known_as(container_id)):
            stop(self._home, container_id, grace)

    def remove_container(self, container_id: str) -> None:
        """Its folder."""
        with asked("remove", self._home.known_as(container_id)), self._home.locked():
            container = self._home.find(container_id)
            sight = container and look(container)
            if not container or not sight:
                return
            if sight.alive:
                raise faults.container_running(sight.definition.name)
            with hold(container.lock, patience=PATIENCE) as held:
                # A supervisor whose starter was killed may have begun late.
                if not held:
                    raise faults.busy(sight.definition.name)
                self._home.forget(container)
            container.lock.unlink(missing_ok=True)

    def remove_network(self, name: str) -> None:
        """Its record."""
        with asked("remove network", name), self._home.locked():
            project = self._home.networks().get(name, {}).get(Label.PROJECT)
            everything = sights(self._home, project)
            users = [sight for sight in everything if sight.alive and name in sight.definition.networks]
            if users:
                raise faults.network_in_use(name, tuple(sight.definition.name for sight in users))
            self._home.remove_network(name)

    def remove_volume(self, name: str) -> None:
        """Its folder, with all that is in it."""
        with asked("remove volume", name), self._home.locked():
            project = self._home.volumes().get(name, {}).get(Label.PROJECT)
            users = [sight for sight in sights(self._home, project) if name in sight.definition.volumes]
            if users:
                raise faults.volume_in_use(name, tuple(sight.definition.name for sight in users))
            self._home.remove_volume(name)

    def run_once(
        self,
        project: str,
        service: ServiceSpec,
        command: tuple[str, ...],
        on_line: Callable[[str], None],
        cancel: Cancel,
    ) -> int:
        """Create, start, follow, remove; "python" as the command's first word is the services' interpreter."""
        native, image = self._found(service)
        name = f"{service.container_name}-run-{uuid.uuid4().hex[:12]}"
        definition = oneoff_definition(self._ground, project, service, native, image, name=name, command=command)
        container_id = self._create(definition)
        try:
            self.start_container(container_id)
            for line in self._lines(container_id, service.name, cancel, follow=True):
                on_line(line.text)
            if cancel.is_set():
                raise interrupted(f"running {' '.join(command)}")
            code = self.inspect(container_id).exit_code
            return UNSEEN if code is None else code
        finally:
            self._discard(container_id)

    def logs(
        self,
        container: ObservedContainer,
        *,
        follow: bool,
        tail: int | None,
        since: datetime | None,
        cancel: Cancel,
    ) -> Iterator[LogLine]:
        """Its log's files, read as they grow; ends at once when `cancel` is set."""
        name = container.service or container.name
        return self._lines(container.id, name, cancel, follow=follow, tail=tail, since=since)

    def stats(self, container_id: str) -> ResourceUse:
        """Two looks at its processes, half a second apart."""
        from embctl.engine.native.sampling import sample  # noqa: PLC0415 - costs start-up time

        with asked("sample", self._home.known_as(container_id)):
            status = self._home.container(container_id).status()
            return sample(status.process if status else None)

    def close(self) -> None:
        """Nothing is held between calls."""

    def _found(self, service: ServiceSpec) -> tuple[NativeSpec, ObservedImage]:
        if service.native is None:
            raise ValueError(f"{service.name} has no native form")
        with asked("look for the packages of", service.name):
            image = self._images.find(service)
            if image is None:
                raise faults.image_missing(service.image, self._images.missing(service))
        return service.native, image

    def _refusal(self, image: str, missing: tuple[str, ...], cancel: Cancel) -> EmbctlError:
        return interrupted(f"getting {image}") if cancel.is_set() else faults.server_missing(image, missing)

    def _create(self, definition: Definition) -> str:
        with asked("create", definition.name), self._home.locked():
            self._refuse_taken("create", definition.name, definition)
            for volume in definition.volumes:
                self._home.add_volume(volume, None)
            self._home.add_container(definition)
        return definition.id

    def _refuse_taken(self, doing: str, name: str, asking: Definition) -> None:
        everything = sights(self._home, asking.labels.get(Label.PROJECT))
        if any(sight.definition.name == name and sight.container.id != asking.id for sight in everything):
            raise faults.name_taken(doing, name)

    def _discard(self, container_id: str) -> None:
        try:
            self.stop_container(container_id, 0.0)
        except Failed as error:
            if error.code != "container_gone":
                raise
        self.remove_container(container_id)

    def _lines(
        self,
        container_id: str,
        service: str,
        cancel: Cancel,
        *,
        follow: bool,
        tail: int | None = None,
        since: datetime | None = None,
    ) -> Iterator[LogLine]:
        with asked("read the log of", self._home.known_as(container_id)):
            container = self._home.container(container_id)
            yield from read_log(container, service, follow=follow, tail=tail, since=since, cancel=cancel)
