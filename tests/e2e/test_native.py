"""The main job without containers: nothing but Python and the packages."""

import json
import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx2
import psutil
import pytest

from e2e.indexed import ENOUGH, ROOT, Indexed, answered, indexed_project
from e2e.indexing import collection_name
from e2e.stack import Reply, Stack, native_stack
from e2e.waiting import until


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One project for the whole story; each test leaves it running."""
    with native_stack(tmp_path_factory.mktemp("native")) as stack:
        yield stack


@pytest.fixture(scope="module")
def started(shared: Stack) -> Reply:
    """The first start, from nothing."""
    return shared.succeed("start", "all")


@pytest.fixture(scope="module")
def indexed(shared: Stack, started: Reply) -> Iterator[Indexed]:
    """What an editor's first scan of this project leaves."""
    with indexed_project(shared, started) as found:
        yield found


def server(stack: Stack, service: str) -> psutil.Process:
    """The process that listens on the service's port."""
    port = {"qdrant": stack.qdrant_port, "jina": stack.jina_port}[service]
    listening = (
        c.pid for c in psutil.net_connections("tcp") if c.status == "LISTEN" and c.laddr and c.laddr.port == port
    )
    return psutil.Process(next(pid for pid in listening if pid))


def test_the_first_start_ends_with_both_services_warm(started: Reply) -> None:
    assert started.envelope["changed"] is True
    assert {each["service"]: each["stage"] for each in started.data["services"]} == {"qdrant": "warm", "jina": "warm"}


@pytest.mark.usefixtures("started")
def test_the_second_start_changes_nothing(shared: Stack) -> None:
    before = [server(shared, service).pid for service in ("qdrant", "jina")]
    second = shared.succeed("start", "all")
    assert second.envelope["changed"] is False
    assert second.data["plan"]["operations"] == []
    assert [server(shared, service).pid for service in ("qdrant", "jina")] == before


@pytest.mark.usefixtures("started")
def test_the_services_listen_on_loopback_alone(shared: Stack) -> None:
    for service in ("qdrant", "jina"):
        listening = [
            c.laddr.ip for c in server(shared, service).net_connections("tcp") if c.status == "LISTEN" and c.laddr
        ]
        assert listening == ["127.0.0.1"]


@pytest.mark.usefixtures("started")
def test_status_says_what_runs_where_and_on_what(shared: Stack) -> None:
    status = shared.succeed("status")
    assert status.data["engine"]["flavour"] == "Native"
    for service, url in (("jina", shared.jina_url), ("qdrant", shared.qdrant_url)):
        seen = status.service(service)
        assert (seen["state"], seen["stage"], seen["url"], seen["drifted"]) == ("running", "warm", url, False)
        assert seen["memory"] > 0


@pytest.mark.usefixtures("started")
def test_the_services_outlive_the_session_that_started_them(shared: Stack) -> None:
    for service in ("qdrant", "jina"):
        assert os.getsid(server(shared, service).pid) != os.getsid(0)


def test_ten_questions_find_their_files(indexed: Indexed) -> None:
    answers = indexed.ask()
    assert len(answered(answers)) >= ENOUGH, json.dumps(answers, indent=2)


def test_the_index_is_listed_with_its_folder_and_its_figures(shared: Stack, indexed: Indexed) -> None:
    (row,) = shared.succeed("collections", "list", "--folder", str(ROOT)).data["collections"]
    assert (row["name"], row["folder"], row["folder_state"]) == (collection_name(ROOT), str(ROOT), "there")
    assert (row["points"], row["dimension"]) == (indexed.points, 384)
    (grown,) = shared.succeed("stats").data["collections"]
    assert (grown["name"], grown["points"], grown["per_second"]) == (collection_name(ROOT), indexed.points, 0)


