"""What a setting may hold: the kinds of values, their checks, and how a value is shown without its secrets.

Checks raise ValueError with the reason alone ("must be ..."), so that no message can carry a secret value.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from embctl import units

__all__ = ["MASK", "Field", "Kind", "Value", "check", "from_text", "shown"]

Value = str | int | bool

MASK = "********"
_SMALLEST_MEMORY = "6m"  # engines refuse a container with less
_LARGEST_MEMORY = "1024t"  # no machine has more, and engines count in 64 bits
_TRUE = ("1", "true", "yes", "on")
_FALSE = ("0", "false", "no", "off")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_MIRROR = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*(?::\d+)?(?:/[a-z0-9._-]+)*/?", re.ASCII)
_IMAGE = re.compile(
    r"[a-z0-9][a-z0-9.-]*(?::\d+(?=/))?(?:/[a-z0-9][a-z0-9._-]*)*(?::\w[\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?",
    re.ASCII,
)


class Kind(StrEnum):
    """The types of settings, as the documentation names them."""

    TEXT = "text"
    WHOLE = "whole number"
    SWITCH = "true or false"
    SIZE = "size"
    CHOICE = "choice"
    NAME = "name"
    IMAGE = "image"
    MIRROR = "registry"
    URL = "URL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One row of the table of settings.

    `key` as files write it, `env` the variable, `flag` the option ("" where there is none), `help` one sentence
    with the unit, `low`/`high` the bounds of a whole number, `optional` whether empty text means "none", `in_compose`
    whether the compose files may use it as `${env}`.
    """

    key: str
    type: Kind
    default: Value
    help: str
    flag: str = ""
    secret: bool = False
    choices: tuple[str, ...] = ()
    low: int = 0
    high: int = 0
    optional: bool = False
    in_compose: bool = False

    @property
    def attribute(self) -> str:
        """The name on `Settings`."""
        return self.key.replace(".", "_")

    @property
    def env(self) -> str:
        """The environment variable."""
        return f"EMBCTL_{self.attribute.upper()}"


def from_text(field: Field, text: str) -> Value:
    """The value that an environment variable or an option spells; ValueError says what it must be."""
    text = text.strip()
    if field.type is Kind.WHOLE and re.fullmatch(r"[+-]?\d{1,18}", text, re.ASCII):
        return check(field, int(text))
    if field.type is Kind.SWITCH and text.lower() in _TRUE + _FALSE:
        return text.lower() in _TRUE
    return check(field, text)


def check(field: Field, value: object) -> Value:
    """The value, if `field` may hold it; ValueError says what it must be."""
    if field.type is Kind.WHOLE:
        return _whole(field, value)
    if field.type is Kind.SWITCH:
        if isinstance(value, bool):
            return value
        raise ValueError("must be true or false")
    if not isinstance(value, str):
        raise ValueError("must be text in quotes")  # noqa: TRY004 - one exception type for every bad value
    if value == "" and field.optional:
        return value
    return _text(field, value)


def shown(field: Field, value: Value) -> Value:
    """The value as it may be printed: secrets masked, credentials and the query in a URL masked."""
    if field.secret:
        return MASK if value else ""
    if isinstance(value, str) and field.type in {Kind.URL, Kind.MIRROR}:
        return _masked(value)
    return value


def _masked(url: str) -> str:
    credentials, at, place = url.rpartition("@")
    scheme, slashes, _ = credentials.partition("//")
    start = f"{scheme}{slashes}" if slashes else ""
    if at and "?" in credentials:  # of a password or of the query: nobody can tell
        return f"{start}{MASK}"
    address, mark, _ = place.partition("?")
    user = f"{MASK}@" if at else ""
    query = f"?{MASK}" if mark else ""
    return f"{start}{user}{address}{query}"


def _whole(field: Field, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not field.low <= value <= field.high:
        raise ValueError(f"must be a whole number from {field.low} to {field.high}")
    return value


def _text(field: Field, text: str) -> str:
    if not text.strip():
        raise ValueError("must not be empty")
    if not text.isprintable():
        raise ValueError("must not contain line breaks or control characters")
    if field.secret and not (text.isascii() and " " not in text):
        raise ValueError("must be ASCII without spaces, because it travels in an HTTP header")
    if field.type is Kind.CHOICE and text not in field.choices:
        raise ValueError(f"must be one of {', '.join(field.choices)}")
    if field.type in _CHECKS:
        _CHECKS[field.type](text)
    return text


def _name(text: str) -> None:
    if not _NAME.fullmatch(text):
        raise ValueError("must be 1 to 63 lower-case letters, digits, - or _, beginning with a letter or digit")


def _memory(text: str) -> None:
    if not units.size(_SMALLEST_MEMORY) <= units.size(text) <= units.size(_LARGEST_MEMORY):
        raise ValueError(f'must be from "{_SMALLEST_MEMORY}" to "{_LARGEST_MEMORY}"')


def _image(text: str) -> None:
    if not _IMAGE.fullmatch(text):
        raise ValueError('must be an image reference such as "name:tag" or "registry.example.com/name:tag"')


def _mirror(text: str) -> None:
    if not _MIRROR.fullmatch(text):
        raise ValueError(
            'must be a registry without a scheme, such as "registry.example.com" or "localhost:5000/mirror"'
        )


def _url(text: str) -> None:
    try:
        parts = urlsplit(text)
        valid = parts.scheme in {"http", "https"} and bool(parts.hostname) and " " not in text
    except ValueError:
        valid = False
    if not valid:
        raise ValueError('must be an http or https URL such as "https://mirror.example.com/simple"')


_CHECKS: dict[Kind, Callable[[str], None]] = {
    Kind.NAME: _name,
    Kind.SIZE: _memory,
    Kind.IMAGE: _image,
    Kind.MIRROR: _mirror,
    Kind.URL: _url,
}
