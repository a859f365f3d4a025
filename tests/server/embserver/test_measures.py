"""The four measures against growing memory: each can be switched, and each shows that it is at work."""

import gc
import io
import json
import logging
import threading
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from fastapi.testclient import TestClient

from embserver import loading, log
from embserver.app import create_app
from embserver.catalogue import HubSource, WantedModel, resolve
from embserver.failures import StartFailed
from embserver.loading import LoadedModel
from embserver.schedule import TOKENS_AT_ONCE
from embserver.service import Report
from embserver.settings import Settings
from embserver.torchencoder import choose_device
from fakes.embedding_model import FakeModel
from fakes.jina_checkpoint import Shape, random_weights, write_checkpoint

WANTED = WantedModel(name="m", ids=("m",), source=HubSource(repo_id="o/m", revision="r"))


@contextmanager
def serving(settings: Settings) -> Iterator[TestClient]:
    app = create_app(settings, WANTED, FakeModel().load, failed=lambda _: None)
    with TestClient(app) as client:
        while client.get("/readyz").status_code != 200:
            pass
        yield client


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What is logged, as JSON lines, with pytest's own handlers put back afterwards."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    stream = io.StringIO()
    log.configure(stream)
    yield stream
    root.handlers[:] = before
    root.setLevel(level)
    logging.getLogger("embserver").setLevel(logging.NOTSET)


def events(stream: io.StringIO, name: str) -> list[dict[str, Any]]:
    parsed = [json.loads(line) for line in stream.getvalue().splitlines()]
    return [line for line in parsed if line["event"] == name]


@pytest.mark.parametrize("on", [True, False])
def test_garbage_is_collected_after_a_request_only_when_the_measure_is_on(on: bool) -> None:
    with serving(Settings(collect_garbage=on)) as client:
        gc.disable()
        try:
            runs = gc.get_stats()[2]["collections"]
            client.post("/v1/embeddings", json={"input": "x"})
            assert (gc.get_stats()[2]["collections"] > runs) is on
        finally:
            gc.enable()
        info = client.get("/info").json()
        assert info["measures"]["collect_garbage"] is on
        assert (info["counters"]["collections"] > 0) is on


@pytest.mark.parametrize("on", [True, False])
def test_what_was_loaded_is_frozen_so_that_collections_are_cheap(on: bool) -> None:
    gc.unfreeze()
    with serving(Settings(collect_garbage=on)):
        assert (gc.get_freeze_count() > 0) is on
    gc.unfreeze()


def test_after_bulk_work_and_a_rest_the_allocators_free_memory_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    trimmed = threading.Event()
    monkeypatch.setattr("embserver.service._REST_SECONDS", 0)
    monkeypatch.setattr("embserver.heap.trim", trimmed.set)
    with serving(Settings()) as client:
        client.post("/v1/embeddings", json={"input": "a search leaves nothing behind that is worth it"})
        assert client.get("/info").json()["counters"]["trims"] == 0
        client.post("/v1/embeddings", json={"input": ["a", "b", "c", "d", "e"]})
        trimmed.wait()
        assert client.get("/info").json()["counters"]["trims"] == 1


@pytest.mark.parametrize("on", [True, False])
def test_memory_is_given_back_after_each_batch_only_when_the_measure_is_on(tmp_path: Path, on: bool) -> None:
    shape = Shape()
    folder = write_checkpoint(tmp_path, shape, random_weights(shape))
    settings = Settings(release_tensors=on, threads=1, device="cpu")
    encoder = loading.load(folder, "", resolve(str(folder), ""), settings).encoder
    before = encoder.releases

    encoder.encode([[0, 5, 2]])
    encoder.encode([[0, 6, 2]])

    assert encoder.releases - before == (2 if on else 0)


@pytest.mark.parametrize(("on", "tokens", "trims"), [(True, 1023, 0), (True, 1024, 1), (False, 1024, 0)])
def test_on_the_processor_free_memory_goes_back_after_long_texts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, on: bool, tokens: int, trims: int
) -> None:
    shape = Shape()
    folder = write_checkpoint(tmp_path, shape, random_weights(shape))
    settings = Settings(release_tensors=on, threads=1, device="cpu")
    encoder = loading.load(folder, "", resolve(str(folder), ""), settings).encoder
    trimmed = []
    monkeypatch.setattr("embserver.heap.trim", lambda: trimmed.append(True))

    encoder.encode([[5] * tokens])

    assert len(trimmed) == trims
    assert tokens > TOKENS_AT_ONCE or not trims, "what a batch of several texts leaves free, the next one takes"


