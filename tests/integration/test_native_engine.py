"""What only the native runtime can show: what is on the disk, what a process is given, and who may do what at once."""

import os
import resource
import stat
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest

from embctl.engine.native.engine import NativeEngine
from embctl.errors import Failed, Interrupted
from embctl.model import Ulimit
from embctl.plan import Goal, Request
from embctl.reconcile import reconcile
from engines.native_bench import NativeBench, native_bench
from engines.native_steps import await_line
from engines.programs import FAILS, Program
from engines.steps import create, never, started

SECRET = "hunter2"  # noqa: S105 - to be looked for
UP = Request(goal=Goal.UP, services=("probe",))


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[NativeBench]:
    with native_bench(tmp_path) as bench:
        yield bench


def said(bench: NativeBench, program: Program, **changes: object) -> list[str]:
    """All that the program says until it ends."""
    container = started(bench, program, **changes)
    return [line.text for line in bench.engine.logs(container, follow=True, tail=None, since=None, cancel=never())]


# What a process is given.


def test_a_process_has_the_definitions_environment_over_the_starters(
    bench: NativeBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OURS", "kept")
    monkeypatch.setenv("BOTH", "starter")
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    script = 'echo "$OURS $BOTH $DATA $PYTHONPATH"; cd "$DATA" && pwd -P'
    volume = bench.home.volume(f"{bench.project}-qdrant-data")
    assert said(bench, Program(script=script), environment={"BOTH": "service"}) == [
        f"kept service {volume} {bench.server}{os.pathsep}/elsewhere",
        str(volume.resolve()),
    ]


def test_a_process_does_not_run_where_its_starter_was_nor_among_the_records(
    bench: NativeBench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trap = tmp_path / "here"
    trap.mkdir()
    (trap / "program.py").write_text("print('the wrong one')")
    (trap / "embctl.py").write_text("raise SystemExit('the wrong one')")
    monkeypatch.chdir(trap)
    (folder,) = said(bench, Program(script="pwd -P"))
    assert Path(folder).is_relative_to(bench.state.resolve())
    assert list(Path(folder).iterdir()) == []


@pytest.mark.parametrize("wish", [400, 100, 10**9])
def test_a_process_may_open_as_many_files_as_it_was_promised_and_the_machine_grants(
    bench: NativeBench, wish: int
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    given = {400: 400, 100: 300, 10**9: hard}[wish]
    limits = (Ulimit(name="nofile", soft=wish, hard=wish),)
    resource.setrlimit(resource.RLIMIT_NOFILE, (300, hard))
    try:
        assert said(bench, Program(script="ulimit -n"), ulimits=limits) == [str(given)]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_throw_away_container_runs_embctls_python_with_the_services_modules(bench: NativeBench) -> None:
    spec = bench.stack()
    bench.engine.create_network(bench.project, spec.networks[0])
    heard: list[str] = []
    code = "import importlib.util, sys; print(sys.executable, importlib.util.find_spec('program').name)"
    command = ("python", "-c", code)
    assert bench.engine.run_once(bench.project, spec.services[0], command, heard.append, never()) == 0
    assert heard == [f"{sys.executable} program"]


# What is on the disk.


def test_secrets_are_for_their_owner_alone(bench: NativeBench) -> None:
    before = os.umask(0)
    try:
        program = Program(script='umask 022; echo "$KEY" >"$DATA/key"; echo ready; exec sleep 600')
        container = started(bench, program, environment={"KEY": SECRET})
        await_line(bench, container, "ready")
        bench.engine.stop_container(container.id, 1.0)
    finally:
        os.umask(before)
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (*bench.state.rglob("*"), *bench.data.glob("*"))}
    assert {mode for path, mode in modes.items() if path.is_file()} == {0o600}
    assert {mode for path, mode in modes.items() if path.is_dir()} == {0o700}
    assert stat.S_IMODE(bench.state.stat().st_mode) == stat.S_IMODE(bench.data.stat().st_mode) == 0o700
    volume = bench.home.volume(f"{bench.project}-qdrant-data")
    assert stat.S_IMODE(volume.stat().st_mode) == 0o700
    holders = [path.name for path in bench.state.rglob("*") if path.is_file() and SECRET in path.read_text()]
    assert holders == ["definition.json"]


def test_the_starters_own_secrets_are_not_written_down(bench: NativeBench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OWN_TOKEN", SECRET)
    assert said(bench, Program(script='test -n "$OWN_TOKEN" && echo ok')) == ["ok"]
    assert [path for path in bench.state.rglob("*") if path.is_file() and SECRET in path.read_text()] == []


def test_a_look_at_nothing_makes_nothing(bench: NativeBench) -> None:
    bench.engine.observe(bench.stack())
    bench.engine.remove_network("none")
    bench.engine.remove_volume("none")
    assert not bench.data.exists()
    assert [path.name for path in bench.state.rglob("*")] == ["lock"]


def test_everything_that_was_made_can_be_taken_away(bench: NativeBench) -> None:
    spec = bench.stack(Program(script='echo x >"$DATA/file"; echo ready; exec sleep 600'))
    container_id = create(bench, spec)
    bench.engine.start_container(container_id)
    await_line(bench, bench.engine.inspect(container_id), "ready")
    bench.engine.stop_container(container_id, 1.0)
    bench.engine.remove_container(container_id)
    bench.engine.remove_volume(spec.volumes[0].name)
    bench.engine.remove_network(spec.networks[0].name)
    left = [path for folder in (bench.state, bench.data) for path in folder.rglob("*") if path.is_file()]
    assert left == [bench.state / "lock"]


def test_a_volume_that_the_user_laid_elsewhere_keeps_what_is_there(bench: NativeBench, tmp_path: Path) -> None:
    spec = bench.stack()
    elsewhere = tmp_path / "big-disk"
    elsewhere.mkdir()
    (elsewhere / "file").touch()
    (bench.data / "volumes").mkdir(parents=True)
    bench.home.volume(spec.volumes[0].name).symlink_to(elsewhere)
    bench.engine.create_volume(bench.project, spec.volumes[0])
    bench.engine.remove_volume(spec.volumes[0].name)
    assert not bench.home.volume(spec.volumes[0].name).exists()
    assert (elsewhere / "file").exists()


@pytest.mark.parametrize("name", ["../outside", "", ".hidden", "a/b", "a b"])
def test_a_name_that_would_lead_elsewhere_is_refused(bench: NativeBench, name: str) -> None:
    spec = bench.stack()
    makes: tuple[Callable[[], None], ...] = (
        lambda: bench.engine.create_network(bench.project, replace(spec.networks[0], name=name)),
        lambda: bench.engine.create_volume(bench.project, replace(spec.volumes[0], name=name)),
        lambda: bench.engine.remove_network(name),
        lambda: bench.engine.remove_volume(name),
    )
    for make in makes:
        with pytest.raises(Failed, match="cannot be used") as refused:
            make()
        assert refused.value.code == "engine_refused"


def test_an_id_that_would_lead_elsewhere_is_nobodys(bench: NativeBench) -> None:
    create(bench, bench.stack())
    acts: list[Callable[[str], object]] = [bench.engine.inspect, bench.engine.start_container, bench.engine.stats]
    for act in acts:
        with pytest.raises(Failed) as gone:
            act("../containers")
        assert gone.value.code == "container_gone"
    bench.engine.remove_container("../containers")
    assert len(bench.home.containers()) == 1


def test_a_damaged_record_is_named_and_left_alone(bench: NativeBench) -> None:
    container_id = create(bench, bench.stack())
    record = bench.container(container_id).folder / "status.json"
    record.write_text("{")
    for act in (
        lambda: bench.engine.observe(bench.stack()),
        lambda: bench.engine.start_container(container_id),
        lambda: bench.engine.remove_container(container_id),
    ):
        with pytest.raises(Failed, match=str(record)) as refused:
            act()
        assert refused.value.code == "engine_refused"
    assert record.read_text() == "{"


@pytest.mark.parametrize("name", ["definition.json", "status.json"])
def test_a_damaged_record_holds_up_no_other_project(bench: NativeBench, name: str) -> None:
    own, other = bench.stack(), bench.stack_of(f"{bench.project}-other")
    strange = bench.engine.create_container(other.project, other.services[0])
    record = bench.container(strange).folder / name
    record.write_text("{")
    container_id = create(bench, own)
    bench.engine.rename_container(container_id, f"{own.services[0].container_name}-renamed")
    bench.engine.start_container(container_id)
    assert [seen.id for seen in bench.engine.observe(own).containers] == [container_id]
    bench.engine.stop_container(container_id, 1.0)
    bench.engine.remove_container(container_id)
    bench.engine.remove_volume(own.volumes[0].name)
    bench.engine.remove_network(own.networks[0].name)
    with pytest.raises(Failed, match=str(record)) as refused:
        bench.engine.observe(other)
    assert str(record.parent) in refused.value.actions[0]


@pytest.mark.parametrize("folder", ["state/networks", "data/labels"])
def test_a_damaged_label_holds_up_no_other_project(bench: NativeBench, tmp_path: Path, folder: str) -> None:
    create(bench, bench.stack())
    (record,) = (tmp_path / folder).iterdir()
    record.write_text("{")
    other = bench.stack_of(f"{bench.project}-other")
    bench.engine.create_network(other.project, other.networks[0])
    bench.engine.create_volume(other.project, other.volumes[0])
    bench.engine.start_container(bench.engine.create_container(other.project, other.services[0]))
    assert [seen.alive for seen in bench.engine.observe(other).containers] == [True]
    with pytest.raises(Failed, match=str(record)) as refused:
        bench.engine.observe(bench.stack())
    assert str(record) in refused.value.actions[0]


def test_a_folder_that_cannot_be_used_is_told_as_the_engines_refusal(bench: NativeBench) -> None:
    bench.state.write_text("a file")
    with pytest.raises(Failed) as refused:
        create(bench, bench.stack())
    assert refused.value.code == "engine_refused"


# What stands for an image.


def test_packages_that_are_missing_are_named_with_the_way_to_get_them(bench: NativeBench) -> None:
    (bench.server / "requirements-program.txt").write_text("no-such-package==1.0\n")
    service = bench.stack().services[0]
    assert bench.engine.observe(bench.stack()).images == ()
    for act, code in (
        (lambda: bench.engine.build_image(service, lambda _: None, never()), "server_missing"),
        (lambda: bench.engine.create_container(bench.project, service), "image_missing"),
    ):
        with pytest.raises(Failed, match="no-such-package") as missing:
            act()
        assert missing.value.code == code
        assert any("pip install 'embctl[server]'" in action for action in missing.value.actions)


def test_a_pull_that_was_cancelled_is_an_interruption(bench: NativeBench) -> None:
    cancel = Event()
    cancel.set()
    with pytest.raises(Interrupted):
        bench.engine.pull_image("any", lambda _: None, cancel)


def test_a_service_without_a_native_form_cannot_be_created(bench: NativeBench) -> None:
    with pytest.raises(ValueError, match="probe has no native form"):
        bench.engine.create_container(bench.project, replace(bench.stack().services[0], native=None))


def test_new_code_replaces_a_container_that_runs_the_old(bench: NativeBench) -> None:
    spec = bench.stack()
    bench.engine.start_container(create(bench, spec))
    assert not reconcile(spec, bench.engine.observe(spec), UP)
    (bench.server / "program" / "part.py").write_text("")
    assert "its program changed" in str(reconcile(spec, bench.engine.observe(spec), UP))


def test_an_interpreter_that_is_gone_fails_the_start(bench: NativeBench, tmp_path: Path) -> None:
    gone = NativeEngine(state=bench.state, data=bench.data, server=bench.server, python=str(tmp_path / "python"))
    container_id = create(bench, bench.stack())
    with pytest.raises(Failed, match="No such file") as failed:
        gone.start_container(container_id)
    assert failed.value.code == "engine_refused"
    bench.engine.start_container(container_id)
    assert bench.engine.inspect(container_id).alive


def test_a_throw_away_container_that_fails_leaves_nothing(bench: NativeBench) -> None:
    spec = bench.stack(FAILS)
    bench.engine.create_network(bench.project, spec.networks[0])
    with pytest.raises(Failed, match="No such file"):
        bench.engine.run_once(bench.project, spec.services[0], ("/no/such/program",), lambda _: None, never())
    assert bench.home.containers() == []
