"""Our model in Continue's config.yaml: comments, quotes and order stay, or nothing is written."""

import pytest
import yaml

from embctl.clients import Served, continueyaml, formats

MODEL = formats.continue_model(
    Served(
        model="minilm",
        dimension=384,
        threshold=0.2,
        openai_url="http://localhost:4000/v1",
        qdrant_url="http://localhost:6333",
    )
)
AT_THE_KEY = """\
# my assistant
name: Local
version: "1.0.0"
schema: v1
models:
- name: Chat   # the good one
  provider: anthropic
  roles: [chat, edit]

# what it may read
context:
- provider: code
"""
FURTHER_IN = """\
name: Local
version: 1.0.0
schema: v1
models:
  - name: Chat
    provider: anthropic
    prompt: |
      two
      lines
"""


@pytest.mark.parametrize("text", [AT_THE_KEY, FURTHER_IN])
def test_our_model_comes_last_and_every_line_stays(text: str) -> None:
    merged = continueyaml.merged(text, MODEL)
    before, after = yaml.safe_load(text), yaml.safe_load(merged)
    assert after == {**before, "models": [*before["models"], MODEL]}
    assert set(text.splitlines()) <= set(merged.splitlines())


@pytest.mark.parametrize("text", [None, "", "\n"])
def test_a_missing_or_empty_file_becomes_a_whole_one(text: str | None) -> None:
    content = yaml.safe_load(continueyaml.merged(text, MODEL))
    assert content == {"name": "Local Config", "version": "1.0.0", "schema": "v1", "models": [MODEL]}


@pytest.mark.parametrize("text", [None, AT_THE_KEY, FURTHER_IN, "name: a\nversion: 1.0.0\n"])
def test_a_second_time_changes_nothing_and_another_model_takes_the_place_of_ours(text: str | None) -> None:
    once = continueyaml.merged(text, MODEL)
    assert continueyaml.merged(once, MODEL) == once
    other = yaml.safe_load(continueyaml.merged(once, {**MODEL, "model": "jina-code-v2"}))
    assert [each["model"] for each in other["models"] if each["name"] == "embctl"] == ["jina-code-v2"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("models: [", "no YAML"),
        ("- a\n", "no mapping"),
        ("models: 5\n", "no list"),
        ("name:   far\nmodels:\n      -   name: x\n", "layout"),
    ],
)
def test_what_would_not_be_kept_is_refused(text: str, reason: str) -> None:
    with pytest.raises(continueyaml.NotKept, match=reason):
        continueyaml.merged(text, MODEL)
