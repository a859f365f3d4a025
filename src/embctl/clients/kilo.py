"""Our settings in the text of a kilo.jsonc; every other character of it stays. Pure."""

import json
from collections.abc import Mapping
from typing import Any

from embctl.jsonc import Node, NotJsonc, add, indent_within, place, read, render, style_of

__all__ = ["merged"]

_DEPTH = 8


def merged(text: str | None, wanted: Mapping[str, Any]) -> str:
    """The text with every member of `wanted`, those of objects one by one, so that what else stands in them stays. A
    missing or empty file begins with an object. Raises NotJsonc where the text cannot be read, or holds no object."""
    if text is None or read(text, depth=_DEPTH) is None:
        return (text or "") + json.dumps(wanted, indent=2, ensure_ascii=False) + "\n"
    return _with(text, (), wanted)


def _with(text: str, path: tuple[str, ...], wanted: Mapping[str, Any]) -> str:
    for key, value in wanted.items():
        node = _object(text, path)
        style, member = style_of(text), node.member(key)
        if member is None:
            indent = indent_within(text, node, style)
            text = add(text, node, [f"{json.dumps(key)}: {render(value, style, indent)}"], style)
        elif isinstance(value, Mapping) and member.value.kind == "object":
            text = _with(text, (*path, key), value)
        else:
            text = text[: member.value.start] + json.dumps(value, ensure_ascii=False) + text[member.value.end :]
    return text


def _object(text: str, path: tuple[str, ...]) -> Node:
    """The object at that path, whose members are objects down to it."""
    node = read(text, depth=_DEPTH)
    for part in path:
        member = node.member(part) if node else None
        node = member.value if member else None
    if node is None or node.kind != "object":
        raise NotJsonc("an object is expected here: { ... }", *place(text, node.start if node else 0))
    return node
