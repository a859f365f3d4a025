"""Qdrant's own Python client, over a real socket, through what code indexers do."""

import threading
import uuid
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import UnexpectedResponse

from embstore_process import StoreProcess

SIZE = 384
NAME = "ws-0123456789abcdef"
SPACE = uuid.UUID("f47ac10b-58cc-4372-a567-0e02b2c3d479")
FILES = [f"src/part{n % 6}/deep/er/and/down/seven{n % 2}/file{n}.py" for n in range(60)]
VECTORS = np.random.default_rng(7).normal(size=(60, SIZE)).astype(np.float32)


def _segments(path: str) -> dict[str, str]:
    return {str(at): segment for at, segment in enumerate(path.split("/"))}


def _index(client: QdrantClient) -> None:
    """What an indexer does with an empty database, body for body."""
    client.create_collection(
        NAME,
        vectors_config=models.VectorParams(size=SIZE, distance=models.Distance.COSINE, on_disk=True),
        hnsw_config=models.HnswConfigDiff(m=64, ef_construct=512, on_disk=True),
    )
    for field in ("type", *(f"pathSegments.{level}" for level in range(5))):
        client.create_payload_index(NAME, field, field_schema=models.PayloadSchemaType.KEYWORD, wait=True)
    blocks = [
        models.PointStruct(
            id=str(uuid.uuid5(SPACE, path)),
            vector=VECTORS[at].tolist(),
            payload={
                "filePath": path,
                "codeChunk": f"def block_{at}(): ...",
                "startLine": at,
                "endLine": at + 5,
                "segmentHash": f"{at:064x}",
                "pathSegments": _segments(path),
            },
        )
        for at, path in enumerate(FILES)
    ]
    assert client.upsert(NAME, blocks, wait=True).status == models.UpdateStatus.COMPLETED
    metadata = models.PointStruct(
        id=str(uuid.uuid5(SPACE, "metadata")),
        vector=[0.0] * SIZE,
        payload={"type": "metadata", "indexing_complete": True},
    )
    assert client.upsert(NAME, [metadata], wait=True).status == models.UpdateStatus.COMPLETED


def _connect(store: StoreProcess) -> QdrantClient:
    return QdrantClient(url=store.url, timeout=60, check_compatibility=False)


def _search(client: QdrantClient, vector: list[float], *under: str, threshold: float = 0.4) -> list[Any]:
    return client.query_points(
        NAME,
        query=vector,
        query_filter=models.Filter(
            must=[
                models.FieldCondition(key=f"pathSegments.{at}", match=models.MatchValue(value=segment))
                for at, segment in enumerate(under)
            ],
            must_not=[models.FieldCondition(key="type", match=models.MatchValue(value="metadata"))],
        ),
        score_threshold=threshold,
        limit=50,
        search_params=models.SearchParams(hnsw_ef=128, exact=False),
        with_payload=models.PayloadSelectorInclude(include=["filePath", "codeChunk", "startLine", "endLine"]),
    ).points


@pytest.fixture
def store(tmp_path: Path) -> Iterator[StoreProcess]:
    with StoreProcess(tmp_path / "storage") as store:
        yield store


def test_the_client_accepts_the_version_without_a_warning(store: StoreProcess) -> None:
    with warnings.catch_warnings(record=True, action="always") as told:
        client = QdrantClient(url=store.url, timeout=60, check_compatibility=True)
        for thread in threading.enumerate():
            if "_check_compatibility" in thread.name:
                thread.join()
        assert client.get_collections().collections == []
    assert told == []


def test_a_workspace_is_indexed_searched_and_described(store: StoreProcess) -> None:
    client = _connect(store)
    assert not client.collection_exists(NAME)
    _index(client)
    info = client.get_collection(NAME)
    assert info.points_count == 61
    assert isinstance(info.config.params.vectors, models.VectorParams)
    assert info.config.params.vectors.size == SIZE
    assert set(info.payload_schema) == {"type", *(f"pathSegments.{level}" for level in range(5))}
    assert info.payload_schema["pathSegments.0"].points == 60
    (best, *_) = _search(client, VECTORS[17].tolist())
    assert best.score == pytest.approx(1, abs=1e-5)
    assert best.payload == {
        "filePath": FILES[17],
        "codeChunk": "def block_17(): ...",
        "startLine": 17,
        "endLine": 22,
    }
    below = _search(client, VECTORS[17].tolist(), "src", "part5", threshold=-1)
    assert {point.payload["filePath"] for point in below} == {path for path in FILES if "part5" in path}
    assert len(_search(client, [0.0] * SIZE, threshold=-1)) == 50


def test_a_folder_too_deep_for_the_indexes_is_deleted_by_filter(store: StoreProcess) -> None:
    client = _connect(store)
    _index(client)
    deep = models.FieldCondition(key="pathSegments.6", match=models.MatchValue(value="seven1"))
    client.delete(NAME, models.FilterSelector(filter=models.Filter(should=[models.Filter(must=[deep])])), wait=True)
    assert client.count(NAME).count == 31
    client.delete(NAME, models.FilterSelector(filter=models.Filter(must=[])), wait=True)
    assert client.count(NAME).count == 0


def test_scroll_retrieve_payload_and_id_queries_work_with_the_client(store: StoreProcess) -> None:
    client = _connect(store)
    _index(client)
    seen, offset = [], None
    while True:
        page, offset = client.scroll(NAME, limit=25, offset=offset, with_vectors=True)
        seen += page
        if offset is None:
            break
    assert len({point.id for point in seen}) == 61
    first = str(uuid.uuid5(SPACE, FILES[0]))
    client.set_payload(NAME, {"note": "ä"}, points=[first], wait=True)
    client.delete_payload(NAME, ["codeChunk"], points=[first], wait=True)
    (point,) = client.retrieve(NAME, [first], with_vectors=True)
    assert point.payload is not None
    assert point.payload["note"] == "ä"
    assert "codeChunk" not in point.payload
    unit = VECTORS[0] / np.linalg.norm(VECTORS[0])
    assert np.asarray(point.vector) == pytest.approx(unit, abs=1e-6)
    assert first not in [found.id for found in client.query_points(NAME, query=first, limit=61).points]


def test_a_failure_reaches_the_client_with_its_status_and_words(store: StoreProcess) -> None:
    client = _connect(store)
    with pytest.raises(UnexpectedResponse, match="Not found: Collection `none`") as missing:
        client.get_collection("none")
    assert missing.value.status_code == 404
    _index(client)
    with pytest.raises(UnexpectedResponse, match="expected dim: 384, got 3"):
        client.query_points(NAME, query=[1.0, 2.0, 3.0])
    with pytest.raises(UnexpectedResponse, match="already exists"):
        client.create_collection(NAME, vectors_config=models.VectorParams(size=3, distance=models.Distance.DOT))


def test_a_restart_keeps_everything(tmp_path: Path) -> None:
    with StoreProcess(tmp_path / "storage") as store:
        client = _connect(store)
        _index(client)
        info = client.get_collection(NAME)
        found = _search(client, VECTORS[3].tolist(), "src")
        code, log = store.stop()
    assert code == 0, log
    with StoreProcess(tmp_path / "storage") as store:
        client = _connect(store)
        assert client.get_collection(NAME) == info
        again = _search(client, VECTORS[3].tolist(), "src")
        assert [(point.id, point.payload, point.score) for point in again] == [
            (point.id, point.payload, point.score) for point in found
        ]
