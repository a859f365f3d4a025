"""Sockets, contexts and engines that are wrong in reality, and what is said of them."""

import hashlib
import json
import socket
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from embctl.doctor.engine import ENGINE
from embctl.model import EngineInfo
from embctl.outcomes import Finding, Verdict
from fakes.fake_engine import FakeEngine
from fakes.scenes import examined, make_scene


def found(
    folder: Path, engine: FakeEngine | None = None, env: Mapping[str, str] | None = None, platform: str = "linux"
) -> dict[str, Finding]:
    with make_scene(folder, engine, env=env, platform=platform) as scene:
        return examined(ENGINE, scene)


def being(**said: object) -> FakeEngine:
    engine = FakeEngine()
    told: EngineInfo = replace(engine.info(), **said)  # type: ignore[arg-type]  # the callers name fields
    engine.info = lambda: told  # type: ignore[method-assign]  # an engine of another kind
    return engine


def context(home: Path, name: str, address: str) -> None:
    """As `docker context create` and `docker context use` leave it."""
    folder = home / ".docker" / "contexts" / "meta" / hashlib.sha256(name.encode()).hexdigest()
    folder.mkdir(parents=True)
    (folder / "meta.json").write_text(json.dumps({"Name": name, "Endpoints": {"docker": {"Host": address}}}))
    (home / ".docker" / "config.json").write_text(json.dumps({"currentContext": name}))


def test_an_engine_that_answers_is_named_with_its_address(tmp_path: Path) -> None:
    seen = found(tmp_path, FakeEngine())
    assert seen["engine.reachable"].verdict is Verdict.OK
    assert FakeEngine().info().address in seen["engine.reachable"].evidence
    assert seen["engine.version"].verdict is Verdict.OK


def test_an_engine_that_does_not_answer_fails_with_the_way_out_and_its_version_is_skipped(tmp_path: Path) -> None:
    seen = found(tmp_path)
    assert (seen["engine.reachable"].verdict, seen["engine.reachable"].fix) == (Verdict.FAIL, "Start it: dockerd")
    assert seen["engine.version"].verdict is Verdict.SKIPPED


def test_an_engine_on_another_machine_is_a_warning(tmp_path: Path) -> None:
    assert found(tmp_path, being(local=False))["engine.reachable"].verdict is Verdict.WARN


def test_an_engine_that_is_older_than_any_that_is_tested_is_a_warning(tmp_path: Path) -> None:
    assert found(tmp_path, being(api_version="1.40"))["engine.version"].verdict is Verdict.WARN
    assert found(tmp_path, being(api_version="1.41"))["engine.version"].verdict is Verdict.OK


def test_a_context_that_docker_host_displaces_is_a_warning(tmp_path: Path) -> None:
    context(tmp_path, "colima", "unix:///colima.sock")
    clash = found(tmp_path, env={"DOCKER_HOST": "unix:///other.sock"})["engine.context"]
    assert clash.verdict is Verdict.WARN
    assert "unix:///other.sock" in clash.evidence
    assert "colima" in clash.evidence
    assert found(tmp_path, env={"DOCKER_HOST": "unix:///colima.sock"})["engine.context"].verdict is Verdict.OK
    assert found(tmp_path)["engine.context"].verdict is Verdict.OK


def test_a_setting_of_embctl_ends_the_clash(tmp_path: Path) -> None:
    context(tmp_path, "colima", "unix:///colima.sock")
    env = {"DOCKER_HOST": "unix:///other.sock", "EMBCTL_ENGINE_CONTEXT": "colima"}
    assert found(tmp_path, env=env)["engine.context"].verdict is Verdict.OK


def test_a_socket_that_nobody_serves_any_more_is_named(tmp_path: Path) -> None:
    path = tmp_path / ".colima" / "default" / "docker.sock"
    path.parent.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        # This machine may have a stale one of its own.
        assert str(path) not in found(tmp_path)["engine.sockets"].evidence
    stale = found(tmp_path)["engine.sockets"]
    assert stale.verdict is Verdict.WARN
    assert str(path) in stale.evidence


def test_where_there_are_no_such_sockets_the_check_is_skipped(tmp_path: Path) -> None:
    assert found(tmp_path, platform="win32")["engine.sockets"].verdict is Verdict.SKIPPED
