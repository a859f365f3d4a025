"""Settings from their layers: each value checked where it was written, the strongest layer wins."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from embctl.catalogue import CatalogueEntry
from embctl.errors import ConfigInvalid
from embctl.settings import toml_file
from embctl.settings.model import check_model
from embctl.settings.origin import Origin, Source
from embctl.settings.table import FIELDS, PORTS, Settings
from embctl.settings.values import Field, Value, check, from_text, shown

__all__ = ["load"]

_PREFIX = "EMBCTL_"
_BY_PATH = {tuple(row.key.split(".")): row for row in FIELDS}
_BY_KEY = {row.key: row for row in FIELDS}
_TABLES = {path[:-1] for path in _BY_PATH if path[:-1]}
_HIGHEST_PORT = 65535


@dataclass(frozen=True, slots=True, kw_only=True)
class _Given:
    """One value as it was given: `name` is how its layer calls the setting."""

    field: Field
    value: object
    name: str
    origin: Origin
    line: int | None = None


def load(
    *,
    flags: Mapping[str, object],
    env: Mapping[str, str],
    user_file: Path,
    project_file: Path | None,
    catalogue: tuple[CatalogueEntry, ...],
    remembered_file: Callable[[str], Path] | None = None,
) -> Settings:
    """The settings in force. `flags` go by key ("engine.host"), None meaning "not given"; an empty variable counts as
    unset; files may be missing, and the one of a project that `remembered_file` names gives way to all the others;
    `catalogue` holds the models that go by a name. ConfigInvalid(code="config_invalid") names the place, the value and
    the reason."""
    files = [(Source.USER_FILE, user_file)]
    if project_file is not None:
        files.append((Source.PROJECT_FILE, project_file))
    values: dict[str, Value] = {}
    origins = {row.key: Origin(source=Source.DEFAULT) for row in FIELDS}
    given = [each for source, path in files for each in _from_file(source, path)]
    for each in (*given, *_from_environment(env), *_from_flags(flags)):
        values[each.field.attribute] = _checked(each)
        origins[each.field.key] = each.origin
    if remembered_file:
        project = str(values.get("project", _BY_KEY["project"].default))
        for each in _from_file(Source.REMEMBERED, remembered_file(project)):
            if origins[each.field.key].source is Source.DEFAULT:
                values[each.field.attribute] = _checked(each)
                origins[each.field.key] = each.origin
    _choose_engine(values, origins)
    _choose_model(values, origins)
    settings = replace(Settings(**values), origins=origins, warnings=tuple(_unknown_variables(env)))  # type: ignore[arg-type]  # values were checked row by row
    _check_ports(settings)
    check_model(settings, catalogue)
    return settings


def _from_file(source: Source, path: Path) -> Iterable[_Given]:
    for leaf in toml_file.read(path):
        field = _BY_PATH.get(leaf.path)
        if field is None:
            if leaf.path in _TABLES and leaf.value == {}:
                continue
            raise _unknown_key(leaf, path)
        origin = Origin(source=source, place=f"{path}:{leaf.line}")
        yield _Given(field=field, value=leaf.value, name=field.key, origin=origin, line=leaf.line)


def _from_environment(env: Mapping[str, str]) -> Iterable[_Given]:
    for field in FIELDS:
        if env.get(field.env, "").strip():
            origin = Origin(source=Source.ENVIRONMENT, place=field.env)
            yield _Given(field=field, value=env[field.env], name=field.env, origin=origin)


def _from_flags(flags: Mapping[str, object]) -> Iterable[_Given]:
    for key, value in flags.items():
        if value is not None:
            field = _BY_KEY[key]
            name = field.flag or key
            yield _Given(field=field, value=value, name=name, origin=Origin(source=Source.FLAG, place=name))


def _checked(given: _Given) -> Value:
    in_file = given.line is not None
    try:
        if isinstance(given.value, str) and not in_file:
            return from_text(given.field, given.value)
        return check(given.field, given.value)
    except ValueError as error:
        raise _bad_value(given, str(error)) from None


def _bad_value(given: _Given, reason: str) -> ConfigInvalid:
    place = f"{given.origin.place}: " if given.line is not None else ""
    value = _quoted(given)
    details: dict[str, Any] = {
        "key": given.field.key,
        "source": str(given.origin.source),
        "place": given.origin.place,
        "reason": reason,
    }
    if not given.field.secret:
        details["value"] = value
    if given.field.choices:
        details["allowed"] = list(given.field.choices)
    where = f"in {given.origin.place}" if given.line is not None else f"as {given.name}"
    return ConfigInvalid(
        f"{place}{given.name} = {value} is not valid: it {reason}.",
        code="config_invalid",
        actions=(f"Give {given.field.key} another value {where}.",),
        details=details,
    )


def _quoted(given: _Given) -> str:
    """The value as it may be printed: a secret never, long ones cut."""
    if given.field.secret:
        return "(secret)"
    if isinstance(given.value, bool):
        return str(given.value).lower()
    value = shown(given.field, given.value) if isinstance(given.value, str | int) else given.value
    text = f'"{value}"' if isinstance(value, str) else str(value)
    return text if len(text) <= 80 else f"{text[:77]}..."  # noqa: PLR2004 - a line of a terminal


def _unknown_key(leaf: toml_file.Leaf, path: Path) -> ConfigInvalid:
    names = [*_BY_KEY, *(".".join(table) for table in _TABLES)]
    known = sorted(_BY_KEY)
    close = get_close_matches(".".join(leaf.path), names, n=1)
    hint = f' Did you mean "{close[0]}"?' if close else f" Known: {', '.join(known)}."
    return ConfigInvalid(
        f"{path}:{leaf.line}: there is no setting {leaf.key}.{hint}",
        code="config_invalid",
        actions=(f"Correct or remove line {leaf.line} of {path}.",),
        details={
            "file": str(path),
            "line": leaf.line,
            "key": leaf.key,
            "close_match": close[0] if close else None,
            "allowed": known,
        },
    )


def _unknown_variables(env: Mapping[str, str]) -> Iterable[str]:
    known = [row.env for row in FIELDS]
    for name in sorted(env):
        if name.startswith(_PREFIX) and name not in known:
            close = get_close_matches(name, known, n=1)
            yield f"The variable {name} is no setting and has no effect." + (
                f" Did you mean {close[0]}?" if close else ""
            )


def _choose_engine(values: dict[str, Value], origins: dict[str, Origin]) -> None:
    """Host and context are one choice, made by the stronger layer: `--context` must not lose to a host in a file."""
    host, context = _BY_KEY["engine.host"], _BY_KEY["engine.context"]
    if not (values.get(host.attribute) and values.get(context.attribute)):
        return
    layers = list(Source)
    of_host, of_context = origins[host.key], origins[context.key]
    if of_host.source is of_context.source:
        raise ConfigInvalid(
            f"{host.key} ({of_host}) and {context.key} ({of_context}) each name an engine: only one of them can.",
            code="config_invalid",
            actions=(f"Remove {of_host.place} or {of_context.place}.",),
            details={
                "key": host.key,
                "source": str(of_host.source),
                "place": of_host.place,
                "other_key": context.key,
                "other_place": of_context.place,
                "reason": "the engine is named twice in one layer",
            },
        )
    weaker = min((host, context), key=lambda row: layers.index(origins[row.key].source))
    del values[weaker.attribute]
    origins[weaker.key] = Origin(source=Source.DEFAULT)


def _choose_model(values: dict[str, Value], origins: dict[str, Origin]) -> None:
    """A revision is one of the model beside it: a stronger layer that names a model leaves it behind."""
    model, revision = _BY_KEY["model"], _BY_KEY["model_revision"]
    layers = list(Source)
    # What is remembered was named by a flag once.
    remembered = origins[model.key].source is Source.REMEMBERED
    if remembered or layers.index(origins[model.key].source) > layers.index(origins[revision.key].source):
        values.pop(revision.attribute, None)
        origins[revision.key] = Origin(source=Source.DEFAULT)


def _check_ports(settings: Settings) -> None:
    """Ports as they will be published: in range, and each its own."""
    seen: dict[int, Field] = {}
    # Defaults first: when two clash, the one that somebody gave is to blame.
    for row in sorted(PORTS, key=lambda row: settings.origins[row.key].source is not Source.DEFAULT):
        port = getattr(settings, row.attribute) + settings.port_offset
        origin = settings.origins[row.key]
        if port > _HIGHEST_PORT:
            reason = f"with port_offset ({settings.port_offset}) it is {port}, over {_HIGHEST_PORT}"
        elif port in seen:
            reason = f"{seen[port].key} has the same port"
        else:
            seen[port] = row
            continue
        raise ConfigInvalid(
            f"{row.key} = {getattr(settings, row.attribute)} ({origin}) is not valid: {reason}.",
            code="config_invalid",
            actions=(f"Choose another {row.key} or port_offset.",),
            details={
                "key": row.key,
                "source": str(origin.source),
                "place": origin.place,
                "reason": reason,
                "value": port,
            },
        )
