"""The HTTP interface, as the editors' clients use it, over a model without weights."""

import base64
import json
import logging
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from embserver.failures import FetchFailed, StartFailed
from embserver.service import Stage, Standing
from embserver.settings import Settings
from fakes.embedding_model import CLS, SEP, VOCABULARY, FakeModel
from fakes.served_app import WANTED, envelope, ids, serving


@pytest.fixture
def fake() -> FakeModel:
    return FakeModel()


@pytest.fixture
def client(fake: FakeModel) -> Iterator[TestClient]:
    with serving(fake) as ready:
        yield ready


def post(client: TestClient, body: object, path: str = "/v1/embeddings") -> Any:
    response = client.post(path, json=body)
    assert response.status_code == 200, response.text
    return response.json()


def refused(client: TestClient, body: object, status: int = 400) -> dict[str, Any]:
    response = client.post("/v1/embeddings", content=body if isinstance(body, bytes) else json.dumps(body).encode())
    assert response.status_code == status, response.text
    return envelope(response.json())


@pytest.mark.parametrize("path", ["/v1/embeddings", "/embeddings"])
def test_a_list_of_strings_becomes_one_vector_each_in_order(client: TestClient, fake: FakeModel, path: str) -> None:
    texts = ["bb", "a much longer text", "", "a"]

    answer = post(client, {"input": texts, "model": "jina-code-v2"}, path)

    assert set(answer) == {"object", "data", "model", "usage"}
    assert [entry["index"] for entry in answer["data"]] == [0, 1, 2, 3]
    assert {entry["object"] for entry in answer["data"]} == {"embedding"}
    for text, entry in zip(texts, answer["data"], strict=True):
        assert np.allclose(entry["embedding"], fake.encoder.vector(ids(text)), atol=1e-7)
    total = sum(len(ids(text)) for text in texts)
    assert answer["usage"] == {"prompt_tokens": total, "total_tokens": total}
    assert answer["model"] == "jina-code-v2"


def test_a_single_string_and_the_empty_string_are_embedded(client: TestClient, fake: FakeModel) -> None:
    assert np.allclose(post(client, {"input": "ab"})["data"][0]["embedding"], fake.encoder.vector(ids("ab")))
    assert np.allclose(post(client, {"input": ""})["data"][0]["embedding"], fake.encoder.vector([CLS, SEP]))


def test_token_ids_are_embedded_as_they_are(client: TestClient, fake: FakeModel) -> None:
    one = post(client, {"input": [5, 6, 7]})
    many = post(client, {"input": [[5, 6, 7], [8]]})

    assert np.allclose(one["data"][0]["embedding"], fake.encoder.vector([5, 6, 7]))
    assert np.allclose(many["data"][1]["embedding"], fake.encoder.vector([8]))
    assert many["usage"]["prompt_tokens"] == 4


def test_base64_carries_the_same_little_endian_floats(client: TestClient) -> None:
    body = {"input": ["x", "yy"], "model": "jina-code-v2"}
    floats = post(client, body)["data"]
    encoded = post(client, {**body, "encoding_format": "base64"})["data"]

    for plain, packed in zip(floats, encoded, strict=True):
        raw = base64.b64decode(packed["embedding"], validate=True)
        assert np.array_equal(np.frombuffer(raw, "<f4"), np.array(plain["embedding"], np.float32))


def test_2048_inputs_are_taken_and_one_more_is_not(client: TestClient) -> None:
    answer = post(client, {"input": ["x"] * 2048, "encoding_format": "base64"})

    assert len(answer["data"]) == 2048
    error = refused(client, {"input": ["x"] * 2049})
    assert "2049 entries; at most 2048" in error["message"]
    assert error["param"] == "input"


def test_a_large_request_is_computed_in_batches_of_bounded_size(client: TestClient, fake: FakeModel) -> None:
    post(client, {"input": [f"{number:03}" * (number % 9) for number in range(500)]})

    assert len(fake.encoder.batches) > 1
    assert max(sum(map(len, batch)) for batch in fake.encoder.batches) <= 768


def test_the_same_text_is_computed_once_in_a_request_and_answered_as_often_as_it_was_sent(
    client: TestClient, fake: FakeModel
) -> None:
    answer = post(client, {"input": ["ab", "c", "ab", "ab"]})

    assert sorted(fake.encoder.batches) == [[ids("ab"), ids("c")]]
    vectors = [entry["embedding"] for entry in answer["data"]]
    assert vectors[0] == vectors[2] == vectors[3] != vectors[1]
    assert answer["usage"]["prompt_tokens"] == 3 * 4 + 3


