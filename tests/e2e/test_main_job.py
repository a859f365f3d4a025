"""The main job, as a user has it: all starts, an editor indexes this very project, questions find their files."""

import json
from collections.abc import Iterator

import httpx2
import pytest

from e2e.indexed import ENOUGH, ROOT, Indexed, answered, indexed_project
from e2e.indexing import collection_name
from e2e.stack import Reply, Stack, temporary_stack
from images.choice import Images
from images.docker_cli import image_size

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def shared(images: Images, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One project for the whole story; each test leaves it running."""
    with temporary_stack(tmp_path_factory.mktemp("main-job"), images) as stack:
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


def test_the_first_start_ends_with_both_services_warm(started: Reply) -> None:
    assert started.envelope["changed"] is True
    assert {each["service"]: each["stage"] for each in started.data["services"]} == {"qdrant": "warm", "jina": "warm"}
    assert started.service("jina")["facts"]["dimension"] == 384


@pytest.mark.usefixtures("started")
def test_the_image_weighs_less_than_a_gigabyte_beyond_its_base(shared: Stack, images: Images) -> None:
    image, base = image_size(shared.container("jina")["Image"]), image_size(images.base)
    assert image is not None
    assert base is not None
    assert 0.5e9 < image - base < 1e9


@pytest.mark.usefixtures("started")
def test_the_second_start_changes_nothing(shared: Stack) -> None:
    before = {service: shared.container(service)["State"]["StartedAt"] for service in ("qdrant", "jina")}
    second = shared.succeed("start", "all")
    assert second.envelope["changed"] is False
    assert second.data["plan"]["operations"] == []
    assert {service: shared.container(service)["State"]["StartedAt"] for service in before} == before


@pytest.mark.usefixtures("started")
def test_a_plan_of_a_running_stack_has_no_changes(shared: Stack) -> None:
    assert shared.run("plan", "all", "--exit-code").exit_code == 0


@pytest.mark.usefixtures("started")
def test_the_doctor_finds_nothing_that_fails(shared: Stack) -> None:
    found = {each["id"]: each for each in shared.succeed("doctor").data["findings"]}
    assert [each for each in found.values() if each["verdict"] == "fail"] == []
    well = (
        "engine.version",
        "containers.drift",
        "volumes.qdrant",
        "volumes.jina",
        "qdrant.bind",
        "modelcache.complete",
    )
    assert {name: found[name]["verdict"] for name in well} == dict.fromkeys(well, "ok")
    assert found["machine.disk"]["verdict"] != "skipped"


@pytest.mark.usefixtures("started")
def test_status_says_what_runs_where_and_on_what(shared: Stack) -> None:
    status = shared.succeed("status")
    jina, qdrant = status.service("jina"), status.service("qdrant")
    assert jina["url"] == shared.jina_url
    assert qdrant["url"] == shared.qdrant_url
    assert (jina["state"], jina["stage"], qdrant["state"], qdrant["stage"]) == ("running", "warm", "running", "warm")
    assert 0 < jina["memory"] < jina["memory_limit"] == 6 * 2**30


def test_ten_questions_find_their_files(indexed: Indexed) -> None:
    answers = indexed.ask()
    assert len(answered(answers)) >= ENOUGH, json.dumps(answers, indent=2)


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
def test_a_changed_setting_recreates_only_that_container(shared: Stack) -> None:
    before = {service: shared.container(service)["Id"] for service in ("qdrant", "jina")}
    changed = shared.having(EMBCTL_JINA_SEMAPHORE="4")
    assert changed.run("plan", "all", "--exit-code").exit_code == 10
    changed.succeed("start", "all")
    after = {service: shared.container(service)["Id"] for service in before}
    assert after["qdrant"] == before["qdrant"]
    assert after["jina"] != before["jina"]
    assert "SEMAPHORE_VALUE=4" in shared.container("jina")["Config"]["Env"]
