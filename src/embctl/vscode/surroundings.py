"""Whether the editor that shows this terminal reads its files from another machine. Pure: looks at the environment."""

from collections.abc import Mapping

__all__ = ["elsewhere"]

# TERM_PROGRAM says nothing: every relative of VS Code sets it, at home and away.
_SIGNS = (
    ("CODESPACES", "a codespace"),
    ("REMOTE_CONTAINERS", "a dev container"),
    ("REMOTE_CONTAINERS_IPC", "a dev container"),
    ("WSL_DISTRO_NAME", "the Windows Subsystem for Linux"),
    ("WSL_INTEROP", "the Windows Subsystem for Linux"),
    ("SSH_CONNECTION", "an SSH session"),
    ("SSH_TTY", "an SSH session"),
    ("VSCODE_IPC_HOOK_CLI", "a remote window"),
)
_SERVER_TOO = "VSCODE_IPC_HOOK_CLI"


def elsewhere(env: Mapping[str, str], *, served: bool) -> str | None:
    """What this process runs in, such as "an SSH session", when the editor is likely on another machine; else None.
    Where code-server is, `served`, it may be the one that set up this terminal."""
    signs = ((variable, place) for variable, place in _SIGNS if not (served and variable == _SERVER_TOO))
    return next((place for variable, place in signs if env.get(variable)), None)
