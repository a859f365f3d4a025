"""The embedding server as its clients meet it: vectors on both paths and in both encodings, its address, its device."""

import base64
import binascii
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from embctl.doctor.check import Check, Judgement, fail, ok, skipped, warn
from embctl.doctor.examination import Examination
from embctl.doctor.qdrant import only_loopback
from embctl.doctor.scene import Scene
from embctl.engine.ports import listening_addresses
from embctl.events import Stage
from embctl.http import HttpUnreachable, Reply
from embctl.probes import EMBEDDING_TIMEOUT, SAMPLE, UNIT_NORM_TOLERANCE, probe

__all__ = ["EMBEDDINGS", "PATHS", "EmbeddingFacts", "look", "vector_of"]

PATHS = ("/v1/embeddings", "/embeddings")
ENCODINGS = ("float", "base64")
OK = 200
LOGS = "See why: embctl logs jina -n 50"
RESTART = "Have it made anew with the present settings: embctl start jina"


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingFacts:
    """`info` is what the server says of itself, `missing` what it lacks to be ready; `answers` by path and encoding, a
    reason in place of an answer that did not come. `device` is the setting. `unseen` is why nothing was asked."""

    unseen: str
    missing: str
    info: Mapping[str, Any]
    answers: Mapping[tuple[str, str], Reply | str]
    addresses: tuple[str, ...]
    asks_no_key: bool | None
    device: str


def look(scene: Scene) -> EmbeddingFacts:
    """Asks for one text's vector in every way that the clients do; nothing of a server that is not ready."""
    endpoint, unseen = scene.endpoints["jina"], scene.out_of_reach("jina")
    answers: dict[tuple[str, str], Reply | str] = {}
    info: Mapping[str, Any] = {}
    missing, asks_no_key = "", None
    if not unseen:
        seen = probe(endpoint, scene.http, upto=Stage.LOADED)
        missing, info = ("" if seen.stage is Stage.LOADED else seen.detail), seen.facts
    if not unseen and not missing:
        # What is served, whatever the settings say by now.
        asking = partial(_embedded, scene, str(info.get("model")))
        for path in PATHS:
            for encoding in ENCODINGS:
                answers[path, encoding] = asking(path, encoding, key=endpoint.api_key)
        bare = asking(PATHS[0], ENCODINGS[0], key=None) if endpoint.api_key else answers[PATHS[0], ENCODINGS[0]]
        asks_no_key = isinstance(bare, Reply) and bare.status == OK
    port = int(endpoint.url.rpartition(":")[2])
    container = scene.container("jina")
    published = {each.host_ip for each in container.ports} if container else set()
    return EmbeddingFacts(
        unseen=unseen,
        missing=missing,
        info=info,
        answers=answers,
        addresses=() if unseen else tuple(sorted({*listening_addresses(port), *published})),
        asks_no_key=asks_no_key,
        device=scene.settings.jina_device,
    )


def _embedded(scene: Scene, model: str, path: str, encoding: str, *, key: str | None) -> Reply | str:
    body = {"input": [SAMPLE], "model": model, "encoding_format": encoding}
    try:
        url = f"{scene.endpoints['jina'].url}{path}"
        return scene.http.post_json(url, body, api_key=key, timeout=EMBEDDING_TIMEOUT)
    except HttpUnreachable as error:
        return error.reason


def vector_of(answer: Reply | str) -> tuple[float, ...]:
    """The vector in an answer, as 32-bit numbers. ValueError says what is wrong with it."""
    if isinstance(answer, str):
        raise ValueError(answer)  # noqa: TRY004 - one exception type for every bad answer
    if answer.status != OK:
        raise ValueError(f"HTTP {answer.status}: {answer.text.strip()[:200]}")
    try:
        given = answer.body["data"][0]["embedding"]
        packed = (
            base64.b64decode(given, validate=True) if isinstance(given, str) else struct.pack(f"<{len(given)}f", *given)
        )
        return struct.unpack(f"<{len(packed) // 4}f", packed)
    except (LookupError, TypeError, binascii.Error, struct.error) as error:
        raise ValueError(f"no vector in the answer ({error})") from error


