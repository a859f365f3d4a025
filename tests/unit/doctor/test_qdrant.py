"""The real store, in this process, as a database that is wrong in one way after the other."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from embctl.doctor.qdrant import QDRANT, QdrantFacts
from embctl.engine.ports import free_port
from embctl.model import Port, StackSpec
from embctl.outcomes import Finding, Verdict
from embstore.app import create_app
from embstore.settings import Settings
from fakes.app_http import AppHttp
from fakes.fake_engine import FakeEngine
from fakes.scenes import examined, make_scene, running_engine
from fakes.stacks import make_stack, with_service

FACTS = QdrantFacts(
    unseen="",
    root={"title": "qdrant", "version": "1.19.0"},
    trouble="",
    pinned="qdrant/qdrant:v1.19.0-unprivileged",
    telemetry_off=True,
    drifted=False,
    addresses=("127.0.0.1",),
    without_key=200,
    with_key=None,
)
VERSION = next(check for check in QDRANT.checks if check.id == "qdrant.version")


def stack(*, port: int = 0, host_ip: str = "127.0.0.1") -> StackSpec:
    spec = make_stack()
    return with_service(
        spec,
        replace(
            spec.service("qdrant"),
            ports=(Port(host_ip=host_ip, published=port or free_port(), target=6333),),
            environment={"QDRANT__TELEMETRY_DISABLED": "true"},
        ),
    )


@contextmanager
def store(folder: Path, api_key: str = "") -> Iterator[TestClient]:
    with TestClient(create_app(Settings(storage_path=folder / "storage", api_key=api_key))) as client:
        yield client


def found(
    folder: Path,
    *,
    spec: StackSpec | None = None,
    server_key: str = "",
    key: str = "",
    engine: FakeEngine | None = None,
) -> dict[str, Finding]:
    spec = spec or stack()
    env = {"EMBCTL_QDRANT_API_KEY": key} if key else {}
    with store(folder, server_key) as client:
        http = AppHttp({spec.service("qdrant").ports[0].published: client})
        with make_scene(folder, engine or running_engine(spec), spec=spec, env=env, http=http) as scene:
            return examined(QDRANT, scene)


def test_a_healthy_store_passes_every_check(tmp_path: Path) -> None:
    assert {each.verdict for each in found(tmp_path).values()} == {Verdict.OK}


def test_a_database_that_does_not_answer_fails_and_nothing_else_is_said_of_it(tmp_path: Path) -> None:
    spec = stack()
    with make_scene(tmp_path, running_engine(spec), spec=spec, http=AppHttp({})) as scene:
        seen = examined(QDRANT, scene)
    assert (seen["qdrant.answers"].verdict, "refused" in seen["qdrant.answers"].evidence) == (Verdict.FAIL, True)
    assert {seen[name].verdict for name in ("qdrant.version", "qdrant.key")} == {Verdict.SKIPPED}


def test_a_service_that_does_not_run_is_skipped(tmp_path: Path) -> None:
    assert {each.verdict for each in found(tmp_path, engine=FakeEngine()).values()} == {Verdict.SKIPPED}


@pytest.mark.parametrize(
    ("version", "verdict"),
    [("1.19.3", Verdict.OK), ("1.18.0", Verdict.OK), ("1.12.4", Verdict.WARN), ("1.9.7", Verdict.FAIL)],
)
def test_the_version_is_held_against_what_clients_need_and_what_is_pinned(version: str, verdict: Verdict) -> None:
    assert VERSION.finding(replace(FACTS, root={"version": version})).verdict is verdict


def test_telemetry_that_the_definition_leaves_on_is_a_warning(tmp_path: Path) -> None:
    spec = stack()
    spec = with_service(spec, replace(spec.service("qdrant"), environment={}))
    assert found(tmp_path, spec=spec)["qdrant.telemetry"].verdict is Verdict.WARN


def test_telemetry_of_a_container_of_another_definition_is_unknown(tmp_path: Path) -> None:
    spec = stack()
    engine = running_engine(spec)
    changed = with_service(spec, replace(spec.service("qdrant"), config_hash="other"))
    assert found(tmp_path, spec=changed, engine=engine)["qdrant.telemetry"].verdict is Verdict.SKIPPED


def test_a_database_that_other_machines_reach_fails_unless_it_asks_for_a_key(tmp_path: Path) -> None:
    with socket.create_server(("", 0)) as server:
        spec = stack(port=server.getsockname()[1])
        bare = found(tmp_path, spec=spec)["qdrant.bind"]
        guarded = found(tmp_path, spec=spec, server_key="k-1", key="k-1")["qdrant.bind"]
    assert bare.verdict is Verdict.FAIL
    assert "asks for no key" in bare.evidence
    assert guarded.verdict is Verdict.WARN


@pytest.mark.parametrize(
    ("server_key", "key", "verdict"),
    [
        ("", "", Verdict.OK),
        ("k-1", "k-1", Verdict.OK),
        ("k-1", "", Verdict.FAIL),
        ("k-1", "k-2", Verdict.FAIL),
        ("", "k-1", Verdict.WARN),
    ],
)
def test_the_key_that_is_set_is_held_against_the_one_that_is_asked_for(
    tmp_path: Path, server_key: str, key: str, verdict: Verdict
) -> None:
    seen = found(tmp_path, server_key=server_key, key=key)["qdrant.key"]
    assert seen.verdict is verdict
    assert "k-1" not in f"{seen.evidence}{seen.fix}"
