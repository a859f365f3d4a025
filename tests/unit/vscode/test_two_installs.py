"""Two installs at once: one after the other, or the second is refused."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="the state folder is where XDG_STATE_HOME says on Linux"
)

KEYBINDINGS = b'[\n  // mine\n  {"key": "ctrl+k", "command": "x"},\n]'


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    places = ("HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")
    return {**os.environ, **dict.fromkeys(places, str(tmp_path)), "PYTHONPATH": os.pathsep.join(sys.path)}


def install(folder: Path, env: dict[str, str], *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "embctl", "install-vscode", "--user-dir", str(folder), *options]
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def made(folder: Path) -> Path:
    folder.mkdir()
    (folder / "keybindings.json").write_bytes(KEYBINDINGS)
    return folder


def read(folder: Path) -> list[bytes]:
    return [(folder / name).read_bytes() for name in ("tasks.json", "keybindings.json")]


def test_two_at_once_leave_what_one_leaves(tmp_path: Path, env: dict[str, str]) -> None:
    alone, shared = made(tmp_path / "alone"), made(tmp_path / "shared")
    one = install(alone, env)
    assert (one.communicate(), one.returncode)[1] == 0
    with FileLock(tmp_path / "embctl" / "locks" / "_editors.lock"):  # so that both begin at one moment
        both = [install(shared, env), install(shared, env)]
        for process in both:
            assert process.stderr
            assert "waiting: another embctl" in process.stderr.readline()
    for process in both:
        _, errors = process.communicate()
        assert process.returncode == 0, errors
    assert read(shared) == read(alone)
    assert [path.read_bytes() for path in shared.glob("*.bak")] == [KEYBINDINGS]


def test_who_does_not_wait_is_refused_while_another_writes(tmp_path: Path, env: dict[str, str]) -> None:
    folder = made(tmp_path / "user")
    locks = tmp_path / "embctl" / "locks"
    locks.mkdir(parents=True)
    with FileLock(locks / "_editors.lock"):
        refused = install(folder, env, "--no-wait-lock")
        _, errors = refused.communicate()
    assert refused.returncode == 6, errors
    assert "is changing the editors' files" in errors
    assert [path.name for path in folder.iterdir()] == ["keybindings.json"]
    assert (folder / "keybindings.json").read_bytes() == KEYBINDINGS
