"""The editors: whether our tasks in them are up to date, and whether two indexers would get in each other's way."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from embctl.doctor.check import Check, Judgement, fail, ok, skipped, warn
from embctl.doctor.examination import Examination
from embctl.doctor.scene import Scene
from embctl.errors import EmbctlError
from embctl.outcomes import EditorStatus, Remedy, RemedyKind

__all__ = ["EDITOR", "EditorFacts", "look"]

# Where editors keep extensions, below the home folder; each in a folder PUBLISHER.NAME-VERSION.
EXTENSIONS = tuple(
    f"{product}/extensions"
    for product in (".vscode", ".vscode-insiders", ".vscode-oss", ".cursor", ".windsurf", ".vscode-server")
)
# Those that name the collection of one folder alike.
INDEXERS = {
    "rooveterinaryinc.roo-cline": "Roo Code",
    "zoocodeorganization.zoo-code": "Zoo Code",
    "kilocode.kilo-code": "Kilo Code",
}
INSTALL = "Renew them: embctl install-vscode"


@dataclass(frozen=True, slots=True, kw_only=True)
class EditorFacts:
    """The state of our files by editor and profile, or the `trouble` that there was; the indexers that are installed,
    with the editors' folders that have them."""

    editors: tuple[EditorStatus, ...]
    trouble: str
    indexers: Mapping[str, tuple[str, ...]]


def look(scene: Scene) -> EditorFacts:
    """Reads the editors' files, and the names of their extensions' folders."""
    editors: tuple[EditorStatus, ...] = ()
    trouble = ""
    try:
        editors = scene.editors()
    except EmbctlError as error:
        trouble = error.message.partition("\n")[0]
    return EditorFacts(editors=editors, trouble=trouble, indexers=_indexers(scene.home))


def _indexers(home: Path) -> dict[str, tuple[str, ...]]:
    found: dict[str, set[str]] = {}
    for place in EXTENSIONS:
        folder = home / place
        names = [each.name.lower() for each in folder.iterdir()] if folder.is_dir() else []
        for prefix, indexer in INDEXERS.items():
            if any(name.startswith(f"{prefix}-") for name in names):
                found.setdefault(indexer, set()).add(place.partition("/")[0])
    return {indexer: tuple(sorted(places)) for indexer, places in sorted(found.items())}


def _tasks(facts: EditorFacts) -> Judgement:
    if facts.trouble:
        return skipped(facts.trouble)
    unreadable = [each for each in facts.editors if "unreadable" in {each.tasks, each.keybindings}]
    if unreadable:
        return fail("; ".join(f"{_name(each)}: {each.detail}" for each in unreadable), "Correct the file in the editor")
    used = [each for each in facts.editors if {each.tasks, each.keybindings} != {"absent"}]
    if not used:
        return skipped("no editor has them; embctl install-vscode puts them there")
    old = [
        each
        for each in used
        if "outdated" in {each.tasks, each.keybindings} or (each.command and not each.command_found)
    ]
    if old:
        remedies = [Remedy(kind=RemedyKind.HOTKEYS, subject=each.editor, profile=each.profile) for each in old]
        why = [
            f"{_name(each)}: {'made by another embctl' if each.command_found else f'{each.command} is gone'}"
            for each in old
        ]
        return warn("; ".join(why), INSTALL, *remedies)
    return ok(f"up to date in {', '.join(map(_name, used))}")


def _name(status: EditorStatus) -> str:
    return f"{status.editor} ({status.profile})" if status.profile else status.editor


def _both(facts: EditorFacts) -> Judgement:
    if not facts.indexers:
        return skipped("none of the indexers that are known was found among the editors' extensions")
    listed = ", ".join(f"{indexer} ({', '.join(places)})" for indexer, places in facts.indexers.items())
    if len(facts.indexers) > 1:
        return warn(
            f"{listed} name the collection of one folder alike: each destroys the other's index",
            "Index with one of them, or give each a Qdrant of its own: --project NAME --port-offset 100",
        )
    return ok(listed)


EDITOR = Examination(
    noun="editor",
    look=look,
    checks=(
        Check(id="editor.tasks", looks_at="whether embctl's tasks and hotkeys are up to date", judge=_tasks),
        Check(id="editor.indexers", looks_at="extensions that would write to the same collections", judge=_both),
    ),
)
