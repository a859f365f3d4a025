"""Standard output for programs: one document, or lines of JSON that end in it."""

import io
import json

from embctl.events import Note
from embctl.model import LogLine
from embctl.outcomes import Streamed
from embctl.report.choose import choose_reporter
from embctl.result import Result


def run(output: str, *, quiet: bool = False) -> tuple[str, str]:
    stdout, stderr = io.StringIO(), io.StringIO()
    reporter = choose_reporter(output, quiet=quiet, timestamps=False, stdout=stdout, stderr=stderr)
    reporter.emit(Note(message="waiting"))
    reporter.log(LogLine(service="jina", text="ünïcode"))
    reporter.finish(Result(command="logs", data=Streamed(lines=1)))
    return stdout.getvalue(), stderr.getvalue()


def test_json_is_one_document_and_progress_goes_to_standard_error() -> None:
    stdout, stderr = run("json")
    assert json.loads(stdout)["command"] == "logs"
    assert stderr == "waiting\n"


def test_json_carries_log_lines_in_its_data() -> None:
    document = json.loads(run("json")[0])
    assert [line["text"] for line in document["data"]["log"]] == ["ünïcode"]


def test_quiet_json_writes_nothing_to_standard_error() -> None:
    assert run("json", quiet=True)[1] == ""


def test_json_lines_are_events_then_the_result() -> None:
    stdout, stderr = run("jsonl")
    assert [json.loads(line)["type"] for line in stdout.splitlines()] == ["note", "log_line", "result"]
    assert stderr == ""