def _answers(facts: EmbeddingFacts) -> Judgement:
    if facts.unseen:
        return skipped(facts.unseen)
    if facts.missing:
        return fail(
            f"it is not ready: {facts.missing}", f"Wait for it (embctl wait jina), or {LOGS[0].lower()}{LOGS[1:]}"
        )
    return ok(f"{facts.info.get('model')}, {facts.info.get('dimension')} dimensions, on {facts.info.get('device')}")


def _vectors(path: str, facts: EmbeddingFacts) -> Judgement:
    if not facts.answers:
        return skipped(facts.unseen or "it is not ready (embeddings.answers)")
    vectors = {}
    for encoding in ENCODINGS:
        try:
            vectors[encoding] = vector_of(facts.answers[path, encoding])
        except ValueError as error:
            return fail(f"{path} in {encoding}: {error}", LOGS)
    for encoding, vector in vectors.items():
        if len(vector) != facts.info.get("dimension"):
            return fail(f"{path} in {encoding}: {len(vector)} numbers, /info says {facts.info.get('dimension')}", LOGS)
        if not all(map(math.isfinite, vector)):
            return fail(f"{path} in {encoding}: a vector that is not finite", LOGS)
        if abs(math.hypot(*vector) - 1) > UNIT_NORM_TOLERANCE:
            return fail(f"{path} in {encoding}: a vector of length {math.hypot(*vector):.4g} instead of 1", LOGS)
    if vectors["float"] != vectors["base64"]:
        return fail(f"{path} gives other numbers in base64 than in float", LOGS)
    return ok(f"{path}: {len(vectors['float'])} finite numbers of length 1, the same in float and base64")


def _same(facts: EmbeddingFacts) -> Judgement:
    try:
        first, second = (vector_of(facts.answers[path, "float"]) for path in PATHS)
    except (KeyError, ValueError):
        return skipped(facts.unseen or "there are no two vectors to compare (embeddings.v1, embeddings.bare)")
    if first != second:
        return fail("one text has two different vectors on the two paths", LOGS)
    return ok("both paths give the same vector")


def _bind(facts: EmbeddingFacts) -> Judgement:
    if facts.unseen or not facts.addresses:
        return skipped(facts.unseen or "this machine does not say who listens")
    listed = ", ".join(address or "every address" for address in facts.addresses)
    if only_loopback(facts.addresses):
        return ok(f"it listens on {listed}")
    said = f"it listens on {listed}, for other machines too"
    return fail(f"{said}, and asks for no key", RESTART) if facts.asks_no_key else warn(said, RESTART)


def _device(facts: EmbeddingFacts) -> Judgement:
    if facts.device in {"auto", "cpu"}:
        return skipped(f"no GPU is asked for: jina.device is {facts.device}")
    if not facts.info:
        return skipped(facts.unseen or "it is not ready (embeddings.answers)")
    here = str(facts.info.get("device") or "")
    if here.partition(":")[0] != facts.device:
        return fail(
            f"{facts.device} is asked for, and {here or 'nothing'} is used: the server does not see the GPU",
            "Install the GPU's driver, and for containers the NVIDIA Container Toolkit, then: embctl restart jina",
        )
    return ok(f"it computes on {here}")


EMBEDDINGS = Examination(
    noun="embeddings",
    look=look,
    checks=(
        Check(id="embeddings.answers", looks_at="whether the embedding server is ready, and with what", judge=_answers),
        Check(
            id="embeddings.v1",
            looks_at="a text's vector at `/v1/embeddings`, in float and base64",
            judge=partial(_vectors, PATHS[0]),
        ),
        Check(
            id="embeddings.bare",
            looks_at="the same at `/embeddings`, where a base URL without `/v1` leads",
            judge=partial(_vectors, PATHS[1]),
        ),
        Check(id="embeddings.same", looks_at="whether both paths give the same vector", judge=_same),
        Check(id="embeddings.bind", looks_at="the addresses it listens on", judge=_bind),
        Check(id="embeddings.gpu", looks_at="whether the GPU that was asked for is seen inside", judge=_device),
    ),
)
