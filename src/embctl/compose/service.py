"""One service of a compose file as a `ServiceSpec`. Supports what the two definitions need, in long form."""

from collections.abc import Mapping
from dataclasses import replace

from embctl.compose.confighash import container_hash, native_hash
from embctl.compose.context import Build
from embctl.compose.value import Value
from embctl.model import BuildSpec, HealthcheckSpec, Mount, MountKind, NativeSpec, Port, ServiceSpec, Ulimit

__all__ = ["SERVICE_KEYS", "service_spec"]

SERVICE_KEYS = (
    "image",
    "build",
    "container_name",
    "command",
    "entrypoint",
    "environment",
    "user",
    "ports",
    "volumes",
    "networks",
    "healthcheck",
    "init",
    "read_only",
    "restart",
    "runtime",
    "stop_grace_period",
    "mem_limit",
    "memswap_limit",
    "pids_limit",
    "ulimits",
    "cap_drop",
    "security_opt",
    "logging",
    "labels",
    "x-embctl-native",
)
_RESTARTS = ("no", "always", "unless-stopped", "on-failure")
_HIGHEST_PORT = 65535
_MOST = 2**31 - 1
_DEFAULT_GRACE = 10.0


def service_spec(
    name: str, value: Value, *, volumes: Mapping[str, str], networks: Mapping[str, str], build: Build
) -> ServiceSpec:
    """The service `name`; `volumes` and `networks` give the engine's name of each declared key. Where the file says
    nothing, 0 stands for no limit, an empty log driver or runtime for the engine's own."""
    at = value.table(SERVICE_KEYS, required=("image", "container_name"))
    logging = at["logging"].table(("driver", "options"), required=("driver",)) if "logging" in at else {}
    spec = ServiceSpec(
        name=name,
        image=at["image"].text(),
        build=_build(at["build"], build) if "build" in at else None,
        container_name=at["container_name"].text(),
        command=at["command"].texts() if "command" in at else None,
        entrypoint=at["entrypoint"].texts() if "entrypoint" in at else None,
        environment=at["environment"].text_map() if "environment" in at else {},
        user=at["user"].text() if "user" in at else None,
        ports=tuple(_port(each) for each in at["ports"].items()) if "ports" in at else (),
        mounts=tuple(_mount(each, volumes) for each in at["volumes"].items()) if "volumes" in at else (),
        networks=tuple(_declared(each, networks) for each in at["networks"].items()) if "networks" in at else (),
        healthcheck=_healthcheck(at["healthcheck"]) if "healthcheck" in at else None,
        init=at["init"].switch() if "init" in at else False,
        read_only=at["read_only"].switch() if "read_only" in at else False,
        restart=at["restart"].one_of(_RESTARTS) if "restart" in at else "no",
        container_runtime=at["runtime"].text() if "runtime" in at else "",
        stop_grace_period=at["stop_grace_period"].duration() if "stop_grace_period" in at else _DEFAULT_GRACE,
        mem_limit=at["mem_limit"].size() if "mem_limit" in at else 0,
        memswap_limit=at["memswap_limit"].size() if "memswap_limit" in at else 0,
        pids_limit=at["pids_limit"].whole(1, _MOST) if "pids_limit" in at else 0,
        ulimits=_ulimits(at["ulimits"]) if "ulimits" in at else (),
        cap_drop=at["cap_drop"].texts() if "cap_drop" in at else (),
        security_opt=at["security_opt"].texts() if "security_opt" in at else (),
        log_driver=logging["driver"].text() if logging else "",
        log_options=logging["options"].text_map() if "options" in logging else {},
        labels=at["labels"].text_map() if "labels" in at else {},
        native=_native(at["x-embctl-native"], volumes) if "x-embctl-native" in at else None,
        compose_file=value.place.path,
        config_hash="",
        native_hash="",
    )
    return replace(spec, config_hash=container_hash(spec), native_hash=native_hash(spec))


def _build(value: Value, build: Build) -> BuildSpec:
    at = value.table(("context", "dockerfile", "target", "args"), required=("context", "dockerfile"))
    context = (value.place.path.parent / at["context"].text()).resolve()
    dockerfile = at["dockerfile"].text()
    target = at["target"].text() if "target" in at else None
    args = at["args"].text_map() if "args" in at else {}
    return build(context, dockerfile, target, args)


def _port(value: Value) -> Port:
    keys = ("target", "published", "host_ip", "protocol")
    at = value.table(keys, required=("target", "published", "host_ip"))
    if "protocol" in at:
        at["protocol"].one_of(("tcp",))
    return Port(
        host_ip=at["host_ip"].text(),
        published=at["published"].whole(1, _HIGHEST_PORT),
        target=at["target"].whole(1, _HIGHEST_PORT),
    )


def _mount(value: Value, volumes: Mapping[str, str]) -> Mount:
    at = value.table(("type", "source", "target", "read_only"), required=("type", "target"))
    kind = MountKind(at["type"].one_of(tuple(MountKind)))
    read_only = at["read_only"].switch() if "read_only" in at else False
    target = at["target"].text()
    if kind is MountKind.TMPFS:
        for key in ("source", "read_only"):
            if key in at:
                raise at[key].refusal("a tmpfs has no such key", supported=("type", "target"))
        return Mount(kind=kind, target=target)
    if "source" not in at:
        raise value.refusal("the key source is missing: anonymous volumes are not supported")
    return Mount(kind=kind, source=_declared(at["source"], volumes), target=target, read_only=read_only)


def _declared(value: Value, names: Mapping[str, str]) -> str:
    return names[value.one_of(tuple(names))]


def _healthcheck(value: Value) -> HealthcheckSpec:
    keys = ("test", "interval", "timeout", "retries", "start_period")
    at = value.table(keys, required=keys)
    test = at["test"].texts()
    if len(test) < 2 or test[0] not in {"CMD", "CMD-SHELL"}:  # noqa: PLR2004 - the form and what to run
        raise at["test"].refusal("a test begins with CMD or CMD-SHELL and says what to run")
    return HealthcheckSpec(
        test=test,
        interval=at["interval"].duration(),
        timeout=at["timeout"].duration(),
        retries=at["retries"].whole(1, _MOST),
        start_period=at["start_period"].duration(),
    )


def _native(value: Value, volumes: Mapping[str, str]) -> NativeSpec:
    at = value.table(("module", "environment", "folders"), required=("module",))
    folders = at["folders"].entries() if "folders" in at else {}
    return NativeSpec(
        module=at["module"].text(),
        environment=at["environment"].text_map() if "environment" in at else {},
        folders={variable: _declared(volume, volumes) for variable, volume in folders.items()},
    )


def _ulimits(value: Value) -> tuple[Ulimit, ...]:
    limits = []
    for name, limit in value.table(("nofile",)).items():
        at = limit.table(("soft", "hard"), required=("soft", "hard"))
        limits.append(Ulimit(name=name, soft=at["soft"].whole(1, _MOST), hard=at["hard"].whole(1, _MOST)))
    return tuple(limits)
