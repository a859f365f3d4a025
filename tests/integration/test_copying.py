"""An index goes from one database to another whole: between two real stores."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from embctl.errors import Conflict, Failed
from embctl.flows.copying import PAGE, copy
from embctl.http import Http
from embctl.outcomes import CollectionCopied
from embctl.probes import Endpoint
from embctl.qdrant import Database
from embstore_process import StoreProcess

DIMENSION = 8
POINTS = 3 * PAGE + 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A source with one collection as an editor makes it, and an empty target."""

    source: Database
    target: Database
    progress: Path
    told: list[tuple[str, int, int]] = field(default_factory=list)

    def copy(
        self, *, replacing: bool = False, tell: Callable[[str, int, int], None] | None = None
    ) -> tuple[CollectionCopied, ...]:
        tell = tell or (lambda *said: self.told.append(said))
        return copy(self.source, self.target, self.progress, tell=tell, may_replace=lambda *_: replacing)

    def all_points(self, database: Database) -> list[object]:
        return list(database.page("ws-1", None, 10 * POINTS).points)


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    with StoreProcess(tmp_path / "a") as here, StoreProcess(tmp_path / "b") as there, Http() as http:
        source, target = (
            Database(endpoint=Endpoint(service="qdrant", url=each.url), http=http) for each in (here, there)
        )
        fill(source)
        yield Pair(source=source, target=target, progress=tmp_path / "state" / "progress.json")


def fill(database: Database) -> None:
    chance = random.Random(1)  # noqa: S311 - vectors, no secret; the same ones each time
    hnsw = {"m": 64, "ef_construct": 512, "on_disk": True}
    description = {
        "config": {
            "params": {"vectors": {"size": DIMENSION, "distance": "Cosine", "on_disk": True}},
            "hnsw_config": hnsw,
        },
        "payload_schema": {"type": {"data_type": "keyword"}, "pathSegments.0": {"data_type": "keyword"}},
    }
    database.create("ws-1", description)
    points = [
        {
            "id": number,
            "payload": {"filePath": f"src/{number}.py", "pathSegments": {"0": "src"}, "startLine": number},
            "vector": [chance.uniform(-1, 1) for _ in range(DIMENSION)],
        }
        for number in range(1, POINTS)
    ]
    metadata = {"id": POINTS, "payload": {"type": "metadata", "indexing_complete": True}, "vector": [0.0] * DIMENSION}
    database.upsert("ws-1", [*points, metadata])


def test_all_points_settings_and_payload_indexes_arrive(pair: Pair) -> None:
    assert pair.copy() == (CollectionCopied(collection="ws-1", points=POINTS, copied=POINTS),)
    assert pair.all_points(pair.target) == pair.all_points(pair.source)
    source, target = pair.source.describe("ws-1"), pair.target.describe("ws-1")
    assert source is not None
    assert target is not None
    assert (target["config"], target["payload_schema"]) == (source["config"], source["payload_schema"])
    assert pair.told[-1] == ("ws-1", POINTS, POINTS)
    assert not pair.progress.exists()


def test_the_source_is_not_changed(pair: Pair) -> None:
    before = pair.all_points(pair.source)
    pair.copy()
    assert pair.all_points(pair.source) == before


def test_what_is_the_same_already_is_not_copied_again(pair: Pair) -> None:
    pair.copy()
    assert pair.copy() == (CollectionCopied(collection="ws-1", points=POINTS, copied=0),)


def test_a_copy_that_was_interrupted_goes_on_behind_the_last_page(pair: Pair) -> None:
    pages = []

    def interrupt(*said: object) -> None:
        pages.append(said)
        if len(pages) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pair.copy(tell=interrupt)
    assert pair.target.count("ws-1") == 2 * PAGE
    assert pair.copy() == (CollectionCopied(collection="ws-1", points=POINTS, copied=POINTS - 2 * PAGE),)
    assert pair.all_points(pair.target) == pair.all_points(pair.source)


def test_a_collection_with_other_points_is_left_untouched(pair: Pair) -> None:
    description = pair.source.describe("ws-1")
    assert description is not None
    pair.target.create("ws-1", description)
    pair.target.upsert("ws-1", [{"id": 7, "payload": {"filePath": "mine"}, "vector": [1.0] * DIMENSION}])
    with pytest.raises(Conflict, match="ws-1") as refused:
        pair.copy()
    assert refused.value.code == "collection_differs"
    assert pair.target.count("ws-1") == 1


