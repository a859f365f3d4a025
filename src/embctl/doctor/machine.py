"""The machine at hand: memory, disk and open files, against what the services need."""

import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from embctl.doctor.check import Check, Judgement, fail, ok, skipped, warn
from embctl.doctor.examination import Examination
from embctl.doctor.scene import Scene
from embctl.model import ContainerState, Runtime

__all__ = ["MACHINE", "MachineFacts", "Room", "hard_limit_of_open_files", "look"]

GIB = 1 << 30
# What a service takes before the first request: the weights of the code model and what loads them; an empty database.
NEEDED_MEMORY = {"jina": 3 * GIB // 2, "qdrant": GIB // 2}
SPARE_MEMORY = GIB // 4
# Qdrant refuses to write on a disk that is nearly full, and a full one kills the embedded engine.
WANTED_DISK, NEEDED_DISK = 2 * GIB, GIB // 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """Bytes that are free, and that there are."""

    free: int
    total: int

    def __str__(self) -> str:
        return f"{self.free / GIB:.1f} of {self.total / GIB:.1f} GiB are free"


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineFacts:
    """`elsewhere` when the services run on another machine. `limits` are the services' memory limits where they have
    any; `down` those that do not run. `disk` is None where the folder of the data, `data_root`, cannot be seen from
    here. `open_files` is the hard limit, None where there is none; `needed_files` 0 when the engine sees to it."""

    elsewhere: bool
    memory: Room
    limits: Mapping[str, int]
    down: tuple[str, ...]
    data_root: str
    disk: Room | None
    open_files: int | None
    needed_files: int


def look(scene: Scene) -> MachineFacts:
    """Asks the operating system."""
    import psutil  # noqa: PLC0415 - costs start-up time

    info, native = scene.seen.info, scene.runtime is Runtime.NATIVE
    memory = psutil.virtual_memory()
    root = info.data_root if info else ""
    soft = [limit.soft for service in scene.spec.services for limit in service.ulimits if limit.name == "nofile"]
    return MachineFacts(
        elsewhere=info is not None and not info.local,
        memory=Room(free=memory.available, total=memory.total),
        limits={} if native else {service.name: service.mem_limit for service in scene.spec.services},
        down=tuple(
            service.name
            for service in scene.spec.services
            if (container := scene.container(service.name)) is None or container.state is not ContainerState.RUNNING
        ),
        data_root=root,
        disk=_room_at(Path(root), made_on_demand=native) if root else None,
        open_files=hard_limit_of_open_files(),
        needed_files=max(soft, default=0) if native else 0,
    )


def _room_at(folder: Path, *, made_on_demand: bool) -> Room | None:
    """Of the disk that the folder is on, or will be; None where an engine's folder is not among this machine's."""
    if made_on_demand:
        folder = next(each for each in (folder, *folder.parents) if each.exists())
    elif not folder.is_dir():
        return None
    usage = shutil.disk_usage(folder)
    return Room(free=usage.free, total=usage.total)


if sys.platform == "win32":

    def hard_limit_of_open_files() -> int | None:
        """None: Windows has no such limit."""
        return None

else:

    def hard_limit_of_open_files() -> int | None:
        """How many files a process of this user may have open at most; None for no limit."""
        import resource  # noqa: PLC0415 - not on Windows

        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        return None if hard == resource.RLIM_INFINITY else hard


def _memory(facts: MachineFacts) -> Judgement:
    if facts.elsewhere:
        return skipped("the services run on another machine (engine.reachable)")
    needed = sum(NEEDED_MEMORY[name] for name in facts.down) or SPARE_MEMORY
    why = f"{needed / GIB:.2g} GiB are needed" + (f" to start {', '.join(facts.down)}" if facts.down else "")
    said = f"{facts.memory}; {why}"
    less = "Close what needs much memory, or choose a smaller model: --model minilm"
    if facts.memory.free < needed:
        return fail(said, less) if facts.memory.free < needed // 2 else warn(said, less)
    limits = sum(facts.limits.values())
    if limits > facts.memory.total:
        return warn(
            f"{said}; the memory limits together are {limits / GIB:.1f} GiB, more than there is",
            "Set them lower: qdrant.memory and jina.memory (docs/configuration.md)",
        )
    return ok(said)


def _disk(facts: MachineFacts) -> Judgement:
    if not facts.data_root:
        return skipped("no engine tells where its data is (engine.reachable)")
    if facts.elsewhere or facts.disk is None:
        return skipped(f"the engine's folder {facts.data_root} is not on this machine's own disks")
    said = f"{facts.data_root}: {facts.disk}; {WANTED_DISK / GIB:.0f} GiB should be"
    more = "Free space on that disk; old images and build caches of the engine, for one"
    if facts.disk.free < NEEDED_DISK:
        return fail(said, more)
    return warn(said, more) if facts.disk.free < WANTED_DISK else ok(said)


def _open_files(facts: MachineFacts) -> Judgement:
    if not facts.needed_files:
        return skipped("containers get their limit from the engine")
    if facts.open_files is None:
        return ok("no limit")
    said = f"at most {facts.open_files} open files; the database wants {facts.needed_files}"
    if facts.open_files < facts.needed_files:
        return warn(
            said, f"Raise the hard limit, such as in /etc/security/limits.conf: * hard nofile {facts.needed_files}"
        )
    return ok(said)


MACHINE = Examination(
    noun="machine",
    look=look,
    checks=(
        Check(id="machine.memory", looks_at="free memory against what has yet to start", judge=_memory),
        Check(id="machine.disk", looks_at="free space where the data is", judge=_disk),
        Check(id="machine.open-files", looks_at="the limit of open files, natively", judge=_open_files),
    ),
)
