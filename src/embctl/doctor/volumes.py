"""The volumes: whether they lie where the data goes, on a disk that a database can live on."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from embctl.doctor.check import Check, Judgement, fail, ok, skipped
from embctl.doctor.examination import Examination
from embctl.doctor.scene import Scene
from embctl.model import MountKind, ObservedContainer, Runtime, ServiceSpec

__all__ = ["VOLUMES", "VolumeFacts", "look"]

# Filesystems over a network or a translation, which lock and map files otherwise than a database relies on.
UNSAFE = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "drvfs", "v9fs", "afpfs", "webdav"})


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeFacts:
    """`wanted` are volumes by place, by service; `there` the engine's; `filesystem` is what the native data is on,
    empty for what the engine keeps; `unseen` is why there are none of these."""

    wanted: Mapping[str, Mapping[str, str]]
    containers: Mapping[str, ObservedContainer | None]
    there: frozenset[str]
    data_root: str
    filesystem: str
    unseen: str = ""


def look(scene: Scene) -> VolumeFacts:
    """What the engine showed, and natively the disk's kind."""
    observed, info = scene.seen.observed, scene.seen.info
    if observed is None or info is None:
        reason = "what the engine holds cannot be seen (engine.reachable)"
        return VolumeFacts(wanted={}, containers={}, there=frozenset(), data_root="", filesystem="", unseen=reason)
    native = observed.runtime is Runtime.NATIVE
    return VolumeFacts(
        wanted={service.name: _wanted(service, native=native) for service in scene.spec.services},
        containers={service.name: scene.container(service.name) for service in scene.spec.services},
        there=frozenset(volume.name for volume in observed.volumes),
        data_root=info.data_root,
        filesystem=_filesystem(Path(info.data_root)) if native else "",
    )


def _wanted(service: ServiceSpec, *, native: bool) -> Mapping[str, str]:
    if native:
        return service.native.folders if service.native else {}
    return {mount.target: mount.source for mount in service.mounts if mount.kind is MountKind.VOLUME}


def _filesystem(folder: Path) -> str:
    """Of the mount that the folder is below."""
    import psutil  # noqa: PLC0415 - costs start-up time

    mounts = {Path(each.mountpoint): each.fstype for each in psutil.disk_partitions(all=True)}
    resolved = folder.resolve()
    return next((mounts[each] for each in (resolved, *resolved.parents) if each in mounts), "unknown")


def _mounted(service: str, facts: VolumeFacts) -> Judgement:
    if facts.unseen:
        return skipped(facts.unseen)
    container, wanted = facts.containers[service], facts.wanted[service]
    if container is None:
        return skipped(f"{service} was not created yet (containers.{service})")
    again = f"Have it made anew, the volumes stay: embctl start {service}"
    for place, volume in wanted.items():
        found = container.mounted.get(place)
        if found != volume:
            what = f"{found} is" if found else "no volume is"
            return fail(f"{what} at {place}, where {volume} belongs: what is written there is not in the volume", again)
        if volume not in facts.there:
            return fail(f"the volume {volume} of {service} is gone, while {service} is there", again)
    return ok(", ".join(f"{volume} at {place}" for place, volume in wanted.items()))


def _disk_kind(facts: VolumeFacts) -> Judgement:
    if not facts.filesystem:
        return skipped(facts.unseen or "the engine keeps the volumes, on a disk of its own choice")
    kind = facts.filesystem
    if kind.lower() in UNSAFE or (kind.startswith("fuse") and kind != "fuseblk"):
        return fail(
            f"{facts.data_root} is on {kind}, where a database loses data",
            "Keep the data on a disk of this machine: XDG_DATA_HOME",
        )
    return ok(f"{facts.data_root} is on {kind}")


VOLUMES = Examination(
    noun="volumes",
    look=look,
    checks=(
        *(
            Check(
                id=f"volumes.{name}",
                looks_at=f"whether {name}'s volumes are where its data goes",
                judge=partial(_mounted, name),
            )
            for name in ("qdrant", "jina")
        ),
        Check(id="volumes.filesystem", looks_at="the kind of disk under the native data", judge=_disk_kind),
    ),
)
