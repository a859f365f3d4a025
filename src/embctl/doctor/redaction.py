"""Takes keys, passwords and people's names out of what is to be shown to strangers. Pure; errs on the safe side."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any
from urllib.parse import quote, unquote

from embctl.settings import FIELDS, Settings
from embctl.settings.values import MASK, Kind

__all__ = ["Redaction", "redaction_for"]

_URL = re.compile(r"\b([a-z][a-z0-9+.-]*://)([^\s\"'<>]+)", re.IGNORECASE)
_SECRET_NAME = re.compile(r"API[-_]?KEY|TOKEN$|SECRET|PASSW|CREDENTIAL|AUTH|COOKIE", re.IGNORECASE)
_SECRET_VARIABLE = re.compile(r"KEY|TOKEN|SECRET|PASS|CREDENTIAL|AUTH|COOKIE", re.IGNORECASE)
# NAME=value, "name": "value", --name value, with the scheme of an Authorization header.
_NAMED = re.compile(
    r"((?:api[-_ ]?key|token|secret|passw(?:or)?d|credentials?|authorization|cookie)[\"']?\s*(?:[:=]\s*|\s+)[\"']?"
    r"(?:(?:bearer|basic)\s+)?)(?!\s)([^\s\"',;&}\]]+)",
    re.IGNORECASE,
)
_BEARER = re.compile(r"\b(bearer|basic)\s+(?!tokens?(?:\s|$)|auth\w*(?:\s|$))[^\s\"',;]+", re.IGNORECASE)
_TOKENS = re.compile(r"\b(?:hf_|sk-|gh[opsu]_|github_pat_|glpat-|xox[abp]-)[A-Za-z0-9_-]{8,}")
# The folder below which each person has one of their own.
_HOMES = re.compile(r"((?:/home|/Users|/var/home|/mnt/[a-z]/Users|[A-Za-z]:[\\/]+Users)[\\/]+)([^\\/\s\"':;,<>|]+)")
_SHORT = 8
# What a variable or a query says in fewer characters is a switch or a number, and would be masked everywhere.
_LEAST = 4
_SWITCHES = frozenset({"true", "false", "none", "auto"})
_SOMEBODY = "somebody"


@dataclass(frozen=True, slots=True, kw_only=True)
class Redaction:
    """What must not be seen: `secrets` are values, in every spelling; `names` the users' own."""

    secrets: tuple[str, ...]
    home: str
    names: tuple[str, ...]

    def secretless(self, text: str) -> str:
        """Without secrets, known or recognised by what stands before them."""
        for secret in self.secrets:
            text = _without(text, secret, MASK)
        text = _URL.sub(_masked_url, text)
        text = _BEARER.sub(rf"\1 {MASK}", text)
        text = _NAMED.sub(_masked_value, text)
        return _TOKENS.sub(MASK, text)

    def anonymous(self, text: str) -> str:
        """Without secrets, home folders and users' names."""
        text = self.secretless(text)
        for spelling in _spellings(self.home) if self.home else ():
            text = text.replace(spelling, "~")
        text = _HOMES.sub(rf"\1{_SOMEBODY}", text)
        for name in self.names:
            text = _without(text, name, _SOMEBODY, word=True)
        return text

    def plain(self, value: Any) -> Any:
        """A JSON value without secrets, home folders and users' names, in its keys too; what a key calls secret goes
        whatever it is."""
        if isinstance(value, Mapping):
            return {self.anonymous(key): self._under(key, item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.plain(item) for item in value]
        return self.anonymous(value) if isinstance(value, str) else value

    def _under(self, key: str, value: Any) -> Any:
        return MASK if value and isinstance(value, str) and _SECRET_NAME.search(key) else self.plain(value)


def redaction_for(settings: Settings, env: Mapping[str, str], home: PurePath) -> Redaction:
    """From all that is known here to be secret: settings, the environment, and the home folder's name."""
    values = {str(getattr(settings, row.attribute)) for row in FIELDS if row.secret}
    urls = {str(getattr(settings, row.attribute)) for row in FIELDS if row.type in {Kind.URL, Kind.MIRROR}}
    values |= {value for name, value in env.items() if _SECRET_VARIABLE.search(name) and _telling(value)}
    urls |= {value for value in env.values() if "://" in value}
    values |= {part for url in urls for part in _credentials(url)}
    spelt = {spelling for value in values if value.strip() for spelling in _spellings(value)}
    people = {home.name, env.get("USER", ""), env.get("LOGNAME", ""), env.get("USERNAME", "")} - {"", "root", "home"}
    return Redaction(
        # The longest first: one may be a part of another.
        secrets=tuple(sorted(spelt, key=len, reverse=True)),
        home="" if home == PurePath(home.anchor) else str(home),
        names=tuple(sorted(people)),
    )


def _telling(value: str) -> bool:
    return len(value) >= _LEAST and value.lower() not in _SWITCHES and not value.isdigit()


def _credentials(url: str) -> Iterable[str]:
    """User, password and query of a URL, or of a registry without a scheme."""
    before, at, _ = url.rpartition("@")
    if at:
        userinfo = before.partition("://")[2] or before
        yield from (userinfo, *(part for part in userinfo.split(":", 1) if len(part) >= _LEAST))
    values = (part.partition("=")[2] for part in url.partition("?")[2].split("&"))
    yield from filter(_telling, values)


def _spellings(value: str) -> set[str]:
    """As it may stand in a URL or in JSON."""
    return {value, quote(value, safe=""), unquote(value), json.dumps(value)[1:-1]}


def _without(text: str, value: str, mask: str, *, word: bool = False) -> str:
    if word or len(value) < _SHORT:  # a short one is a part of innocent words
        return re.sub(rf"(?<![A-Za-z0-9]){re.escape(value)}(?![A-Za-z0-9])", lambda _: mask, text)
    return text.replace(value, mask)


def _masked_url(found: re.Match[str]) -> str:
    scheme, rest = found.groups()
    before, at, place = rest.rpartition("@")
    if at and "?" in before:  # of a password or of the query: nobody can tell
        return f"{scheme}{MASK}"
    address, mark, _ = place.partition("?")
    return f"{scheme}{f'{MASK}@' if at else ''}{address}{f'?{MASK}' if mark else ''}"


def _masked_value(found: re.Match[str]) -> str:
    before, value = found.groups()
    told = before.rstrip(" \"'").endswith((":", "="))
    flag = found.string[max(found.start() - 1, 0) : found.start()] == "-"
    # Prose goes on with a word, or in brackets.
    prose = not told and not flag and (value.strip(".!?").isalpha() or value.startswith("("))
    return found[0] if prose or value == MASK else f"{before}{MASK}"
