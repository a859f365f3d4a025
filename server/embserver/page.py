"""The page at /: one static file, and the headers by which it can ask this server alone."""

import base64
import hashlib
import re
from functools import cache
from pathlib import Path

__all__ = ["HEADERS", "content"]

_FILE = Path(__file__).with_name("page.html")


@cache
def content() -> bytes:
    """The file."""
    return _FILE.read_bytes()


def _allowed(element: str) -> str:
    """What a policy calls the text of the element, so that nothing else of that kind runs or applies."""
    found = re.search(rf"<{element}>(.*?)</{element}>".encode(), content(), re.DOTALL)
    text = found[1] if found else b""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text).digest()).decode()}'"


HEADERS = {
    "Content-Security-Policy": f"default-src 'none'; script-src {_allowed('script')}; style-src {_allowed('style')}; "
    "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
