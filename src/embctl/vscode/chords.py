"""When two keybindings mean the same keys: spellings of chords in one form. Pure text."""

import re

__all__ = ["normalised"]

_MODIFIER = re.compile(r"(ctrl|shift|alt|meta|win|cmd)[+-](?=.)")
_SCAN_CODES = {
    "backquote": "`",
    "backslash": "\\",
    "bracketleft": "[",
    "bracketright": "]",
    "comma": ",",
    "equal": "=",
    "minus": "-",
    "period": ".",
    "quote": "'",
    "semicolon": ";",
    "slash": "/",
}
_WINDOWS_NAMES = {
    "oem_1": ";",
    "oem_2": "/",
    "oem_3": "`",
    "oem_4": "[",
    "oem_5": "\\",
    "oem_6": "]",
    "oem_7": "'",
    "oem_comma": ",",
    "oem_minus": "-",
    "oem_period": ".",
    "oem_plus": "=",
}
_PLACE = re.compile(r"\[(?:digit([0-9])|key([a-z])|([a-z0-9_]+))\]")


def normalised(key: str) -> str:
    """The first chord of a keybinding: its modifiers in order, its key by the character that an American keyboard has
    in that place: `shift+ctrl+9`, `Ctrl-Shift-9` and `ctrl+shift+[Digit9]` are one, and so are `=`, `[Equal]` and
    Windows' `OEM_PLUS`. A longer sequence takes its first chord away from everybody else, so that is what counts."""
    rest = key.strip().lower().split(" ")[0]
    modifiers = set()
    while found := _MODIFIER.match(rest):
        modifiers.add("meta" if found[1] in {"win", "cmd"} else found[1])
        rest = rest[found.end() :]
    if place := _PLACE.fullmatch(rest):
        digit, letter, named = place.groups()
        rest = digit or letter or _SCAN_CODES.get(named, rest)
    return "+".join([*sorted(modifiers), _WINDOWS_NAMES.get(rest, rest)])
