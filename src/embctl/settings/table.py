"""The table of settings: the attributes of `Settings` are the rows, FIELDS lists them. Values come from `load`."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from embctl import __version__
from embctl.settings.origin import Origin, Source
from embctl.settings.values import Field, Kind, Value, shown

__all__ = ["FIELDS", "PORTS", "Settings", "Shown"]


def _row(key: str, type: Kind, default: Value, help: str, **more: Any) -> Any:  # noqa: A002 - the row's own words
    return field(default=default, metadata={"row": Field(key=key, type=type, default=default, help=help, **more)})


def _port(key: str, default: int, help: str) -> Any:  # noqa: A002 - the row's own words
    return _row(key, Kind.WHOLE, default, help, low=1, high=65535, in_compose=True)


def _in_compose(key: str, type: Kind, default: Value, help: str, **more: Any) -> Any:  # noqa: A002 - the row's own words
    return _row(key, type, default, help, in_compose=True, **more)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One setting as it may be printed, its secret masked."""

    key: str
    value: Value
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Settings:
    """Every setting, typed and checked; `origins` by key; `warnings` for the user. The repr masks secrets."""

    project: str = _in_compose(
        "project",
        Kind.NAME,
        "embctl",
        "Name of the stack; containers, volumes and the network begin with it.",
        flag="--project",
    )
    port_offset: int = _row(
        "port_offset",
        Kind.WHOLE,
        0,
        "Number added to both ports, for a second stack beside the first.",
        flag="--port-offset",
        high=64000,
    )
    timeout: int = _row(
        "timeout",
        Kind.WHOLE,
        600,
        "Seconds to wait until the services are ready.",
        flag="--timeout",
        low=1,
        high=86400,
    )
    runtime: str = _row(
        "runtime",
        Kind.CHOICE,
        "auto",
        "What runs the services: docker, native (processes of this machine) or auto (docker if an engine answers).",
        flag="--runtime",
        choices=("auto", "docker", "native"),
    )
    engine_host: str = _row(
        "engine.host",
        Kind.TEXT,
        "",
        "Address of the container engine, such as unix:///var/run/docker.sock; empty: found by itself.",
        flag="--host",
        optional=True,
    )
    engine_context: str = _row(
        "engine.context",
        Kind.TEXT,
        "",
        "Docker context to use; empty: the current one.",
        flag="--context",
        optional=True,
    )
    registry_mirror: str = _in_compose(
        "registry.mirror",
        Kind.MIRROR,
        "",
        "Registry, with a path if need be, put before the names of pulled images; empty: the engine's own.",
        optional=True,
    )
    qdrant_port: int = _port("qdrant.port", 6333, "Port of Qdrant on this machine's loopback address.")
    qdrant_image: str = _in_compose(
        "qdrant.image",
        Kind.IMAGE,
        "qdrant/qdrant:v1.19.0-unprivileged",
        "Image of Qdrant.",
    )
    qdrant_memory: str = _in_compose(
        "qdrant.memory",
        Kind.SIZE,
        "2g",
        "Memory limit of Qdrant, with its unit (m, g); it gets no swap beyond it.",
    )
    qdrant_api_key: str = _in_compose(
        "qdrant.api_key",
        Kind.TEXT,
        "",
        "Key that Qdrant asks of its clients; empty: none, as it listens on loopback only.",
        secret=True,
        optional=True,
    )
    jina_port: int = _port("jina.port", 4000, "Port of the embedding server on this machine's loopback address.")
    jina_image: str = _in_compose(
        "jina.image",
        Kind.IMAGE,
        f"embctl/jina:{__version__}",
        "Name given to the image built for the embedding server.",
    )
    jina_base_image: str = _in_compose(
        "jina.base_image",
        Kind.IMAGE,
        "python:3.11-slim-bookworm",
        "Image that the embedding server's image is built on: Python 3.11 on Debian.",
    )
    jina_memory: str = _in_compose(
        "jina.memory",
        Kind.SIZE,
        "6g",
        "Memory limit of the embedding server, with its unit (m, g); it gets no swap beyond it.",
    )
    jina_api_key: str = _in_compose(
        "jina.api_key",
        Kind.TEXT,
        "",
        "Key that the embedding server asks of its clients; empty: none, as it listens on loopback only.",
        secret=True,
        optional=True,
    )
    jina_threads: int = _in_compose(
        "jina.threads",
        Kind.WHOLE,
        0,
        "Threads that compute embeddings; 0: all that the container may use.",
        high=1024,
    )
    jina_semaphore: int = _in_compose(
        "jina.semaphore",
        Kind.WHOLE,
        8,
        "Requests read and cut into tokens at once; the rest wait in line.",
        low=1,
        high=1024,
    )
    jina_device: str = _in_compose(
        "jina.device",
        Kind.CHOICE,
        "auto",
        "Device that computes embeddings; auto: the best that is there. A container sees GPUs only with cuda, and its "
        "image is then built for them; mps is for the native runtime.",
        flag="--device",
        choices=("auto", "cpu", "cuda", "mps"),
    )
    jina_precision: str = _in_compose(
        "jina.precision",
        Kind.CHOICE,
        "float32",
        "What embeddings are computed in: float32 exactly; bfloat16 or int8 faster, where they can be had. Index anew "
        "after a change.",
        choices=("float32", "bfloat16", "int8"),
    )
    jina_profile_memory: bool = _in_compose(
        "jina.profile_memory",
        Kind.SWITCH,
        False,  # noqa: FBT003 - a row of the table
        "Log memory after each request and serve /debug/memory.",
    )
    jina_release_tensors: bool = _in_compose(
        "jina.release_tensors",
        Kind.SWITCH,
        True,  # noqa: FBT003 - the default's place
        "Release tensors and the accelerator's cache after each batch.",
    )
    jina_collect_garbage: bool = _in_compose(
        "jina.collect_garbage",
        Kind.SWITCH,
        True,  # noqa: FBT003 - the default's place
        "Collect garbage after each HTTP request.",
    )
    jina_torch_index: str = _in_compose(
        "jina.torch_index",
        Kind.URL,
        "",
        "Additional package index for PyTorch alone, such as one of CPU-only builds; empty: none.",
        optional=True,
    )
    model: str = _in_compose(
        "model",
        Kind.TEXT,
        "jina-code-v2",
        "Embedding model: a name of the catalogue, an id on the model hub, or a folder inside the container.",
        flag="--model",
    )
    model_revision: str = _in_compose(
        "model_revision",
        Kind.TEXT,
        "",
        "Revision of the model on the hub; empty: the one pinned in the catalogue.",
        optional=True,
    )
    hub_mirror: str = _in_compose(
        "hub.mirror",
        Kind.URL,
        "",
        "Mirror of the model hub; empty: the hub itself.",
        optional=True,
    )
    hub_token: str = _in_compose(
        "hub.token",
        Kind.TEXT,
        "",
        "Token for the model hub or its mirror; empty: none.",
        secret=True,
        optional=True,
    )
    package_index: str = _in_compose(
        "package_index",
        Kind.URL,
        "",
        "Python package index, for the image build and for models that packages carry; empty: pip's own.",
        optional=True,
    )
    origins: Mapping[str, Origin] = field(
        default_factory=lambda: {row.key: Origin(source=Source.DEFAULT) for row in FIELDS}
    )
    warnings: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Settings({', '.join(f'{each.key}={each.value!r}' for each in self.listed())})"

    def listed(self) -> tuple[Shown, ...]:
        """Every setting in the table's order, secrets masked, with its origin."""
        return tuple(
            Shown(key=row.key, value=shown(row, getattr(self, row.attribute)), origin=self.origins[row.key])
            for row in FIELDS
        )

    def variables(self) -> Mapping[str, str]:
        """What `${EMBCTL_*}` stands for in the compose files: ports with the offset added, a mirror with its final
        slash, switches as 1 and 0, and what a container needs for the device. Secrets are in clear."""
        values = {row.env: _written(getattr(self, row.attribute)) for row in FIELDS if row.in_compose}
        for row in PORTS:
            values[row.env] = str(getattr(self, row.attribute) + self.port_offset)
        if self.registry_mirror:
            values["EMBCTL_REGISTRY_MIRROR"] = self.registry_mirror.rstrip("/") + "/"
        target, container_runtime = ("cuda", "nvidia") if self.jina_device == "cuda" else ("cpu", "")
        return values | {"EMBCTL_JINA_BUILD_TARGET": target, "EMBCTL_JINA_CONTAINER_RUNTIME": container_runtime}


def _written(value: Value) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)


FIELDS: tuple[Field, ...] = tuple(each.metadata["row"] for each in fields(Settings) if "row" in each.metadata)
PORTS: tuple[Field, ...] = tuple(row for row in FIELDS if row.key.endswith(".port"))
