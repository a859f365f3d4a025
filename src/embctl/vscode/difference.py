"""What a change would do to a file, as a unified diff that `patch` can read. Pure: text in, text out."""

import difflib
from io import StringIO

__all__ = ["difference"]


def difference(name: str, before: str, after: str) -> str:
    """The diff of the file's two texts; "" when they are the same."""
    return "".join(map(_ended, difflib.unified_diff(_lines(before), _lines(after), name, name)))


def _lines(text: str) -> list[str]:
    """The lines as an editor counts them: str.splitlines knows many more ends."""
    return list(StringIO(text, newline=""))


def _ended(line: str) -> str:
    if line.endswith("\n"):
        return line
    return f"{line}\n" if line.endswith("\r") else f"{line}\n\\ No newline at end of file\n"
