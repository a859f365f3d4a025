"""Followed logs on real engines: crashes, restarts and replacements lose no line and repeat none."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event

import pytest

from embctl.flows.context import Context
from embctl.flows.logs import logs
from embctl.model import LogLine
from engines.bench import Bench
from engines.programs import Program
from fakes.contexts import context_on
from fakes.fake_clock import FakeClock

# The fake engine runs no program that could count.
pytestmark = pytest.mark.parametrize("bench", ["native", pytest.param("real", marks=pytest.mark.engine)], indirect=True)

LINES = 50
# Counts its runs on the volume, writes its lines at once, and crashes twice.
COUNTS = Program(
    script=f"""
    runs=${{DATA:-/data}}/runs
    run=$(($(cat $runs 2>/dev/null || echo 0) + 1)); echo $run > $runs
    line=0; while [ $line -lt {LINES} ]; do line=$((line + 1)); echo "$run.$line"; done
    [ $run -lt 3 ] && exit 3
    exec sleep 600
    """
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A project with one service, brought up again by its engine when it crashes."""

    context: Context
    bench: Bench
    seen: list[str] = field(default_factory=list)

    def create(self) -> None:
        service = self.context.spec.services[0]
        self.bench.engine.start_container(self.bench.engine.create_container(self.bench.project, service))

    def container_id(self) -> str:
        container = self.bench.engine.observe(self.context.spec).container_of(self.bench.project, "probe")
        assert container
        return container.id

    def restart(self) -> None:
        container_id = self.container_id()
        self.bench.engine.stop_container(container_id, 1.0)
        self.bench.engine.start_container(container_id)

    def remove(self) -> None:
        container_id = self.container_id()
        self.bench.engine.stop_container(container_id, 1.0)
        self.bench.engine.remove_container(container_id)

    def replace(self) -> None:
        self.remove()
        self.create()

    def until_said(self, text: str) -> None:
        """Return once the container has written that line; each look is a call to the engine, so this does not spin."""
        container = self.bench.engine.inspect(self.container_id())
        said: list[str] = []
        while text not in said:
            log = self.bench.engine.logs(container, follow=False, tail=None, since=None, cancel=Event())
            said = [line.text for line in log]

    def follow(self, actions: Mapping[str, Callable[[], None]], *, tail: int | None = None) -> None:
        """Follow and do what `actions` say once a line has come, until following ends by itself."""

        def show(line: LogLine) -> None:
            self.seen.append(line.text)
            actions.get(line.text, lambda: None)()

        logs(self.context, ("probe",), show, follow=True, tail=tail)


@pytest.fixture
def scene(bench: Bench, tmp_path: Path) -> Iterator[Scene]:
    spec = bench.stack(COUNTS)
    spec = replace(spec, services=(replace(spec.services[0], restart="unless-stopped"),))
    for network in spec.networks:
        bench.engine.create_network(bench.project, network)
    bench.engine.create_volume(bench.project, spec.volumes[0])
    with context_on(bench.engine, spec, tmp_path / "embctl") as context:
        yield Scene(context=context, bench=bench)


def of_runs(*runs: int) -> list[str]:
    return [f"{run}.{line}" for run in runs for line in range(1, LINES + 1)]


def test_every_line_comes_once_through_crashes_restarts_and_a_replacement(scene: Scene) -> None:
    scene.create()
    scene.follow({f"3.{LINES}": scene.restart, f"4.{LINES}": scene.replace, f"5.{LINES}": scene.remove})
    assert scene.seen == of_runs(1, 2, 3, 4, 5)


def test_what_was_left_out_of_the_tail_stays_out_after_a_restart(scene: Scene) -> None:
    clock = FakeClock()
    clock.at(1, scene.restart)
    waiting = replace(scene, context=replace(scene.context, clock=clock))
    scene.create()
    scene.until_said(f"3.{LINES}")
    scene.bench.engine.stop_container(scene.container_id(), 1.0)
    waiting.follow({f"4.{LINES}": scene.remove}, tail=0)
    assert scene.seen == of_runs(4)
