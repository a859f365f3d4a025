"""The table of settings in docs/configuration.md, made from the settings. As a program, it rewrites the page."""

from pathlib import Path

from embctl.settings import FIELDS, Field, Kind

__all__ = ["BEGIN", "END", "PAGE", "table"]

PAGE = Path(__file__).resolve().parent.parent / "docs" / "configuration.md"
BEGIN = "<!-- settings: written by tests/settings_table.py -->"
END = "<!-- end of settings -->"


def table() -> str:
    """The table as Markdown, between its two marks."""
    lines = [
        "| setting | variable | option | type | default | meaning |",
        "| --- | --- | --- | --- | --- | --- |",
        *(_line(row) for row in FIELDS),
    ]
    return "\n".join([BEGIN, "", *lines, "", END])


def _line(row: Field) -> str:
    default = str(row.default).lower() if isinstance(row.default, bool) else str(row.default)
    cells = (
        f"`{row.key}`",
        f"`{row.env}`",
        f"`{row.flag}`" if row.flag else "",
        _type(row),
        f"`{default}`" if default else "",
        row.help,
    )
    return f"| {' | '.join(cells)} |"


def _type(row: Field) -> str:
    if row.secret:
        return "secret"
    if row.type is Kind.WHOLE:
        return f"{row.low} to {row.high}"
    if row.type is Kind.CHOICE:
        return ", ".join(f"`{choice}`" for choice in row.choices)
    return str(row.type)


if __name__ == "__main__":
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    PAGE.write_text(before + table() + rest.partition(END)[2], encoding="utf-8")
