"""The embedding server's log, read back."""

from embctl.events import Progress
from embctl.serverlog import errors_in, failure_of, progress_of


def test_a_progress_line_is_bytes_done_of_bytes_to_do() -> None:
    expected = Progress(text="downloading", done=5, total=10, unit="B")
    assert progress_of('{"event": "progress", "done": 5, "total": 10}') == expected


def test_an_unknown_total_is_zero() -> None:
    assert progress_of('{"event": "progress", "done": 5, "total": null}') == Progress(
        text="downloading", done=5, unit="B"
    )


def test_other_lines_are_no_progress() -> None:
    assert [progress_of(line) for line in ('{"event": "fetched"}', "plain text", "[1]")] == [None, None, None]


def test_a_failure_is_told_in_the_words_of_its_last_detail() -> None:
    lines = ['{"event": "settings", "detail": "old"}', '{"event": "fetch_failed", "detail": "no hub"}', "bye"]
    assert failure_of(lines) == "no hub"


def test_a_failure_without_details_is_its_last_line() -> None:
    assert failure_of(["Killed"]) == "Killed"
    assert failure_of([]) == "it printed nothing"


def test_errors_are_told_of_both_kinds_of_log_and_nothing_else() -> None:
    lines = [
        '{"level": "info", "event": "ready"}',
        '{"level": "error", "event": "request_failed", "detail": "no more memory"}',
        "2026-11-25 08:00:00,000 INFO embstore: fine",
        "2026-11-25 08:00:01,000 ERROR embstore: the disk is full",
        '{"level": "critical", "event": "crashed"}',
    ]
    assert errors_in(lines) == ["no more memory", "2026-11-25 08:00:01,000 ERROR embstore: the disk is full", "crashed"]
