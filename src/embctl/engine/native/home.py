"""What the native runtime has: containers, networks and volumes as folders and files. Decides and starts nothing."""

import re
import secrets
import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from embctl.engine.native import faults
from embctl.engine.native.container import Container
from embctl.engine.native.locking import hold
from embctl.engine.native.records import Definition, RecordBroken, Status, private_folder, read, write
from embctl.model import Label

__all__ = ["Home"]

ID = re.compile(r"[0-9a-f]{64}")
# Docker's rule: what it allows is a file's name everywhere.
NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]*")
PATIENCE = 60.0


class Home:
    """The folders `state` and `data`; they need not exist before something is created."""

    def __init__(self, state: Path, data: Path) -> None:
        self.state = state
        self._data = data
        self._networks = state / "networks"
        self._volumes = data / "volumes"
        self._labels = data / "labels"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody else creates, renames, starts or removes meanwhile."""
        lock = private_folder(self.state) / "lock"
        lock.touch(mode=0o600)
        with hold(lock, patience=PATIENCE) as held:
            if not held:
                raise faults.busy(f"the native runtime in {self.state}")
            yield

    def containers(self) -> list[Container]:
        """All there are; each may be gone when it is looked at."""
        return [Container(state=self.state, id=name) for name in _names(self.state / "containers", ID)]

    def find(self, container_id: str) -> Container | None:
        """That one, if it exists."""
        container = Container(state=self.state, id=container_id)
        return container if ID.fullmatch(container_id) and container.folder.is_dir() else None

    def known_as(self, container_id: str) -> str:
        """Its name, for messages; the beginning of its id where that cannot be had."""
        found = self.find(container_id)
        try:
            definition = found and found.definition()
        except (RecordBroken, OSError):
            definition = None
        return definition.name if definition else container_id[:12]

    def container(self, container_id: str) -> Container:
        """That one. Failed(code="container_gone") when there is none."""
        container = self.find(container_id)
        if container is None:
            raise faults.container_gone(container_id)
        return container

    def add_container(self, definition: Definition) -> None:
        """Write a new one. It shows, whole, with the last step."""
        for leftover in (self.state / "containers").glob(".new-*"):  # of somebody who was killed in the midst of this
            shutil.rmtree(leftover, ignore_errors=True)
        container, draft = (Container(state=self.state, id=name) for name in (definition.id, f".new-{definition.id}"))
        for folder in (container.lock.parent, container.folder.parent, draft.folder, draft.log, draft.work):
            private_folder(folder)
        draft.belongs_to(definition.labels.get(Label.PROJECT, ""))
        draft.define(definition)
        draft.tell(Status())
        container.lock.touch(mode=0o600)
        draft.folder.rename(container.folder)

    def forget(self, container: Container) -> None:
        """Remove the container with its log; for who holds its lock. It is gone with the first step."""
        _remove_tree(container.folder)

    def networks(self, own: Collection[str] = ()) -> dict[str, Mapping[str, str]]:
        """The labels of each network. RecordBroken for one of `own`; any other whose record is broken has none."""
        names = _names(self._networks, NAME, suffix=".json")
        return {name: _labels(self._networks / f"{name}.json", strict=name in own) for name in names}

    def add_network(self, name: str, labels: Mapping[str, str]) -> None:
        """Write it down."""
        write(private_folder(self._networks) / f"{_usable(name)}.json", {"labels": labels})

    def remove_network(self, name: str) -> None:
        """Forget it."""
        (self._networks / f"{_usable(name)}.json").unlink(missing_ok=True)

    def volumes(self, own: Collection[str] = ()) -> dict[str, Mapping[str, str]]:
        """The labels of each volume, none for one that came about otherwise than by `add_volume`. RecordBroken as for
        networks."""
        return {
            name: _labels(self._labels / f"{name}.json", strict=name in own) for name in _names(self._volumes, NAME)
        }

    def volume(self, name: str) -> Path:
        """The folder of a volume."""
        return self._volumes / _usable(name)

    def add_volume(self, name: str, labels: Mapping[str, str] | None) -> None:
        """Make its folder if there is none, and then give it these labels."""
        folder = self.volume(name)
        if folder.exists():
            return
        private_folder(self._data)
        record = self._labels / f"{name}.json"
        record.unlink(missing_ok=True)
        if labels is not None:
            write(private_folder(self._labels) / record.name, {"labels": labels})
        private_folder(self._volumes)
        private_folder(folder)

    def remove_volume(self, name: str) -> None:
        """Remove it with all that is in it. One that the user laid elsewhere by a link keeps what is there."""
        folder = self.volume(name)
        if folder.is_symlink():
            folder.unlink()
        elif folder.exists():
            _remove_tree(folder)
        (self._labels / f"{name}.json").unlink(missing_ok=True)


def _names(folder: Path, pattern: re.Pattern[str], *, suffix: str = "") -> list[str]:
    try:
        names = [entry.name for entry in folder.iterdir()]
    except FileNotFoundError:
        return []
    return sorted(
        name.removesuffix(suffix)
        for name in names
        if name.endswith(suffix) and pattern.fullmatch(name.removesuffix(suffix))
    )


def _usable(name: str) -> str:
    if not NAME.fullmatch(name):
        raise faults.name_unusable(name)
    return name


def _labels(path: Path, *, strict: bool) -> Mapping[str, str]:
    try:
        return read(path, lambda found: dict(found["labels"])) or {}
    except (RecordBroken, OSError):
        if strict:
            raise
        return {}


def _remove_tree(folder: Path) -> None:
    """Under its name it is there or not, never a part of it."""
    doomed = folder.with_name(f".removed-{secrets.token_hex(8)}")
    folder.rename(doomed)
    for leftover in folder.parent.glob(".removed-*"):
        shutil.rmtree(leftover, ignore_errors=leftover != doomed)
