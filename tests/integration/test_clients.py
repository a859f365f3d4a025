"""Clients' settings made of services that run, and clients played against them: real servers, a real model."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from embctl.clients import CLIENTS
from embctl.errors import Failed, NotReady, UsageError
from embctl.flows import clients
from embctl.flows.client_check import check
from embctl.flows.context import Context
from embctl.flows.stop import stop
from embctl.probes import Endpoint
from embctl.qdrant import Database
from fakes.real_services import Services


@pytest.fixture
def context(services: Services, tmp_path: Path) -> Iterator[Context]:
    with services.context(tmp_path) as context:
        yield context


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's, and a folder of work that commands are given in."""
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    return tmp_path


def threshold(_: str) -> float | None:
    return 0.2


@pytest.mark.parametrize("name", [each.name for each in CLIENTS if not each.keeps_vectors])
def test_an_indexer_finds_all_that_it_needs_and_leaves_nothing_behind(
    context: Context, services: Services, name: str
) -> None:
    result = check(context, name, threshold)
    assert result.error is None
    assert [step.ok for step in result.data.steps] == [True] * 8
    database = Database(
        endpoint=Endpoint(service="qdrant", url=f"http://127.0.0.1:{services.qdrant}"), http=context.http
    )
    assert database.collections() == ()


def test_a_client_with_a_store_of_its_own_asks_for_vectors_alone(context: Context) -> None:
    assert [step.ok for step in check(context, "continue", threshold).data.steps] == [True] * 3


def test_the_step_that_fails_is_named_and_the_collection_removed(
    context: Context, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("embctl.flows.client_check.INDEXED", ("type", 5))
    result = check(context, "roo-code", threshold)
    assert result.error is not None
    assert (result.error.code, result.exit_code) == ("client_check_failed", 1)
    assert "a collection with its indexes: http://localhost:" in result.error.message
    assert [step.ok for step in result.data.steps] == [True, True, True, True, False]
    database = Database(
        endpoint=Endpoint(service="qdrant", url=f"http://127.0.0.1:{services.qdrant}"), http=context.http
    )
    assert database.collections() == ()


def test_a_written_file_says_what_runs_and_a_second_write_changes_nothing(
    context: Context, services: Services, home: Path
) -> None:
    result = clients.write(context, "Zoo Code", None, home, threshold)
    file = home / "work" / "roo-code-settings.json"
    index = json.loads(file.read_text())["globalSettings"]["codebaseIndexConfig"]
    assert index["codebaseIndexQdrantUrl"] == f"http://localhost:{services.qdrant}"
    assert index["codebaseIndexOpenAiCompatibleBaseUrl"] == f"http://localhost:{services.jina}/v1"
    assert (index["codebaseIndexEmbedderModelDimension"], index["codebaseIndexSearchMinScore"]) == (384, 0.2)
    assert (result.data.change, result.data.backup) == ("created", None)
    assert str(file) in result.data.clicks[0]
    assert clients.write(context, "zoo-code", None, home, threshold).data.change == "unchanged"


@pytest.mark.parametrize(
    ("name", "file", "before"),
    [
        ("kilo-code", ".config/kilo/kilo.jsonc", '{"theme": "dark" /* mine */}\n'),
        ("continue", ".continue/config.yaml", "name: Mine # mine\nversion: 1.0.0\nschema: v1\n"),
    ],
)
def test_a_clients_own_file_is_completed_with_its_old_text_beside_it(
    context: Context, home: Path, name: str, file: str, before: str
) -> None:
    path = home / file
    path.parent.mkdir(parents=True)
    path.write_text(before)
    result = clients.write(context, name, None, home, threshold)
    assert result.data.change == "changed"
    assert result.data.backup is not None
    assert Path(result.data.backup).read_text() == before
    assert "mine" in path.read_text()


@pytest.mark.parametrize(("name", "broken"), [("kilo-code", '{"a": '), ("continue", "models: [")])
def test_a_file_that_cannot_be_read_is_not_touched(context: Context, home: Path, name: str, broken: str) -> None:
    path = home / "mine"
    path.write_text(broken)
    with pytest.raises(Failed) as caught:
        clients.write(context, name, path, home, threshold)
    assert caught.value.code == "client_file_invalid"
    assert f"Or write it by hand: embctl client show {name}" in caught.value.actions
    assert path.read_text() == broken
    assert sorted(home.glob("mine*")) == [path]


def test_an_export_is_completed_in_place_or_elsewhere(context: Context, home: Path) -> None:
    export = {"providerProfiles": {"currentApiConfigName": "mine", "apiConfigs": {"mine": {"apiProvider": "x"}}}}
    path = home / "export.json"
    path.write_text(json.dumps(export))
    clients.patch(context, "roo-code", path, home / "other.json", threshold)
    assert json.loads(path.read_text()) == export
    result = clients.patch(context, "roo-code", path, None, threshold)
    assert result.data.backup is not None
    assert json.loads(path.read_text()) == json.loads((home / "other.json").read_text())
    profile = json.loads(path.read_text())["providerProfiles"]["apiConfigs"]["mine"]
    assert profile == {"apiProvider": "x", "codebaseIndexOpenAiCompatibleApiKey": "any"}


def test_an_export_that_lies_where_the_import_would_be_written_is_left_alone(context: Context, home: Path) -> None:
    path = home / "work" / "roo-code-settings.json"
    export = {"providerProfiles": {"currentApiConfigName": "mine", "apiConfigs": {"mine": {"apiKey": "secret"}}}}
    path.write_text(json.dumps(export))
    with pytest.raises(Failed) as caught:
        clients.write(context, "zoo-code", None, home, threshold)
    assert f"Complete it: embctl client patch zoo-code {path}" in caught.value.actions
    assert json.loads(path.read_text()) == export


@pytest.mark.parametrize("content", [None, "{broken", "[]", "{}"])
def test_what_is_no_export_is_refused_and_not_touched(context: Context, home: Path, content: str | None) -> None:
    path = home / "export.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(Failed) as caught:
        clients.patch(context, "zoo-code", path, None, threshold)
    assert caught.value.code == "client_file_invalid"
    assert (path.read_text() if path.exists() else None) == content


@pytest.mark.parametrize("name", ["kilo-code", "continue", "summary"])
def test_a_client_without_exports_is_told_so(context: Context, home: Path, name: str) -> None:
    with pytest.raises(UsageError, match="no export"):
        clients.patch(context, name, home / "x", None, threshold)


def test_an_unknown_client_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UsageError) as caught:
        clients.find("cursor")
    assert "zoo-code, roo-code, kilo-code, continue, summary" in caught.value.actions[0]


def test_two_kinds_of_client_on_one_qdrant_are_warned_of_and_no_threshold_is_invented(
    context: Context, home: Path
) -> None:
    shown = clients.show(context, "kilo-code", lambda _: None)
    assert any("one kind of assistant" in each for each in shown.warnings)
    assert any("Nobody has measured" in each for each in shown.warnings)
    assert "searchMinScore" not in shown.data.text
    assert not list(home.rglob("kilo.jsonc"))


def test_without_running_services_there_is_nothing_to_write(context: Context, home: Path) -> None:
    stop(context, ("jina",))
    with pytest.raises(NotReady) as caught:
        clients.write(context, "zoo-code", None, home, threshold)
    assert caught.value.code == "not_started"
    assert "embctl start jina" in caught.value.actions
