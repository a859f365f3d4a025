"""Addresses as people may see them: a URL can carry a name and a password, which belong in no message and no log."""

import re

__all__ = ["without_userinfo"]

# Up to the last @ before the path: passwords are not always encoded as they should be.
_USERINFO = re.compile(r"(?<=://)[^/?#\s]*@")


def without_userinfo(text: str) -> str:
    """The text with `user:password@` taken out of every URL in it."""
    return _USERINFO.sub("", text)
