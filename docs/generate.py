"""Writes docs/commands.md from the program itself; `--check` only says whether it is up to date."""

import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).with_name("commands.md")
COMMANDS = (
    "",
    "start",
    "stop",
    "restart",
    "warmup",
    "status",
    "stats",
    "top",
    "logs",
    "wait",
    "doctor",
    "plan",
    "down",
    "pull",
    "migrate",
    "collections",
    "collections list",
    "collections prune",
    "collections drop",
    "client",
    "client list",
    "client show",
    "client write",
    "client patch",
    "client check",
    "vscode install",
    "vscode status",
    "vscode uninstall",
    "vscode print",
    "help-hotkeys",
    "config",
    "config show",
    "config path",
    "config validate",
)


def page() -> str:
    """The whole page as Markdown."""
    parts = ["# Commands\n\nGenerated from `--help`. `ps` is another name for `status`.\n"]
    for command in COMMANDS:
        # A fixed width, so that the page does not depend on who generates it.
        run = subprocess.run(  # noqa: S603 - the arguments are above
            [sys.executable, "-m", "embctl", *command.split(), "--help"],
            capture_output=True,
            check=True,
            text=True,
            env={"COLUMNS": "100", "TERM": "dumb", "PATH": ""},
        )
        parts.append(f"## `{f'embctl {command}'.strip()}`\n\n```\n{run.stdout.strip()}\n```\n")
    return "\n".join(parts)


if __name__ == "__main__":
    if "--check" in sys.argv:
        sys.exit(0 if PAGE.read_text(encoding="utf-8") == page() else f"{PAGE} is out of date: python docs/generate.py")
    PAGE.write_text(page(), encoding="utf-8")
