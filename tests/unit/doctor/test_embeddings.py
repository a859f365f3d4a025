"""The real embedding server's application over a model without weights, and answers that no server should give."""

import base64
import socket
import struct
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from embctl.doctor.embeddings import EMBEDDINGS, PATHS, EmbeddingFacts, look
from embctl.engine.ports import free_port
from embctl.http import Reply
from embctl.model import Port, StackSpec
from embctl.outcomes import Finding, Verdict
from embserver.settings import Settings
from fakes.app_http import AppHttp
from fakes.embedding_model import FakeModel
from fakes.fake_engine import FakeEngine
from fakes.scenes import examined, make_scene, running_engine
from fakes.scripted_http import json_reply
from fakes.served_app import serving
from fakes.stacks import make_stack, with_service

VECTOR = (0.6, 0.8)
CHECKS = {check.id: check for check in EMBEDDINGS.checks}


def packed(*numbers: float) -> str:
    return base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()


def answer(embedding: Any) -> Reply:
    return json_reply({"data": [{"index": 0, "embedding": embedding}]})


def facts(**changed: Any) -> EmbeddingFacts:
    """A server with two dimensions that answers as it should, but for what is `changed`."""
    answers: Mapping[tuple[str, str], Reply | str] = {
        (path, encoding): answer(embedding)
        for path in PATHS
        for encoding, embedding in (("float", list(VECTOR)), ("base64", packed(*VECTOR)))
    }
    usual = EmbeddingFacts(
        unseen="",
        missing="",
        info={"model": "minilm", "dimension": 2, "device": "cpu"},
        answers=answers,
        addresses=("127.0.0.1",),
        asks_no_key=True,
        device="auto",
    )
    return replace(usual, **changed)


def stack(port: int) -> StackSpec:
    spec = make_stack()
    return with_service(
        spec, replace(spec.service("jina"), ports=(Port(host_ip="127.0.0.1", published=port, target=4000),))
    )


def found(
    folder: Path,
    model: FakeModel,
    *,
    port: int = 0,
    key: str = "",
    device: str = "auto",
    engine: FakeEngine | None = None,
    wait: bool = True,
) -> dict[str, Finding]:
    spec = stack(port or free_port())
    env = {"EMBCTL_JINA_DEVICE": device, **({"EMBCTL_JINA_API_KEY": key} if key else {})}
    with serving(model, Settings(api_key=key), wait=wait) as client:
        http = AppHttp({spec.service("jina").ports[0].published: client})
        with make_scene(folder, engine or running_engine(spec), spec=spec, env=env, http=http) as scene:
            return examined(EMBEDDINGS, scene)


def test_a_server_that_is_well_gives_one_vector_on_both_paths_and_in_both_encodings(tmp_path: Path) -> None:
    seen = found(tmp_path, FakeModel())
    asked_for = {name for name, each in seen.items() if each.verdict is Verdict.OK}
    assert asked_for == set(CHECKS) - {"embeddings.gpu"}


def test_a_key_that_the_server_asks_for_is_sent(tmp_path: Path) -> None:
    seen = found(tmp_path, FakeModel(), key="k-1")
    assert {seen[name].verdict for name in ("embeddings.v1", "embeddings.bare")} == {Verdict.OK}


def test_a_model_that_computes_no_numbers_fails(tmp_path: Path) -> None:
    model = FakeModel()
    model.encoder.broken = "nan"
    seen = found(tmp_path, model)
    assert {seen[name].verdict for name in ("embeddings.v1", "embeddings.bare")} == {Verdict.FAIL}


def test_a_server_that_is_not_ready_fails_and_is_asked_for_nothing(tmp_path: Path) -> None:
    model = FakeModel()
    model.gate.clear()
    seen = found(tmp_path, model, wait=False)
    assert seen["embeddings.answers"].verdict is Verdict.FAIL
    assert seen["embeddings.v1"].verdict is Verdict.SKIPPED
    assert model.encoder.batches == []


