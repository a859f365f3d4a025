"""Virtual environments of the peers, made on demand below a cache folder and kept for the next run."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

__all__ = ["CannotRun", "python_of", "run"]


class CannotRun(Exception):
    """A server cannot be measured here; the message says why, in one line."""


def python_of(cache: Path, name: str, requirements: Sequence[str]) -> Path:
    """The interpreter of an environment that has these requirements. Raises CannotRun where they do not install."""
    key = hashlib.sha256("\n".join(requirements).encode()).hexdigest()[:8]
    folder = cache / "venvs" / f"{name}-{key}"
    python, done = folder / "bin" / "python", folder / "complete"
    if done.exists():
        return python
    print(f"installing {', '.join(requirements)}", file=sys.stderr, flush=True)
    run([sys.executable, "-m", "venv", "--clear", str(folder)])
    run([str(python), "-m", "pip", "install", "-qq", "--disable-pip-version-check", *requirements])
    done.touch()
    return python


def run(command: Sequence[str], path: str | None = None) -> None:
    """Run a step that prepares a peer. Raises CannotRun with the last line that it printed."""
    env = None if path is None else {**os.environ, "PYTHONPATH": path}
    ended = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    if ended.returncode:
        said = [line for line in (ended.stderr + ended.stdout).splitlines() if line.strip()]
        raise CannotRun(f"{Path(command[0]).name} {command[1:3]}: {said[-1] if said else ended.returncode}"[:200])
