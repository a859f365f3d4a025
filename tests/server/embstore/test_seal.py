"""Data that was flushed and is gone is told when its collection is opened: the engine alone says nothing."""

import os
from pathlib import Path

import numpy as np
import pytest
import qdrant_edge

from embstore import edge
from embstore.errors import Internal
from embstore_process import StoreProcess

POINTS = 200
IDS = "segments/*/mutable_id_tracker.mappings"


def _file(folder: Path, pattern: str) -> Path:
    (found,) = folder.glob(pattern)
    return found


def _put(shard: edge.Shard, first: int) -> None:
    ids: list[edge.PointId] = list(range(first, first + POINTS))
    shard.upsert(ids, np.ones((POINTS, 3), dtype=np.float32), [{"n": point} for point in ids])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A closed shard whose files were flushed twice."""
    shard = edge.Shard.create(tmp_path / "shard", edge.VectorParams(size=3, distance="Dot", on_disk=True))
    for first in (0, POINTS):
        _put(shard, first)
        shard.flush()
    shard.close()
    return tmp_path / "shard"


def test_what_was_not_touched_opens_with_every_point_time_and_again(folder: Path) -> None:
    for opened in range(1, 4):
        shard = edge.Shard.load(folder)
        assert shard.count(None) == (opened + 1) * POINTS
        _put(shard, (opened + 1) * POINTS)
        shard.close()


def test_the_engine_still_opens_a_shortened_list_of_ids_without_a_word_so_the_seal_is_still_needed(
    folder: Path,
) -> None:
    os.truncate(_file(folder, IDS), 0)
    shard = qdrant_edge.EdgeShard.load(str(folder))
    assert shard.info().points_count < 2 * POINTS
    shard.close()


@pytest.mark.parametrize("lost", [1, 13, 1000, None])
def test_a_shortened_list_of_ids_is_refused_with_the_numbers(folder: Path, lost: int | None) -> None:
    ids = _file(folder, IDS)
    size = ids.stat().st_size
    left = 0 if lost is None else size - lost
    os.truncate(ids, left)
    with pytest.raises(Internal, match=rf"mappings has lost data: it holds {left} bytes, and {size} were flushed"):
        edge.Shard.load(folder)


def test_a_changed_byte_in_the_list_of_ids_is_refused(folder: Path) -> None:
    ids = _file(folder, IDS)
    content = bytearray(ids.read_bytes())
    content[len(content) // 2] ^= 1
    ids.write_bytes(content)
    with pytest.raises(Internal, match="mappings is damaged"):
        edge.Shard.load(folder)


@pytest.mark.parametrize(
    "pattern",
    [
        IDS,
        "segments/*/mutable_id_tracker.versions",
        "segments/*/vector_storage/vectors/chunk_0.mmap",
        "segments/*/payload_storage/page_0.dat",
        "segments/*/payload_storage/tracker.dat",
    ],
)
def test_a_file_that_is_missing_or_short_is_refused_by_name(folder: Path, pattern: str) -> None:
    path = _file(folder, pattern)
    os.truncate(path, path.stat().st_size - 1)
    with pytest.raises(Internal, match=f"{path.name} has lost data"):
        edge.Shard.load(folder)
    path.unlink()
    with pytest.raises(Internal, match=f"{path.name} has lost data: it holds 0 bytes"):
        edge.Shard.load(folder)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"format": 2}', '{"format": 1, "ids": 3, "sizes": {}}'])
def test_a_seal_that_cannot_be_read_is_refused(folder: Path, content: str) -> None:
    (folder / "seal.json").write_text(content)
    with pytest.raises(Internal, match=r"seal\.json"):
        edge.Shard.load(folder)


def test_what_a_crash_cut_off_behind_the_seal_is_no_loss(folder: Path) -> None:
    with _file(folder, IDS).open("ab") as file:
        file.write(b"\1\2\3")
    shard = edge.Shard.load(folder)
    assert shard.count(None) == 2 * POINTS
    shard.close()


def test_a_store_names_the_loss_to_its_clients_and_serves_the_rest(tmp_path: Path) -> None:
    points = [{"id": point, "vector": [1.0, 2.0, 3.0]} for point in range(POINTS)]
    with StoreProcess(tmp_path) as store:
        for name in ("bad", "good"):
            store.call("PUT", f"/collections/{name}", {"vectors": {"size": 3, "distance": "Dot"}})
            store.call("PUT", f"/collections/{name}/points?wait=true", {"points": points})
        store.stop()
    ids = _file(tmp_path, f"collections/bad/shard/{IDS}")
    os.truncate(ids, 100)
    with StoreProcess(tmp_path) as store:
        status, reply = store.call("POST", "/collections/bad/points/count", {})
        assert status == 500
        assert "Collection `bad` could not be loaded: " in reply["status"]["error"]
        assert "mutable_id_tracker.mappings has lost data: it holds 100 bytes" in reply["status"]["error"]
        assert store.call("POST", "/collections/good/points/count", {})[1]["result"] == {"count": POINTS}
