"""Our part in a kilo.jsonc: whatever else stands there stays to the letter."""

from typing import Any

import pytest

from embctl import jsonc
from embctl.clients import Served, formats, kilo

WANTED = formats.kilo_settings(
    Served(
        model="minilm",
        dimension=384,
        threshold=0.2,
        openai_url="http://localhost:4000/v1",
        qdrant_url="http://localhost:6333",
    )
)
FULL = """\
// mine
{
  "model": "anthropic/claude", // the chat's
  "indexing": {
    /* the one before */
    "enabled": false,
    "provider": "ollama", // no more
    "ollama": {"baseUrl": "http://localhost:11434"},
    "embeddingBatchSize": 20
  },
  "tools": [1, 2,],
}
"""


def read(text: str) -> Any:
    return jsonc.value(text)


def comments(text: str) -> list[str]:
    return [text[start:end] for start, end in jsonc.comments(text, 0, len(text))]


@pytest.mark.parametrize("text", [None, "", "\n", "// only a comment\n"])
def test_a_missing_or_empty_file_begins_with_ours(text: str | None) -> None:
    merged = kilo.merged(text, WANTED)
    assert merged.startswith(text or "")
    assert read(merged) == WANTED


def test_comments_order_and_the_users_other_settings_stay() -> None:
    merged = kilo.merged(FULL, WANTED)
    before, after = read(FULL), read(merged)
    assert after == {**before, "indexing": {**before["indexing"], **WANTED["indexing"]}}
    assert list(after) == list(before)
    assert comments(merged) == comments(FULL)


@pytest.mark.parametrize("text", [None, FULL, "{}", '{"indexing": 5}', '{\r\n\t"a": 1\r\n}', '{"indexing": {}, }'])
def test_a_second_time_changes_nothing(text: str | None) -> None:
    once = kilo.merged(text, WANTED)
    assert kilo.merged(once, WANTED) == once
    assert {**(read(text) if text else {}), **WANTED}.keys() == read(once).keys()


@pytest.mark.parametrize("text", ["[]", "5", "{", '{"a": 1 "b": 2}'])
def test_what_cannot_be_read_or_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(jsonc.NotJsonc):
        kilo.merged(text, WANTED)
