"""Settings of the assistants: `client list`, `show`, `write` and `patch`. What is in them comes from what runs."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from embctl.clients import CLIENTS, Client, Format, Served, continueyaml, formats, kilo
from embctl.clock import now
from embctl.errors import Failed, NotReady, UsageError
from embctl.flows.context import Context
from embctl.flows.locking import editors_lock
from embctl.flows.readiness import not_started
from embctl.jsonc import NotJsonc, decoded
from embctl.outcomes import ClientRow, ClientShown, ClientsListed, ClientWritten
from embctl.probes import probe
from embctl.result import Result
from embctl.vscode.saving import Original, load, save

__all__ = ["find", "listed", "patch", "served_by", "show", "write"]

Threshold = Callable[[str], float | None]

_ONE_CLIENT = (
    "Let one kind of assistant use this Qdrant: Roo, Zoo and Kilo Code name the collection of a folder alike, and each "
    "clears one that another has filled."
)


def listed() -> Result[ClientsListed]:
    """The table of clients."""
    rows = tuple(
        ClientRow(
            name=each.name,
            title=each.title,
            format=each.format,
            file=_said(each),
            vectors="its own" if each.keeps_vectors else "Qdrant",
        )
        for each in CLIENTS
    )
    return Result(command="client list", data=ClientsListed(clients=rows))


def find(name: str) -> Client:
    """The client of that name. Raises UsageError."""
    for each in CLIENTS:
        if name.casefold() in {each.name, each.title.casefold(), each.name.removesuffix("-code")}:
            return each
    raise UsageError(
        f'There is no client "{name}".',
        code="usage",
        actions=(f"Name one of {', '.join(each.name for each in CLIENTS)}.",),
    )


def served_by(context: Context, threshold: Threshold) -> Served:
    """What the running services offer. Raises NotReady when one does not run or has not loaded its model."""
    engine = context.connect()
    observed = engine.observe(context.spec)
    urls = {}
    for service in ("qdrant", "jina"):
        container = observed.container_of(context.spec.project, service)
        if container is None or not container.alive:
            raise not_started(service, "a client's settings are made of what runs")
        endpoint = context.endpoint(service, container)
        # As people and the clients' own documents write it.
        urls[service] = endpoint.url.replace("127.0.0.1", "localhost")
        if service == "jina":
            seen = probe(endpoint, context.http)
            if "dimension" not in seen.facts or not seen.facts.get("model"):
                raise NotReady(
                    f"jina cannot say yet what it serves: {seen.detail}.",
                    code="timed_out",
                    actions=("Wait for it: embctl wait jina",),
                    retryable=True,
                )
            model, dimension = str(seen.facts["model"]), int(seen.facts["dimension"])
    return Served(
        model=model,
        dimension=dimension,
        threshold=threshold(model),
        openai_url=f"{urls['jina']}/v1",
        qdrant_url=urls["qdrant"],
        api_key=context.settings.jina_api_key,
        qdrant_key=context.settings.qdrant_api_key,
    )


def show(context: Context, name: str, threshold: Threshold) -> Result[ClientShown]:
    """What `write` would put into the client's file, were it missing or empty; writes nothing."""
    client = find(name)
    served = served_by(context, threshold)
    text = _text(client, None, served)
    return Result(
        command="client show",
        data=ClientShown(
            client=client.name, file=_said(client), text=text, clicks=_clicks(client, _said(client), served)
        ),
        warnings=_warnings(client, served),
    )


def write(context: Context, name: str, output: Path | None, home: Path, threshold: Threshold) -> Result[ClientWritten]:
    """Make the file to import, or put our part into the file that the client reads; a second write changes nothing."""
    client = find(name)
    served = served_by(context, threshold)
    place = output or (home / client.file if client.file.startswith(".") else Path(client.file))
    with editors_lock(context):
        original = load(place.absolute(), _by_hand(client))
        text = _text(client, original, served)
        return _saved(client, "client write", original, text, served)


