"""The options that every command takes, written once and added to each command's signature."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from functools import wraps
from typing import Annotated, Any

import typer

__all__ = ["ALL", "Options", "Output", "Service", "Services", "chosen", "with_options"]


class Output(StrEnum):
    """How results are written."""

    TEXT = "text"
    JSON = "json"
    JSONL = "jsonl"


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
    """The common options; None where the user said nothing."""

    output: Annotated[Output | None, typer.Option("-o", "--output", help="Output: text, json or jsonl.")] = None
    quiet: Annotated[bool | None, typer.Option("-q", "--quiet", help="Only errors and warnings.")] = None
    project: Annotated[str | None, typer.Option(help="Name of the stack.")] = None
    port_offset: Annotated[int | None, typer.Option(help="Number added to both ports.")] = None
    context: Annotated[str | None, typer.Option(help="Docker context of the engine.")] = None
    host: Annotated[str | None, typer.Option(help="Address of the engine, such as unix:///run/docker.sock.")] = None
    timeout: Annotated[int | None, typer.Option(help="Seconds to wait for readiness or a lock.")] = None
    yes: Annotated[bool | None, typer.Option("-y", "--yes", help="Answer yes to every question.")] = None
    no_wait_lock: Annotated[
        bool | None, typer.Option("--no-wait-lock", help="Fail when another embctl changes the project.")
    ] = None

    def over(self, base: "Options") -> "Options":
        """These options, with `base` where nothing was said."""
        said = {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) is not None}
        return replace(base, **said)


def with_options(command: Callable[..., int]) -> Callable[..., int]:
    """Give `command(options, ...)` the common options, before or after its name on the command line."""
    own = [parameter for name, parameter in inspect.signature(command).parameters.items() if name != "options"]
    common = [
        inspect.Parameter(f.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=f.type)
        for f in fields(Options)
    ]

    @wraps(command)
    def wrapped(typer_context: typer.Context, **given: Any) -> int:
        said = Options(**{f.name: given.pop(f.name) for f in fields(Options)})
        # A command's context inherits what the root's holds: options may stand before the command, too.
        typer_context.obj = said.over(typer_context.obj or Options())
        return command(options=typer_context.obj, **given)

    first = inspect.Parameter("typer_context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)
    parameters = [first, *(p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own), *common]
    wrapped.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    wrapped.__annotations__ = {p.name: p.annotation for p in parameters}
    return wrapped