def test_a_server_that_does_not_run_is_skipped(tmp_path: Path) -> None:
    assert {each.verdict for each in found(tmp_path, FakeModel(), engine=FakeEngine()).values()} == {Verdict.SKIPPED}


def test_a_server_that_other_machines_reach_without_a_key_fails(tmp_path: Path) -> None:
    with socket.create_server(("", 0)) as open_to_all:
        port = open_to_all.getsockname()[1]
        assert found(tmp_path, FakeModel(), port=port)["embeddings.bind"].verdict is Verdict.FAIL
        assert found(tmp_path, FakeModel(), port=port, key="k-1")["embeddings.bind"].verdict is Verdict.WARN


@pytest.mark.parametrize(
    ("embedding", "words"),
    [
        ([0.6, 0.8, 0.0], "3 numbers, /info says 2"),
        ([0.6, 0.7], "of length"),
        ("no base64!", "no vector"),
        (None, "no vector"),
        ([], "0 numbers"),
    ],
)
def test_an_answer_that_is_no_vector_of_the_model_fails(embedding: Any, words: str) -> None:
    usual = facts()
    seen = CHECKS["embeddings.v1"].finding(
        replace(usual, answers={**usual.answers, ("/v1/embeddings", "float"): answer(embedding)})
    )
    assert seen.verdict is Verdict.FAIL
    assert words in seen.evidence


def test_a_refusal_fails_with_its_words() -> None:
    usual = facts()
    refused = json_reply({"error": {"message": "no such route"}}, 404)
    seen = CHECKS["embeddings.bare"].finding(
        replace(usual, answers={**usual.answers, ("/embeddings", "base64"): refused})
    )
    assert (seen.verdict, "HTTP 404" in seen.evidence) == (Verdict.FAIL, True)


def test_other_numbers_in_base64_than_in_float_fail() -> None:
    usual = facts()
    other = answer(packed(0.8, 0.6))
    seen = CHECKS["embeddings.v1"].finding(
        replace(usual, answers={**usual.answers, ("/v1/embeddings", "base64"): other})
    )
    assert "other numbers in base64" in seen.evidence


def test_two_vectors_of_one_text_on_two_paths_fail() -> None:
    usual = facts()
    assert CHECKS["embeddings.same"].finding(usual).verdict is Verdict.OK
    other = answer([0.8, 0.6])
    changed = replace(usual, answers={**usual.answers, ("/embeddings", "float"): other})
    assert CHECKS["embeddings.same"].finding(changed).verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("device", "here", "verdict"),
    [
        ("auto", "cpu", Verdict.SKIPPED),
        ("cpu", "cpu", Verdict.SKIPPED),
        ("cuda", "cuda:0", Verdict.OK),
        ("cuda", "cpu", Verdict.FAIL),
    ],
)
def test_a_gpu_that_was_asked_for_has_to_be_used(device: str, here: str, verdict: Verdict) -> None:
    seen = CHECKS["embeddings.gpu"].finding(facts(device=device, info={"device": here}))
    assert seen.verdict is verdict


def test_a_server_that_computes_elsewhere_than_on_the_gpu_that_was_asked_for_fails(tmp_path: Path) -> None:
    seen = found(tmp_path, FakeModel(), device="cuda")["embeddings.gpu"]
    assert seen.verdict is Verdict.FAIL
    assert "cuda is asked for, and cpu is used" in seen.evidence


def test_nothing_is_asked_of_an_engine_on_another_machine(tmp_path: Path) -> None:
    spec = stack(free_port())
    engine = running_engine(spec)
    told = replace(engine.info(), local=False)
    engine.info = lambda: told  # type: ignore[method-assign]  # an engine of another kind
    with make_scene(tmp_path, engine, spec=spec) as scene:
        assert "another machine" in look(scene).unseen
