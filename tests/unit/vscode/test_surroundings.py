"""When the editor reads its files on another machine than this one."""

import pytest

from embctl.vscode.surroundings import elsewhere


@pytest.mark.parametrize(
    ("variable", "place"),
    [
        ("CODESPACES", "a codespace"),
        ("REMOTE_CONTAINERS", "a dev container"),
        ("REMOTE_CONTAINERS_IPC", "a dev container"),
        ("WSL_DISTRO_NAME", "the Windows Subsystem for Linux"),
        ("WSL_INTEROP", "the Windows Subsystem for Linux"),
        ("SSH_CONNECTION", "an SSH session"),
        ("SSH_TTY", "an SSH session"),
        ("VSCODE_IPC_HOOK_CLI", "a remote window"),
    ],
)
def test_each_sign_names_its_place(variable: str, place: str) -> None:
    assert elsewhere({variable: "something"}, served=False) == place
    assert elsewhere({variable: ""}, served=False) is None


@pytest.mark.parametrize("env", [{}, {"TERM_PROGRAM": "vscode", "VSCODE_INJECTION": "1", "DISPLAY": ":0"}])
def test_an_editors_terminal_at_home_is_home(env: dict[str, str]) -> None:
    assert elsewhere(env, served=False) is None


def test_the_place_is_the_nearest_one() -> None:
    both = {"VSCODE_IPC_HOOK_CLI": "/run/ipc.sock", "SSH_CONNECTION": "::1 1 ::1 22", "CODESPACES": "true"}
    assert elsewhere(both, served=False) == "a codespace"


def test_a_terminal_of_code_server_is_home() -> None:
    assert elsewhere({"VSCODE_IPC_HOOK_CLI": "/run/ipc.sock"}, served=True) is None


def test_code_server_says_nothing_of_an_ssh_session() -> None:
    env = {"VSCODE_IPC_HOOK_CLI": "/run/ipc.sock", "SSH_CONNECTION": "::1 1 ::1 22"}
    assert elsewhere(env, served=True) == "an SSH session"
