"""What is computed next, of everything that is asked for: the queue of texts over all requests.

Pure: it has no thread, no clock (every call is given the time) and no model. In each stream one batch is in work at a
time, and a search inside it. The rules:

- A text is computed once, however many requests in flight ask for it, and not at all once nobody asks any more.
- A request of a few short texts, such as a search, is interactive: its texts come first, and overtake a batch of the
  others in the midst. That sets the others back by at most a limit; then they compute before they are overtaken again.
- The others, bulk, are served oldest first. What room the oldest request leaves in a batch, younger ones fill.
- A text longer than a batch is one of its own. Of such, no more are in work at once than memory is meant for.
"""

from array import array
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

from embserver.encoder import Vectors
from embserver.refusals import QueueFull

__all__ = [
    "INTERACTIVE_TEXTS",
    "INTERACTIVE_TOKENS",
    "QUEUE_BYTES",
    "SET_BACK_SECONDS",
    "TOKENS_AT_ONCE",
    "Batch",
    "Figures",
    "Job",
    "Schedule",
    "Text",
    "tokens_a_batch",
]

TOKENS_AT_ONCE = 768
"""Tokens in the micro-batches of all streams together: memory grows with them, and matrix products run near the
processor's peak with half of them."""
INTERACTIVE_TEXTS = 4
INTERACTIVE_TOKENS = 512
"""A request of at most so many texts, and tokens in all, is interactive; an overtaking batch has so many tokens."""
QUEUE_BYTES = 64 * 1024 * 1024
"""What requests in the queue may hold in memory together: hundreds of the editors' batches."""
SET_BACK_SECONDS = 2.0
"""How far bulk work may be set back by being overtaken until it has computed in turn."""

_LONG_TOKENS = 2048
"""What texts longer than a batch may have together, while in work at the same time."""
_RESERVE_BYTES = 1024 * 1024
"""What interactive requests may hold beyond that: a queue full of scans refuses no search."""
_TEXT_BYTES = 400
"""What a text costs here beside its ids and its vector: the objects around it."""
_ID_BYTES = array("i").itemsize


@dataclass(slots=True, eq=False)
class Text:
    """One text in flight, and who asks for it. `ids` are its token ids as the bytes of a C int array."""

    ids: bytes
    jobs: set["Job"] = field(default_factory=set, repr=False)
    begun: bool = False
    vector: Vectors = field(init=False, repr=False)

    @property
    def tokens(self) -> int:
        """Its length."""
        return len(self.ids) // _ID_BYTES


