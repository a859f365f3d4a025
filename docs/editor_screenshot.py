"""Draws docs/images/editor.png from the real editor: shift+9 pressed in a file, on real services of the native runtime.

Takes a folder that does not exist yet, such as /home/me, as the home of the user in the picture, and removes it again.
"""

import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PICTURE = Path(__file__).with_name("images") / "editor.png"
sys.path.insert(0, str(ROOT / "tests"))

from e2e.stack import native_stack  # noqa: E402 - the folder has to be on the path first
from e2e.workbench import DROPPED_AT_FIRST, in_the_home, installed, open_window, user_folder  # noqa: E402 - the same


def draw(home: Path) -> None:
    """Take the picture of a start that is not the first one, which would fetch the model."""
    program = installed(os.environ)
    with native_stack(home) as alone:
        stack = in_the_home(replace(alone, name="embctl", qdrant_port=6333, jina_port=4000))
        try:
            user_folder(stack.environment())
            for command in (("install-vscode",), ("start", "all"), ("stop", "all")):
                stack.succeed(*command)
            with open_window(program, stack.environment(), home / "editor.log") as window:
                window.open(ROOT / "src" / "embctl" / "vscode")
                focus = ("editor", "hotkeys.py")
                window.run(focus, "Control+Shift+Digit0", "embctl: help", again_after=DROPPED_AT_FIRST)
                window.run(focus, "Control+Shift+Digit9", "embctl: startall + warmup")
                window.do("picture", str(PICTURE))
        finally:
            stack.succeed("down", "--volumes", "--yes")


if __name__ == "__main__":
    place = Path(sys.argv[1])
    place.mkdir()
    try:
        draw(place)
    finally:
        shutil.rmtree(place)
