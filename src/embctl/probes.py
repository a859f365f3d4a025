"""How far a service is, seen from outside: one look over HTTP. Waits for nothing and knows no engine."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

from embctl.events import Progress, Stage
from embctl.http import HttpClient, HttpUnreachable, Reply

__all__ = ["Endpoint", "Probe", "glance", "probe"]

UNIT_NORM_TOLERANCE = 1e-3
SAMPLE = "def ready() -> bool: return True"
OK = 200
EMBEDDING_TIMEOUT = 30.0  # the first one after loading is slow, and Ctrl-C has to wait for it
UNAUTHORISED = frozenset({401, 403})


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where a service is reached from this machine; `url` without a trailing slash."""

    service: str
    url: str
    api_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """What one look saw: the highest `stage` reached (None: no answer), a sentence about what is missing or there, a
    download's progress, and facts such as version, dimension and points per collection."""

    stage: Stage | None
    detail: str
    progress: Progress | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


def probe(endpoint: Endpoint, http: HttpClient, *, upto: Stage = Stage.WARM) -> Probe:
    """Look at the service as far as `upto`; a higher stage is not tried, because WARM asks for real work.

    Never raises for what the service does; KeyError for a service that nobody taught this module.
    """
    look = PROBES[endpoint.service]
    try:
        return look(endpoint, http, upto)
    except HttpUnreachable as error:
        return Probe(stage=None, detail=error.reason)
    except (AttributeError, LookupError, TypeError, ValueError):
        # A stranger may hold the port and answer anything.
        return Probe(stage=Stage.LISTENING, detail=f"what answers at {endpoint.url} is not {endpoint.service}")


def glance(endpoint: Endpoint, http: HttpClient) -> Probe:
    """Look at the service without asking for work that a busy one would queue: Jina is warm once it has embedded."""
    if endpoint.service != "jina":
        return probe(endpoint, http)
    seen = probe(endpoint, http, upto=Stage.LOADED)
    warm = seen.stage is Stage.LOADED and _has_embedded(seen.facts)
    return replace(seen, stage=Stage.WARM) if warm else seen


def _has_embedded(facts: Mapping[str, Any]) -> bool:
    counters = facts.get("counters")
    return isinstance(counters, Mapping) and bool(counters.get("texts"))


def _probe_qdrant(endpoint: Endpoint, http: HttpClient, upto: Stage) -> Probe:
    ready = http.get(f"{endpoint.url}/readyz", api_key=endpoint.api_key)
    if upto is Stage.LISTENING or ready.status != OK:
        return Probe(stage=Stage.LISTENING, detail="listening" if ready.status == OK else _said("/readyz", ready))
    if upto is Stage.LOADED:
        return Probe(stage=Stage.LOADED, detail="ready")
    loaded: dict[str, Any] = {}
    try:
        return _probe_collections(endpoint, http, loaded)
    except HttpUnreachable as error:
        return Probe(stage=Stage.LOADED, detail=error.reason, facts=loaded)


def _probe_collections(endpoint: Endpoint, http: HttpClient, facts: dict[str, Any]) -> Probe:
    root = http.get(f"{endpoint.url}/", api_key=endpoint.api_key)
    if root.status == OK and isinstance(root.body, dict):
        facts |= {"version": root.body.get("version"), "title": root.body.get("title")}
    listing = http.get(f"{endpoint.url}/collections", api_key=endpoint.api_key)
    if listing.status != OK:
        return Probe(stage=Stage.LOADED, detail=_said("/collections", listing), facts=facts)
    points: dict[str, int] = {}
    dimensions: dict[str, int] = {}
    facts |= {"points": points, "dimensions": dimensions}
    broken = []
    for name in sorted(entry["name"] for entry in listing.body["result"]["collections"]):
        path = f"/collections/{quote(name, safe='')}"
        reply = http.get(f"{endpoint.url}{path}", api_key=endpoint.api_key)
        if reply.status == OK:
            points[name] = reply.body["result"].get("points_count") or 0
            dimensions |= _dimension(name, reply.body["result"])
        else:
            broken.append(_said(path, reply))
    if broken:
        return Probe(stage=Stage.LOADED, detail="; ".join(broken), facts=facts)
    return Probe(
        stage=Stage.WARM,
        detail=f"{len(points)} collection{'' if len(points) == 1 else 's'} answer{'s' if len(points) == 1 else ''}",
        facts=facts,
    )


