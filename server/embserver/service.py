"""The embedding service: one model, its way from nothing to ready, and a request's way from inputs to vectors.

It knows nothing of HTTP. All methods belong to one event loop; computing happens in worker threads, so the loop
stays free to answer probes, to queue, and to notice who has gone away.
"""

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from embserver import heap, log
from embserver.catalogue import WantedModel
from embserver.cores import STREAMS
from embserver.encoder import Vectors
from embserver.failures import StartFailed
from embserver.gate import Gate
from embserver.inference import Inference
from embserver.loading import LoadedModel
from embserver.preparation import Inputs, Preparation, Prepared
from embserver.refusals import Closed, QueueFull
from embserver.schedule import INTERACTIVE_TEXTS, QUEUE_BYTES, Figures, Job, Schedule
from embserver.settings import Settings

__all__ = ["Counters", "Embedded", "Loader", "NotLoaded", "Report", "Service", "Stage", "Standing", "Ticket", "small"]

_log = log.named("service")
# Two requests of an editor that is scanning are never so far apart.
_REST_SECONDS = 5.0
# Cut into tokens in about two milliseconds; several times the length of an interactive request of plain code.
_SMALL_CHARACTERS = 8 * 1024


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
"""Fetches and loads the model in a worker thread, telling how far it is. Raises StartFailed."""


class NotLoaded(Exception):
    """The model is still on its way; `standing` says how far."""

    def __init__(self, standing: Standing) -> None:
        super().__init__(standing.detail)
        self.standing = standing


@dataclass(slots=True, kw_only=True)
class Counters:
    """What was done since the start. `errors` counts requests that failed through the server's own fault."""

    requests: int = 0
    texts: int = 0
    tokens: int = 0
    truncated: int = 0
    errors: int = 0
    collections: int = 0
    trims: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedded:
    """An answer: vectors [inputs, dimension] in the order of the inputs, the tokens computed, the inputs cut short.

    Seconds: in the queue until the first text began, cut into tokens, and from then to the last vector.
    """

    vectors: Vectors
    tokens: int
    truncated: int
    queued_seconds: float
    tokenization_seconds: float
    inference_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """A request in the queue: the figures of its preparation, and the promise of its end."""

    ending: asyncio.Future[Job]
    texts: int
    tokens: int
    truncated: int
    waited_seconds: float
    tokenization_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Served:
    model: LoadedModel
    preparation: Preparation
    inference: Inference


