"""Addresses: what people may see of a URL."""

import io
import json
import logging

import pytest

from embserver import log
from embserver.addresses import without_userinfo


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("https://user:hunter2@hub.example/a?b#c", "https://hub.example/a?b#c"),
        ("https://hunter2@hub.example", "https://hub.example"),
        ("https://user:hunter@2@hub.example:80/a@b", "https://hub.example:80/a@b"),
        (
            "tried http://u:hunter2@a.example and 'http://v:hunter2@b.example'",
            "tried http://a.example and 'http://b.example'",
        ),
        ("https://hub.example/owner/m@main", "https://hub.example/owner/m@main"),
        ("https://hub.example?to=a@b", "https://hub.example?to=a@b"),
        ("https://hub.example or somebody@hub.example", "https://hub.example or somebody@hub.example"),
    ],
)
def test_name_and_password_are_taken_out_of_every_url_and_nothing_else(text: str, seen: str) -> None:
    assert without_userinfo(text) == seen


def test_what_libraries_log_is_printed_without_passwords_too() -> None:
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    stream = io.StringIO()
    log.configure(stream)
    try:
        logger = logging.getLogger("some.library")
        reason = ConnectionError("https://user:hunter2@hub.example/x is gone")
        logger.error("resuming %s", "https://user:hunter2@hub.example/x", exc_info=reason)
        log.event(logger, "told", level="error", detail="https://user:hunter2@hub.example/x")
    finally:
        root.handlers[:] = before
        root.setLevel(level)
        logging.getLogger("embserver").setLevel(logging.NOTSET)

    failed, told = (json.loads(line) for line in stream.getvalue().splitlines())
    assert failed["event"] == "resuming https://hub.example/x"
    assert "ConnectionError: https://hub.example/x is gone" in failed["exception"]
    assert told["detail"] == "https://hub.example/x"
