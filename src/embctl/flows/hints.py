"""Commands to paste: one that a hint proposes means the same stack as the command line that it answers."""

import re
import shlex

from embctl.model import Runtime
from embctl.settings import FIELDS, Settings, Source

__all__ = ["aimed"]

# A hint's command is its end, after a colon, behind the variables that it sets.
_COMMAND = re.compile(
    r"(?:^|: )(?:[A-Z_]+=\S+ )?embctl (?P<before>(?:--[a-z-]+ [a-z]+ )*)"
    r"(?P<verb>start|restart|stop|down|pull|plan|status|logs|wait|warmup)\b(?P<rest>[^,;:]*)$"
)
_CREATING = frozenset({"start", "restart", "pull", "plan"})
_WHERE = ("project", "port_offset", "runtime", "engine.context", "engine.host")
_ENGINE = ("engine.context", "engine.host")


def aimed(hint: str, settings: Settings) -> str:
    """The hint, its command completed by what only the command line said of the stack; whatever a file, the
    environment or the last start says is found there again. Options that the command has stay as they are."""
    found = _COMMAND.search(hint)
    if found is None:
        return hint
    has = found["before"] + found["rest"]
    keys = [*_WHERE, *(["model", "jina.device"] if found["verb"] in _CREATING else [])]
    if f"--runtime {Runtime.NATIVE}" in has:
        keys = [key for key in keys if key not in _ENGINE]
    options = [
        f" {row.flag} {shlex.quote(str(getattr(settings, row.attribute)))}"
        for row in FIELDS
        if row.key in keys and settings.origins[row.key].source is Source.FLAG and row.flag not in has.split()
    ]
    return hint + "".join(options)
