"""The compose files of a stack, read and put together."""

from collections.abc import Mapping
from pathlib import Path

from embctl.compose.context import Build, build_spec
from embctl.compose.document import Place, compose
from embctl.compose.service import service_spec
from embctl.compose.value import Value
from embctl.errors import ConfigInvalid
from embctl.model import NetworkSpec, StackSpec, VolumeSpec

__all__ = ["FILES", "load_stack", "parse"]

FILES = ("qdrant.yaml", "jina.yaml")
_TOP_LEVEL = ("name", "services", "volumes", "networks")


def load_stack(folder: Path, variables: Mapping[str, str]) -> StackSpec:
    """The stack that the compose files in `folder` define. ConfigInvalid names the file, the line and the column."""
    stacks = [parse(_read(folder / name), folder / name, variables) for name in FILES]
    return StackSpec(
        project=stacks[0].project,
        services=tuple(service for stack in stacks for service in stack.services),
        volumes=tuple(dict.fromkeys(volume for stack in stacks for volume in stack.volumes)),
        networks=tuple(dict.fromkeys(network for stack in stacks for network in stack.networks)),
    )


def parse(text: str, path: Path, variables: Mapping[str, str], *, build: Build = build_spec) -> StackSpec:
    """The stack of one service that a compose file's text defines; `path` names it in errors and anchors its build
    context. Pure but for `build`, called when the service is built from a context."""
    root = Value(node=compose(text, path), place=Place(path=path, line=1, column=1), variables=variables)
    at = root.table(_TOP_LEVEL, required=("name", "services"))
    volumes = _names(at["volumes"]) if "volumes" in at else {}
    networks = _names(at["networks"]) if "networks" in at else {}
    services = at["services"].entries()
    if len(services) != 1:
        raise at["services"].refusal(f"a file defines exactly one service, this one {len(services)}")
    return StackSpec(
        project=at["name"].text(),
        services=tuple(
            service_spec(name, value, volumes=volumes, networks=networks, build=build)
            for name, value in services.items()
        ),
        volumes=tuple(VolumeSpec(key=key, name=name) for key, name in volumes.items()),
        networks=tuple(NetworkSpec(key=key, name=name) for key, name in networks.items()),
    )


def _names(value: Value) -> dict[str, str]:
    """The engine's name of each volume or network, by key."""
    return {key: each.table(("name",), required=("name",))["name"].text() for key, each in value.entries().items()}


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ConfigInvalid(
            f"{path} cannot be read: {reason}.",
            code="compose_invalid",
            actions=("Install embctl again, or restore the file.",),
            details={"file": str(path), "reason": reason},
        ) from error