class Service:
    """One model and the queue before it.

    A request is prepared, queued (`submit`), and waits for its vectors (`vectors`). Unless it is `small`, it first
    waits for a place in preparation (`turn`), most of its body still with its sender, and gives it back once queued.
    """

    def __init__(self, settings: Settings, wanted: WantedModel, loader: Loader) -> None:
        self.settings = settings
        self.wanted = wanted
        self.counters = Counters()
        self.gate = Gate(settings.semaphore)
        self.started = time.monotonic()
        self.standing = Standing(stage=Stage.STARTING, detail="the process has started")
        self._loader = loader
        self._served: _Served | None = None
        self._workers = ThreadPoolExecutor(max_workers=STREAMS, thread_name_prefix="worker")
        self._endings: dict[Job, asyncio.Future[Job]] = {}
        self._bodies = 0
        self._resting: asyncio.TimerHandle | None = None
        self._swollen = False

    @property
    def model(self) -> LoadedModel:
        """The loaded model. Raises NotLoaded until there is one."""
        return self._parts.model

    @property
    def preparation(self) -> Preparation:
        """The tokenizer at work. Raises NotLoaded until there is one."""
        return self._parts.preparation

    @property
    def ready(self) -> bool:
        """Whether requests are answered."""
        return self._served is not None

    @property
    def figures(self) -> Figures:
        """How the queue stands. Raises NotLoaded until there is one."""
        return self._parts.inference.figures()

    async def start(self) -> None:
        """Fetch and load the model. Raises StartFailed, with a message for people."""
        loop = asyncio.get_running_loop()

        def report(standing: Standing) -> None:
            loop.call_soon_threadsafe(setattr, self, "standing", standing)

        def deliver(job: Job) -> None:
            loop.call_soon_threadsafe(self._deliver, job)

        began = time.monotonic()
        try:
            model = await loop.run_in_executor(self._workers, self._loader, report)
        except StartFailed:
            raise
        except Exception as error:
            _log.exception("load_crashed")
            raise StartFailed(f"The model {self.wanted.name} could not be loaded: {error!r}") from error
        inference = Inference(
            model.encoder,
            Schedule(
                vector_bytes=model.encoder.dimension * np.dtype(np.float32).itemsize,
                streams=model.encoder.streams,
                capacity=QUEUE_BYTES,
            ),
            run=self._workers.submit,
            deliver=deliver,
            clock=time.monotonic,
        )
        preparation = Preparation(model.tokenizer, max_tokens=model.max_tokens)
        if self.settings.collect_garbage:
            # What is there now stays for good. Out of the collector's sight, it no longer makes every later collection
            # walk through all of torch with the interpreter locked.
            gc.collect()
            gc.freeze()
        self._served = _Served(model=model, preparation=preparation, inference=inference)
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

    @asynccontextmanager
    async def turn(self, body_bytes: int) -> AsyncIterator[float]:
        """A place in preparation for the block, which gets the seconds that were waited for it.

        `body_bytes` is what the request holds while it waits. Raises QueueFull when that does not fit beside the others
        that wait, and Closed.
        """
        held = self._bodies
        if held and held + body_bytes > QUEUE_BYTES:
            raise QueueFull(held, QUEUE_BYTES)
        began = time.monotonic()
        self._bodies += body_bytes
        async with AsyncExitStack() as leaving:
            try:
                await leaving.enter_async_context(self.gate.enter())
            finally:
                self._bodies -= body_bytes
            yield time.monotonic() - began

    def submit(self, prepared: Prepared, *, waited: float) -> Ticket:
        """Queue a request that waited so many seconds for its turn. Raises NotLoaded, QueueFull or Closed."""
        inference = self._parts.inference
        job = inference.submit([text.ids for text in prepared.tokens])
        ending = self._endings[job] = asyncio.get_running_loop().create_future()

        def left(future: asyncio.Future[Job]) -> None:
            if future.cancelled():
                self._endings.pop(job, None)
                inference.cancel(job)
                self._rest_soon()

        ending.add_done_callback(left)
        self._swollen = self._swollen or not job.interactive
        if self._resting is not None:
            self._resting.cancel()
            self._resting = None
        return Ticket(
            ending=ending,
            texts=len(prepared.tokens),
            tokens=prepared.count,
            truncated=prepared.truncated,
            waited_seconds=waited,
            tokenization_seconds=prepared.seconds,
        )

    async def vectors(self, ticket: Ticket) -> Embedded:
        """What a queued request came to. When the caller is cancelled, the request leaves the queue."""
        job = await ticket.ending
        self.counters.requests += 1
        self.counters.texts += ticket.texts
        self.counters.tokens += ticket.tokens
        self.counters.truncated += ticket.truncated
        if ticket.truncated:
            log.event(_log, "truncated", level="warning", texts=ticket.truncated, max_tokens=self.model.max_tokens)
        began, ended = job.began or job.submitted, job.ended or job.submitted
        return Embedded(
            vectors=np.stack(job.vectors),
            tokens=ticket.tokens,
            truncated=ticket.truncated,
            queued_seconds=ticket.waited_seconds + began - job.submitted,
            tokenization_seconds=ticket.tokenization_seconds,
            inference_seconds=ended - began,
        )

    def close(self) -> None:
        """Take up nothing more: those of whom something is computed are finished, the others are sent away (Closed)."""
        self.gate.close()
        if self._served is None:
            return
        for job in self._served.inference.close():
            ending = self._endings.pop(job, None)
            if ending is not None and not ending.done():
                ending.set_exception(Closed("The server is going away."))

    def stop(self) -> None:
        """Drop what has not begun. A batch that is being computed ends at its next pause at the earliest."""
        if self._resting is not None:
            self._resting.cancel()
        if self._served is not None:
            self._served.preparation.stop()
        self._workers.shutdown(wait=False, cancel_futures=True)

    @property
    def _parts(self) -> _Served:
        if self._served is None:
            raise NotLoaded(self.standing)
        return self._served

    def _deliver(self, job: Job) -> None:
        """Hear of a job's end, on the loop."""
        ending = self._endings.pop(job, None)
        if ending is not None and not ending.done():
            if job.error is None:
                ending.set_result(job)
            else:
                ending.set_exception(job.error)
        self._rest_soon()

    def _rest_soon(self) -> None:
        if self._swollen and not self._endings and self._resting is None:
            self._resting = asyncio.get_running_loop().call_later(_REST_SECONDS, self._rest)

    def _rest(self) -> None:
        """Give back what a peak left in the allocator. In a worker, where it delays nobody but whoever comes now."""
        self._resting, self._swollen = None, False
        self._workers.submit(heap.trim)
        self.counters.trims += 1


def small(inputs: Inputs) -> bool:
    """Whether a request is so small that it need not wait for a place in preparation: most searches are."""
    return len(inputs) <= INTERACTIVE_TEXTS and sum(map(len, inputs)) <= _SMALL_CHARACTERS
