"""One value of a compose file, read as the type its key asks for.

YAML guesses the type of an unquoted scalar, and its versions guess differently (yes, 0o10, 1:30); so a scalar counts
as text only where every version agrees that it is, and as a number or a switch only in its one plain spelling."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import yaml

from embctl import units
from embctl.compose.document import Place, at, pairs
from embctl.compose.variables import substitute
from embctl.errors import ConfigInvalid

__all__ = ["Value"]

_TEXT = "tag:yaml.org,2002:str"
_WHOLE = re.compile(r"0|[1-9][0-9]{0,17}")
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A node, its place and the variables that it may use. Every reader raises ConfigInvalid at that place."""

    node: yaml.Node
    place: Place
    variables: Mapping[str, str]

    def table(self, supported: tuple[str, ...], required: tuple[str, ...] = ()) -> dict[str, "Value"]:
        """The values by key; any key outside `supported` is refused, other tools' keys (x-...) are left out."""
        found = {key: value for key, value in self.entries().items() if key in supported or not key.startswith("x-")}
        for key, value in found.items():
            if key not in supported:
                raise value.place.refusal("this key is not supported", supported=supported)
        for key in required:
            if key not in found:
                raise self.place.refusal(f"the key {key} is missing", supported=supported)
        return found

    def entries(self) -> dict[str, "Value"]:
        """The values of a mapping with keys of its author's choosing."""
        if not isinstance(self.node, yaml.MappingNode):
            raise self.place.refusal("this must be a mapping of keys (long form)")
        return {
            key: Value(node=node, place=place, variables=self.variables)
            for key, (place, node) in pairs(self.node, self.place).items()
        }

    def items(self) -> tuple["Value", ...]:
        """The values of a list."""
        if not isinstance(self.node, yaml.SequenceNode):
            raise self.place.refusal("this must be a list (long form)")
        return tuple(
            Value(node=node, place=at(node, self.place, f"[{index}]"), variables=self.variables)
            for index, node in enumerate(self.node.value)
        )

    def text(self) -> str:
        """Text, variables replaced."""
        if self._scalar().tag != _TEXT:
            raise self.place.refusal(f"{self._raw()} must be text: put it in quotes")
        return self._substituted()

    def one_of(self, choices: tuple[str, ...]) -> str:
        """Text that is one of `choices`."""
        text = self.text()
        if text not in choices:
            raise self.place.refusal(f"{self._raw()} is not supported here", supported=choices)
        return text

    def texts(self) -> tuple[str, ...]:
        """A list of texts."""
        return tuple(item.text() for item in self.items())

    def text_map(self) -> dict[str, str]:
        """Texts by key."""
        return {key: value.text() for key, value in self.entries().items()}

    def whole(self, low: int, high: int) -> int:
        """A decimal whole number from `low` to `high`, unquoted unless a variable gives it."""
        text = self._substituted()
        quoted = self._scalar().style in {"'", '"'} and "$" not in self._scalar().value
        if quoted or not _WHOLE.fullmatch(text) or not low <= int(text) <= high:
            raise self.place.refusal(f"{self._raw()} must be a whole number from {low} to {high}")
        return int(text)

    def switch(self) -> bool:
        """`true` or `false`, spelled so and unquoted."""
        scalar = self._scalar()
        if scalar.tag == _TEXT or scalar.value not in {"true", "false"}:
            raise self.place.refusal(f"{self._raw()} must be true or false")
        return bool(scalar.value == "true")

    def size(self) -> int:
        """Bytes of a size with its unit."""
        return self._converted(units.size)

    def duration(self) -> float:
        """Seconds of a duration with its unit."""
        return self._converted(units.duration)

    def refusal(self, reason: str, *, supported: tuple[str, ...] = ()) -> ConfigInvalid:
        """The error for this value."""
        return self.place.refusal(reason, supported=supported)

    def _converted(self, convert: Callable[[str], T]) -> T:
        try:
            return convert(self.text())
        except ValueError as error:
            raise self.place.refusal(f"{self._raw()} {error}") from None

    def _substituted(self) -> str:
        try:
            return substitute(self._scalar().value, self.variables)
        except ValueError as error:
            raise self.place.refusal(str(error), supported=tuple(sorted(self.variables))) from None

    def _scalar(self) -> yaml.ScalarNode:
        if not isinstance(self.node, yaml.ScalarNode):
            raise self.place.refusal("this must be a single value")
        return self.node

    def _raw(self) -> str:
        """The value as the file has it: a variable's content, perhaps a secret, stays out of messages."""
        return f'"{self._scalar().value}"'
