"""The vector database as its clients meet it: version, telemetry, address, key."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from embctl.doctor.check import Check, Judgement, fail, ok, skipped, warn
from embctl.doctor.examination import Examination
from embctl.doctor.scene import Scene
from embctl.engine.ports import listening_addresses
from embctl.http import HttpUnreachable

__all__ = ["QDRANT", "QdrantFacts", "look", "only_loopback"]

# The oldest that has /points/query, by which the indexers search.
OLDEST = (1, 10)
# The client library of the indexers complains of servers whose minor version is further from the one that is pinned.
MINORS_APART = 1
OK, UNAUTHORISED = 200, frozenset({401, 403})
RESTART = "Have it made anew with the present settings: embctl start qdrant"


@dataclass(frozen=True, slots=True, kw_only=True)
class QdrantFacts:
    """`root` is what `GET /` answered, `trouble` why it did not; `pinned` the version of the image that is defined.
    `without_key` and `with_key` are the statuses of a listing, the latter None when no key is set. `telemetry_off` is
    what the definition says, `drifted` whether what runs was made from another one. `unseen` is why nobody asked."""

    unseen: str
    root: Mapping[str, Any]
    trouble: str
    pinned: str
    telemetry_off: bool
    drifted: bool
    addresses: tuple[str, ...]
    without_key: int | None
    with_key: int | None


def look(scene: Scene) -> QdrantFacts:
    """Three requests, and a look at who listens."""
    service, endpoint = scene.spec.service("qdrant"), scene.endpoints["qdrant"]
    container, unseen = scene.container("qdrant"), scene.out_of_reach("qdrant")
    root: Mapping[str, Any] = {}
    trouble, statuses = "", dict.fromkeys(("", endpoint.api_key or ""))
    try:
        if not unseen:
            answer = scene.http.get(f"{endpoint.url}/", api_key=endpoint.api_key)
            root = answer.body if isinstance(answer.body, Mapping) else {}
            for key in statuses:
                statuses[key] = scene.http.get(f"{endpoint.url}/collections", api_key=key or None).status
    except HttpUnreachable as error:
        trouble = error.reason
    port = int(endpoint.url.rpartition(":")[2])
    published = {each.host_ip for each in container.ports} if container else set()
    return QdrantFacts(
        unseen=unseen,
        root=root,
        trouble=trouble,
        pinned=service.image,
        telemetry_off=service.environment.get("QDRANT__TELEMETRY_DISABLED", "").lower() == "true",
        drifted=container is not None
        and scene.runtime is not None
        and container.config_hash != service.hash_on(scene.runtime),
        addresses=() if unseen else tuple(sorted({*listening_addresses(port), *published})),
        without_key=statuses[""],
        with_key=statuses[endpoint.api_key] if endpoint.api_key else None,
    )


def only_loopback(addresses: tuple[str, ...]) -> bool:
    """Whether nobody on another machine reaches any of them."""
    return all(address == "::1" or address.startswith("127.") for address in addresses)


def _answers(facts: QdrantFacts) -> Judgement:
    if facts.unseen:
        return skipped(facts.unseen)
    if facts.trouble:
        return fail(f"it does not answer: {facts.trouble}", "See why: embctl logs qdrant -n 50")
    if "version" not in facts.root:
        return fail("what answers is not Qdrant", "See who has the port: embctl doctor, ports.qdrant")
    return ok(f"{facts.root.get('title', 'Qdrant')} {facts.root['version']}")


def _version(facts: QdrantFacts) -> Judgement:
    version = str(facts.root.get("version", ""))
    if not version:
        return skipped(facts.unseen or "it does not tell its version (qdrant.answers)")
    here = _minor(version)
    if here is None:
        return skipped(f'"{version}" is no version')
    if here < OLDEST:
        return fail(f"{version} lacks /points/query, by which the editors search: 1.10 is the oldest", RESTART)
    pinned = _minor(facts.pinned.partition("@")[0].rpartition(":")[2].removeprefix("v"))
    if pinned and (here[0] != pinned[0] or abs(here[1] - pinned[1]) > MINORS_APART):
        return warn(f"{version} is far from the version that is pinned ({facts.pinned})", RESTART)
    return ok(f"{version} suits the editors' clients")


def _minor(version: str) -> tuple[int, int] | None:
    major, _, rest = version.partition(".")
    minor = rest.partition(".")[0]
    return (int(major), int(minor)) if major.isdecimal() and minor.isdecimal() else None


def _telemetry(facts: QdrantFacts) -> Judgement:
    if facts.unseen:
        return skipped(facts.unseen)
    if not facts.telemetry_off:
        return warn(
            "its definition leaves telemetry on", "Set QDRANT__TELEMETRY_DISABLED to true in compose/qdrant.yaml"
        )
    if facts.drifted:
        return skipped("what runs was made from another definition (containers.drift)")
    return ok("off, by its definition")


def _bind(facts: QdrantFacts) -> Judgement:
    if facts.unseen:
        return skipped(facts.unseen)
    if not facts.addresses:
        return skipped("this machine does not say who listens")
    listed = ", ".join(address or "every address" for address in facts.addresses)
    if only_loopback(facts.addresses):
        return ok(f"it listens on {listed}")
    guarded = facts.without_key in UNAUTHORISED
    said = f"it listens on {listed}, for other machines too"
    return warn(said, RESTART) if guarded else fail(f"{said}, and asks for no key", RESTART)


def _key(facts: QdrantFacts) -> Judgement:
    if facts.without_key is None:
        return skipped(facts.unseen or "it does not answer (qdrant.answers)")
    asks = facts.without_key in UNAUTHORISED
    if facts.with_key is None:
        if asks:
            return fail(
                "it asks for a key, and none is set", "Set the key that it was started with: EMBCTL_QDRANT_API_KEY"
            )
        return ok("none is set, and none is needed on loopback")
    if facts.with_key != OK:
        return fail(f"it refuses the key that is set (HTTP {facts.with_key})", RESTART)
    if not asks:
        return warn("a key is set, but it answers without one too", RESTART)
    return ok("it asks for the key that is set")


QDRANT = Examination(
    noun="qdrant",
    look=look,
    checks=(
        Check(id="qdrant.answers", looks_at="whether Qdrant answers", judge=_answers),
        Check(id="qdrant.version", looks_at="its version against what the editors' clients need", judge=_version),
        Check(id="qdrant.telemetry", looks_at="whether telemetry is off", judge=_telemetry),
        Check(id="qdrant.bind", looks_at="the addresses it listens on", judge=_bind),
        Check(id="qdrant.key", looks_at="the API key that is set against the one it asks for", judge=_key),
    ),
)
