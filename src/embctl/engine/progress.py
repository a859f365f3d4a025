"""The engine's JSON messages of a pull or a build, as progress that adds up. Pure; one instance follows one stream."""

import re
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

from embctl.events import Progress

__all__ = ["BuildStream", "PullStream"]

STEP = re.compile(r"Step (\d+)/(\d+) : (.*)")
LAST_LINES = 20
ARRIVED = frozenset({"Verifying Checksum", "Download complete", "Extracting", "Pull complete", "Already exists"})


class PullStream:
    """Adds up the layers of one image; their sizes become known one by one, so the total grows at first."""

    def __init__(self, reference: str) -> None:
        self._reference = reference
        self._layers: dict[str, tuple[int, int]] = {}

    def read(self, message: Mapping[str, Any]) -> Iterator[Progress]:
        """The bytes fetched so far, when `message` changed them."""
        layer, status = message.get("id"), message.get("status")
        if not layer or not status:
            return
        done, total = self._layers.get(layer, (0, 0))
        detail = message.get("progressDetail") or {}
        if status == "Downloading" and detail.get("total"):
            done, total = detail.get("current", done), detail["total"]
        elif status in ARRIVED:
            done = total
        if self._layers.get(layer, (0, 0)) == (done, total):
            return
        self._layers[layer] = (done, total)
        sums = [sum(column) for column in zip(*self._layers.values(), strict=True)]
        yield Progress(text=self._reference, done=sums[0], total=sums[1], unit="B")


class BuildStream:
    """Counts the finished steps of one build and remembers where it is, for the error message; `args` fill in the
    variables of a FROM, which the engine repeats as they are written."""

    def __init__(self, image: str, args: Mapping[str, str]) -> None:
        self.step = ""
        self._args = args
        self.last_lines: deque[str] = deque(maxlen=LAST_LINES)
        self._image = image
        self._total = 0
        self._pull: PullStream | None = None
        self._unfinished = ""

    @property
    def fetching_base(self) -> bool:
        """Whether the step under way is a FROM, whose image the engine may have to pull."""
        return " : FROM " in self.step

    def read(self, message: Mapping[str, Any]) -> Iterator[Progress]:
        """Steps as they begin, lines of their output, bytes of a base image that is pulled."""
        if "id" in message:
            if self._pull is None:
                self._pull = PullStream(self.step.rpartition("FROM ")[2] or self._image)
            yield from self._pull.read(message)
            return
        *lines, self._unfinished = (self._unfinished + message.get("stream", "")).replace("\r\n", "\n").split("\n")
        for line in lines:
            if line.strip():
                yield self._line(line.rstrip())

    def finished(self) -> Progress:
        """What to say after the last step."""
        return Progress(text=self._image, done=self._total, total=self._total, unit="steps")

    def _line(self, line: str) -> Progress:
        match = STEP.fullmatch(line)
        if match is None:
            self.last_lines.append(line)
            return Progress(text=line)
        said = match[3]
        if said.startswith("FROM "):
            for name, value in self._args.items():
                said = said.replace(f"${{{name}}}", value)
        self.step, self._pull = line[: match.start(3)] + said, None
        self._total = int(match[2])
        return Progress(text=said, done=int(match[1]) - 1, total=self._total, unit="steps")