@pytest.mark.usefixtures("indexed")
def test_an_assistants_settings_are_made_of_what_runs_and_work(shared: Stack, tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    assert shared.succeed("client", "write", "zoo-code", "--file", str(file)).data["change"] == "created"
    index = json.loads(file.read_text())["globalSettings"]["codebaseIndexConfig"]
    assert index["codebaseIndexQdrantUrl"] == f"http://localhost:{shared.qdrant_port}"
    assert (index["codebaseIndexEmbedderModelId"], index["codebaseIndexEmbedderModelDimension"]) == ("minilm", 384)
    assert all(step["ok"] for step in shared.succeed("client", "check", "zoo-code").data["steps"])
    names = [row["name"] for row in shared.succeed("collections", "list").data["collections"]]
    assert names == [collection_name(ROOT)]


def test_the_embedding_servers_page_gets_to_see_the_index(shared: Stack, indexed: Indexed) -> None:
    told = httpx2.get(f"{shared.jina_url}/store/metrics", trust_env=False).raise_for_status().text
    assert f'collection_points{{id="{collection_name(ROOT)}"}} {indexed.points}' in told


def test_after_a_restart_the_points_are_all_there_and_answer_as_before(shared: Stack, indexed: Indexed) -> None:
    before = indexed.ask()
    shared.succeed("restart", "all")
    assert indexed.database.count() == indexed.points
    assert indexed.ask() == before
    points = shared.succeed("status").service("qdrant")["facts"]["points"]
    assert points == {collection_name(ROOT): indexed.points}


@pytest.mark.usefixtures("started")
def test_a_model_that_cannot_be_served_leaves_the_one_that_is(shared: Stack, tmp_path: Path) -> None:
    before = server(shared, "jina").pid
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    refused = shared.run("start", "jina", "--model", str(tmp_path))
    assert (refused.exit_code, refused.error["code"]) == (1, "model_unusable")
    assert "has no model.safetensors" in refused.error["message"]
    assert server(shared, "jina").pid == before
    assert shared.succeed("start", "all").envelope["changed"] is False


@pytest.mark.usefixtures("started")
def test_a_service_that_lost_its_supervisor_gets_one_from_the_next_start(shared: Stack) -> None:
    process = server(shared, "qdrant")
    supervisor = process.parent()
    assert supervisor
    supervisor.kill()
    until(lambda: shared.succeed("status").service("qdrant")["unsupervised"])
    healed = shared.succeed("start", "all")
    assert [operation["cause"] for operation in healed.data["plan"]["operations"]] == ["its supervisor is gone"]
    assert server(shared, "qdrant").pid == process.pid
    process.kill()
    until(lambda: shared.succeed("status").service("qdrant")["restarts"] == 1)
    shared.succeed("wait", "qdrant")


@pytest.mark.parametrize("service", ["qdrant", "jina"])
def test_a_service_that_is_killed_comes_back_with_everything(shared: Stack, indexed: Indexed, service: str) -> None:
    before = indexed.ask()
    killed = server(shared, service)
    killed.send_signal(signal.SIGKILL)
    killed.wait(timeout=60)
    until(lambda: shared.succeed("status").service(service)["restarts"] >= 1)
    shared.succeed("wait", service)
    assert server(shared, service).pid != killed.pid
    assert indexed.database.count() == indexed.points
    assert indexed.ask() == before


@pytest.mark.usefixtures("started")
def test_logs_are_those_of_the_processes(shared: Stack) -> None:
    lines = shared.succeed("logs", "qdrant", "-n", "50").data["log"]
    assert any("Uvicorn running" in line["text"] for line in lines)


@pytest.mark.usefixtures("started")
def test_the_same_port_for_a_second_project_is_refused_with_its_owner(shared: Stack) -> None:
    refused = replace(shared, name=f"{shared.name}-2").run("start", "qdrant")
    assert (refused.exit_code, refused.error["code"]) == (6, "port_taken")
    assert refused.error["details"]["owner"]["name"] == f"{shared.name}-qdrant"


def test_stop_ends_the_processes_and_start_brings_them_back(shared: Stack, indexed: Indexed) -> None:
    processes = [server(shared, service) for service in ("qdrant", "jina")]
    shared.succeed("stop", "all")
    assert [process for process in processes if process.is_running()] == []
    shared.succeed("start", "all")
    assert indexed.database.count() == indexed.points


def test_down_keeps_the_data_and_removes_the_rest(shared: Stack, indexed: Indexed) -> None:
    shared.succeed("down")
    assert {each["state"] for each in shared.succeed("status").data["services"]} == {"absent"}
    shared.succeed("start", "all")
    assert indexed.database.count() == indexed.points
