"""Hotkeys in the editors: `vscode install`, `uninstall`, `status` and `print`. All files are read and planned before
the first is written."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embctl.clock import now
from embctl.errors import ConfirmationNeeded, EmbctlError, Failed
from embctl.flows.context import Context
from embctl.flows.locking import editors_lock
from embctl.jsonc import NotJsonc, decoded
from embctl.outcomes import EditorFile, EditorsChanged, EditorsSeen, EditorStatus, Snippets
from embctl.result import Result
from embctl.vscode import rules
from embctl.vscode.block import KEYBINDINGS, TASKS, Block, NotOurs, Place
from embctl.vscode.chords import normalised
from embctl.vscode.difference import difference
from embctl.vscode.editors import PRODUCTS, SERVER, Editor, Target, editors, named, targets
from embctl.vscode.hotkeys import System
from embctl.vscode.program import Program, found, program
from embctl.vscode.saving import Original, load, refuse_read_only, save
from embctl.vscode.surroundings import elsewhere

__all__ = ["Choice", "Machine", "install", "print_snippets", "status", "uninstall"]

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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Edit:
    """A file with what is to be in it; None for no file."""

    target: Target
    original: Original
    text: str | None

    @property
    def content(self) -> bytes | None:
        return None if self.text is None else self.text.encode("utf-8")

    @property
    def change(self) -> str:
        if self.content == self.original.content:
            return "unchanged"
        if self.content is None:
            return "removed"
        return "created" if self.original.content is None else "changed"


def install(
    context: Context, machine: Machine, choice: Choice, *, force: bool = False, dry_run: bool = False
) -> Result[EditorsChanged] | Result[None]:
    """Put tasks and keybindings into the chosen files; a second install changes nothing. A chord that the user's own
    rules use stays theirs, unless `force`."""
    warnings: list[str] = []
    chosen: tuple[Target, ...]
    if choice.workspace is not None:
        chosen = (_workspace(choice.workspace),)
        # A folder's tasks are shared with people who have embctl elsewhere.
        using = Program(command="embctl")
        warnings.append("A workspace has no keybindings: put those into your editor with embctl install-vscode.")
    else:
        using = machine.program()
        chosen = _targets(machine, choice, context, dry_run=dry_run)
    if using.warning:
        warnings.append(using.warning)
    snippets = _snippets(machine, using)

    def plan() -> list[_Edit]:
        edits = []
        for target in chosen:
            edits.append(_installed(target, load(target.tasks), TASKS, rules.tasks(using.command), snippets))
            if target.keybindings is not None:
                original = load(target.keybindings)
                taken = {} if force else _taken(_block(original, KEYBINDINGS, snippets), machine.system)
                notices = [_notice(target.keybindings, chord, command) for chord, command in taken.items()]
                # Profiles may share the file.
                warnings.extend(notice for notice in notices if notice not in warnings)
                wanted = rules.keybindings(machine.system, without=taken)
                edits.append(_installed(target, original, KEYBINDINGS, wanted, snippets))
        return edits

    return _carry_out(context, "vscode install", plan, warnings, dry_run=dry_run)


def uninstall(
    context: Context, machine: Machine, choice: Choice, *, dry_run: bool = False
) -> Result[EditorsChanged] | Result[None]:
    """Take exactly ours out of the chosen files, of all profiles where none was named."""
    chosen: tuple[Target, ...]
    if choice.workspace is not None:
        chosen = (_workspace(choice.workspace),)
    else:
        every = choice.all_profiles or not choice.profile
        chosen = _profiles(_chosen(machine, choice), choice.profile, every=every)
    snippets = _snippets(machine, Program(command="embctl"))

    def plan() -> list[_Edit]:
        edits = []
        for target in chosen:
            for file, place in ((target.tasks, TASKS), (target.keybindings, KEYBINDINGS)):
                if file is not None:
                    original = load(file)
                    edits.append(_removed(target, original, place, snippets))
        return edits

    return _carry_out(context, "vscode uninstall", plan, [], dry_run=dry_run)


def status(machine: Machine, choice: Choice) -> Result[EditorsSeen]:
    """What each editor and profile has of ours."""
    using = machine.program()
    chosen = _profiles(_chosen(machine, choice), choice.profile, every=choice.all_profiles or not choice.profile)
    place = _place(machine, choice)
    return Result(
        command="vscode status",
        data=EditorsSeen(editors=tuple(_status(each, machine, using) for each in chosen)),
        warnings=(f"This is {place}: the editor in front of you reads the files of its own machine.",) if place else (),
    )


def print_snippets(machine: Machine) -> Result[Snippets]:
    """What to paste where nothing may be written."""
    using = machine.program()
    return Result(
        command="vscode print", data=_snippets(machine, using), warnings=(using.warning,) if using.warning else ()
    )


def _snippets(machine: Machine, using: Program) -> Snippets:
    tasks = {"version": "2.0.0", "tasks": rules.tasks(using.command)}
    return Snippets(tasks=_json(tasks), keybindings=_json(rules.keybindings(machine.system)))


def _json(content: object) -> str:
    return json.dumps(content, indent=4, ensure_ascii=False)


# Which files


def _workspace(folder: Path) -> Target:
    if not folder.is_dir():
        raise Failed(
            f"There is no folder {folder}.",
            code="editor_missing",
            details={"editor": WORKSPACE, "looked_in": [str(folder)]},
            actions=("Name the folder that you open in the editor: --workspace PATH",),
        )
    return Target(editor=WORKSPACE, profile="", tasks=folder / ".vscode" / "tasks.json", keybindings=None)


def _targets(machine: Machine, choice: Choice, context: Context, *, dry_run: bool) -> tuple[Target, ...]:
    """The files to install into, once the user agreed where nobody named the editors."""
    if place := _place(machine, choice):
        raise _elsewhere(place, _snippets(machine, machine.program()))
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


def _place(machine: Machine, choice: Choice) -> str | None:
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
        if place := _place(machine, choice):
            raise _elsewhere(place, _snippets(machine, machine.program()))
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


# What is to be in them


def _block(original: Original, place: Place, snippets: Snippets) -> Block:
    """Raises Failed(code="editor_file_invalid") with what to paste instead."""
    try:
        return Block(None if original.content is None else decoded(original.content), place)
    except (NotJsonc, NotOurs) as error:
        raise _invalid(original.path, error, place, snippets) from None


def _invalid(path: Path, error: NotJsonc | NotOurs, place: Place, snippets: Snippets) -> Failed:
    where = f"{path}:{error.line}:{error.column}"
    return Failed(
        f"{where}: {error.reason}. Nothing was written.\n"
        "To do it by hand, paste:\n"
        f"{snippets.tasks if place is TASKS else snippets.keybindings}",
        code="editor_file_invalid",
        details={"file": str(path), "line": error.line, "column": error.column, "reason": error.reason},
        actions=(f"Correct {where} in the editor, then run this again.",),
    )


def _installed(
    target: Target,
    original: Original,
    place: Place,
    wanted: Sequence[Mapping[str, Any]],
    snippets: Snippets,
) -> _Edit:
    block = _block(original, place, snippets)
    try:
        text = block.installed(wanted)
    except (NotJsonc, NotOurs) as error:
        raise _invalid(original.path, error, place, snippets) from None
    return _Edit(target=target, original=original, text=text)


def _removed(target: Target, original: Original, place: Place, snippets: Snippets) -> _Edit:
    block = _block(original, place, snippets)
    try:
        text = block.removed()
    except NotOurs as error:
        raise _invalid(original.path, error, place, snippets) from None
    return _Edit(target=target, original=original, text=text)


def _taken(block: Block, system: System) -> dict[str, str]:
    """The chords of ours that the user's own rules use, with what those run. A rule that takes a command away from its
    chord uses nothing."""
    theirs = {
        normalised(rule["key"]): str(rule.get("command", ""))
        for rule in block.others
        if isinstance(rule.get("key"), str) and not str(rule.get("command", "")).startswith("-")
    }
    ours = [rule["key"] for rule in rules.keybindings(system)]
    return {chord: theirs[normalised(chord)] for chord in ours if normalised(chord) in theirs}


def _notice(file: Path, chord: str, command: str) -> str:
    return f"{chord} stays yours, for {command} ({file}); --force gives it to embctl."


def _carry_out(
    context: Context, command: str, plan: Callable[[], list[_Edit]], warnings: list[str], *, dry_run: bool
) -> Result[EditorsChanged] | Result[None]:
    if dry_run:
        files = tuple(_file(edit, diff=_diff(edit)) for edit in _once(plan()))
        return Result(command=command, data=EditorsChanged(files=files), warnings=tuple(warnings))
    written: list[EditorFile] = []
    with editors_lock(context):
        edits = _once(plan())
        for edit in edits:
            if edit.change != "unchanged":
                refuse_read_only(edit.original)
        try:
            written.extend(_file(edit, backup=_write(edit)) for edit in edits)
        except EmbctlError as error:
            before = [each for each in written if each.change != "unchanged"]
            error.message += "".join(f" Before that, {each.file} was {each.change}." for each in before)
            error.details = {**error.details, "written": before}
            return Result(command=command, data=None, changed=bool(before), error=error)
    changed = any(each.change != "unchanged" for each in written)
    return Result(command=command, data=EditorsChanged(files=tuple(written)), changed=changed, warnings=tuple(warnings))


def _once(edits: Sequence[_Edit]) -> list[_Edit]:
    """Each file once: profiles may share it."""
    return list({edit.original.path: edit for edit in edits}.values())


def _write(edit: _Edit) -> Path | None:
    if edit.change == "unchanged":
        return None
    if edit.target.editor == WORKSPACE or edit.target.profile:
        # The folder of a workspace or of a profile is made by whoever comes first.
        edit.original.path.parent.mkdir(parents=True, exist_ok=True)
    return save(edit.original, edit.content, now().astimezone())


def _file(edit: _Edit, *, backup: Path | None = None, diff: str = "") -> EditorFile:
    return EditorFile(
        editor=edit.target.editor,
        profile=edit.target.profile,
        file=str(edit.original.path),
        change=edit.change,
        backup=str(backup) if backup else None,
        diff=diff,
    )


def _diff(edit: _Edit) -> str:
    before = (edit.original.content or b"").decode("utf-8")
    return difference(str(edit.original.path), before, edit.text or "")


# What is there


def _status(target: Target, machine: Machine, using: Program) -> EditorStatus:
    snippets = _snippets(machine, using)
    tasks, ours, trouble = _look(target.tasks, TASKS, lambda _: rules.tasks(using.command), snippets)
    taken: dict[str, str] = {}

    def wanted(block: Block) -> list[dict[str, str]]:
        taken.update(_taken(block, machine.system))
        return rules.keybindings(machine.system, without=taken)

    keybindings, _, more = _look(target.keybindings or Path(), KEYBINDINGS, wanted, snippets)
    command = next((task.get("command") for task in ours if isinstance(task, dict)), None)
    return EditorStatus(
        editor=target.editor,
        profile=target.profile,
        tasks_file=str(target.tasks),
        tasks=tasks,
        keybindings_file=str(target.keybindings),
        keybindings=keybindings,
        taken=tuple(taken),
        command=command if isinstance(command, str) else None,
        command_found=isinstance(command, str) and found(command, machine.home),
        detail="; ".join(filter(None, (trouble, more))),
    )


def _look(
    file: Path, place: Place, wanted: Callable[[Block], Sequence[Any]], snippets: Snippets
) -> tuple[str, list[Any], str]:
    """The state of ours in a file, ours, and why it cannot be read."""
    try:
        block = _block(load(file), place, snippets)
    except EmbctlError as error:
        return "unreadable", [], error.message.split("\n", maxsplit=1)[0]
    if not block.ours:
        return "absent", [], ""
    return "installed" if block.ours == list(wanted(block)) else "outdated", block.ours, ""
