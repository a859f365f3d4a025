"""The collections of a real store: listed with their folders, pruned when those are gone, dropped when named."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from embctl.errors import ConfirmationNeeded, Failed, NotReady
from embctl.flows.collections import drop, listed, prune
from embctl.flows.context import Context
from embctl.flows.start import start
from embctl.flows.stop import stop
from embctl.model import Port
from embctl.outcomes import CollectionRow
from embctl.probes import Endpoint
from embctl.qdrant import Database
from embctl.workspaces import collection_of
from embstore_process import StoreProcess
from fakes.contexts import context_on
from fakes.fake_engine import FakeEngine
from fakes.stacks import make_stack, with_service

INDEXED = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Scene:
    """A running store, the context of commands about it, and folders of a user."""

    context: Context
    database: Database
    home: Path

    def index(self, folder: Path, points: int = 3, size: int = 4) -> str:
        """As a client does it; the collection's name."""
        name = collection_of(str(folder))
        vectors = {"size": size, "distance": "Cosine", "on_disk": True}
        self.database.create(name, {"config": {"params": {"vectors": vectors}}, "payload_schema": {}})
        noted = {"type": "metadata", "indexing_complete": True, "completed_at": INDEXED.timestamp() * 1000}
        self.database.upsert(
            name,
            [
                {"id": 0, "payload": noted, "vector": [0.0] * size},
                *({"id": each, "payload": {"n": each}, "vector": [1.0] * size} for each in range(1, points)),
            ],
        )
        return name

    def names(self) -> set[str]:
        return set(self.database.collections())


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoreProcess]:
    with StoreProcess(tmp_path_factory.mktemp("store")) as running:
        yield running


@pytest.fixture
def scene(store: StoreProcess, tmp_path: Path) -> Iterator[Scene]:
    spec = make_stack()
    port = spec.service("qdrant").ports[0].target
    published = (Port(host_ip="127.0.0.1", published=store.port, target=port),)
    spec = with_service(spec, replace(spec.service("qdrant"), ports=published))
    with context_on(FakeEngine(), spec, tmp_path) as surroundings:
        context = replace(surroundings, dimension=4, confirm=lambda _: True)
        start(context, ("qdrant",), wait=False)
        database = Database(endpoint=Endpoint(service="qdrant", url=store.url), http=context.http)
        for name in database.collections():
            database.delete(name)
        (tmp_path / "home").mkdir()
        yield Scene(context, database, tmp_path / "home")


def by_name(rows: tuple[CollectionRow, ...]) -> dict[str, CollectionRow]:
    return {row.name: row for row in rows}


def test_a_collection_is_listed_with_all_that_is_known_of_it(scene: Scene) -> None:
    folder = scene.home / "project"
    folder.mkdir()
    name = scene.index(folder)
    (row,) = listed(scene.context, [str(scene.home), str(folder)]).data.collections
    assert (row.name, row.points, row.dimension, row.distance, row.fits) == (name, 3, 4, "Cosine", True)
    assert (row.folder, row.folder_state, row.indexed_at) == (str(folder), "there", INDEXED)
    assert row.bytes is not None
    assert row.bytes > 0


def test_what_nobody_knows_is_not_guessed(scene: Scene) -> None:
    name = scene.index(scene.home / "elsewhere", size=8)
    row = by_name(listed(scene.context, []).data.collections)[name]
    assert (row.folder, row.folder_state, row.fits) == (None, "unknown", False)


def test_pruning_drops_the_index_of_a_folder_that_is_gone_and_no_other(scene: Scene) -> None:
    there, gone, away, unknown = (scene.home / each for each in ("there", "gone", "disk/away", "unknown"))
    there.mkdir()
    names = {folder: scene.index(folder) for folder in (there, gone, away, unknown)}
    result = prune(scene.context, [str(there), str(gone), str(away)], dry_run=False)
    assert result.changed
    assert result.data.dropped == (names[gone],)
    assert scene.names() == {names[there], names[away], names[unknown]}


def test_a_dry_run_says_what_would_go_and_drops_nothing(scene: Scene) -> None:
    name = scene.index(scene.home / "gone")
    result = prune(scene.context, [str(scene.home / "gone")], dry_run=True)
    assert ([row.name for row in result.data.collections], result.data.dropped) == ([name], ())
    assert not result.changed
    assert scene.names() == {name}


def test_nothing_is_dropped_unless_it_was_confirmed(scene: Scene) -> None:
    name = scene.index(scene.home / "gone")
    asked: list[str] = []

    def decline(question: str) -> bool:
        asked.append(question)
        return False

    with pytest.raises(ConfirmationNeeded) as caught:
        drop(replace(scene.context, confirm=decline), [name], dry_run=False)
    assert asked == [f"Drop {name} (folder unknown, 3 points)?"]
    assert f"Confirm on the command line: embctl collections drop {name} --yes" in caught.value.actions
    assert scene.names() == {name}


def test_a_collection_is_dropped_by_its_name_or_its_folder(scene: Scene) -> None:
    folders = [scene.home / each for each in ("a", "b", "c")]
    names = [scene.index(folder) for folder in folders]
    result = drop(scene.context, [names[0], str(folders[1])], dry_run=False)
    assert result.data.dropped == (names[0], names[1])
    assert scene.names() == {names[2]}


def test_one_wrong_name_keeps_all(scene: Scene) -> None:
    name = scene.index(scene.home / "a")
    with pytest.raises(Failed) as caught:
        drop(scene.context, [name, "ws-0000000000000000", "no such"], dry_run=False)
    assert caught.value.code == "collection_missing"
    assert caught.value.details["missing"] == ["ws-0000000000000000", "no such"]
    assert scene.names() == {name}


def test_a_database_that_fails_in_between_says_what_was_dropped_and_what_is_left(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [scene.index(scene.home / each) for each in ("a", "b", "c")]
    delete = Database.delete

    def fail_at_the_second(database: Database, name: str) -> None:
        if name == names[1]:
            raise Failed("it fell over", code="database_failed")
        delete(database, name)

    monkeypatch.setattr(Database, "delete", fail_at_the_second)
    with pytest.raises(Failed) as caught:
        drop(scene.context, names, dry_run=False)
    assert (caught.value.details["dropped"], caught.value.details["left"]) == ([names[0]], names[1:])
    assert scene.names() == set(names[1:])


def test_while_the_database_does_not_run_that_is_said(scene: Scene) -> None:
    stop(scene.context, ("qdrant",))
    with pytest.raises(NotReady) as caught:
        listed(scene.context, [])
    assert caught.value.code == "not_started"
