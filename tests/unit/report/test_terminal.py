"""What people read: results on standard output, everything else on standard error."""

import io
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from embctl.errors import Interrupted, NotReady
from embctl.events import OperationFinished, OperationProgress, OperationStarted, Progress, Stage, StageReached
from embctl.model import EngineInfo, LogLine, Runtime
from embctl.outcomes import (
    Changed,
    ConfigPaths,
    ConfigRow,
    ConfigShown,
    ConfigValid,
    Ready,
    ServiceReady,
    ServiceStatus,
    Started,
    Status,
)
from embctl.plan import Plan
from embctl.report.base import Reporter
from embctl.report.choose import choose_frames, choose_reporter
from embctl.result import Result

READY = ServiceReady(
    service="jina",
    stage="warm",
    seconds=1.25,
    url="http://127.0.0.1:4000",
    facts={"model": "minilm", "dimension": 384},
)
STATUS = ServiceStatus(
    service="qdrant",
    state="running",
    health="healthy",
    stage="warm",
    url="http://127.0.0.1:6333",
    image="qdrant/qdrant:v1",
    stand_in="Qdrant Edge engine",
    drifted=True,
    unsupervised=True,
    exit_code=None,
    oom_killed=True,
    started_at=datetime(2026, 1, 1, tzinfo=UTC),
    uptime=3700.0,
    restarts=2,
    cpu_percent=12.0,
    memory=100 * 2**20,
    memory_limit=2 * 2**30,
    detail="",
    facts={"version": "1.19.0", "title": "qdrant", "points": {"ws-1": 12}},
)
ENGINE = EngineInfo(
    runtime=Runtime.DOCKER,
    flavour="Docker Engine",
    version="20.10",
    api_version="1.41",
    address="unix:///x",
    origin="socket",
    local=True,
    os="linux",
    architecture="x86_64",
)


@pytest.fixture
def streams() -> tuple[io.StringIO, io.StringIO]:
    return io.StringIO(), io.StringIO()


def reporter(streams: tuple[io.StringIO, io.StringIO], *, quiet: bool = False, timestamps: bool = False) -> Reporter:
    return choose_reporter("text", quiet=quiet, timestamps=timestamps, stdout=streams[0], stderr=streams[1])


def test_a_pipe_gets_one_plain_line_an_event(streams: tuple[io.StringIO, io.StringIO]) -> None:
    out = reporter(streams)
    out.emit(OperationStarted(id=1, verb="PullImage", target="image:q", cause="no such image here"))
    for done in (1, 2):
        out.emit(
            OperationProgress(
                id=1, verb="PullImage", target="image:q", progress=Progress(text="layers", done=done, total=2, unit="B")
            )
        )
    out.emit(OperationFinished(id=1, verb="PullImage", target="image:q", seconds=2.0))
    out.emit(StageReached(service="jina", stage=Stage.LOADED, seconds=3.0))
    assert streams[1].getvalue().splitlines() == [
        "image q: pulling (no such image here)",
        "image q: layers 1 B of 2 B",
        "image q: layers 2 B of 2 B",
        "image q: pulled in 2.0 s",
        "jina: loaded after 3.0 s",
    ]
    assert streams[0].getvalue() == ""


def test_quiet_says_nothing_when_all_is_well(streams: tuple[io.StringIO, io.StringIO]) -> None:
    out = reporter(streams, quiet=True)
    out.emit(OperationStarted(id=1, verb="PullImage", target="image:q", cause="none"))
    out.finish(Result(command="start", data=Started(plan=Plan(), services=(READY,))))
    assert streams[0].getvalue() == streams[1].getvalue() == ""


def test_an_error_is_told_even_when_quiet_with_log_and_next_steps(streams: tuple[io.StringIO, io.StringIO]) -> None:
    error = NotReady("jina exited", code="service_exited", details={"log": ["boom"]}, actions=("embctl logs jina",))
    reporter(streams, quiet=True).finish(Result(command="start", data=None, error=error))
    assert streams[1].getvalue().splitlines() == ["error: jina exited", "  | boom", "  → embctl logs jina"]
    assert streams[0].getvalue() == ""