@pytest.mark.parametrize("on", [True, False])
def test_no_tensor_outlives_its_batch(tmp_path: Path, on: bool) -> None:
    shape = Shape()
    folder = write_checkpoint(tmp_path, shape, random_weights(shape))
    settings = Settings(release_tensors=on, threads=1, device="cpu")
    encoder = loading.load(folder, "", resolve(str(folder), ""), settings).encoder
    encoder.encode([[0, 5, 2]])

    def alive() -> int:
        return sum(issubclass(type(thing), torch.Tensor) for thing in gc.get_objects())

    before = alive()
    vectors = [encoder.encode([[0, 7, 8, 2]] * 5) for _ in range(3)]
    assert alive() == before
    assert len(vectors) == 3


def test_on_a_gpu_the_allocators_cache_is_emptied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shape = Shape()
    folder = write_checkpoint(tmp_path, shape, random_weights(shape))
    encoder = loading.load(folder, "", resolve(str(folder), ""), Settings(threads=1, device="cpu")).encoder
    emptied: list[str] = []
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: emptied.append("cuda"))

    encoder.encode([[0, 5, 2]])
    assert emptied == []
    monkeypatch.setattr(encoder, "_device", torch.device("cuda"))
    encoder.encode([[0, 5, 2]])
    assert emptied == ["cuda"]


def test_the_semaphore_is_visible() -> None:
    with serving(Settings(semaphore=3)) as client:
        assert client.get("/info").json()["measures"]["semaphore"] == 3


def test_the_memory_page_exists_only_while_profiling() -> None:
    with serving(Settings()) as client:
        assert client.get("/debug/memory").status_code == 404
    with serving(Settings(profile_memory=True)) as client:
        assert client.get("/info").json()["measures"]["profile_memory"] is True
        first = client.get("/debug/memory").json()
        assert set(first) == {"rss", "traced", "top", "growth"}
        assert first["rss"] > 0
        assert first["top"][0]["size"] >= first["top"][1]["size"] > 0
        assert first["growth"] == []
        client.post("/v1/embeddings", json={"input": "x"})
        assert client.get("/debug/memory").json()["growth"]


def test_neither_loading_nor_what_follows_the_server_is_traced_because_that_would_take_minutes() -> None:
    traced: list[bool] = []
    asked = threading.Event()

    def load(report: Report) -> LoadedModel:
        asked.wait(timeout=60)
        traced.append(tracemalloc.is_tracing())
        return FakeModel().load(report)

    with TestClient(create_app(Settings(profile_memory=True), WANTED, load, failed=lambda _: None)) as client:
        assert client.get("/debug/memory").status_code == 503
        asked.set()
        while client.get("/readyz").status_code != 200:
            pass
        assert client.get("/debug/memory").status_code == 200
        traced.append(tracemalloc.is_tracing())
    traced.append(tracemalloc.is_tracing())
    assert traced == [False, True, False]


def test_the_memory_page_asks_for_the_key_like_everything_else() -> None:
    with serving(Settings(profile_memory=True, api_key="k")) as client:
        assert client.get("/debug/memory").status_code == 401


@pytest.mark.parametrize("on", [True, False])
def test_resident_memory_is_logged_with_each_request_only_while_profiling(lines: io.StringIO, on: bool) -> None:
    with serving(Settings(profile_memory=on)) as client:
        client.post("/v1/embeddings", json={"input": ["abc", "d"]})

    (line,) = [line for line in events(lines, "request") if line["path"] == "/v1/embeddings"]
    assert (line["method"], line["status"], line["texts"], line["tokens"]) == ("POST", 200, 2, 8)
    assert ("rss" in line) is on


def test_the_log_is_json_lines_without_probes_and_without_what_was_embedded(lines: io.StringIO) -> None:
    with serving(Settings(api_key="s3cret")) as client:
        client.post("/v1/embeddings", json={"input": "my private text " * 10}, headers={"api-key": "s3cret"})

    (ready,) = events(lines, "ready")
    assert (ready["model"], ready["dimension"], ready["level"]) == ("m", 8, "info")
    (cut,) = events(lines, "truncated")
    assert (cut["texts"], cut["max_tokens"], cut["level"]) == (1, 32, "warning")
    assert {line["path"] for line in events(lines, "request")} == {"/v1/embeddings"}
    assert "private" not in lines.getvalue()
    assert "s3cret" not in lines.getvalue()


def test_a_device_that_is_not_there_stops_the_start_with_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)

    with pytest.raises(StartFailed, match="EMBSERVER_DEVICE=mps"):
        choose_device("mps")
    assert choose_device("auto").type == "cpu"


def test_auto_takes_the_accelerator_that_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)

    assert choose_device("auto").type == "cuda"
    assert choose_device("cpu").type == "cpu"
