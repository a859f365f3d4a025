"""The tables in docs/configuration.md, made from the settings and the catalogue. As a program, it rewrites the page."""

import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from embctl.settings import FIELDS, Field, Kind

__all__ = ["PAGE", "with_tables", "written"]

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "configuration.md"
CATALOGUE = ROOT / "server" / "embserver" / "catalogue.toml"


def with_tables(page: str) -> str:
    """The page with its tables as they should be."""
    for name, rows in (("settings", _settings()), ("models", _models())):
        before, _, after = _parts(page, name)
        page = "\n".join([before, "", *rows, "", after])
    return page


def written(page: str, name: str) -> str:
    """What stands between a table's two marks."""
    return _parts(page, name)[1]


def _parts(page: str, name: str) -> tuple[str, str, str]:
    """What is before the table, its first mark included; the table; what is after it, its last mark included."""
    begin, end = f"<!-- {name}: written by tests/settings_table.py -->", f"<!-- end of {name} -->"
    before, _, rest = page.partition(begin)
    table, _, after = rest.partition(end)
    return before + begin, table, end + after


def _settings() -> Iterable[str]:
    yield "| setting | variable | option | type | default | meaning |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for row in FIELDS:
        default = str(row.default).lower() if isinstance(row.default, bool) else str(row.default)
        yield _line(_code(row.key), _code(row.env), _code(row.flag), _type(row), _code(default), row.help)


def _models() -> Iterable[str]:
    yield "| model | other names in requests | dimensions | longest text | threshold | download | licence | from |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
    models: dict[str, dict[str, Any]] = tomllib.loads(CATALOGUE.read_text(encoding="utf-8"))
    for name, model in models.items():
        yield _line(
            _code(name),
            ", ".join(map(_code, model["ids"])),
            str(model["dimension"]),
            f"{model['max_tokens']} tokens",
            f"{model['search_threshold']:.2f}" if "search_threshold" in model else "not measured yet",
            f"{model['size'] / 1e6:.0f} MB",
            model["licence"],
            "the model hub" if "hub" in model else f"the package {_code(model['package']['distribution'])}",
        )


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _type(row: Field) -> str:
    if row.secret:
        return "secret"
    if row.type is Kind.WHOLE:
        return f"{row.low} to {row.high}"
    if row.type is Kind.CHOICE:
        return ", ".join(map(_code, row.choices))
    return str(row.type)


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
