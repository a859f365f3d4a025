"""Runs command lines of embctl that die by SIGKILL at a chosen step of their work in one folder.

A process of its own, forked for each command line, so that a step costs no import: it reads JSON
`[arguments, folder, step]` by lines, and answers each with JSON `[exit code, what it was about to do]`; the exit code
of the killed is -9, and a step that never comes kills nobody.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = ["Killed", "killed_program"]

# Runs a command line, to be killed before the step of that number; returns exit code and step.
Killed = Callable[[list[str], Path, int], tuple[int, str]]


@contextmanager
def killed_program(env: Mapping[str, str]) -> Iterator[Killed]:
    """The process that runs them, with that environment."""
    command = [sys.executable, __file__]
    with subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        requests, answers = process.stdin, process.stdout
        assert requests
        assert answers

        def run(arguments: list[str], folder: Path, step: int) -> tuple[int, str]:
            print(json.dumps([arguments, str(folder), step]), file=requests, flush=True)
            code, event = json.loads(answers.readline())
            return code, event

        yield run
        requests.close()


def _serve() -> None:
    from embctl.cli.app import run_command_line  # noqa: PLC0415 - only this process is to have it

    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    with tempfile.TemporaryDirectory() as folder:  # imports what the forked would import one by one
        run_command_line(["install-vscode", "--user-dir", folder, "-q"])
    for line in sys.stdin:
        arguments, folder, step = json.loads(line)
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            _die_before(step, folder, writing)
            os._exit(run_command_line(arguments))
        os.close(writing)
        with open(reading) as pipe:  # noqa: PTH123 - a descriptor
            event = pipe.read()
        _, status = os.waitpid(child, 0)
        print(json.dumps([os.waitstatus_to_exitcode(status), event]), file=answers, flush=True)


def _die_before(last: int, folder: str, report: int) -> None:
    """A step is what changes a path in the folder, a write of which half arrived, and a sync."""
    steps = 0
    opened, writes = "", False

    def step(event: str, path: str, before: Callable[[], object] = lambda: None) -> None:
        nonlocal steps
        steps += 1
        if steps == last:
            before()
            os.write(report, f"{event} {os.path.relpath(path, folder)}".encode())
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal opened, writes
        if not event.startswith(("open", "os.")) or not arguments or not isinstance(arguments[0], str | os.PathLike):
            return
        path = os.fspath(arguments[0])
        if path == folder or path.startswith(folder + os.sep):
            if event == "open":
                opened, writes = path, bool(int(str(arguments[2])) & (os.O_WRONLY | os.O_RDWR))
                event = "open to write"
            if event != "open to write" or writes:  # whoever reads changes nothing
                step(event, path)

    fsync = os.fsync

    def watched_fsync(fd: Any) -> None:
        if writes:
            half = os.fstat(fd).st_size // 2
            step("half of write", opened, lambda: os.ftruncate(fd, half))
        step("fsync", opened)
        fsync(fd)

    os.fsync = watched_fsync
    sys.addaudithook(watch)


if __name__ == "__main__":
    _serve()
