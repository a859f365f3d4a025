"""Qdrant's own JavaScript client on Node, in the version that the indexers use and in the newest, against the store."""

from pathlib import Path
from typing import Any

import pytest

import npm_workspace
from embstore.routes.service import API_VERSION
from embstore_process import StoreProcess

SIZE = 768
# The clients warn of a server more than one minor version away, and go on.
WARNINGS = {
    "qdrant-1.14": f"Client version 1.14.1 is incompatible with server version {API_VERSION}",
    "qdrant-newest": "",
}


@pytest.fixture(scope="module")
def program() -> str:
    """A Node that can load both clients."""
    return npm_workspace.node()


def _asked(program: str, package: str, store: StoreProcess, *key: str) -> tuple[dict[str, Any], str]:
    printed, warned = npm_workspace.ran(program, "workspace.mjs", package, store.url, *key)
    return printed["answers"], warned


@pytest.fixture(scope="module", params=WARNINGS)
def run(
    request: pytest.FixtureRequest, program: str, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, Any], str, str]:
    """One run of workspace.mjs: every answer by the name of its step, what was warned of, and what should have been."""
    with StoreProcess(tmp_path_factory.mktemp("js")) as store:
        return *_asked(program, request.param, store), WARNINGS[request.param]


@pytest.fixture(scope="module")
def said(run: tuple[dict[str, Any], str, str]) -> dict[str, Any]:
    """Every answer, by the name of its step."""
    return run[0]


def test_only_the_old_client_warns_and_only_of_the_version_that_a_qdrant_has_too(
    run: tuple[dict[str, Any], str, str],
) -> None:
    _, warned, expected = run
    assert len(warned.splitlines()) == bool(expected)
    assert expected in warned


def test_a_collection_that_is_missing_or_there_already_throws_qdrants_words(said: Any) -> None:
    assert said["missing"]["status"] == 404
    assert said["createAgain"]["status"] == 409
    assert said["createAgain"]["said"].endswith("already exists!")


def test_a_workspace_is_created_indexed_and_described(said: Any) -> None:
    assert said["create"] is True
    assert said["index"] == ["acknowledged"] * 6
    assert [said[step]["status"] for step in ("upsert", "upsertMetadata", "markComplete")] == ["completed"] * 3
    info = said["info"]
    assert (info["status"], info["points_count"]) == ("green", 61)
    assert info["config"]["params"]["vectors"] == {"size": SIZE, "distance": "Cosine", "on_disk": True}
    assert info["config"]["hnsw_config"]["m"] == 64
    assert {name: field["points"] for name, field in info["payload_schema"].items()} == {
        "type": 1,
        **{f"pathSegments.{level}": 60 for level in range(5)},
    }
    assert len(said["list"]["collections"]) == 1


def test_the_metadata_point_is_overwritten_and_read_back(said: Any) -> None:
    (point,) = said["retrieveMetadata"]
    assert point["payload"] == {"type": "metadata", "indexing_complete": True}


def test_a_wrong_dimension_is_a_400_with_qdrants_words(said: Any) -> None:
    assert said["wrongDimension"]["status"] == 400
    assert said["wrongDimension"]["said"] == f"Wrong input: Vector dimension error: expected dim: {SIZE}, got 3"


def _lines(found: Any) -> list[int]:
    return [point["payload"]["startLine"] for point in found["points"]]


def test_a_search_finds_all_but_the_metadata_nearest_first_with_the_fields_asked_for(said: Any) -> None:
    found = said["searchAll"]
    assert set(_lines(found)) == set(range(60))
    assert [abs(line - 17) for line in _lines(found)] == sorted(abs(line - 17) for line in range(60))
    best = found["points"][0]
    assert best["score"] == pytest.approx(1, abs=1e-5)
    assert set(best["payload"]) == {"filePath", "codeChunk", "startLine", "endLine", "pathSegments"}
    assert best["payload"]["codeChunk"] == 'function block17() { return "ä\U0001f600"; }'


def test_a_threshold_and_a_folder_bound_what_is_found(said: Any) -> None:
    assert set(_lines(said["searchNear"])) == {14, 15, 16, 17, 18, 19, 20}
    assert set(_lines(said["searchBelow"])) == set(range(5, 60, 6))


def test_files_are_deleted_by_their_path_beyond_the_indexed_folders_too(said: Any) -> None:
    assert [said[step]["status"] for step in ("deleteFile", "deleteFiles")] == ["completed"] * 2
    assert set(_lines(said["searchAfterDelete"])) == {14, 15, 16, 20}


def test_a_collection_is_cleared_and_dropped(said: Any) -> None:
    assert said["clear"]["status"] == "completed"
    assert said["infoAfterClear"]["points_count"] == 0
    assert (said["drop"], said["dropAgain"]) == (True, False)


@pytest.mark.parametrize("package", WARNINGS)
def test_a_key_opens_the_store_and_a_wrong_one_does_not(program: str, package: str, tmp_path: Path) -> None:
    with StoreProcess(tmp_path, QDRANT__SERVICE__API_KEY="secret") as store:
        opened, _ = _asked(program, package, store, "secret")
        assert opened["create"] is True
        refused, _ = _asked(program, package, store, "wrong")
        assert {answer["status"] for name, answer in refused.items() if name != "index"} == {401}
