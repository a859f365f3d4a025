"""The editors: their files, and the hotkeys."""

from rich.console import Group, RenderableType
from rich.text import Text

from embctl.outcomes import EditorsChanged, EditorsSeen, Help, Snippets
from embctl.report.views.services import facts_line
from embctl.report.views.view import BAD, BUSY, DIM, GOOD, Verbatim, table_of, view
from embctl.report.wording import keys

_INSTALLED = {"installed": GOOD, "outdated": BUSY, "absent": DIM}


@view.register
def _(data: EditorsChanged) -> RenderableType:
    parts: list[RenderableType] = []
    for each in data.files:
        parts.append(Text(f"{each.file}: {each.change}"))
        if each.backup:
            parts.append(Text(f"  before: {each.backup}", style=DIM))
        if each.diff:
            parts.append(Verbatim(each.diff))
    return Group(*parts)


@view.register
def _(data: EditorsSeen) -> RenderableType:
    table = table_of("EDITOR", "PROFILE", "TASKS", "HOTKEYS", "RUNS")
    notes = []
    for each in data.editors:
        table.add_row(
            Text(each.editor, style="bold"),
            each.profile or "Default",
            Text(each.tasks, style=_INSTALLED.get(each.tasks, BAD)),
            Text(each.keybindings, style=_INSTALLED.get(each.keybindings, BAD)),
            each.command or "-",
        )
        if each.taken:
            notes.append(f"{each.editor}: your own rules use {', '.join(each.taken)}")
        if each.command and not each.command_found:
            notes.append(f"{each.editor}: {each.command} is gone: embctl install-vscode")
        elif "outdated" in {each.tasks, each.keybindings}:
            notes.append(f"{each.editor}: made by another embctl, or with other options: embctl install-vscode")
        if each.detail:
            notes.append(f"{each.editor}: {each.detail}")
    return Group(table, *(Text(note, style=DIM) for note in notes))


@view.register
def _(data: Snippets) -> RenderableType:
    return Group(
        Text("Tasks: Open User Tasks", style="bold"),
        Verbatim(f"{data.tasks}\n"),
        Text("Preferences: Open Keyboard Shortcuts (JSON)", style="bold"),
        Verbatim(f"{data.keybindings}\n"),
    )


@view.register
def _(data: Help) -> RenderableType:
    table = table_of("KEYS", "DOES", "TASK")
    for row in data.hotkeys:
        table.add_row(Text(keys(row.chords[0]), style="bold cyan"), row.does, Text(row.task, style=DIM))
        if row.chords[-1] != row.chords[0] and "[" not in row.chords[-1]:
            table.add_row(Text(keys(row.chords[-1]), style="bold cyan"), Text("the same", style=DIM), "")
    services = [
        Text.assemble(
            (f"{service.service:<8}", "bold"),
            (service.stage or service.state, GOOD if service.stage == "warm" else BUSY),
            (f"  {service.url}  {facts_line(service.facts)}".rstrip(), DIM),
        )
        for service in data.services
    ]
    trouble = [Text(f"The services cannot be seen: {data.trouble}", style=BUSY)] if data.trouble else []
    return Group(table, Text(""), *services, *trouble)
