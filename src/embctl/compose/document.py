"""A YAML text as a tree of nodes that know their place. Refuses what would make a reader look twice: anchors, aliases,
merge keys, tags, duplicate keys, several documents."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from embctl.errors import ConfigInvalid

__all__ = ["Place", "at", "compose", "pairs"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where something is written: `line` and `column` from 1, `key` the path of keys that leads there."""

    path: Path
    line: int
    column: int
    key: str = ""

    def refusal(self, reason: str, *, supported: tuple[str, ...] = (), **details: Any) -> ConfigInvalid:
        """The error for what stands here; `reason` is a sentence without its full stop."""
        subject = f"{self.key}: " if self.key else ""
        known = f" Supported: {', '.join(supported)}." if supported else ""
        facts: Mapping[str, Any] = {
            "file": str(self.path),
            "line": self.line,
            "column": self.column,
            "key": self.key,
            "reason": reason,
            **({"supported": list(supported)} if supported else {}),
            **details,
        }
        return ConfigInvalid(
            f"{self.path}:{self.line}:{self.column}: {subject}{reason}.{known}",
            code="compose_invalid",
            actions=(f"Correct line {self.line} of {self.path}.",),
            details=facts,
        )


def compose(text: str, path: Path) -> yaml.MappingNode:
    """The root mapping of the text. ConfigInvalid(code="compose_invalid") names file, line and column."""
    start = Place(path=path, line=1, column=1)
    try:
        _refuse_indirection(text, path)
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = start if mark is None else _place(mark, path)
        raise place.refusal(f"this is not valid YAML: {error.problem}") from error
    except yaml.YAMLError as error:
        raise start.refusal(f"this is not valid YAML: {error}") from error
    if not isinstance(root, yaml.MappingNode):
        raise start.refusal("a compose file is a mapping of keys")
    return root


def pairs(node: yaml.MappingNode, place: Place) -> dict[str, tuple[Place, yaml.Node]]:
    """The mapping's keys, each with its place and the node of its value; keys are plain text, each given once."""
    found: dict[str, tuple[Place, yaml.Node]] = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise _place(key.start_mark, place.path, place.key).refusal("a key must be plain text")
        where = _place(key.start_mark, place.path, f"{place.key}.{key.value}".lstrip("."))
        if key.value == "<<":
            raise where.refusal("merge keys are not supported")
        if key.value in found:
            raise where.refusal(f"this key stands on line {found[key.value][0].line} already")
        found[key.value] = (where, value)
    return found


def at(node: yaml.Node, place: Place, key: str = "") -> Place:
    """The place of a node below `place`, its key path lengthened by `key`."""
    return _place(node.start_mark, place.path, place.key + key)


def _place(mark: Any, path: Path, key: str = "") -> Place:
    return Place(path=path, line=mark.line + 1, column=mark.column + 1, key=key)


def _refuse_indirection(text: str, path: Path) -> None:
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.AliasEvent):
            raise _place(event.start_mark, path).refusal("aliases are not supported")
        if isinstance(event, yaml.NodeEvent) and event.anchor is not None:
            raise _place(event.start_mark, path).refusal("anchors are not supported")
        if isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent) and event.tag is not None:
            raise _place(event.start_mark, path).refusal("tags are not supported")
