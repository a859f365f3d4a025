"""Waiting until a service is ready, or knowing why it will not be: the three verdicts. Starts and stops nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from embctl.clock import Clock
from embctl.engine.base import Cancel, Engine
from embctl.errors import EmbctlError, Failed, Interrupted
from embctl.events import Progress, Sink, Stage, StageProgress, StageReached
from embctl.http import HttpClient
from embctl.model import ContainerState, ObservedContainer
from embctl.probes import Endpoint, Probe, probe

__all__ = ["Endpoint", "Probe", "Verdict", "probe", "wait_until_ready"]

POLL = 0.25
LOG_TAIL = 20
# Enough to find the last words of a run behind what the next one has said already.
READ_BACK = 10 * LOG_TAIL
# A container that the engine restarted has lost its exit code; in a crash loop the next one is not long in coming.
LAST_WORDS = 2.0
STAGES = tuple(Stage)
GONE = "it was removed"
DEAD = frozenset({ContainerState.EXITED, ContainerState.DEAD, ContainerState.REMOVING, ContainerState.RESTARTING})


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How a wait ended: `stage` is the highest one reached, `seconds` how long it took, `last_seen` the last thing that
    was observed; `exit_code`, `oom_killed`, `restarts` (during the wait) and `log_tail` say how a container died."""

    service: str
    outcome: Literal["ready", "exited", "timed_out"]
    stage: Stage
    seconds: float
    exit_code: int | None = None
    oom_killed: bool = False
    restarts: int = 0
    log_tail: tuple[str, ...] = ()
    last_seen: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class _Wait:
    """What one wait has seen so far."""

    service: str
    began: float
    emit: Sink
    stage: Stage = Stage.CREATED
    restarts_before: int = 0
    exit_code: int | None = None
    oom_killed: bool = False
    restarts: int = 0
    progress: Progress | None = None
    last_seen: str = "created"

    def reach(self, stage: Stage, detail: str, seconds: float) -> None:
        """Tell each step once and in order, also those that went by between two looks."""
        for step in STAGES[STAGES.index(self.stage) + 1 : STAGES.index(stage) + 1]:
            said = detail if step is stage else ""
            self.emit(StageReached(service=self.service, stage=step, seconds=seconds, detail=said))
        self.stage = max(self.stage, stage, key=STAGES.index)

    def note(self, seen: Probe) -> None:
        """Remember what was seen and tell progress that is new."""
        self.last_seen = seen.detail
        if seen.progress and seen.progress != self.progress:
            self.progress = seen.progress
            self.emit(StageProgress(service=self.service, progress=seen.progress))

    def died(self, container: ObservedContainer) -> bool:
        """Whether the container went down since the wait began, even if its engine brought it up again."""
        self.restarts = max(self.restarts, container.restarts - self.restarts_before)
        dead = container.state in DEAD
        if dead and container.exit_code is not None:
            self.exit_code = container.exit_code
        self.oom_killed = self.oom_killed or (container.oom_killed and (dead or self.restarts > 0))
        return dead or self.restarts > 0


def wait_until_ready(  # noqa: PLR0913 - everything it touches is a parameter
    *,
    engine: Engine,
    container_id: str,
    endpoint: Endpoint,
    http: HttpClient,
    clock: Clock,
    deadline: float,
    until: Stage,
    emit: Sink,
    cancel: Cancel,
) -> Verdict:
    """Look at the container and its service every quarter of a second until one of the three verdicts is in.

    `deadline` is a moment of `clock`. Emits StageReached once a step, StageProgress when a download moves. A container
    that dies ends the wait, restart policy or not. Raises Interrupted once `cancel` is set, EngineUnreachable when the
    engine goes away.
    """
    wait = _Wait(service=endpoint.service, began=clock.monotonic(), emit=emit)
    emit(StageReached(service=endpoint.service, stage=Stage.CREATED, seconds=0.0))
    container = _look(engine, container_id)
    wait.restarts_before = container.restarts if container else 0
    while True:
        if cancel.is_set():
            raise Interrupted(f"Interrupted while waiting for {endpoint.service}.", code="interrupted")
        if container is None or wait.died(container):
            return _exited(wait, engine, container, clock, cancel)
        seen = probe(endpoint, http, upto=until)
        seconds = clock.monotonic() - wait.began
        wait.note(seen)
        if seen.stage:
            wait.reach(seen.stage, seen.detail, seconds)
        if seen.stage is until:
            return _verdict(wait, "ready", clock, facts=seen.facts)
        if clock.monotonic() >= deadline:
            return _timed_out(wait, engine, container, clock, cancel)
        clock.sleep(POLL)
        container = _look(engine, container_id)


def _look(engine: Engine, container_id: str) -> ObservedContainer | None:
    try:
        return engine.inspect(container_id)
    except Failed as error:
        if error.code == "container_gone":
            return None
        raise


def _exited(wait: _Wait, engine: Engine, container: ObservedContainer | None, clock: Clock, cancel: Cancel) -> Verdict:
    patience = clock.monotonic() + LAST_WORDS
    while container and wait.exit_code is None and clock.monotonic() < patience and not cancel.is_set():
        clock.sleep(POLL)
        container = _look(engine, container.id)
        if container:
            wait.died(container)
    if container is None:
        return _verdict(wait, "exited", clock, last_seen=GONE)
    seen = f"it is {container.state}" + (f": {container.error}" if container.error else "")
    return _verdict(wait, "exited", clock, last_seen=seen, log_tail=_last_words(engine, container, cancel))


def _timed_out(wait: _Wait, engine: Engine, container: ObservedContainer, clock: Clock, cancel: Cancel) -> Verdict:
    seen = wait.last_seen if container.state is ContainerState.RUNNING else f"it is {container.state}"
    _, present = _runs(engine, container, cancel)
    return _verdict(wait, "timed_out", clock, last_seen=seen, log_tail=present)


def _last_words(engine: Engine, container: ObservedContainer, cancel: Cancel) -> tuple[str, ...]:
    """Of the run that died: the one before where it was brought up again, or where it died before it said anything."""
    earlier, present = _runs(engine, container, cancel)
    return (earlier or present) if container.state is ContainerState.RUNNING else (present or earlier)


def _runs(engine: Engine, container: ObservedContainer, cancel: Cancel) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What earlier runs said last, and the present one."""
    began = container.started_at
    try:
        lines = list(engine.logs(container, follow=False, tail=READ_BACK, since=None, cancel=cancel))
    except EmbctlError:
        return (), ()  # the verdict matters more than a log that cannot be read
    earlier = [line.text for line in lines if began and line.timestamp and line.timestamp < began]
    present = [line.text for line in lines[len(earlier) :]]
    return tuple(earlier[-LOG_TAIL:]), tuple(present[-LOG_TAIL:])


def _verdict(
    wait: _Wait,
    outcome: Literal["ready", "exited", "timed_out"],
    clock: Clock,
    *,
    facts: Mapping[str, Any] | None = None,
    last_seen: str = "",
    log_tail: tuple[str, ...] = (),
) -> Verdict:
    return Verdict(
        service=wait.service,
        outcome=outcome,
        stage=wait.stage,
        seconds=clock.monotonic() - wait.began,
        exit_code=wait.exit_code,
        oom_killed=wait.oom_killed,
        restarts=wait.restarts,
        log_tail=log_tail,
        last_seen=last_seen or wait.last_seen,
        facts=facts or {},
    )
