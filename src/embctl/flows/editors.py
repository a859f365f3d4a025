"""Hotkeys in the editors: `vscode install`, `uninstall`, `status` and `print`. All files are read and planned before
the first is written."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embctl.clock import now
from embctl.errors import EmbctlError, Failed, Interrupted
from embctl.flows.context import Context
from embctl.flows.editor_choice import (
    Choice,
    Machine,
    files_of,
    files_to_install,
    place_of,
    snippets_for,
)
from embctl.flows.locking import editors_lock
from embctl.jsonc import NotJsonc, decoded
from embctl.outcomes import EditorFile, EditorsChanged, EditorsSeen, EditorStatus, Snippets
from embctl.result import Result
from embctl.vscode import rules
from embctl.vscode.block import KEYBINDINGS, TASKS, Block, NotOurs, Place
from embctl.vscode.chords import normalised
from embctl.vscode.difference import difference
from embctl.vscode.editors import Target
from embctl.vscode.hotkeys import System
from embctl.vscode.program import Program, found
from embctl.vscode.saving import Original, load, refuse_read_only, save

__all__ = ["Choice", "Machine", "install", "print_snippets", "status", "uninstall"]


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
    chosen = files_to_install(machine, choice, context, dry_run=dry_run)
    if choice.workspace is not None:
        # A folder's tasks are shared with people who have embctl elsewhere.
        using = Program(command="embctl")
        warnings.append("A workspace has no keybindings: put those into your editor with embctl install-vscode.")
    else:
        using = machine.program()
    if using.warning:
        warnings.append(using.warning)
    snippets = snippets_for(machine, using)

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
    chosen = files_of(machine, choice)
    snippets = snippets_for(machine, Program(command="embctl"))

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
    chosen = files_of(machine, choice)
    place = place_of(machine, choice)
    return Result(
        command="vscode status",
        data=EditorsSeen(editors=tuple(_status(each, machine, using) for each in chosen)),
        warnings=(f"This is {place}: the editor in front of you reads the files of its own machine.",) if place else (),
    )


def print_snippets(machine: Machine) -> Result[Snippets]:
    """What to paste where nothing may be written."""
    using = machine.program()
    return Result(
        command="vscode print", data=snippets_for(machine, using), warnings=(using.warning,) if using.warning else ()
    )


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
        except (EmbctlError, KeyboardInterrupt) as error:
            return _broken_off(command, error, written, warnings)
    changed = any(each.change != "unchanged" for each in written)
    return Result(command=command, data=EditorsChanged(files=tuple(written)), changed=changed, warnings=tuple(warnings))


def _broken_off(
    command: str, error: EmbctlError | KeyboardInterrupt, written: list[EditorFile], warnings: list[str]
) -> Result[None]:
    """An end in the midst of the files, with those that were written before it."""
    if isinstance(error, KeyboardInterrupt):
        error = Interrupted("Interrupted. Run the same command again for the rest.", code="interrupted")
    before = [each for each in written if each.change != "unchanged"]
    error.message += "".join(f" Before that, {each.file} was {each.change}." for each in before)
    error.details = {**error.details, "written": before}
    return Result(command=command, data=None, changed=bool(before), warnings=tuple(warnings), error=error)


def _once(edits: Sequence[_Edit]) -> list[_Edit]:
    """Each file once: profiles may share it."""
    return list({edit.original.path: edit for edit in edits}.values())


def _write(edit: _Edit) -> Path | None:
    if edit.change == "unchanged":
        return None
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
    snippets = snippets_for(machine, using)
    tasks, ours, trouble = _look(target.tasks, TASKS, lambda _: [rules.tasks(using.command)], snippets)
    taken: dict[str, str] = {}

    def wanted(block: Block) -> list[list[dict[str, str]]]:
        taken.update(_taken(block, machine.system))
        # The second is what --force installs.
        return [rules.keybindings(machine.system, without=taken), rules.keybindings(machine.system)]

    keybindings, _, more = _look(target.keybindings, KEYBINDINGS, wanted, snippets)
    command = next((task.get("command") for task in ours if isinstance(task, dict)), None)
    return EditorStatus(
        editor=target.editor,
        profile=target.profile,
        tasks_file=str(target.tasks),
        tasks=tasks,
        keybindings_file=str(target.keybindings or ""),
        keybindings=keybindings,
        taken=tuple(taken),
        command=command if isinstance(command, str) else None,
        command_found=isinstance(command, str) and found(command, machine.home),
        detail="; ".join(filter(None, (trouble, more))),
    )


def _look(
    file: Path | None, place: Place, wanted: Callable[[Block], Sequence[list[dict[str, Any]]]], snippets: Snippets
) -> tuple[str, list[Any], str]:
    """The state of ours in a file, one of the `wanted` sets or not, ours, and why it cannot be read."""
    if file is None:
        return "absent", [], ""
    try:
        block = _block(load(file), place, snippets)
    except EmbctlError as error:
        return "unreadable", [], error.message.split("\n", maxsplit=1)[0]
    if not block.ours:
        return "absent", [], ""
    return "installed" if block.ours in wanted(block) else "outdated", block.ours, ""
