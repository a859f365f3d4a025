"""What was measured, as data, and the sums that are made of it. No input, no output."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

__all__ = ["Ceiling", "Outcome", "Round", "percentile"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ceiling:
    """What the matrix products of a model reach alone over seconds, with all threads at one product and with half of
    them at one each, and each product at its fastest."""

    sustained_gflops: float
    streams_gflops: float
    best_gflops: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One server in one round. Seconds, MB, token counts; None or empty where that was not asked or not answered.

    `ceiling` was measured in halts of the burst, `halted_seconds` in all, which are not part of its `seconds`.
    """

    tokens: int
    texts: int
    seconds: float
    cpu_seconds: float
    gflops_needed: float
    halted_seconds: float
    ceiling: Ceiling
    ready_mb: float
    burst_mb: float
    start_cpu_seconds: float
    idle_searches: list[float]
    busy_searches: list[float]
    long_seconds: float | None = None
    long_mb: float | None = None
    reindex_tokens_per_second: float | None = None

    @property
    def tokens_per_second(self) -> float:
        """Throughput of the burst."""
        return self.tokens / self.seconds

    @property
    def gflops(self) -> float:
        """Useful arithmetic of the burst, a second."""
        return self.gflops_needed / self.seconds

    @property
    def share_of_sustained(self) -> float:
        """Of what the products alone held on all threads in the halts of this very burst."""
        return self.gflops / self.ceiling.sustained_gflops

    @property
    def share_of_streams(self) -> float:
        """Of what they held there in streams that do not wait for each other."""
        return self.gflops / self.ceiling.streams_gflops


@dataclass(slots=True, kw_only=True)
class Outcome:
    """One server over all rounds; `refusals` has the reasons for what could not be measured."""

    name: str
    model: str
    rounds: list[Round] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    cosine: float | None = None
    least_cosine: float | None = None

    @property
    def speeds(self) -> list[float]:
        """Tokens a second, a round each."""
        return [one.tokens_per_second for one in self.rounds]

    @property
    def speed(self) -> float | None:
        """The median of the rounds."""
        return statistics.median(self.speeds) if self.rounds else None

    @property
    def shares(self) -> list[float]:
        """Of what the products sustain on all threads, a round each."""
        return [one.share_of_sustained for one in self.rounds]

    @property
    def stream_shares(self) -> list[float]:
        """Of what they sustain in streams, a round each."""
        return [one.share_of_streams for one in self.rounds]

    def share_of(self, gflops: float) -> float | None:
        """Useful arithmetic of the burst as a part of another speed; the median of the rounds."""
        return statistics.median(one.gflops for one in self.rounds) / gflops if self.rounds else None

    def searches(self, *, busy: bool) -> list[float]:
        """Seconds of every search of every round."""
        return [value for one in self.rounds for value in (one.busy_searches if busy else one.idle_searches)]


def percentile(values: Sequence[float], share: float) -> float | None:
    """The smallest value that at least this share of the values does not exceed; None of nothing."""
    ordered = sorted(values)
    return ordered[max(0, -int(-len(ordered) * share // 1) - 1)] if ordered else None