def test_a_collection_with_other_points_is_replaced_whole_once_that_is_allowed(pair: Pair) -> None:
    pair.copy()
    pair.target.upsert("ws-1", [{"id": 10**6, "payload": {"filePath": "mine"}, "vector": [1.0] * DIMENSION}])
    assert pair.copy(replacing=True) == (CollectionCopied(collection="ws-1", points=POINTS, copied=POINTS),)
    assert pair.all_points(pair.target) == pair.all_points(pair.source)


def test_a_copy_with_a_single_point_changed_is_not_taken_for_the_same(pair: Pair) -> None:
    pair.copy()
    pair.source.upsert("ws-1", [{"id": 77, "payload": {"filePath": "new.py"}, "vector": [1.0] * DIMENSION}])
    with pytest.raises(Conflict):
        pair.copy()
    pair.copy(replacing=True)
    assert pair.all_points(pair.target) == pair.all_points(pair.source)


def test_a_point_that_is_another_in_the_copy_is_noticed(pair: Pair) -> None:
    def spoil(_: str, done: int, total: int) -> None:
        if done == total:
            other = {"payload": {"filePath": "src/1.py"}, "vector": [1.0] * DIMENSION}
            pair.target.upsert("ws-1", [other | {"id": number} for number in range(1, POINTS)])

    with pytest.raises(Failed) as noticed:
        pair.copy(tell=spoil)
    assert noticed.value.code == "copy_differs"


def interrupted(pair: Pair) -> None:
    """A copy that was stopped behind its first page."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pair.copy(tell=interrupt)


def test_what_somebody_wrote_to_an_interrupted_copy_is_not_touched(pair: Pair) -> None:
    interrupted(pair)
    mine = [{"id": 10**6 + n, "payload": {"filePath": "mine"}, "vector": [1.0] * DIMENSION} for n in range(2 * PAGE)]
    pair.target.upsert("ws-1", mine)
    there = pair.target.count("ws-1")
    with pytest.raises(Conflict):
        pair.copy()
    assert pair.target.count("ws-1") == there


def test_an_interrupted_copy_whose_target_is_gone_begins_anew(pair: Pair) -> None:
    interrupted(pair)
    pair.target.delete("ws-1")
    assert pair.copy() == (CollectionCopied(collection="ws-1", points=POINTS, copied=POINTS),)


def test_a_point_changed_behind_an_interrupted_copy_is_noticed(pair: Pair) -> None:
    interrupted(pair)
    pair.source.upsert("ws-1", [{"id": 1, "payload": {"filePath": "new.py"}, "vector": [1.0] * DIMENSION}])
    with pytest.raises(Failed) as noticed:
        pair.copy()
    assert noticed.value.code == "copy_differs"
    pair.copy()
    assert pair.all_points(pair.target) == pair.all_points(pair.source)


def test_a_collection_made_anew_with_other_vectors_is_copied_anew(pair: Pair) -> None:
    interrupted(pair)
    pair.source.delete("ws-1")
    vectors = {"size": 4, "distance": "Cosine"}
    pair.source.create("ws-1", {"config": {"params": {"vectors": vectors}}})
    pair.source.upsert("ws-1", [{"id": 1, "payload": {}, "vector": [1.0] * 4}])
    assert pair.copy(replacing=True) == (CollectionCopied(collection="ws-1", points=1, copied=1),)


def test_progress_that_cannot_be_read_is_none(pair: Pair) -> None:
    interrupted(pair)
    pair.progress.write_text("")
    assert pair.copy(replacing=True) == (CollectionCopied(collection="ws-1", points=POINTS, copied=POINTS),)


def test_a_point_written_to_the_source_meanwhile_is_noticed_and_comes_along_the_next_time(pair: Pair) -> None:
    late = {"id": 0, "payload": {"filePath": "late.py"}, "vector": [0.5] * DIMENSION}

    def write_late(_: str, done: int, __: int) -> None:
        if done == PAGE:
            pair.source.upsert("ws-1", [late])

    with pytest.raises(Failed, match="not the same"):
        pair.copy(tell=write_late)
    pair.copy()
    assert pair.all_points(pair.target) == pair.all_points(pair.source)


def test_a_database_that_went_away_is_told_with_the_call(pair: Pair) -> None:
    with Http() as http:
        gone = Database(endpoint=Endpoint(service="qdrant", url="http://127.0.0.1:1"), http=http)
        with pytest.raises(Failed, match="GET /collections: connection refused") as failed:
            replace(pair, source=gone).copy()
    assert failed.value.retryable
