"""The embedding service: one model, its way from nothing to ready, and a request's way from inputs to vectors.

It knows nothing of HTTP. All methods belong to one event loop; computing happens in one worker thread, so the loop
stays free to answer probes, to queue, and to notice who has gone away.
"""

import asyncio
import gc
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from embserver import log
from embserver.batching import micro_batches
from embserver.catalogue import WantedModel
from embserver.encoder import Encoder, Vectors
from embserver.failures import StartFailed
from embserver.gate import Gate
from embserver.loading import LoadedModel
from embserver.settings import Settings
from embserver.tokenizer import Tokens

__all__ = ["Counters", "Embedded", "InputOutOfRange", "Loader", "NotLoaded", "Report", "Service", "Stage", "Standing"]

_log = log.named("service")


class Stage(StrEnum):
    """The steps from start to ready, in order."""

    STARTING = "starting"
    DOWNLOADING = "downloading"
    LOADING = "loading"
    READY = "ready"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where the start is; `done` and `total` are bytes while downloading, None where unknown or meaningless."""

    stage: Stage
    detail: str
    done: int | None = None
    total: int | None = None


Report = Callable[[Standing], None]
Loader = Callable[[Report], LoadedModel]
"""Fetches and loads the model in the worker thread, telling how far it is. Raises StartFailed."""


class NotLoaded(Exception):
    """The model is still on its way; `standing` says how far."""

    def __init__(self, standing: Standing) -> None:
        super().__init__(standing.detail)
        self.standing = standing


class InputOutOfRange(ValueError):
    """A token id that the model does not have; `index` is the input's."""

    def __init__(self, index: int, token: int, vocabulary: int) -> None:
        super().__init__(f"Input {index} has the token id {token}; this model's ids are 0 to {vocabulary - 1}.")
        self.index = index


@dataclass(slots=True, kw_only=True)
class Counters:
    """What was done since the start. `errors` counts requests that failed through the server's own fault."""

    requests: int = 0
    texts: int = 0
    tokens: int = 0
    truncated: int = 0
    errors: int = 0
    collections: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedded:
    """An answer: vectors [inputs, dimension] in the order of the inputs, the tokens computed, the inputs cut short."""

    vectors: Vectors
    tokens: int
    truncated: int


class Service:
    """One model and the queue before it."""

    def __init__(self, settings: Settings, wanted: WantedModel, loader: Loader) -> None:
        self.settings = settings
        self.wanted = wanted
        self.counters = Counters()
        self.gate = Gate(settings.semaphore)
        self.started = time.monotonic()
        self.standing = Standing(stage=Stage.STARTING, detail="the process has started")
        self._loader = loader
        self._model: LoadedModel | None = None
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="worker")

    @property
    def model(self) -> LoadedModel:
        """The loaded model. Raises NotLoaded until there is one."""
        if self._model is None:
            raise NotLoaded(self.standing)
        return self._model

    @property
    def ready(self) -> bool:
        """Whether requests are answered."""
        return self._model is not None

    async def start(self) -> None:
        """Fetch and load the model. Raises StartFailed, with a message for people."""
        loop = asyncio.get_running_loop()

        def report(standing: Standing) -> None:
            loop.call_soon_threadsafe(setattr, self, "standing", standing)

        began = time.monotonic()
        try:
            model = await loop.run_in_executor(self._worker, self._loader, report)
        except StartFailed:
            raise
        except Exception as error:
            _log.exception("load_crashed")
            raise StartFailed(f"The model {self.wanted.name} could not be loaded: {error!r}") from error
        if self.settings.collect_garbage:
            # What is there now stays for good. Out of the collector's sight, it no longer makes every later collection
            # walk through all of torch with the interpreter locked.
            gc.collect()
            gc.freeze()
        self._model = model
        self.standing = Standing(stage=Stage.READY, detail="the model answers")
        if model.self_test == "differs":
            log.event(_log, "self_test_differs", level="error", model=self.wanted.name, revision=model.revision)
        log.event(
            _log,
            "ready",
            model=self.wanted.name,
            revision=model.revision,
            dimension=model.encoder.dimension,
            max_tokens=model.max_tokens,
            device=model.encoder.device,
            threads=model.threads,
            self_test=model.self_test,
            seconds=round(time.monotonic() - began, 3),
        )

    async def embed(self, inputs: Sequence[str] | Sequence[Sequence[int]]) -> Embedded:
        """Vectors for texts, or for token ids that are taken as they are (nothing is added, special tokens included).

        To be called inside the gate, which the caller enters first so that the queue need not hold inputs. Raises
        NotLoaded or InputOutOfRange. When the caller is cancelled, whatever has not begun to compute is dropped.
        """
        model = self.model
        tokens = await self._tokens(model, inputs)
        vectors = await self._encode(model.encoder, tokens)
        truncated = sum(text.truncated for text in tokens)
        count = sum(len(text.ids) for text in tokens)
        self.counters.requests += 1
        self.counters.texts += len(tokens)
        self.counters.tokens += count
        self.counters.truncated += truncated
        if truncated:
            log.event(_log, "truncated", level="warning", texts=truncated, max_tokens=model.max_tokens)
        return Embedded(vectors=vectors, tokens=count, truncated=truncated)

    def stop(self) -> None:
        """Drop what has not begun. A batch that is being computed cannot be interrupted."""
        self._worker.shutdown(wait=False, cancel_futures=True)

    async def _tokens(self, model: LoadedModel, inputs: Sequence[str] | Sequence[Sequence[int]]) -> list[Tokens]:
        texts = [text for text in inputs if isinstance(text, str)]
        if texts:
            return await asyncio.to_thread(model.tokenizer.encode, texts)
        lists = [ids for ids in inputs if not isinstance(ids, str)]
        return [_cut(index, ids, model) for index, ids in enumerate(lists)]

    async def _encode(self, encoder: Encoder, tokens: Sequence[Tokens]) -> Vectors:
        """One micro-batch after the other, each its own turn in the worker: requests in work advance side by side."""
        loop = asyncio.get_running_loop()
        vectors = np.empty((len(tokens), encoder.dimension), dtype=np.float32)
        for batch in micro_batches([len(text.ids) for text in tokens]):
            ids = [tokens[index].ids for index in batch]
            vectors[batch] = await loop.run_in_executor(self._worker, encoder.encode, ids)
        if not np.isfinite(vectors).all():
            raise ArithmeticError("the model computed a value that is not a finite number")
        return vectors


def _cut(index: int, ids: Sequence[int], model: LoadedModel) -> Tokens:
    vocabulary = model.tokenizer.vocabulary
    for token in ids:
        if not 0 <= token < vocabulary:
            raise InputOutOfRange(index, token, vocabulary)
    return Tokens(ids[: model.max_tokens], truncated=len(ids) > model.max_tokens)