def _dimension(name: str, collection: Mapping[str, Any]) -> dict[str, int]:
    """The length of the vectors in a collection; nothing where it has several kinds or none, as no editor makes."""
    match collection:
        case {"config": {"params": {"vectors": {"size": int(size)}}}}:
            return {name: size}
    return {}


def _probe_jina(endpoint: Endpoint, http: HttpClient, upto: Stage) -> Probe:
    alive = http.get(f"{endpoint.url}/livez", api_key=endpoint.api_key)
    if alive.status != OK:
        return Probe(stage=None, detail=_said("/livez", alive))
    if upto is Stage.LISTENING:
        return Probe(stage=Stage.LISTENING, detail="listening")
    ready = http.get(f"{endpoint.url}/readyz", api_key=endpoint.api_key)
    if ready.status != OK:
        return _loading(ready)
    facts: Mapping[str, Any] = {}
    try:
        info = http.get(f"{endpoint.url}/info", api_key=endpoint.api_key)
        if info.status != OK or not isinstance(info.body, dict):
            return Probe(stage=Stage.LOADED, detail=_said("/info", info))
        facts = info.body
        if upto is Stage.LOADED:
            return Probe(stage=Stage.LOADED, detail="model loaded", facts=facts)
        fault = _embedding_fault(endpoint, http, facts)
    except HttpUnreachable as error:
        # Under load the sample may wait longer than anybody here; vectors that were served say as much.
        if _has_embedded(facts):
            return Probe(stage=Stage.WARM, detail="busy, and has embedded before", facts=facts)
        fault = error.reason
    if fault:
        return Probe(stage=Stage.LOADED, detail=fault, facts=facts)
    return Probe(stage=Stage.WARM, detail=f"{facts['dimension']} dimensions", facts=facts)


def _loading(ready: Reply) -> Probe:
    body = ready.body if isinstance(ready.body, dict) else {}
    if "status" not in body:
        return Probe(stage=Stage.LISTENING, detail=_said("/readyz", ready))
    detail = ": ".join(str(part) for part in (body["status"], body.get("detail")) if part)
    done, total = int(body.get("done") or 0), int(body.get("total") or 0)
    progress = Progress(text=detail, done=done, total=total, unit="B" if done or total else "")
    return Probe(stage=Stage.LISTENING, detail=detail, progress=progress)


def _embedding_fault(endpoint: Endpoint, http: HttpClient, facts: Mapping[str, Any]) -> str:
    """What is wrong with the embedding of a sample; empty when nothing is."""
    path = "/v1/embeddings"
    reply = http.post_json(
        f"{endpoint.url}{path}",
        {"input": [SAMPLE], "model": facts.get("model"), "encoding_format": "float"},
        api_key=endpoint.api_key,
        timeout=EMBEDDING_TIMEOUT,
    )
    if reply.status != OK:
        return _said(path, reply)
    try:
        vector = [float(number) for number in reply.body["data"][0]["embedding"]]
    except (LookupError, TypeError, ValueError):
        return f"{path} answered without a vector"
    if len(vector) != facts.get("dimension"):
        return f"{path} answered {len(vector)} dimensions, /info says {facts.get('dimension')}"
    if not all(map(math.isfinite, vector)):
        return f"{path} answered a vector that is not finite"
    norm = math.hypot(*vector)
    if abs(norm - 1) > UNIT_NORM_TOLERANCE:
        return f"{path} answered a vector of length {norm:.4g} instead of 1"
    return ""


def _said(path: str, reply: Reply) -> str:
    if reply.status in UNAUTHORISED:
        return f"{path} refuses the API key (HTTP {reply.status})"
    first = reply.text.strip().splitlines()[:1]
    return f"{path} answers HTTP {reply.status}" + (f": {first[0][:200]}" if first else "")


PROBES: Mapping[str, Callable[[Endpoint, HttpClient, Stage], Probe]] = {"qdrant": _probe_qdrant, "jina": _probe_jina}
