"""From the inputs of a request to token ids, without holding up others.

Small requests are cut at once, others piece by piece in a thread of their own.
"""

import asyncio
import time
from array import array
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from embserver.refusals import InputOutOfRange, InputTooLong
from embserver.tokenizer import Tokenizer, Tokens

__all__ = ["Inputs", "Preparation", "Prepared"]

Inputs = Sequence[str] | Sequence[Sequence[int]]
"""Texts, or lists of token ids that are taken as they are: nothing is added, special tokens included."""

# A few milliseconds of work, so that large requests advance side by side, and few of the library's own large objects.
_PIECE_CHARACTERS = 32 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """The tokens of each input, in order, and the seconds until they were cut, beside the pieces of others."""

    tokens: Sequence[Tokens]
    seconds: float

    @property
    def count(self) -> int:
        """Tokens in all."""
        return sum(len(text.ids) for text in self.tokens)

    @property
    def truncated(self) -> int:
        """Inputs that were cut short."""
        return sum(text.truncated for text in self.tokens)


class Preparation:
    """A tokenizer at work. Lives on one event loop."""

    def __init__(self, tokenizer: Tokenizer, *, max_tokens: int) -> None:
        self._tokenizer = tokenizer
        self._max_tokens = max_tokens
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="tokenizer")

    def at_once(self, inputs: Inputs, *, truncate: bool) -> Prepared:
        """Tokens of a request so small that handing it to a thread would cost more.

        Raises InputOutOfRange, or InputTooLong where `truncate` forbids to cut.
        """
        began = time.perf_counter()
        tokens = [entry for piece in _pieces(inputs) for entry in self._cut(piece, inputs)]
        return self._checked(tokens, began, truncate=truncate)

    async def in_pieces(self, inputs: Inputs, *, truncate: bool) -> Prepared:
        """The same for a request of any size, taking turns with others; the loop stays free."""
        loop = asyncio.get_running_loop()
        tokens: list[Tokens] = []
        began = time.perf_counter()
        for piece in _pieces(inputs):
            tokens += await loop.run_in_executor(self._thread, self._cut, piece, inputs)
        return self._checked(tokens, began, truncate=truncate)

    def stop(self) -> None:
        """Drop what has not begun."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _cut(self, piece: slice, inputs: Inputs) -> list[Tokens]:
        texts = [text for text in inputs[piece] if isinstance(text, str)]
        if texts:
            return self._tokenizer.encode(texts)
        lists = [ids for ids in inputs[piece] if not isinstance(ids, str)]
        return [self._taken(piece.start + offset, ids) for offset, ids in enumerate(lists)]

    def _taken(self, index: int, ids: Sequence[int]) -> Tokens:
        vocabulary = self._tokenizer.vocabulary
        for token in (min(ids), max(ids)):
            if not 0 <= token < vocabulary:
                raise InputOutOfRange(index, token, vocabulary)
        return Tokens(array("i", ids[: self._max_tokens]), truncated=len(ids) > self._max_tokens)

    def _checked(self, tokens: list[Tokens], began: float, *, truncate: bool) -> Prepared:
        if not truncate:
            for index, text in enumerate(tokens):
                if text.truncated:
                    raise InputTooLong(index, self._max_tokens)
        return Prepared(tokens=tokens, seconds=time.perf_counter() - began)


def _pieces(inputs: Inputs) -> Iterator[slice]:
    """Neighbouring inputs of so many characters, or ids, together; at least one."""
    start = size = 0
    for end, entry in enumerate(inputs):
        if size and size + len(entry) > _PIECE_CHARACTERS:
            yield slice(start, end)
            start, size = end, 0
        size += len(entry)
    yield slice(start, len(inputs))
