"""Text to token ids, with the model's own tokenizer.json; the only importer of tokenizers."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from embserver.failures import ModelRefused

__all__ = ["FileTokenizer", "Tokenizer", "Tokens"]


@dataclass(frozen=True, slots=True)
class Tokens:
    """The ids of one text, special tokens included; `truncated` says that the text went on beyond them."""

    ids: Sequence[int]
    truncated: bool = False


class Tokenizer(Protocol):
    """Where texts become token ids. Implementations are called from several threads at once."""

    @property
    def vocabulary(self) -> int:
        """How many ids there are: valid ones lie in [0, vocabulary)."""

    def encode(self, texts: Sequence[str]) -> list[Tokens]:
        """One Tokens a text, in order; each has at least one id and at most the model's maximum."""


class FileTokenizer:
    """The tokenizer of a model folder, cutting at `max_tokens` ids (special tokens included, the last one kept)."""

    def __init__(self, folder: Path, *, max_tokens: int, vocabulary: int) -> None:
        from tokenizers import Tokenizer as Backend  # noqa: PLC0415 - not needed by the API and its tests

        path = folder / "tokenizer.json"
        if not path.is_file():
            raise ModelRefused(f"{folder} has no tokenizer.json, and no other tokenizer format is read.")
        try:
            self._backend = Backend.from_file(str(path))
        except Exception as error:
            raise ModelRefused(f"{path} cannot be read as a tokenizer: {error}") from error
        if self._backend.get_vocab_size() > vocabulary:
            raise ModelRefused(
                f"{path} knows {self._backend.get_vocab_size()} tokens, but the model has vectors for {vocabulary}."
            )
        # A file may carry a padding or a shorter cut of its training; both would change vectors unseen.
        self._backend.no_padding()
        self._backend.enable_truncation(max_length=max_tokens)
        self._vocabulary = vocabulary

    @property
    def vocabulary(self) -> int:
        """How many ids the model has vectors for."""
        return self._vocabulary

    def encode(self, texts: Sequence[str]) -> list[Tokens]:
        """One Tokens a text, in order."""
        return [
            Tokens(encoding.ids, truncated=bool(encoding.overflowing))
            for encoding in self._backend.encode_batch_fast(list(texts))
        ]