@dataclass(slots=True, eq=False, kw_only=True)
class Job:
    """One request's texts, each distinct one once; `places` says for every input which of them it is.

    Times are in seconds of the caller's clock, None until then. `error` is set where a text could not be computed.
    """

    texts: tuple[Text, ...]
    places: tuple[int, ...]
    interactive: bool
    size: int
    submitted: float
    began: float | None = None
    ended: float | None = None
    error: Exception | None = None
    # Texts that may not have begun, shortest first; those that another job began meanwhile go when they are met.
    queued: list[Text]
    unbegun: int
    missing: int

    @property
    def vectors(self) -> list[Vectors]:
        """One vector [dimension] an input, in order. Only once the job has ended without error."""
        return [self.texts[place].vector for place in self.places]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Batch:
    """Texts that are computed together."""

    texts: tuple[Text, ...]
    interactive: bool

    @property
    def tokens(self) -> int:
        """Of all its texts."""
        return sum(text.tokens for text in self.texts)

    @property
    def ids(self) -> list[list[int]]:
        """The token ids of each."""
        return [array("i", text.ids).tolist() for text in self.texts]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The queue at one moment, and what was done since the start. `running` requests have texts in work or done."""

    interactive: int
    bulk: int
    running: int
    waiting: int
    texts: int
    bytes: int
    capacity: int
    oldest_seconds: float
    batches: int
    overtakings: int
    abandoned: int
    shared: int


def tokens_a_batch(streams: int) -> int:
    """The budget of one micro-batch, where so many are in work at once."""
    return TOKENS_AT_ONCE // streams


class Schedule:
    """The queue of what is computed in so many streams. Not safe from several threads at once: the caller's lock is
    around every call."""

    def __init__(
        self,
        *,
        vector_bytes: int,
        streams: int = 1,
        capacity: int = QUEUE_BYTES,
        batch_tokens: int | None = None,
        set_back_seconds: float = SET_BACK_SECONDS,
    ) -> None:
        self.capacity = capacity
        self.held = 0
        self._vector_bytes = vector_bytes
        self._streams = streams
        self._batch_tokens = batch_tokens or tokens_a_batch(streams)
        self._limit = set_back_seconds
        self._jobs: dict[Job, None] = {}
        # The jobs that have unbegun texts, oldest first, by whether they are interactive.
        self._lines: dict[bool, dict[Job, None]] = {True: {}, False: {}}
        self._flying: dict[bytes, Text] = {}
        # The batches in work, each with the one that it overtook.
        self._work: dict[Batch, Batch | None] = {}
        self._since = 0.0
        self._set_back = 0.0
        self._batches = self._overtakings = self._abandoned = self._shared = 0

    def submit(self, inputs: Sequence[Sequence[int]], now: float) -> Job:
        """Queue one request: at least one input, each of at least one token id.

        Raises QueueFull when it would not fit beside what waits; an empty queue takes a request of any size.
        """
        distinct: dict[bytes, int] = {}
        places = tuple(distinct.setdefault(array("i", ids).tobytes(), len(distinct)) for ids in inputs)
        size = sum(len(ids) + self._vector_bytes + _TEXT_BYTES for ids in distinct)
        few = len(inputs) <= INTERACTIVE_TEXTS and sum(map(len, inputs)) <= INTERACTIVE_TOKENS
        if self.held and self.held + size > self.capacity + (_RESERVE_BYTES if few else 0):
            raise QueueFull(self.held, self.capacity)
        self._shared += sum(ids in self._flying for ids in distinct)
        texts = tuple(self._flying.setdefault(ids, Text(ids)) for ids in distinct)
        queued = sorted((text for text in texts if not text.begun), key=_length)
        job = Job(
            texts=texts,
            places=places,
            interactive=few,
            size=size,
            submitted=now,
            began=now if len(queued) < len(texts) else None,
            queued=queued,
            unbegun=len(queued),
            missing=len(texts),
        )
        for text in texts:
            text.jobs.add(job)
        self._jobs[job] = None
        if queued:
            self._lines[few][job] = None
        self.held += size
        return job

    def cancel(self, job: Job) -> None:
        """Nobody waits for this job any more: what no other job asks for is dropped, unless it has begun."""
        if job not in self._jobs:
            return
        self._leave(job)
        for text in job.texts:
            text.jobs.discard(job)
            if not text.jobs and not text.begun:
                del self._flying[text.ids]

    @property
    def queued(self) -> bool:
        """Whether something waits to be begun."""
        return any(self._lines.values())

    def next(self, now: float) -> Batch | None:
        """Begin a batch in a stream that has none in work; None when there is nothing to begin."""
        self._account(now)
        interactive = self._set_back < self._limit or not self._lines[False]
        return self._begin(now, interactive=interactive) or self._begin(now, interactive=not interactive)

    def overtake(self, batch: Batch, now: float) -> Batch | None:
        """Begin an interactive batch inside one in work, if there is cause, no other stream is free for it, and the
        limit allows it."""
        self._account(now)
        free = sum(overtaken is None for overtaken in self._work.values()) < self._streams
        if batch.interactive or free or self._set_back >= self._limit:
            return None
        inner = self._begin(now, interactive=True, overtaken=batch)
        self._overtakings += inner is not None
        return inner

    def abandon(self, batch: Batch, now: float) -> bool:
        """Whether nobody wants anything of a batch in work any more; then it is no longer in work."""
        if any(text.jobs for text in batch.texts):
            return False
        self._account(now)
        del self._work[batch]
        self._abandoned += 1
        for text in batch.texts:
            del self._flying[text.ids]
        return True

    def end(self, batch: Batch, results: Sequence[Vectors | Exception], now: float) -> list[Job]:
        """Take in what a batch came to, one result a text, and return the jobs that are over by it."""
        self._account(now)
        del self._work[batch]
        over = []
        for text, result in zip(batch.texts, results, strict=True):
            del self._flying[text.ids]
            if not isinstance(result, Exception):
                text.vector = result
            for job in tuple(text.jobs):
                job.missing -= 1
                if isinstance(result, Exception):
                    job.error = result
                    self.cancel(job)
                elif job.missing == 0:
                    self._leave(job)
                else:
                    continue
                job.ended = now
                over.append(job)
            # Without this, text and job would keep each other alive until a garbage collection.
            text.jobs.clear()
        return over

    def unbegun(self) -> list[Job]:
        """The jobs of which nothing is in work or done."""
        return [job for job in self._jobs if job.began is None]

    def figures(self, now: float) -> Figures:
        """How the queue stands."""
        interactive, waiting = sum(job.interactive for job in self._jobs), len(self.unbegun())
        return Figures(
            interactive=interactive,
            bulk=len(self._jobs) - interactive,
            running=len(self._jobs) - waiting,
            waiting=waiting,
            texts=sum(not text.begun for text in self._flying.values()),
            bytes=self.held,
            capacity=self.capacity,
            oldest_seconds=max((now - job.submitted for job in self._jobs), default=0.0),
            batches=self._batches,
            overtakings=self._overtakings,
            abandoned=self._abandoned,
            shared=self._shared,
        )

    def _begin(self, now: float, *, interactive: bool, overtaken: Batch | None = None) -> Batch | None:
        texts = self._fill(self._lines[interactive], INTERACTIVE_TOKENS if interactive else self._batch_tokens)
        if not texts:
            return None
        for text in texts:
            text.begun = True
            for job in text.jobs:
                job.unbegun -= 1
                if job.began is None:
                    job.began = now
                if job.unbegun == 0:
                    del self._lines[job.interactive][job]
        batch = Batch(texts=tuple(texts), interactive=interactive)
        self._work[batch] = overtaken
        self._batches += 1
        return batch

    def _fill(self, line: dict[Job, None], room: int) -> list[Text]:
        """Texts within the room, of the oldest job first, its longest first; one that exceeds the room goes alone, and
        younger ones of that kind wait for it."""
        chosen: dict[Text, None] = {}
        alone = True
        for job in line:
            while room > 0 and job.queued:
                if job.queued[-1].begun:
                    job.queued.pop()
                    continue
                place = bisect_right(job.queued, room, key=_length)
                if place == 0:
                    alone = alone and not chosen and self._bearable(job.queued[-1])
                    if not alone:
                        break
                text = job.queued.pop(place - 1)
                if not text.begun and text not in chosen:
                    chosen[text] = None
                    room -= text.tokens
            if room <= 0:
                break
        return list(chosen)

    def _bearable(self, text: Text) -> bool:
        """Whether a text longer than a batch may be in work beside those that are."""
        others = [batch.tokens for batch in self._work if batch.tokens > self._batch_tokens and not batch.interactive]
        return not others or sum(others) + text.tokens <= _LONG_TOKENS

    def _leave(self, job: Job) -> None:
        del self._jobs[job]
        self._lines[job.interactive].pop(job, None)
        self.held -= job.size

    def _account(self, now: float) -> None:
        """Book the time since the last call as set back or made up for, whichever batches it went into."""
        elapsed, self._since = now - self._since, now
        computed = self._work.keys() - self._work.values()
        searches = sum(batch.interactive for batch in computed)
        if not self._lines[False] and all(batch.interactive for batch in self._work):
            self._set_back = 0.0
        elif computed:
            # Half of the streams in either kind keeps the balance.
            self._set_back = max(0.0, self._set_back + elapsed * (2 * searches / len(computed) - 1))


def _length(text: Text) -> int:
    return text.tokens