def test_the_models_own_dimension_is_accepted_and_any_other_refused(client: TestClient) -> None:
    assert len(post(client, {"input": "x", "dimensions": 8})["data"][0]["embedding"]) == 8
    error = refused(client, {"input": "x", "dimensions": 256})
    assert error["message"] == "This model does not support the dimensions parameter value 256"
    assert error["param"] == "dimensions"


def test_unknown_fields_are_ignored(client: TestClient) -> None:
    post(client, {"input": "x", "user": "u", "input_type": "query", "options": {"a": 1}, "encoding_format": None})


@pytest.mark.parametrize("inputs", [["x", "y" * 31], [[5], [5] * 33]])
def test_an_input_that_is_too_long_is_cut_unless_the_client_forbids_it(client: TestClient, inputs: list[Any]) -> None:
    for body in ({"input": inputs}, {"input": inputs, "truncate": True}, {"input": inputs, "truncate": None}):
        assert post(client, body)["usage"]["prompt_tokens"] in (32 + 3, 32 + 1)
    error = refused(client, {"input": inputs, "truncate": False})

    assert "Input 1 is longer than the 32 tokens" in error["message"]
    assert (error["code"], error["param"]) == ("context_length_exceeded", "input")
    post(client, {"input": "y" * 30, "truncate": False})


def test_an_answer_says_what_its_time_went_into(client: TestClient) -> None:
    header = client.post("/v1/embeddings", json={"input": ["x"]}).headers["server-timing"]

    times = {name: float(spent) for name, spent in (entry.split(";dur=") for entry in header.split(", "))}
    assert list(times) == ["queue", "tokenization", "inference", "total"]
    assert sum(times.values()) - times["total"] <= times["total"] + 1


@pytest.mark.parametrize("name", ["jina-code-v2", "jinaai/jina-embeddings-v2-base-code", "Jina-Code-V2"])
def test_the_model_answers_to_its_name_and_its_hub_id(client: TestClient, name: str) -> None:
    assert post(client, {"input": "x", "model": name})["model"] == name


def test_a_request_without_a_model_gets_the_one_there_is(client: TestClient) -> None:
    assert post(client, {"input": "x"})["model"] == "jina-code-v2"


def test_another_models_name_is_refused_with_the_served_ids(client: TestClient) -> None:
    error = refused(client, {"input": "x", "model": "text-embedding-3-small"}, 404)

    assert error["code"] == "model_not_found"
    assert "'jina-code-v2' and 'jinaai/jina-embeddings-v2-base-code'" in error["message"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "'input' is missing"),
        ({"input": []}, "'input' is an empty list"),
        ({"input": None}, "not null"),
        ({"input": 7}, "not a number"),
        ({"input": {"text": "x"}}, "not an object"),
        ({"input": ["x", 1]}, "'input[1]' is a number where the entries before are strings"),
        ({"input": [1, "x"]}, "'input[0]' is neither a string nor a list of token ids, but a number"),
        ({"input": [[1], []]}, "'input[1]' is neither a string nor a list of token ids, but an empty list"),
        ({"input": [[1, 2.5]]}, "'input[0]' is neither"),
        ({"input": [True]}, "but a boolean"),
        ({"input": [5, VOCABULARY]}, f"token id {VOCABULARY}; this model's ids are 0 to {VOCABULARY - 1}"),
        ({"input": [[5], [-1]]}, "Input 1 has the token id -1"),
        ({"input": "x", "model": 3}, "'model' must be a string, not a number"),
        ({"input": "x", "encoding_format": "hex"}, 'must be one of float, base64, not "hex"'),
        ({"input": "x", "encoding_format": ["float"]}, "must be one of float, base64"),
        ({"input": "x", "dimensions": True}, "dimensions parameter value true"),
        ({"input": "x", "truncate": "no"}, "'truncate' must be true or false, not a string"),
        ({"input": [[2**63]]}, "Input 0 has the token id 9223372036854775808"),
        ([1, 2], "must be a JSON object, not a list"),
        (b"{", "not valid JSON"),
        (b"", "not valid JSON"),
        (b'{"input": "\xff"}', "not valid JSON"),
        (b"[" * 100_000, "not valid JSON"),
    ],
)
def test_what_cannot_be_understood_is_a_400_that_says_so(client: TestClient, body: object, said: str) -> None:
    error = refused(client, body)

    assert said in error["message"]
    assert error["type"] == "invalid_request_error"


