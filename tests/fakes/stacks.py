"""Small stacks for tests of what works on stacks: two services with the real ones' shape, every value explicit."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from embctl.model import BuildSpec, Mount, MountKind, NetworkSpec, Port, ServiceSpec, StackSpec, VolumeSpec

__all__ = ["make_stack", "unread_build", "with_service"]


def _service(name: str, project: str, port: int, volume: str) -> ServiceSpec:
    return ServiceSpec(
        name=name,
        image=f"example/{name}:1",
        build=None,
        container_name=f"{project}-{name}",
        command=None,
        entrypoint=None,
        environment={},
        user=None,
        ports=(Port(host_ip="127.0.0.1", published=port, target=port),),
        mounts=(Mount(kind=MountKind.VOLUME, source=volume, target="/data"),),
        networks=(project,),
        healthcheck=None,
        init=True,
        read_only=True,
        restart="unless-stopped",
        stop_grace_period=10.0,
        mem_limit=2**30,
        memswap_limit=2**30,
        pids_limit=512,
        container_runtime="",
        ulimits=(),
        cap_drop=("ALL",),
        security_opt=("no-new-privileges:true",),
        log_driver="json-file",
        log_options={},
        labels={},
        native=None,
        compose_file=Path(f"/compose/{name}.yaml"),
        config_hash=f"{name}-1",
        native_hash=f"{name}-native-1",
    )


def make_stack(project: str = "embctl") -> StackSpec:
    """Qdrant, pulled, and Jina, built."""
    qdrant = _service("qdrant", project, 6333, f"{project}-qdrant-data")
    jina = replace(
        _service("jina", project, 4000, f"{project}-models"),
        environment={"EMBSERVER_MODEL": "minilm"},
        build=replace(unread_build(Path("/server"), "Dockerfile", None, {}), digest="build-1"),
    )
    return StackSpec(
        project=project,
        services=(qdrant, jina),
        volumes=(
            VolumeSpec(key="qdrant-data", name=f"{project}-qdrant-data"),
            VolumeSpec(key="models", name=f"{project}-models"),
        ),
        networks=(NetworkSpec(key="default", name=project),),
    )


def unread_build(context: Path, dockerfile: str, target: str | None, args: Mapping[str, str]) -> BuildSpec:
    """A build whose context need not exist."""
    return BuildSpec(
        context=context, dockerfile=dockerfile, target=target, args=args, files=(dockerfile,), digest="unread"
    )


def with_service(spec: StackSpec, changed: ServiceSpec) -> StackSpec:
    """The stack with the service of that name exchanged."""
    return replace(spec, services=tuple(changed if s.name == changed.name else s for s in spec.services))
