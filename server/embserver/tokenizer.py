"""Text to token ids, with the model's own tokenizer.json; the only importer of tokenizers."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from embserver.failures import ModelRefused

if TYPE_CHECKING:
    from tokenizers import Encoding

__all__ = ["FileTokenizer", "Tokenizer", "Tokens"]

# So few texts are not worth the library's thread pool, where they would queue behind a large request's.
_FEW = 4
# A beginning of so many characters a token holds more tokens than are kept, by far, in any language.
_BEGINNING = 16
# WordPiece gives a word of more than a hundred characters a single token; other tokenizers split long words first.
_WORD = 128


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
        self._beginning = _BEGINNING * max_tokens

    @property
    def vocabulary(self) -> int:
        """How many ids the model has vectors for."""
        return self._vocabulary

    def encode(self, texts: Sequence[str]) -> list[Tokens]:
        """One Tokens a text, in order."""
        beginnings = [text[: self._beginning] for text in texts]
        if len(texts) <= _FEW:
            encodings = [self._backend.encode(text) for text in beginnings]
        else:
            encodings = self._backend.encode_batch_fast(beginnings)
        return [
            _tokens(encoding)
            if len(text) <= self._beginning or _enough(encoding)
            else self._long(text, 2 * self._beginning)
            for text, encoding in zip(texts, encodings, strict=True)
        ]

    def _long(self, text: str, characters: int) -> Tokens:
        """The tokens of a text whose beginning held too few of them."""
        while characters < len(text):
            encoding = self._backend.encode(text[:characters])
            if _enough(encoding):
                return _tokens(encoding)
            characters *= 2
        return _tokens(self._backend.encode(text))


def _enough(encoding: "Encoding") -> bool:
    """Whether a text's beginning gives the tokens of the whole text: what was cut off comes as many tokens later again,
    and more than one word has, whose tokens can be others without its end.

    Without the cut, a text of megabytes would take seconds, and many times its size, to be thrown away.
    """
    return (len(encoding.overflowing) - 1) * len(encoding.ids) > _WORD


def _tokens(encoding: "Encoding") -> Tokens:
    return Tokens(array("i", encoding.ids), truncated=bool(encoding.overflowing))
