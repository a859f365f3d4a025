"""Inference: computes what the schedule says, batch after batch in each stream, and lets searches overtake in pauses.

Thin on purpose: which text is next is decided in schedule.py, and how it is computed behind the encoder. `submit`,
`cancel`, `close` and `figures` may be called from any thread; they never wait for a computation.
"""

import threading
from collections.abc import Callable, Sequence

import numpy as np

from embserver import log
from embserver.encoder import Encoder, Vectors
from embserver.refusals import Closed
from embserver.schedule import Batch, Figures, Job, Schedule

__all__ = ["Inference"]

_log = log.named("inference")


class _Abandoned(Exception):
    """Thrown through the encoder: nobody wants the batch any more."""


class Inference:
    """An encoder at work on a schedule of as many streams.

    `run` lets a function run in a thread of a pool, which has one for each stream. `deliver` is called there with each
    job that is over, the cancelled ones excepted.
    """

    def __init__(
        self,
        encoder: Encoder,
        schedule: Schedule,
        *,
        run: Callable[[Callable[[], None]], object],
        deliver: Callable[[Job], None],
        clock: Callable[[], float],
    ) -> None:
        self._encoder = encoder
        self._schedule = schedule
        self._run = run
        self._deliver = deliver
        self._clock = clock
        self._lock = threading.Lock()
        self._asleep = encoder.streams
        self._closed = False

    def submit(self, inputs: Sequence[Sequence[int]]) -> Job:
        """Queue a request's token ids. Raises QueueFull or Closed."""
        with self._lock:
            if self._closed:
                raise Closed
            job = self._schedule.submit(inputs, self._clock())
        self._wake()
        return job

    def cancel(self, job: Job) -> None:
        """Drop a job; a batch in work that nobody else wants ends at its next pause."""
        with self._lock:
            self._schedule.cancel(job)

    def close(self) -> list[Job]:
        """Take up nothing more, drop the jobs of which nothing has begun, and return them."""
        with self._lock:
            self._closed = True
            waiting = self._schedule.unbegun()
            for job in waiting:
                self._schedule.cancel(job)
        return waiting

    def figures(self) -> Figures:
        """How the queue stands."""
        with self._lock:
            return self._schedule.figures(self._clock())

    @property
    def held(self) -> int:
        """Bytes that the requests in the queue hold."""
        return self._schedule.held

    def _wake(self) -> None:
        """One stream, if one sleeps and there is something for it."""
        with self._lock:
            waking = self._asleep > 0 and self._schedule.queued
            self._asleep -= waking
        if waking:
            self._run(self._work)

    def _work(self) -> None:
        while True:
            with self._lock:
                batch = self._schedule.next(self._clock())
                if batch is None:
                    self._asleep += 1
                    return
            # What is left may be enough for another stream.
            self._wake()
            self._compute(batch)

    def _compute(self, batch: Batch) -> None:
        def pause() -> None:
            while True:
                with self._lock:
                    now = self._clock()
                    if self._schedule.abandon(batch, now):
                        raise _Abandoned
                    urgent = self._schedule.overtake(batch, now)
                if urgent is None:
                    return
                self._compute(urgent)

        results: Sequence[Vectors | Exception]
        try:
            vectors = self._encoder.encode(batch.ids, pause)
            results = [
                row if np.isfinite(row).all() else _not_finite() for _, row in zip(batch.texts, vectors, strict=True)
            ]
        except _Abandoned:
            return
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait are told, and the thread goes on
            results = [error] * len(batch.texts)
            log.event(_log, "batch_failed", level="error", texts=len(batch.texts), detail=repr(error))
        with self._lock:
            over = self._schedule.end(batch, results, self._clock())
        for job in over:
            self._deliver(job)


def _not_finite() -> ArithmeticError:
    return ArithmeticError("the model computed a value that is not a finite number")
