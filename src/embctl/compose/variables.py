"""Variables in a compose file: `${NAME}`, `${NAME:-default}` and `$$` for a dollar sign; nothing else may begin with
`$`."""

import re
from collections.abc import Mapping

__all__ = ["substitute"]

_REFERENCE = re.compile(r"\$(?:(?P<escape>\$)|\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?P<or>:-(?P<default>[^${}]*))?\})?")


def substitute(text: str, variables: Mapping[str, str]) -> str:
    """The text with its variables replaced, once: values are taken as they are. An empty value gives way to the
    default.

    ValueError names a variable that is not among `variables` (a default does not excuse it), or a stray `$`.
    """

    def replacement(match: re.Match[str]) -> str:
        if match["escape"]:
            return "$"
        name = match["name"]
        if name is None:
            raise ValueError("only ${NAME}, ${NAME:-default} and $$ may begin with $")
        if name not in variables:
            raise ValueError(f"there is no variable {name}")
        return variables[name] or match["default"] or ""

    return _REFERENCE.sub(replacement, text)
