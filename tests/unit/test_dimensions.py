"""A model whose vectors do not fit the collections that are there is told of before anything changes."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from embctl.events import Event, Note, OperationStarted
from embctl.flows.context import Context
from embctl.flows.start import start
from embctl.model import Port, StackSpec
from fakes.contexts import context_on
from fakes.fake_engine import FakeEngine
from fakes.http_services import HttpServices, http_services
from fakes.stacks import make_stack, with_service

ALL = ("qdrant", "jina")


@pytest.fixture
def services() -> Iterator[HttpServices]:
    """Jina's vectors have 4 dimensions, those of the collection ws-1 have 768."""
    with http_services() as running:
        vectors = {"config": {"params": {"vectors": {"size": 768}}}}
        running.answers["GET", "/collections/ws-1"] = (200, {"result": {"points_count": 7, **vectors}})
        yield running


@pytest.fixture
def spec(services: HttpServices) -> StackSpec:
    spec = make_stack()
    for name, port in (("qdrant", services.qdrant_port), ("jina", services.jina_port)):
        published = (Port(host_ip="127.0.0.1", published=port, target=port),)
        spec = with_service(spec, replace(spec.service(name), ports=published))
    return spec


@pytest.fixture
def events() -> list[Event]:
    return []


@pytest.fixture
def context(spec: StackSpec, events: list[Event], tmp_path: Path) -> Iterator[Context]:
    with context_on(FakeEngine(), spec, tmp_path) as context:
        yield replace(context, emit=events.append)


def with_another_model(context: Context, dimension: int | None) -> Context:
    jina = replace(context.spec.service("jina"), config_hash="another model")
    return replace(context, spec=with_service(context.spec, jina), dimension=dimension)


def test_another_model_is_told_with_the_collections_that_it_does_not_fit_before_anything_changes(
    context: Context, events: list[Event]
) -> None:
    start(replace(context, dimension=768), ALL, wait=False)
    events.clear()
    result = start(with_another_model(context, 384), ALL, wait=False)
    note = next(event for event in events if isinstance(event, Note) and event.warning)
    assert "384" in note.message
    assert "ws-1 (768)" in note.message
    began = next(event for event in events if isinstance(event, OperationStarted))
    assert events.index(note) < events.index(began)
    assert result.warnings == (note.message,)


def test_a_restart_of_both_with_another_model_is_told_of_too(context: Context) -> None:
    start(replace(context, dimension=768), ALL, wait=False)
    result = start(with_another_model(context, 384), ALL, restart=True, wait=False)
    assert "ws-1 (768)" in result.warnings[0]


def test_a_model_that_fits_is_not_remarked_on(context: Context) -> None:
    start(context, ALL, wait=False)
    assert start(with_another_model(context, 768), ALL, wait=False).warnings == ()


def test_a_model_that_nobody_knows_is_held_against_the_collections_once_it_says_its_dimension(
    context: Context,
) -> None:
    assert "ws-1 (768)" in start(context, ALL).warnings[0]


def test_a_server_made_beside_a_qdrant_that_runs_is_held_against_its_collections_first(
    context: Context, events: list[Event]
) -> None:
    start(replace(context, dimension=768), ("qdrant",), wait=False)
    events.clear()
    start(replace(context, dimension=384), ("jina",), wait=False)
    note = next(event for event in events if isinstance(event, Note) and event.warning)
    began = next(event for event in events if isinstance(event, OperationStarted))
    assert events.index(note) < events.index(began)


def test_a_model_that_nobody_knows_is_held_against_a_qdrant_that_was_not_started_with_it(context: Context) -> None:
    start(context, ("qdrant",))
    assert "ws-1 (768)" in start(context, ("jina",)).warnings[0]


def test_a_start_that_leaves_the_model_alone_asks_nothing(context: Context, services: HttpServices) -> None:
    start(context, ALL, wait=False)
    start(replace(context, dimension=384), ALL, wait=False)
    assert services.requests == []
