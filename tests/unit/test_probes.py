"""One look at a service: which step it has reached, and what is said about it."""

import math

import pytest

from embctl.events import Stage
from embctl.http import Reply
from embctl.probes import Endpoint, probe
from fakes.scripted_http import ScriptedHttp, json_reply

QDRANT = Endpoint(service="qdrant", url="http://127.0.0.1:6333")
JINA = Endpoint(service="jina", url="http://127.0.0.1:4000", api_key="secret")
READY = json_reply({"status": "ready"})
INFO = {"model": "jina-code-v2", "dimension": 4, "device": "cpu"}
UNIT = [0.5, 0.5, 0.5, 0.5]


def collections(*names: str) -> Reply:
    return json_reply({"result": {"collections": [{"name": name} for name in names]}})


def vector(numbers: list[float]) -> Reply:
    return Reply(status=200, body={"data": [{"embedding": numbers}]}, text="")


def ready_qdrant() -> ScriptedHttp:
    http = ScriptedHttp()
    http.answer("/readyz", Reply(status=200, body=None, text="all shards are ready"))
    http.answer("/", json_reply({"title": "qdrant - vector search engine", "version": "1.19.0"}))
    http.answer("/collections", collections("ws-b", "ws-a"))
    vectors = {"config": {"params": {"vectors": {"size": 768}}}}
    http.answer("/collections/ws-a", json_reply({"result": {"points_count": 3, **vectors}}))
    http.answer("/collections/ws-b", json_reply({"result": {"points_count": None}}))
    return http


def ready_jina(embedding: list[float]) -> ScriptedHttp:
    http = ScriptedHttp()
    http.answer("/livez", json_reply({"status": "alive"}))
    http.answer("/readyz", READY)
    http.answer("/info", json_reply(INFO))
    http.answer("/v1/embeddings", vector(embedding))
    return http


def test_silence_is_no_stage() -> None:
    seen = probe(QDRANT, ScriptedHttp())
    assert (seen.stage, seen.detail) == (None, "connection refused")


def test_qdrant_is_warm_when_every_collection_answers() -> None:
    seen = probe(QDRANT, ready_qdrant())
    assert seen.stage is Stage.WARM
    assert seen.facts == {
        "version": "1.19.0",
        "title": "qdrant - vector search engine",
        "points": {"ws-a": 3, "ws-b": 0},
        "dimensions": {"ws-a": 768},
    }


def test_qdrant_only_listens_while_its_shards_load() -> None:
    http = ready_qdrant()
    http.answer("/readyz", Reply(status=503, body=None, text="some shards are not ready"))
    seen = probe(QDRANT, http)
    assert (seen.stage, seen.detail) == (Stage.LISTENING, "/readyz answers HTTP 503: some shards are not ready")


def test_a_broken_collection_is_named_and_the_others_are_counted() -> None:
    http = ready_qdrant()
    http.answer("/collections/ws-b", json_reply({"status": {"error": "corrupt"}}, 500))
    seen = probe(QDRANT, http)
    assert seen.stage is Stage.LOADED
    assert "/collections/ws-b answers HTTP 500" in seen.detail
    assert seen.facts["points"] == {"ws-a": 3}


def test_a_wrong_key_is_named_as_such() -> None:
    http = ready_qdrant()
    http.answer("/collections", json_reply({"status": {"error": "Must provide an API key"}}, 401))
    assert probe(QDRANT, http).detail == "/collections refuses the API key (HTTP 401)"


def test_jina_is_warm_when_a_real_vector_comes_back() -> None:
    http = ready_jina(UNIT)
    seen = probe(JINA, http)
    assert seen.stage is Stage.WARM
    assert seen.facts == INFO
    assert set(http.keys) == {"secret"}


def test_jina_reports_its_download() -> None:
    http = ready_jina(UNIT)
    body = {"status": "downloading", "detail": "model.safetensors", "done": 10, "total": 40}
    http.answer("/readyz", json_reply(body, 503))
    seen = probe(JINA, http)
    assert seen.stage is Stage.LISTENING
    assert seen.detail == "downloading: model.safetensors"
    assert seen.progress is not None
    assert (seen.progress.done, seen.progress.total, seen.progress.unit) == (10, 40, "B")


def test_something_else_on_jinas_port_is_no_jina() -> None:
    http = ScriptedHttp()
    http.answer("/livez", Reply(status=404, body=None, text="File not found"))
    seen = probe(JINA, http)
    assert (seen.stage, seen.detail) == (None, "/livez answers HTTP 404: File not found")


@pytest.mark.parametrize(
    ("embedding", "fault"),
    [
        ([1.0, 0.0], "2 dimensions, /info says 4"),
        ([math.nan, 0.5, 0.5, 0.5], "not finite"),
        ([1.0, 1.0, 1.0, 1.0], "length 2 instead of 1"),
        ([0.0, 0.0, 0.0, 0.0], "length 0 instead of 1"),
    ],
)
def test_a_vector_that_would_spoil_an_index_is_not_warm(embedding: list[float], fault: str) -> None:
    seen = probe(JINA, ready_jina(embedding))
    assert seen.stage is Stage.LOADED
    assert fault in seen.detail


def test_an_answer_without_a_vector_is_not_warm() -> None:
    http = ready_jina(UNIT)
    http.answer("/v1/embeddings", json_reply({"data": []}))
    assert probe(JINA, http).detail == "/v1/embeddings answered without a vector"


def test_a_failing_embedding_is_quoted() -> None:
    http = ready_jina(UNIT)
    http.answer("/v1/embeddings", json_reply({"error": {"message": "out of memory"}}, 500))
    seen = probe(JINA, http)
    assert seen.stage is Stage.LOADED
    assert "out of memory" in seen.detail


@pytest.mark.parametrize("upto", [Stage.LISTENING, Stage.LOADED])
@pytest.mark.parametrize("endpoint", [QDRANT, JINA])
def test_no_work_is_asked_for_beyond_the_stage_wanted(endpoint: Endpoint, upto: Stage) -> None:
    http = ready_qdrant() if endpoint is QDRANT else ready_jina(UNIT)
    assert probe(endpoint, http, upto=upto).stage is upto
    assert not {"/collections", "/v1/embeddings"} & set(http.asked)
