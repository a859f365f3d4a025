"""The options that commands share, written once and added to each command's signature."""

import inspect
from collections.abc import Callable
from dataclasses import Field, dataclass, fields, replace
from enum import StrEnum
from functools import wraps
from typing import Annotated, Any

import typer

from embctl.model import Runtime

__all__ = ["ALL", "Options", "Output", "Service", "Services", "chosen", "with_model", "with_options"]


class Output(StrEnum):
    """How results are written."""

    TEXT = "text"
    JSON = "json"
    JSONL = "jsonl"


class Device(StrEnum):
    """What may compute embeddings."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"
    MPS = "mps"


class Service(StrEnum):
    """What a SERVICE argument may name."""

    ALL = "all"
    QDRANT = "qdrant"
    JINA = "jina"


ALL = (Service.QDRANT.value, Service.JINA.value)
Services = Annotated[
    list[Service] | None, typer.Argument(metavar="SERVICE", help="all (the default), qdrant, jina, or several.")
]


def chosen(services: list[Service] | None) -> tuple[str, ...]:
    """The services named, each once, in the stack's own order."""
    if not services or Service.ALL in services:
        return ALL
    return tuple(name for name in ALL if name in services)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The shared options; None where the user said nothing."""

    output: Annotated[Output | None, typer.Option("-o", "--output", help="Output: text, json or jsonl.")] = None
    quiet: Annotated[bool | None, typer.Option("-q", "--quiet", help="Only errors and warnings.")] = None
    project: Annotated[str | None, typer.Option(help="Name of the stack.")] = None
    port_offset: Annotated[int | None, typer.Option(help="Number added to both ports.")] = None
    runtime: Annotated[Runtime | None, typer.Option(help="docker, native (processes of this machine) or auto.")] = None
    context: Annotated[str | None, typer.Option(help="Docker context of the engine.")] = None
    host: Annotated[str | None, typer.Option(help="Address of the engine, such as unix:///run/docker.sock.")] = None
    timeout: Annotated[int | None, typer.Option(help="Seconds to wait for readiness or a lock.")] = None
    yes: Annotated[bool | None, typer.Option("-y", "--yes", help="Answer yes to every question.")] = None
    no_wait_lock: Annotated[
        bool | None, typer.Option("--no-wait-lock", help="Fail when another embctl changes the project.")
    ] = None
    model: Annotated[str | None, typer.Option(help="Embedding model: a known name, hub id or folder.")] = None
    device: Annotated[Device | None, typer.Option(help="What computes embeddings: auto, cpu, cuda or mps.")] = None
    embedded: Annotated[
        bool | None, typer.Option("--embedded", help="Without Docker and model hub: --runtime native --model minilm.")
    ] = None

    def over(self, base: "Options") -> "Options":
        """These options, with `base` where nothing was said."""
        said = {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) is not None}
        return replace(base, **said)


def with_options(command: Callable[..., int]) -> Callable[..., int]:
    """Give `command(options, ...)` the options that all commands take, before or after its name on the command line."""
    return _with(command, *(f for f in fields(Options) if f.name not in ("model", "device", "embedded")))


def with_model(command: Callable[..., int]) -> Callable[..., int]:
    """The same, --model, --device and --embedded: for what creates the container that the model is loaded in, or says
    how."""
    return _with(command, *fields(Options))


def _with(command: Callable[..., int], *offered: Field[Any]) -> Callable[..., int]:
    own = [parameter for name, parameter in inspect.signature(command).parameters.items() if name != "options"]
    shared = [
        inspect.Parameter(f.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=f.type) for f in offered
    ]

    @wraps(command)
    def wrapped(typer_context: typer.Context, **given: Any) -> int:
        said = Options(**{f.name: given.pop(f.name) for f in offered})
        # A command's context inherits what the root's holds: options may stand before the command, too.
        typer_context.obj = said.over(typer_context.obj or Options())
        return command(options=typer_context.obj, **given)

    first = inspect.Parameter("typer_context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)
    parameters = [first, *(p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own), *shared]
    wrapped.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # Typer reads it
    wrapped.__annotations__ = {p.name: p.annotation for p in parameters}
    return wrapped
