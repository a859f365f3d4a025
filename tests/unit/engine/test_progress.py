"""The engine's messages as progress that adds up."""

from typing import Any

from embctl.engine.progress import BuildStream, PullStream
from embctl.events import Progress


def layer(name: str, status: str, current: int | None = None, total: int | None = None) -> dict[str, Any]:
    detail = {} if current is None else {"current": current, "total": total}
    return {"id": name, "status": status, "progressDetail": detail}


def read(stream: PullStream | BuildStream, *messages: dict[str, Any]) -> list[Progress]:
    return [progress for message in messages for progress in stream.read(message)]


def test_a_pull_adds_up_the_bytes_of_its_layers() -> None:
    told = read(
        PullStream("qdrant:1"),
        {"status": "Pulling from qdrant", "id": "1"},
        layer("a", "Pulling fs layer"),
        layer("a", "Downloading", 10, 100),
        layer("b", "Downloading", 5, 50),
        layer("a", "Download complete"),
        layer("a", "Extracting", 3, 100),
        layer("b", "Pull complete"),
        {"status": "Status: Downloaded newer image"},
    )
    assert [(progress.done, progress.total) for progress in told] == [(10, 100), (15, 150), (105, 150), (150, 150)]
    assert {(progress.text, progress.unit) for progress in told} == {("qdrant:1", "B")}


def test_a_build_counts_its_finished_steps() -> None:
    stream = BuildStream("jina:1", {})
    told = read(
        stream,
        {"stream": "Step 1/2 : FROM base\n"},
        {"stream": " ---> abc\n"},
        {"stream": "Step 2/2 : RUN make\n"},
        {"stream": "compi"},
        {"stream": "ling\n\n"},
    )
    assert told == [
        Progress(text="FROM base", done=0, total=2, unit="steps"),
        Progress(text=" ---> abc"),
        Progress(text="RUN make", done=1, total=2, unit="steps"),
        Progress(text="compiling"),
    ]
    assert stream.finished() == Progress(text="jina:1", done=2, total=2, unit="steps")
    assert stream.step == "Step 2/2 : RUN make"
    assert list(stream.last_lines) == [" ---> abc", "compiling"]


def test_a_base_image_is_pulled_within_its_step() -> None:
    stream = BuildStream("jina:1", {})
    told = read(stream, {"stream": "Step 1/2 : FROM base:2\n"}, layer("a", "Downloading", 1, 4))
    assert told[-1] == Progress(text="base:2", done=1, total=4, unit="B")
    assert stream.fetching_base


def test_only_the_last_twenty_lines_of_a_build_are_kept() -> None:
    stream = BuildStream("jina:1", {})
    read(stream, {"stream": "".join(f"line {number}\n" for number in range(30))})
    assert list(stream.last_lines) == [f"line {number}" for number in range(10, 30)]


def test_a_base_image_is_named_as_it_was_asked_for() -> None:
    stream = BuildStream("jina:1", {"BASE_IMAGE": "python:3.11"})
    (progress,) = stream.read({"stream": "Step 1/9 : FROM ${BASE_IMAGE} AS builder\n"})
    assert progress.text == "FROM python:3.11 AS builder"
    assert stream.step == "Step 1/9 : FROM python:3.11 AS builder"
