"""What only a real engine can show: that everything asked for is really so."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from embctl.clock import SystemClock
from embctl.compose.context import build_spec
from embctl.errors import Failed, Interrupted
from embctl.events import Progress, Stage
from embctl.model import (
    ContainerState,
    Health,
    HealthcheckSpec,
    Mount,
    MountKind,
    ObservedContainer,
    ServiceSpec,
    Ulimit,
)
from embctl.ready import Endpoint, wait_until_ready
from engines.bench import RealBench, RealEngine, real_bench
from engines.programs import SLEEPS, Program
from engines.tiny_registry import tiny_registry
from fakes.scripted_http import ScriptedHttp

pytestmark = pytest.mark.engine


@pytest.fixture
def bench(engine_here: RealEngine) -> Iterator[RealBench]:
    with real_bench(engine_here) as bench:
        yield bench


def started(bench: RealBench, program: Program = SLEEPS, **changes: Any) -> ObservedContainer:
    spec = bench.stack(program)
    service = replace(spec.services[0], **changes)
    bench.engine.create_network(bench.project, spec.networks[0])
    container_id = bench.engine.create_container(bench.project, service)
    bench.engine.start_container(container_id)
    return bench.engine.inspect(container_id)


def script(text: str) -> Program:
    return Program(script=text)


def output(bench: RealBench, container: ObservedContainer) -> list[tuple[str, str]]:
    """All that the container says until it ends, with the streams."""
    lines = bench.engine.logs(container, follow=True, tail=None, since=None, cancel=Event())
    return [(line.stream, line.text) for line in lines]


def to_build(bench: RealBench, context: Path, dockerfile: str, **files: str) -> ServiceSpec:
    (context / "Dockerfile").write_text(dockerfile)
    for name, content in files.items():
        (context / name).parent.mkdir(parents=True, exist_ok=True)
        (context / name).write_text(content)
    build = build_spec(context, "Dockerfile", None, {"GREETING": "hello"})
    return replace(bench.stack().services[0], image=f"{bench.project}/built:1", build=build)


def test_a_container_runtime_that_the_engine_lacks_is_told_with_the_way_out(bench: RealBench) -> None:
    with pytest.raises(Failed, match="nvidia") as caught:
        started(bench, container_runtime="nvidia")
    assert caught.value.code == "container_runtime_missing"
    assert "Compute on the processor: --device cpu" in caught.value.actions


def test_everything_in_the_definition_reaches_the_engine(bench: RealBench) -> None:
    check = HealthcheckSpec(test=("CMD", "true"), interval=1.5, timeout=2.0, retries=3, start_period=4.0)
    container = started(
        bench,
        environment={"NAME": "a=b c"},
        user="1000:1000",
        healthcheck=check,
        ulimits=(Ulimit(name="nofile", soft=512, hard=1024),),
        mounts=(
            Mount(kind=MountKind.VOLUME, source=f"{bench.project}-data", target="/data"),
            Mount(kind=MountKind.TMPFS, target="/tmp"),  # noqa: S108 - inside a container
        ),
        log_options={"max-size": "2m", "max-file": "3"},
        restart="unless-stopped",
        stop_grace_period=7.0,
        pids_limit=33,
    )
    seen = bench.client.inspect_container(container.id)
    config, host = seen["Config"], seen["HostConfig"]
    assert "NAME=a=b c" in config["Env"]
    assert config["User"] == "1000:1000"
    assert config["StopTimeout"] == 7
    assert config["Healthcheck"] == {
        "Test": ["CMD", "true"],
        "Interval": 1_500_000_000,
        "Timeout": 2_000_000_000,
        "Retries": 3,
        "StartPeriod": 4_000_000_000,
    }
    assert (host["Memory"], host["MemorySwap"], host["PidsLimit"]) == (64 << 20, 64 << 20, 33)
    assert host["Ulimits"] == [{"Name": "nofile", "Soft": 512, "Hard": 1024}]
    assert (host["CapDrop"], host["SecurityOpt"]) == (["ALL"], ["no-new-privileges:true"])
    assert (host["Init"], host["ReadonlyRootfs"]) == (True, True)
    assert host["RestartPolicy"]["Name"] == "unless-stopped"
    assert host["LogConfig"] == {"Type": "json-file", "Config": {"max-size": "2m", "max-file": "3"}}
    assert {mount["Destination"]: mount["Type"] for mount in seen["Mounts"]} == {"/data": "volume"}
    assert host["Tmpfs"].keys() == {"/tmp"}  # noqa: S108 - inside a container
    assert "probe" in seen["NetworkSettings"]["Networks"][bench.project]["Aliases"]


def test_an_unprivileged_user_can_write_only_where_it_was_given_room(bench: RealBench) -> None:
    tried = script("for f in /data/x /tmp/x /x; do touch $f 2>/dev/null && echo $f; done; id -u")
    container = started(
        bench,
        tried,
        user="1000:1000",
        mounts=(
            Mount(kind=MountKind.VOLUME, source=f"{bench.project}-data", target="/data"),
            Mount(kind=MountKind.TMPFS, target="/tmp"),  # noqa: S108 - inside a container
        ),
    )
    assert [text for _, text in output(bench, container)] == ["/data/x", "/tmp/x", "1000"]  # noqa: S108 - the container's own


def test_a_healthcheck_becomes_healthy(bench: RealBench) -> None:
    check = HealthcheckSpec(test=("CMD", "true"), interval=0.2, timeout=2.0, retries=3, start_period=0.0)
    container = started(bench, healthcheck=check)
    while container.health is not Health.HEALTHY:
        assert container.health is Health.STARTING
        container = bench.engine.inspect(container.id)


def test_output_and_errors_are_told_apart(bench: RealBench) -> None:
    assert set(output(bench, started(bench, script("echo out; echo err >&2")))) == {
        ("stdout", "out"),
        ("stderr", "err"),
    }


def test_a_line_longer_than_the_engines_messages_stays_one_line(bench: RealBench) -> None:
    long = script("i=0; while [ $i -lt 4000 ]; do printf 0123456789; i=$((i+1)); done; echo; echo čeština")
    assert [text for _, text in output(bench, started(bench, long))] == ["0123456789" * 4000, "čeština"]


def test_a_container_over_its_memory_limit_is_killed_and_the_wait_says_so(bench: RealBench) -> None:
    container = started(bench, script("echo filling; tail /dev/zero"), restart="unless-stopped", mem_limit=16 << 20)
    # The machine's clock: the engine brings the container up again, and its exit code is there once it went down again.
    clock = SystemClock()
    verdict = wait_until_ready(
        engine=bench.engine,
        container_id=container.id,
        endpoint=Endpoint(service="jina", url="http://127.0.0.1:1"),
        http=ScriptedHttp(),
        clock=clock,
        deadline=clock.monotonic() + 60,
        until=Stage.WARM,
        emit=lambda _: None,
        cancel=Event(),
    )
    assert (verdict.outcome, verdict.oom_killed, verdict.exit_code) == ("exited", True, 137)
    assert "filling" in verdict.log_tail


def test_a_container_that_ignores_termination_is_killed_after_its_grace(bench: RealBench) -> None:
    container = started(bench, script("trap '' TERM; echo deaf; while :; do sleep 600; done"), init=False)
    lines = bench.engine.logs(container, follow=True, tail=None, since=None, cancel=Event())
    assert next(lines).text == "deaf"
    lines.close()  # type: ignore[attr-defined]  # a generator's
    bench.engine.stop_container(container.id, 1.0)
    stopped = bench.engine.inspect(container.id)
    assert (stopped.state, stopped.exit_code) == (ContainerState.EXITED, 137)


def test_a_program_that_does_not_exist_refuses_the_start_in_the_engines_words(bench: RealBench) -> None:
    with pytest.raises(Failed, match="nonesuch") as refused:
        started(bench, command=("/nonesuch",), init=False)
    assert refused.value.code == "engine_refused"


def test_a_throw_away_container_sees_the_services_volume_and_environment(bench: RealBench) -> None:
    spec = bench.stack()
    bench.engine.create_network(bench.project, spec.networks[0])
    service = replace(spec.services[0], environment={"WORD": "kept"})
    keep = ("/bin/sh", "-c", "echo $WORD > /data/word")
    show = ("/bin/sh", "-c", "cat /data/word; echo oops >&2; exit 4")
    lines: list[str] = []
    assert bench.engine.run_once(bench.project, service, keep, lines.append, Event()) == 0
    assert bench.engine.run_once(bench.project, service, show, lines.append, Event()) == 4
    assert sorted(lines) == ["kept", "oops"]


def test_a_build_has_its_arguments_and_leaves_out_what_is_ignored(bench: RealBench, tmp_path: Path) -> None:
    image = bench.stack().services[0].image
    dockerfile = f"FROM {image}\nARG GREETING\nCOPY . /app\nRUN echo $GREETING; ls /app\n"
    service = to_build(bench, tmp_path, dockerfile, kept="", secret="", **{".dockerignore": "# comment\nsec*\n"})
    said: list[Progress] = []
    bench.engine.build_image(service, said.append, Event())
    words = [progress.text for progress in said]
    assert "hello" in words
    assert "kept" in words
    assert "secret" not in words


@pytest.mark.parametrize("ignore", [None, "sec*\n", "*\n!a/b.txt\n", ".dockerignore\n"])
def test_an_image_is_built_from_exactly_the_files_that_its_digest_covers(
    bench: RealBench, tmp_path: Path, ignore: str | None
) -> None:
    files = {"kept": "", "secret": "", "a/b.txt": "", "a/c.pyc": "", ".hidden": ""}
    if ignore is not None:
        files[".dockerignore"] = ignore
    listing = 'cd /app; for f in * .[!.]* */*; do [ -f "$f" ] && echo "file $f"; done; true'
    dockerfile = f"FROM {bench.stack().services[0].image}\nCOPY . /app\nRUN {listing}\n"
    service = to_build(bench, tmp_path, dockerfile, **files)
    assert service.build is not None
    said: list[Progress] = []
    bench.engine.build_image(service, said.append, Event())
    listed = {progress.text.removeprefix("file ") for progress in said if progress.text.startswith("file ")}
    assert listed == set(service.build.files)


def test_a_second_build_of_the_same_files_is_the_same_image(bench: RealBench, tmp_path: Path) -> None:
    service = to_build(bench, tmp_path, f"FROM {bench.stack().services[0].image}\nCOPY file /\n", file="content")
    spec = replace(bench.stack(), services=(service,))
    bench.engine.build_image(service, lambda _: None, Event())
    first = bench.engine.observe(spec).images
    (tmp_path / "file").touch()
    bench.engine.build_image(service, lambda _: None, Event())
    assert bench.engine.observe(spec).images == first


def test_a_failing_build_tells_the_step_and_its_last_words(bench: RealBench, tmp_path: Path) -> None:
    dockerfile = f"FROM {bench.stack().services[0].image}\nRUN echo last words; exit 7\n"
    with pytest.raises(Failed, match="last words") as failed:
        bench.engine.build_image(to_build(bench, tmp_path, dockerfile), lambda _: None, Event())
    assert failed.value.code == "build_failed"
    assert "RUN echo last words" in failed.value.details["step"]
    assert "7" in failed.value.details["reason"]


def test_a_broken_dockerfile_is_a_failed_build(bench: RealBench, tmp_path: Path) -> None:
    with pytest.raises(Failed, match="NONSENSE"):
        bench.engine.build_image(to_build(bench, tmp_path, "NONSENSE\n"), lambda _: None, Event())


def test_a_base_image_that_cannot_be_pulled_is_named(bench: RealBench, tmp_path: Path) -> None:
    service = to_build(bench, tmp_path, "FROM 127.0.0.1:1/base:1\n")
    with pytest.raises(Failed, match=r"127\.0\.0\.1:1/base:1") as failed:
        bench.engine.build_image(service, lambda _: None, Event())
    assert failed.value.code == "pull_failed"


def test_a_pull_counts_bytes_up_to_the_whole_image(bench: RealBench) -> None:
    told: list[Progress] = []
    with tiny_registry(bench.engine.info().architecture) as reference:
        bench.engine.pull_image(reference, told.append, Event())
        service = replace(bench.stack().services[0], image=reference)
        (image,) = bench.engine.observe(replace(bench.stack(), services=(service,))).images
        bench.client.remove_image(reference)
    assert image.reference == reference
    assert {(progress.text, progress.unit) for progress in told} == {(reference, "B")}
    assert [progress.done for progress in told] == sorted(progress.done for progress in told)
    assert told[-1].done == told[-1].total > 3 << 20


def test_a_pull_that_stalls_ends_when_cancelled(bench: RealBench) -> None:
    cancel = Event()
    with tiny_registry(bench.engine.info().architecture, stalled=True) as reference, pytest.raises(Interrupted):
        bench.engine.pull_image(reference, lambda _: cancel.set(), cancel)
    assert bench.client.images(name=reference) == []


def test_a_silent_build_step_ends_when_cancelled(bench: RealBench, tmp_path: Path) -> None:
    service = to_build(bench, tmp_path, f"FROM {bench.stack().services[0].image}\nRUN sleep 601\n")
    cancel = Event()

    def cancel_in_step(progress: Progress) -> None:
        if progress.text == "RUN sleep 601":
            cancel.set()

    with pytest.raises(Interrupted):
        bench.engine.build_image(service, cancel_in_step, cancel)
    while any("sleep 601" in container["Command"] for container in bench.client.containers()):
        pass  # the engine notices that nobody listens any more