def test_everything_that_failed_is_told(streams: tuple[io.StringIO, io.StringIO]) -> None:
    error = NotReady("jina exited", code="x", details={"also_failed": ["qdrant could not be pulled"]})
    reporter(streams).finish(Result(command="start", data=None, error=error))
    assert streams[1].getvalue().splitlines() == ["error: jina exited", "also: qdrant could not be pulled"]


@pytest.mark.parametrize(("attached", "written"), [(True, "\n"), (False, "")])
def test_an_interrupt_that_was_asked_for_is_told_to_nobody_and_leaves_the_prompt_a_line(
    streams: tuple[io.StringIO, io.StringIO], monkeypatch: pytest.MonkeyPatch, *, attached: bool, written: str
) -> None:
    monkeypatch.setattr(streams[1], "isatty", lambda: attached)
    asked_for = Interrupted("Interrupted.", code="interrupted")
    reporter(streams).finish(Result(command="logs", data=None, error=asked_for, verdict=130))
    assert [stream.getvalue() for stream in streams] == ["", written]


def test_status_shows_how_and_why_a_service_went_down(streams: tuple[io.StringIO, io.StringIO]) -> None:
    down = replace(STATUS, state="exited", exit_code=3, detail="no such model")
    reporter(streams).finish(Result(command="status", data=Status(project="p", engine=ENGINE, services=(down,))))
    assert "exited with code 3 · no such model" in streams[0].getvalue()


def test_a_warning_goes_to_standard_error(streams: tuple[io.StringIO, io.StringIO]) -> None:
    reporter(streams).finish(Result(command="logs", data=None, warnings=("no container",)))
    assert streams[1].getvalue() == "warning: no container\n"


def test_a_second_start_says_that_there_was_nothing_to_do(streams: tuple[io.StringIO, io.StringIO]) -> None:
    reporter(streams).finish(Result(command="start", data=Started(plan=Plan(), services=(READY,))))
    assert streams[0].getvalue().startswith("nothing to do\n")
    assert "http://127.0.0.1:4000" in streams[0].getvalue()


def test_log_lines_carry_their_service_and_are_never_wrapped(streams: tuple[io.StringIO, io.StringIO]) -> None:
    text = "[bold]" + "x" * 500
    reporter(streams).log(LogLine(service="jina", text=text))
    assert streams[0].getvalue() == f"jina   | {text}\n"


def test_log_lines_begin_with_their_time_when_asked(streams: tuple[io.StringIO, io.StringIO]) -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, 678900, tzinfo=UTC)
    reporter(streams, timestamps=True).log(LogLine(service="jina", text="x", timestamp=moment))
    assert streams[0].getvalue() == "jina   | 2026-01-02T03:04:05.678Z x\n"


@pytest.mark.parametrize(
    "expected",
    [
        "project embctl",
        "Docker Engine 20.10",
        "1 h 1 min",
        "12 %",
        "100.0 MiB / 2.0 GiB",
        "stand-in",
        "definition changed",
        "its supervisor is gone: embctl start",
        "killed for memory",
        "ws-1: 12 points",
        "12 points in 1 collection",
    ],
)
def test_status_shows(streams: tuple[io.StringIO, io.StringIO], expected: str) -> None:
    data = Status(project="embctl", engine=ENGINE, services=(STATUS,))
    reporter(streams).finish(Result(command="status", data=data))
    assert expected in streams[0].getvalue()


def test_a_watched_status_is_shown_again_and_again(streams: tuple[io.StringIO, io.StringIO]) -> None:
    show = choose_frames("text", streams[0])
    for _ in range(2):
        show(Result(command="status", data=Status(project="embctl", engine=ENGINE, services=(STATUS,))))
    assert streams[0].getvalue().count("project embctl") == 2


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (Changed(plan=Plan()), "nothing to do"),
        (Ready(services=(READY,)), "minilm, 384 dimensions"),
        (ConfigShown(settings=(ConfigRow(key="jina.port", value=4000, origin="default"),)), "jina.port"),
        (ConfigPaths(user_file="/u", project_file=None, state_dir="/s", bundle="/b"), "/u"),
        (ConfigValid(files=("/a.yaml",)), "valid: /a.yaml"),
    ],
)
def test_every_kind_of_data_has_its_view(streams: tuple[io.StringIO, io.StringIO], data: object, expected: str) -> None:
    reporter(streams).finish(Result(command="x", data=data))
    assert expected in streams[0].getvalue()
