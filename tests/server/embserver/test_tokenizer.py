"""Texts to tokens with a model's own file: the same for a text of any length as if all of it were looked at."""

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tokenizers import Tokenizer as Backend

from embserver.tokenizer import FileTokenizer
from fakes.jina_checkpoint import LINES, write_tokenizer
from fakes.minilm_folder import minilm_folder

MAX_TOKENS = 16
# Words that are many tokens, one token, and (for one of the two) no token at all however long.
WORDS = st.sampled_from(["a", "=", "\n", "    ", "def", "reconcile", "ä\U0001f600", "x" * 90, "y" * 700, " "])


@pytest.fixture(scope="module", params=["bpe", "wordpiece"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    if request.param == "wordpiece":
        return minilm_folder()
    made: Path = tmp_path_factory.mktemp("bpe")
    write_tokenizer(made, vocabulary=400)
    return made


def backend(folder: Path) -> Backend:
    """The library, which looks at all of a text."""
    whole = Backend.from_file(str(folder / "tokenizer.json"))
    whole.no_padding()
    whole.enable_truncation(max_length=MAX_TOKENS)
    return whole


@pytest.fixture(scope="module")
def both(folder: Path) -> tuple[FileTokenizer, Backend]:
    """Ours, and the library on all of a text."""
    return FileTokenizer(folder, max_tokens=MAX_TOKENS, vocabulary=40_000), backend(folder)


@given(words=st.lists(WORDS, max_size=80), glue=st.sampled_from(["", " "]), copies=st.sampled_from([1, 6]))
# What is left of the last word's end decides what all of it is.
@example(words=["x" * 90, "x" * 90, "=", "x" * 90, "ä\U0001f600"], glue="", copies=1)
def test_a_long_text_has_the_tokens_of_all_of_it(
    both: tuple[FileTokenizer, Backend], words: list[str], glue: str, copies: int
) -> None:
    tokenizer, text = both[0], glue.join(words)
    expected = both[1].encode(text)

    for tokens in tokenizer.encode([text] * copies):
        assert list(tokens.ids) == expected.ids
        assert tokens.truncated == bool(expected.overflowing)


def test_of_a_text_far_too_long_only_the_beginning_is_looked_at(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tokenizer = FileTokenizer(folder, max_tokens=MAX_TOKENS, vocabulary=40_000)
    text = "\n".join(LINES) * 1000
    looked_at: list[int] = []

    class Watched:
        def encode(self, part: str) -> object:
            looked_at.append(len(part))
            return backend(folder).encode(part)

    monkeypatch.setattr(tokenizer, "_backend", Watched())
    (tokens,) = tokenizer.encode([text])

    assert (len(tokens.ids), tokens.truncated) == (MAX_TOKENS, True)
    assert sum(looked_at) < len(text) / 100
