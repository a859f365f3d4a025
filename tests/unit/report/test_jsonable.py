"""The shapes that programs read: these key sets are promises."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from embctl.errors import Conflict
from embctl.events import Note, OperationProgress, Progress, Stage, StageReached
from embctl.model import LogLine
from embctl.outcomes import Planned
from embctl.plan import Operation, Plan, Verb
from embctl.report.jsonable import envelope, event_object, jsonable
from embctl.result import Result


def test_the_envelope_has_exactly_the_documented_keys() -> None:
    assert set(envelope(Result(command="stop", data=None))) == {
        "schema",
        "command",
        "ok",
        "changed",
        "exit_code",
        "data",
        "warnings",
        "error",
    }


def test_an_error_has_exactly_the_documented_keys() -> None:
    error = Conflict("taken", code="port_taken", details={"port": 1}, actions=("free it",), retryable=True)
    assert envelope(Result(command="start", data=None, error=error))["error"] == {
        "code": "port_taken",
        "category": "conflict",
        "message": "taken",
        "retryable": True,
        "details": {"port": 1},
        "actions": ["free it"],
    }


def test_an_error_sets_ok_and_the_exit_code() -> None:
    document = envelope(Result(command="start", data=None, error=Conflict("taken", code="port_taken")))
    assert (document["ok"], document["exit_code"]) == (False, 6)


def test_a_verdict_is_an_exit_code_without_an_error() -> None:
    document = envelope(Result(command="plan", data=None, verdict=10))
    assert (document["ok"], document["exit_code"], document["error"]) == (True, 10, None)


def test_a_plan_is_a_list_of_operations_with_their_causes() -> None:
    operation = Operation(id=1, verb=Verb.CREATE_VOLUME, target="volume:v", cause="no existing volume", name="v")
    assert jsonable(Planned(plan=Plan(operations=(operation,)))) == {
        "plan": {
            "operations": [
                {
                    "id": 1,
                    "verb": "CreateVolume",
                    "target": "volume:v",
                    "cause": "no existing volume",
                    "name": "v",
                    "service": None,
                    "after": [],
                    "unless": None,
                }
            ]
        }
    }


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (datetime(2026, 1, 2, 3, 4, tzinfo=UTC), "2026-01-02T03:04:00+00:00"),
        (Path("/a/b"), "/a/b"),
        (Stage.WARM, "warm"),
        ({1: (2, 3)}, {"1": [2, 3]}),
    ],
)
def test_values_that_json_does_not_know_become_text(value: object, expected: object) -> None:
    assert jsonable(value) == expected


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        (Note(message="hello"), "note"),
        (StageReached(service="jina", stage=Stage.LOADED, seconds=1.0), "stage_reached"),
        (OperationProgress(id=1, verb="PullImage", target="i", progress=Progress(text="x")), "operation_progress"),
        (LogLine(service="jina", text="line"), "log_line"),
    ],
)
def test_every_event_names_its_type(event: Note | StageReached | OperationProgress | LogLine, kind: str) -> None:
    assert event_object(event)["type"] == kind
