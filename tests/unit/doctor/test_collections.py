"""Collections of the real store that do not fit the model, were written by two clients, or whose folders are gone."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from embctl.doctor.collections import COLLECTIONS
from embctl.outcomes import Finding, Verdict
from embctl.workspaces import collection_of
from embstore.app import create_app
from embstore.settings import Settings
from fakes.app_http import AppHttp
from fakes.embedding_model import FakeModel
from fakes.scenes import examined, make_scene, running_engine
from fakes.served_app import serving
from fakes.stacks import make_stack

DIMENSION = 8
CODE = {"filePath": "a.py", "codeChunk": "x", "startLine": 1, "endLine": 2, "segmentHash": "h", "pathSegments": {}}
DONE = {"type": "metadata", "indexing_complete": True}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[TestClient]:
    with TestClient(create_app(Settings(storage_path=tmp_path / "storage"))) as client:
        yield client


@pytest.fixture
def model() -> Iterator[TestClient]:
    with serving(FakeModel(dimension=DIMENSION)) as client:
        yield client


def index(store: TestClient, name: str, *, dimension: int = DIMENSION, code: Any = CODE, metadata: Any = DONE) -> None:
    """As an editor's first scan leaves it; without a point for a payload of None."""
    made = store.put(f"/collections/{name}", json={"vectors": {"size": dimension, "distance": "Cosine"}})
    assert made.status_code == 200
    vectors = {1: [1.0] * dimension, 2: [0.0] * dimension}
    points = [
        {"id": number, "vector": vectors[number], "payload": payload}
        for number, payload in ((1, code), (2, metadata))
        if payload is not None
    ]
    if points:
        assert store.put(f"/collections/{name}/points?wait=true", json={"points": points}).status_code == 200


def found(folder: Path, store: TestClient, model: TestClient | None) -> dict[str, Finding]:
    spec = make_stack()
    http = AppHttp({6333: store, **({4000: model} if model else {})})
    with make_scene(folder, running_engine(spec), spec=spec, http=http) as scene:
        return examined(COLLECTIONS, scene)


def test_an_index_that_fits_passes(tmp_path: Path, store: TestClient, model: TestClient) -> None:
    index(store, "ws-1")
    seen = found(tmp_path, store, model)
    assert seen["collections.load"].evidence == "1 collections, 2 points, all answer"
    assert {seen[f"collections.{name}"].verdict for name in ("load", "dimension", "clients")} == {Verdict.OK}


def test_a_collection_of_another_dimension_fails_with_its_name(
    tmp_path: Path, store: TestClient, model: TestClient
) -> None:
    index(store, "ws-1")
    index(store, "ws-2", dimension=3)
    seen = found(tmp_path, store, model)["collections.dimension"]
    assert seen.verdict is Verdict.FAIL
    assert seen.evidence.endswith("ws-2 (3)")


def test_without_a_model_no_dimension_is_right_or_wrong(tmp_path: Path, store: TestClient) -> None:
    index(store, "ws-1")
    assert found(tmp_path, store, None)["collections.dimension"].verdict is Verdict.SKIPPED


def test_a_collection_that_the_database_cannot_load_fails(tmp_path: Path, store: TestClient, model: TestClient) -> None:
    index(store, "ws-1")
    store.__exit__(None, None, None)
    for file in (tmp_path / "storage").rglob("*.json"):
        file.write_bytes(b"{")
    with TestClient(create_app(Settings(storage_path=tmp_path / "storage"))) as broken:
        seen = found(tmp_path, broken, model)["collections.load"]
    store.__enter__()
    assert seen.verdict is Verdict.FAIL
    assert "ws-1" in seen.evidence


@pytest.mark.parametrize(
    ("code", "metadata"),
    [({**CODE, "language": "python"}, DONE), (CODE, {**DONE, "client": "kilo"}), (CODE, None)],
)
def test_collections_of_different_shapes_tell_of_two_kinds_of_clients(
    tmp_path: Path, store: TestClient, model: TestClient, code: Any, metadata: Any
) -> None:
    index(store, "ws-1")
    index(store, "ws-2", code=code, metadata=metadata)
    seen = found(tmp_path, store, model)["collections.clients"]
    assert (seen.verdict, "two kinds of clients" in seen.evidence) == (Verdict.WARN, True)


def test_collections_without_their_clients_mark_are_a_warning(
    tmp_path: Path, store: TestClient, model: TestClient
) -> None:
    index(store, "ws-1", metadata=None)
    assert "no metadata point in ws-1" in found(tmp_path, store, model)["collections.clients"].evidence


def test_an_empty_database_is_no_success(tmp_path: Path, store: TestClient, model: TestClient) -> None:
    seen = found(tmp_path, store, model)
    assert {name for name, each in seen.items() if each.verdict is Verdict.SKIPPED} == set(seen) - {"collections.load"}


def opened(home: Path, folder: Path) -> None:
    """As VS Code remembers a folder that was opened in it."""
    storage = home / ".config" / "Code" / "User" / "workspaceStorage" / folder.name
    storage.mkdir(parents=True)
    (storage / "workspace.json").write_text(json.dumps({"folder": folder.as_uri()}))


def test_a_collection_whose_folder_is_gone_is_named_with_it(
    tmp_path: Path, store: TestClient, model: TestClient
) -> None:
    for name in ("kept", "doomed"):
        (tmp_path / name).mkdir()
        opened(tmp_path, tmp_path / name)
        index(store, collection_of(str(tmp_path / name)))
    assert found(tmp_path, store, model)["collections.vanished"].verdict is Verdict.OK
    (tmp_path / "doomed").rmdir()
    seen = found(tmp_path, store, model)["collections.vanished"]
    assert seen.verdict is Verdict.WARN
    assert str(tmp_path / "doomed") in seen.evidence
    assert str(tmp_path / "kept") not in seen.evidence


def test_a_folder_that_no_editor_here_knows_is_not_taken_for_gone(
    tmp_path: Path, store: TestClient, model: TestClient
) -> None:
    index(store, "ws-0123456789abcdef")
    assert found(tmp_path, store, model)["collections.vanished"].verdict is Verdict.SKIPPED
