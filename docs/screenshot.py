"""Draws docs/images/start.svg from a real `embctl start all`, run in a real terminal (tmux) on the engine at hand."""

import re
import shutil
import subprocess
import sys
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.text import Text

WIDTH, HEIGHT = 118, 40
PICTURE = Path(__file__).with_name("images") / "start.svg"
SESSION = "embctl-screenshot"


def tmux(*arguments: str) -> str:
    """Run one tmux command and return what it prints."""
    program = shutil.which("tmux") or sys.exit("tmux is not installed")
    # A server of its own: one that runs already would not have the settings in this environment.
    command = [program, "-L", SESSION, *arguments]
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout  # noqa: S603 - our own words


def record(command: str) -> str:
    """The screen, with its colours, once `command` has ended."""
    tmux(
        "new-session",
        "-d",
        "-s",
        SESSION,
        "-x",
        str(WIDTH),
        "-y",
        str(HEIGHT),
        f"{command}; tmux wait-for -S done; cat",
    )
    tmux("wait-for", "done")
    screen = tmux("capture-pane", "-e", "-p", "-t", SESSION)
    tmux("kill-server")
    return screen.rstrip()


def draw(command: str, screen: str) -> None:
    """Write the picture: a prompt with the command, then the screen as it was."""
    console = Console(record=True, width=WIDTH, file=StringIO(), force_terminal=True)
    console.print(Text.assemble(("$ ", "bold green"), (command, "bold")))
    console.print(Text.from_ansi(screen))
    svg = console.export_svg(title=command)
    # The picture stands alone: no fonts from elsewhere.
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text(re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL), encoding="utf-8")


if __name__ == "__main__":
    draw("embctl start all", record(f"{Path(sys.executable).parent / 'embctl'} start all"))