def test_half_an_emoji_is_text_too(client: TestClient, fake: FakeModel) -> None:
    response = client.post("/v1/embeddings", content=b'{"input": ["a\\ud83d", "\\ude00b", "\\ud83d\\ude00"]}')

    assert response.status_code == 200
    assert fake.tokenizer.texts == ["a\ufffd", "\ufffdb", "\U0001f600"]


def test_a_body_beyond_the_limit_is_refused(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("embserver.requests.MAX_BODY_BYTES", 100)

    assert "larger than 100 bytes" in refused(client, {"input": "x" * 200}, 413)["message"]


def test_a_body_that_announces_too_much_is_refused_before_it_is_sent(client: TestClient) -> None:
    headers = {"Content-Length": str(32 * 1024 * 1024 + 1)}
    response = client.post("/v1/embeddings", content=b"", headers=headers)

    assert response.status_code == 413
    assert envelope(response.json())["code"] == "body_too_large"


@pytest.mark.parametrize("path", ["/v1/embedding", "/v2/embeddings", "/v1/embeddings/", "/index.html", "/api/generate"])
def test_a_wrong_url_is_told_the_right_one(client: TestClient, path: str) -> None:
    response = client.post(path, json={"input": "x"})

    assert response.status_code == 404
    error = envelope(response.json())
    assert f"nothing at POST {path}" in error["message"]
    assert "POST http://testserver/v1/embeddings" in error["message"]


def test_a_wrong_method_is_told_the_right_one(client: TestClient) -> None:
    response = client.get("/v1/embeddings")

    assert response.status_code == 405
    assert response.headers["allow"] == "POST"
    assert "use POST" in envelope(response.json())["message"]


@pytest.mark.parametrize("way", ["crash", "nan"])
def test_a_vector_that_is_not_right_is_never_sent(client: TestClient, fake: FakeModel, way: str) -> None:
    fake.encoder.broken = way
    response = client.post("/v1/embeddings", json={"input": ["x", "y"]})

    assert response.status_code == 500
    assert envelope(response.json())["type"] == "server_error"
    assert client.get("/info").json()["counters"]["errors"] == 1
    fake.encoder.broken = None
    post(client, {"input": "x"})


def test_the_info_tells_the_last_errors_and_not_all_of_them(client: TestClient, fake: FakeModel) -> None:
    assert client.get("/info").json()["errors"] == []
    fake.encoder.broken = "crash"
    client.post("/v1/embeddings", json={"input": "x"})
    logger = logging.getLogger("uvicorn.error")
    for number in range(4):
        logger.error("failure %d at http://user:hunter2@hub.example", number, exc_info=ValueError("a text"))

    errors = client.get("/info").json()["errors"]

    failures = [f"failure {number} at http://hub.example (ValueError)" for number in range(4)]
    assert [error["message"] for error in errors] == ["RuntimeError('the encoder fell over')", *failures]
    assert all(datetime.fromisoformat(error["time"]).tzinfo for error in errors)
    logger.error("and one more")
    assert [error["message"] for error in client.get("/info").json()["errors"]] == [*failures, "and one more"]


def test_errors_are_no_longer_kept_once_the_application_has_ended() -> None:
    before = list(logging.getLogger().handlers)

    with serving(FakeModel()):
        assert logging.getLogger().handlers != before

    assert logging.getLogger().handlers == before


@pytest.mark.parametrize("path", ["/v1/models", "/models"])
def test_the_models_are_listed_by_every_id(client: TestClient, path: str) -> None:
    answer = client.get(path).json()

    assert answer["object"] == "list"
    assert [entry["id"] for entry in answer["data"]] == list(WANTED.ids)
    assert all(entry["object"] == "model" and isinstance(entry["created"], int) for entry in answer["data"])


def test_texts_cut_short_are_counted_in_the_info(client: TestClient) -> None:
    answer = post(client, {"input": ["x" * 100, "y", "z" * 31]})
    post(client, {"input": [[3] * 40]})

    assert answer["usage"]["prompt_tokens"] == 32 + 3 + 32
    counters = client.get("/info").json()["counters"]
    assert (counters["requests"], counters["texts"], counters["tokens"], counters["truncated"]) == (2, 4, 99, 3)


def test_the_info_says_what_is_served_and_how(client: TestClient) -> None:
    info = client.get("/info").json()

    assert info["model"] == "jina-code-v2"
    assert info["name"] == "jinaai/jina-embeddings-v2-base-code"
    assert (info["status"], info["revision"], info["dimension"], info["max_tokens"]) == ("ready", "r1", 8, 32)
    assert (info["device"], info["dtype"], info["threads"], info["streams"]) == ("cpu", "float32", 1, 1)
    assert {"embserver", "python", "fastapi", "numpy"} <= set(info["versions"])
    limits = info["limits"]
    assert (limits["max_inputs"], limits["max_body_bytes"], limits["batch_tokens"]) == (2048, 33554432, 768)
    assert (limits["queue_bytes"], limits["interactive_texts"], limits["interactive_tokens"]) == (67108864, 4, 512)
    assert "memory_bytes" in limits
    assert info["measures"] == {
        "release_tensors": True,
        "collect_garbage": True,
        "semaphore": 8,
        "profile_memory": False,
    }
    queue = info["queue"]
    assert (queue["in_line"], queue["preparing"], queue["waiting"], queue["running"], queue["bytes"]) == (0,) * 5
    assert info["rss"] > 0
    assert info["uptime"] >= 0


def test_until_the_model_is_loaded_everything_says_so(fake: FakeModel) -> None:
    fake.gate.clear()
    with serving(fake, wait=False) as client:
        assert client.get("/livez").status_code == 200
        early = client.post("/v1/embeddings", json={"input": "x"})
        assert early.status_code == 503
        assert int(early.headers["retry-after"]) > 0
        assert envelope(early.json())["code"] == "model_not_ready"
        for path in ("/readyz", "/health"):
            probe = client.get(path)
            assert probe.status_code == 503
            assert set(probe.json()) == {"status", "detail", "done", "total"}
            assert probe.json()["status"] == "starting"
        info = client.get("/info").json()
        assert (info["status"], info["device"]) == ("starting", None)
        assert [entry["id"] for entry in client.get("/v1/models").json()["data"]] == list(WANTED.ids)

        fake.gate.set()
        while client.get("/readyz").status_code != 200:
            pass
        assert client.get("/readyz").json() == {"status": "ready"}
        post(client, {"input": "x"})


def test_a_download_shows_how_far_it_is(fake: FakeModel) -> None:
    fake.gate.clear()
    with serving(fake, wait=False) as client:
        fake.reported.wait()
        fake.reports[0](Standing(stage=Stage.DOWNLOADING, detail="downloading o/m", done=7, total=20))
        while (probe := client.get("/readyz")).json()["status"] == "starting":
            pass

        assert probe.status_code == 503
        assert probe.json() == {"status": "downloading", "detail": "downloading o/m", "done": 7, "total": 20}
        assert "downloading o/m" in client.post("/v1/embeddings", json={"input": "x"}).json()["error"]["message"]


def test_a_model_that_cannot_be_had_is_reported_once_with_its_reason(fake: FakeModel) -> None:
    fake.failure, failures = FetchFailed("the hub is closed"), list[StartFailed]()
    with serving(fake, wait=False, failures=failures) as client:
        while not failures:
            assert client.get("/readyz").status_code == 503

    assert failures == [fake.failure]


def test_a_crash_while_loading_is_a_failed_start_too(fake: FakeModel) -> None:
    fake.failure, failures = MemoryError("no room"), list[StartFailed]()
    with serving(fake, wait=False, failures=failures) as client:
        while not failures:
            client.get("/livez")

    assert "no room" in str(failures[0])


@pytest.mark.parametrize("headers", [{"Authorization": "Bearer s3cret"}, {"api-key": "s3cret"}])
def test_with_a_key_set_it_may_come_in_either_header(fake: FakeModel, headers: dict[str, str]) -> None:
    with serving(fake, Settings(api_key="s3cret")) as client:
        assert client.post("/v1/embeddings", json={"input": "x"}, headers=headers).status_code == 200
        assert client.get("/info", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic s3cret"}, {"api-key": "s3cret2"}]
)
def test_with_a_key_set_everything_but_the_probes_asks_for_it(fake: FakeModel, headers: dict[str, str]) -> None:
    with serving(fake, Settings(api_key="s3cret")) as client:
        for path in ("/v1/models", "/info", "/nowhere"):
            response = client.get(path, headers=headers)
            assert response.status_code == 401
            assert envelope(response.json())["code"] == "invalid_api_key"
        for path in ("/livez", "/readyz", "/health"):
            assert client.get(path, headers=headers).status_code == 200


def test_without_a_key_set_any_key_is_accepted(client: TestClient) -> None:
    headers = {"Authorization": "Bearer whatever"}

    assert client.post("/v1/embeddings", json={"input": "x"}, headers=headers).status_code == 200


def test_dimensions_that_are_no_text_in_any_encoding_are_a_client_error(client: TestClient) -> None:
    response = client.post("/v1/embeddings", content=b'{"input": "a", "dimensions": "\\ud83d"}')
    assert response.status_code == 400
    assert "does not support the dimensions parameter" in response.json()["error"]["message"]
