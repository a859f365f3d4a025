"""The indexes: whether their vectors fit the model, who wrote them, and whether their folders still exist."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from embctl.doctor.check import Check, Judgement, fail, ok, skipped, warn
from embctl.doctor.examination import Examination
from embctl.doctor.scene import Scene
from embctl.errors import Failed
from embctl.events import Stage
from embctl.http import HttpUnreachable
from embctl.probes import probe
from embctl.qdrant import Database
from embctl.vscode.editors import editors
from embctl.vscode.folders import opened_folders
from embctl.vscode.hotkeys import this_system
from embctl.workspaces import PREFIX, owners

__all__ = ["COLLECTIONS", "CollectionFacts", "IndexFacts", "look"]

OK = 200
SAMPLE_TIMEOUT = 10.0
METADATA = {"key": "type", "match": {"value": "metadata"}}


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionFacts:
    """One collection: the length of its vectors (None for several kinds or none), its points, and the names in the
    payload of its metadata point and of one other point (None where there is no such point). `trouble` is why nothing
    of this is known."""

    dimension: int | None = None
    points: int = 0
    metadata: frozenset[str] | None = None
    payload: frozenset[str] | None = None
    trouble: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexFacts:
    """`served` is the dimension of the model that answers, None without one; `folders` are those the editors know, with
    whether they exist. `unseen` is why nothing was asked."""

    collections: Mapping[str, CollectionFacts]
    model: str
    served: int | None
    folders: Mapping[str, bool]
    unseen: str


def look(scene: Scene) -> IndexFacts:
    """A few requests for each collection; what the editors remember."""
    unseen, found = scene.out_of_reach("qdrant"), {}
    if not unseen:
        database = Database(endpoint=scene.endpoints["qdrant"], http=scene.http)
        try:
            found = {name: _collection(database, name) for name in database.collections()}
        except Failed as error:
            unseen = error.message
    info: Mapping[str, Any] = {}
    if not scene.out_of_reach("jina"):
        info = probe(scene.endpoints["jina"], scene.http, upto=Stage.LOADED).facts
    known = opened_folders(editors(scene.env, scene.home, this_system(scene.platform)))
    return IndexFacts(
        collections=found,
        model=str(info.get("model", "")),
        served=info.get("dimension"),
        folders={folder: Path(folder).is_dir() for folder in known},
        unseen=unseen,
    )


def _collection(database: Database, name: str) -> CollectionFacts:
    try:
        described = database.describe(name) or {}
        dimension: int | None = None
        match described:
            case {"config": {"params": {"vectors": {"size": int(size)}}}}:
                dimension = size
        return CollectionFacts(
            dimension=dimension,
            points=described.get("points_count") or 0,
            metadata=_names(database, name, "must"),
            payload=_names(database, name, "must_not"),
        )
    except (Failed, HttpUnreachable) as error:
        return CollectionFacts(trouble=str(error))
    except (AttributeError, LookupError, TypeError) as error:
        return CollectionFacts(trouble=f"an answer that no Qdrant gives ({type(error).__name__})")


def _names(database: Database, name: str, clause: str) -> frozenset[str] | None:
    """Of one point's payload: of the metadata point, or of one that is none."""
    endpoint = database.endpoint
    reply = database.http.post_json(
        f"{endpoint.url}/collections/{quote(name, safe='')}/points/scroll",
        {"filter": {clause: [METADATA]}, "limit": 1, "with_payload": True},
        api_key=endpoint.api_key,
        timeout=SAMPLE_TIMEOUT,
    )
    if reply.status != OK:
        return None
    points = reply.body["result"]["points"]
    return frozenset(points[0]["payload"] or {}) if points else None


def _load(facts: IndexFacts) -> Judgement:
    if facts.unseen:
        return skipped(facts.unseen)
    broken = [f"{name}: {each.trouble}" for name, each in facts.collections.items() if each.trouble]
    if broken:
        return fail(
            "; ".join(broken), "Drop that collection in the editor (clear index data), and index its folder anew"
        )
    total = sum(each.points for each in facts.collections.values())
    return ok(f"{len(facts.collections)} collections, {total} points, all answer")


def _dimension(facts: IndexFacts) -> Judgement:
    if facts.unseen:
        return skipped(facts.unseen)
    if facts.served is None:
        return skipped("no model is served to compare with (embeddings.answers)")
    others = {
        name: each.dimension
        for name, each in facts.collections.items()
        if each.dimension is not None and each.dimension != facts.served
    }
    if not facts.collections:
        return skipped("there are no collections yet")
    if others:
        listed = ", ".join(f"{name} ({size})" for name, size in others.items())
        return fail(
            f"{facts.model} has {facts.served} dimensions, but these collections have others: {listed}",
            "Index those folders anew, or go back to their own model (--model)",
        )
    return ok(f"{facts.served} dimensions in all of {len(facts.collections)}")


def _clients(facts: IndexFacts) -> Judgement:
    indexes = {name: each for name, each in facts.collections.items() if name.startswith(PREFIX) and each.payload}
    if not indexes:
        return skipped(facts.unseen or "no editor has indexed anything yet")
    unmarked = [name for name, each in indexes.items() if each.metadata is None]
    shapes = {(each.payload, each.metadata) for each in indexes.values() if each.metadata is not None}
    apart = "Index with one kind of client, or give each a Qdrant of its own: --project NAME --port-offset 100"
    if len(shapes) > 1 or (unmarked and shapes):
        return warn(
            f"collections of {len(shapes) + bool(unmarked)} different shapes: two kinds of clients write here", apart
        )
    if unmarked:
        return warn(
            f"no metadata point in {', '.join(unmarked)}: a scan is not finished, or its client keeps none; another "
            "kind of client would make the collection anew",
            apart,
        )
    return ok(f"{len(indexes)} collections of one shape")


def _vanished(facts: IndexFacts) -> Judgement:
    indexes = [name for name in facts.collections if name.startswith(PREFIX)]
    if not indexes:
        return skipped(facts.unseen or "no editor has indexed anything yet")
    by_name = owners(indexes, facts.folders)
    gone = {name: folder for name, folder in by_name.items() if not facts.folders[folder]}
    if gone:
        listed = ", ".join(f"{name} ({folder})" for name, folder in gone.items())
        return warn(
            f"their folders are gone: {listed}", "See them all, and drop what is not needed: embctl collections list"
        )
    unknown = [name for name in indexes if name not in by_name]
    if len(unknown) == len(indexes):
        return skipped("the editors of this machine know none of the folders")
    return ok(f"the folders of {len(indexes) - len(unknown)} exist, {len(unknown)} are of folders unknown here")


COLLECTIONS = Examination(
    noun="collections",
    look=look,
    checks=(
        Check(id="collections.load", looks_at="whether every collection answers", judge=_load),
        Check(
            id="collections.dimension",
            looks_at="each collection's dimension against the served model's",
            judge=_dimension,
        ),
        Check(id="collections.clients", looks_at="two kinds of clients that share one Qdrant", judge=_clients),
        Check(id="collections.vanished", looks_at="collections of folders that are gone", judge=_vanished),
    ),
)
