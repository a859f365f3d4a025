"""Which of the editors' files a command means, and what to paste where there are none. Writes nothing."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from embctl.errors import ConfirmationNeeded, Failed
from embctl.flows.context import Context
from embctl.outcomes import Snippets
from embctl.vscode import rules
from embctl.vscode.editors import PRODUCTS, SERVER, Editor, Target, editors, named, targets
from embctl.vscode.hotkeys import System
from embctl.vscode.program import Program, program
from embctl.vscode.surroundings import elsewhere

__all__ = [
    "Choice",
    "Machine",
    "files_of",
    "files_to_install",
    "place_of",
    "snippets_for",
]

WORKSPACE = "workspace"


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What the flows know of this machine: environment, home folder, system, how embctl was called (argv[0]), and its
    Python."""

    env: Mapping[str, str]
    home: Path
    system: System
    called: str
    executable: str

    def program(self) -> Program:
        """The embctl that tasks are to run."""
        return program(self.called, self.executable, self.env, self.home)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which files are meant: editors by name, one folder, one profile or all, or a workspace's folder."""

    editors: tuple[str, ...] = ()
    user_dir: Path | None = None
    profile: str = ""
    all_profiles: bool = False
    workspace: Path | None = None


def snippets_for(machine: Machine, using: Program) -> Snippets:
    """What to paste by hand."""
    tasks = {"version": "2.0.0", "tasks": rules.tasks(using.command)}
    return Snippets(tasks=_json(tasks), keybindings=_json(rules.keybindings(machine.system)))


def _json(content: object) -> str:
    return json.dumps(content, indent=4, ensure_ascii=False)


def _workspace(folder: Path) -> Target:
    """The tasks of a folder. Failed(code="editor_missing") where there is none."""
    if not folder.is_dir():
        raise Failed(
            f"There is no folder {folder}.",
            code="editor_missing",
            details={"editor": WORKSPACE, "looked_in": [str(folder)]},
            actions=("Name the folder that you open in the editor: --workspace PATH",),
        )
    return Target(editor=WORKSPACE, profile="", tasks=folder / ".vscode" / "tasks.json", keybindings=None)


def files_to_install(machine: Machine, choice: Choice, context: Context, *, dry_run: bool) -> tuple[Target, ...]:
    """The files to install into, once the user agreed where nobody named the editors."""
    if choice.workspace is not None:
        return (_workspace(choice.workspace),)
    if place := place_of(machine, choice):
        raise _elsewhere(place, snippets_for(machine, machine.program()))
    there = _chosen(machine, choice)
    if len(there) > 1 and not choice.editors and not dry_run:
        names = ", ".join(PRODUCTS.get(editor.name, editor.name) for editor in there)
        if not context.confirm(f"Install the hotkeys in {names}?"):
            raise ConfirmationNeeded(
                f"Several editors are installed here: {names}. Nothing was written.",
                code="not_confirmed",
                details={"editors": [editor.name for editor in there]},
                actions=(
                    "Install in all of them: embctl install-vscode --yes",
                    f"Or choose: embctl install-vscode --editor {there[0].name}",
                ),
            )
    return _profiles(there, choice.profile, every=choice.all_profiles)


def place_of(machine: Machine, choice: Choice) -> str | None:
    """Where this process runs when that is not where the editor reads; None when the user named the files."""
    if choice.editors or choice.user_dir is not None:
        return None
    served = any(editor.name == SERVER and editor.folder.is_dir() for editor in _known(machine))
    return elsewhere(machine.env, served=served)


def _known(machine: Machine) -> tuple[Editor, ...]:
    return editors(machine.env, machine.home, machine.system)


def _chosen(machine: Machine, choice: Choice) -> tuple[Editor, ...]:
    if choice.user_dir is not None:
        return (_at(choice.user_dir),)
    known = _known(machine)
    if choice.editors:
        return named(known, choice.editors)
    there: dict[Path, Editor] = {}
    for editor in known:
        if editor.folder.is_dir():
            there.setdefault(editor.folder, editor)  # a portable editor's folder is that of every product
    if not there:
        if place := place_of(machine, choice):
            raise _elsewhere(place, snippets_for(machine, machine.program()))
        raise Failed(
            "No editor was found on this machine.",
            code="editor_missing",
            details={"editor": None, "looked_in": [str(editor.folder) for editor in known]},
            actions=(
                "Start the editor once, or give its folder: embctl install-vscode --user-dir PATH",
                "Or paste by hand what this prints: embctl vscode print",
            ),
        )
    return tuple(there.values())


def _at(folder: Path) -> Editor:
    """The folder itself, or the one named User in it: people know the one that `--user-data-dir` takes."""
    user = folder / "User" if (folder / "User").is_dir() else folder
    if not user.is_dir():
        raise Failed(
            f"There is no folder {folder}.",
            code="editor_missing",
            details={"editor": None, "looked_in": [str(folder)]},
            actions=("Give the folder User of the editor's data: --user-dir PATH",),
        )
    return Editor(name=str(user), folder=user)


def files_of(machine: Machine, choice: Choice) -> tuple[Target, ...]:
    """The files that are looked at, or cleared: of every profile where none was named."""
    if choice.workspace is not None:
        return (_workspace(choice.workspace),)
    every = choice.all_profiles or not choice.profile
    return _profiles(_chosen(machine, choice), choice.profile, every=every)


def _profiles(there: Sequence[Editor], profile: str, *, every: bool) -> tuple[Target, ...]:
    return tuple(target for editor in there for target in targets(editor, profile, every=every))


def _elsewhere(place: str, snippets: Snippets) -> Failed:
    return Failed(
        f"This is {place}: the editor reads its files on the machine in front of you, so nothing was written here.\n"
        "Open there, with the command palette, Tasks: Open User Tasks, and paste:\n"
        f"{snippets.tasks}\n"
        "and then Preferences: Open Keyboard Shortcuts (JSON):\n"
        f"{snippets.keybindings}",
        code="editor_elsewhere",
        details={"place": place, "tasks": json.loads(snippets.tasks), "keybindings": json.loads(snippets.keybindings)},
        actions=(
            "On that machine, with embctl installed there: embctl install-vscode",
            "Write here all the same: embctl install-vscode --editor NAME, or --user-dir PATH",
        ),
    )