def patch(
    context: Context, name: str, export: Path, output: Path | None, threshold: Threshold
) -> Result[ClientWritten]:
    """Complete the user's own export, in place with a backup, or as `output`; it imports with its profile kept."""
    client = find(name)
    if not client.patched:
        raise UsageError(
            f"{client.title} has no export to complete.",
            code="usage",
            actions=(f"Write its settings instead: embctl client write {client.name}",),
        )
    served = served_by(context, threshold)
    with editors_lock(context):
        source = load(export.absolute(), _by_hand(client))
        if source.content is None:
            raise Failed(
                f"There is no file {export}.",
                code="client_file_invalid",
                details={"file": str(export)},
                actions=("Export the settings in the client first: Settings, About, Export.",),
            )
        try:
            content = formats.patched_export(json.loads(source.content), served)
        except (formats.NotAnExport, ValueError) as error:
            raise _invalid(client, source.path, str(error)) from None
        target = load(output.absolute(), _by_hand(client)) if output else source
        completed = replace(client, clicks=client.patched)
        return _saved(completed, "client patch", target, _json(content), served)


def _by_hand(client: Client) -> str:
    return f"embctl client show {client.name}"


def _said(client: Client) -> str:
    return f"~/{client.file}" if client.file.startswith(".") else client.file


def _json(content: Any) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _text(client: Client, original: Original | None, served: Served) -> str:
    before = None if original is None or original.content is None else original.content
    path = original.path if original else Path(_said(client))
    try:
        match client.format:
            case Format.IMPORT:
                if before is not None and formats.has_profiles(before):
                    raise _own_export(client, path)
                return _json(formats.import_settings(served))
            case Format.SUMMARY:
                return _json(formats.summary(served))
            case Format.KILO:
                return kilo.merged(None if before is None else decoded(before), formats.kilo_settings(served))
            case Format.CONTINUE:
                text = None if before is None else decoded(before)
                return continueyaml.merged(text, formats.continue_model(served))
    except NotJsonc as error:
        raise _invalid(client, path, str(error)) from None
    except continueyaml.NotKept as error:
        raise _invalid(client, path, str(error)) from None


def _saved(client: Client, command: str, original: Original, text: str, served: Served) -> Result[ClientWritten]:
    content = text.encode()
    same = content == original.content
    backup = None if same else save(original, content, now().astimezone())
    change = "unchanged" if same else "created" if original.content is None else "changed"
    return Result(
        command=command,
        data=ClientWritten(
            client=client.name,
            file=str(original.path),
            change=change,
            backup=str(backup) if backup else None,
            clicks=_clicks(client, str(original.path), served),
        ),
        changed=not same,
        warnings=_warnings(client, served),
    )


def _clicks(client: Client, file: str, served: Served) -> tuple[str, ...]:
    key = ", that of the setting jina.api_key" if served.api_key else ""
    return tuple(each.format(file=file, key=key) for each in client.clicks)


def _warnings(client: Client, served: Served) -> tuple[str, ...]:
    warnings = []
    if served.threshold is None and client.format in {Format.IMPORT, Format.KILO}:
        warnings.append(
            f"Nobody has measured the search threshold of {served.model}, so none is written and the client takes its "
            "own, 0.4. Measure it with benchmarks/search_threshold.py."
        )
    if not client.keeps_vectors and client.format is not Format.SUMMARY:
        warnings.append(_ONE_CLIENT)
    return tuple(warnings)


def _own_export(client: Client, path: Path) -> Failed:
    return Failed(
        f"{path} was not touched: it is an export of yours, with your profiles and their keys.",
        code="client_file_invalid",
        details={"file": str(path)},
        actions=(
            f"Complete it: embctl client patch {client.name} {path}",
            f"Or write another file: embctl client write {client.name} --file FILE",
        ),
    )


def _invalid(client: Client, path: Path, reason: str) -> Failed:
    return Failed(
        f"{path} was not touched: {reason}.",
        code="client_file_invalid",
        details={"file": str(path), "reason": reason},
        actions=(
            "Correct the file, then run this again.",
            f"Or write it by hand: {_by_hand(client)}",
        ),
    )
