"""A model without weights for API tests: a character is a token, and a vector says which ids it was computed from.

Computing can be held (`hold`, `release`) and observed (`began`, `batches`), so tests wait for events, never for time.
"""

import threading
from collections.abc import Sequence

import numpy as np

from embserver.encoder import Pause, Vectors, no_pause
from embserver.loading import LoadedModel
from embserver.service import Report
from embserver.tokenizer import Tokens

VOCABULARY = 1000
CLS, SEP = 1, 2
_LAYER_SECONDS = 0.001


class FakeTokenizer:
    """`ab` becomes CLS, one id a character, SEP; cut to `max_tokens` with the SEP kept.

    Like computing, it can be held, for all but the smallest requests, which do not come here in a thread of their own.
    """

    vocabulary = VOCABULARY

    def __init__(self, max_tokens: int) -> None:
        self.max_tokens = max_tokens
        self.texts: list[str] = []
        self.free = threading.Event()
        self.free.set()

    def encode(self, texts: Sequence[str]) -> list[Tokens]:
        if threading.current_thread().name.startswith("tokenizer"):
            self.free.wait()
        self.texts += texts
        wholes = [[CLS, *(ord(character) % VOCABULARY for character in text), SEP] for text in texts]
        return [
            Tokens(ids) if len(ids) <= self.max_tokens else Tokens([*ids[: self.max_tokens - 1], SEP], truncated=True)
            for ids in wholes
        ]


class FakeEncoder:
    """Vectors of unit length that differ for different ids."""

    device = "cpu"
    dtype = "float32"
    streams = 1

    def __init__(self, dimension: int) -> None:
        self.dimension = dimension
        self.batches: list[list[list[int]]] = []
        self.began = threading.Semaphore(0)
        self.releases = 0
        self.broken: str | None = None
        self._free = threading.Event()
        self._free.set()

    def encode(self, batch: Sequence[Sequence[int]], pause: Pause = no_pause) -> Vectors:
        self.batches.append([list(ids) for ids in batch])
        self.began.release()
        # Held, it is a model of ever more layers.
        while not self._free.wait(_LAYER_SECONDS):
            pause()
        self.releases += 1
        if self.broken == "crash":
            raise RuntimeError("the encoder fell over")
        vectors = np.stack([self.vector(ids) for ids in batch])
        if self.broken == "nan":
            vectors[0, 0] = np.nan
        return vectors

    def hold(self) -> None:
        """Let the next batch begin, but not end."""
        self._free.clear()

    def release(self) -> None:
        """Let held batches end."""
        self._free.set()

    def vector(self, ids: Sequence[int]) -> Vectors:
        """The vector that stands for these ids."""
        vector = np.random.default_rng(list(ids)).standard_normal(self.dimension).astype(np.float32)
        unit: Vectors = vector / np.linalg.norm(vector)
        return unit


class FakeModel:
    """A loader of the fake, with its parts at hand. `gate` holds the loading back until it is set."""

    def __init__(self, *, dimension: int = 8, max_tokens: int = 32) -> None:
        self.tokenizer = FakeTokenizer(max_tokens)
        self.encoder = FakeEncoder(dimension)
        self.gate = threading.Event()
        self.gate.set()
        self.failure: Exception | None = None
        self.reports: list[Report] = []
        self.reported = threading.Event()

    def load(self, report: Report) -> LoadedModel:
        self.reports.append(report)
        self.reported.set()
        self.gate.wait()
        if self.failure is not None:
            raise self.failure
        return LoadedModel(
            revision="r1",
            max_tokens=self.tokenizer.max_tokens,
            threads=1,
            libraries=("numpy",),
            tokenizer=self.tokenizer,
            encoder=self.encoder,
        )
