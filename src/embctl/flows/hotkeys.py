"""The help that a hotkey shows: the table, and both services now. Never fails for what does not run."""

from embctl.errors import EmbctlError
from embctl.flows.context import Context
from embctl.flows.status import status
from embctl.outcomes import Help, HotkeyRow
from embctl.result import Result
from embctl.vscode.hotkeys import HOTKEYS, System

__all__ = ["help_hotkeys"]


def help_hotkeys(context: Context, services: tuple[str, ...], system: System) -> Result[Help]:
    """The hotkeys of this system, and what a status says of the services."""
    rows = tuple(HotkeyRow(chords=each.chords(system), task=each.label, does=each.does) for each in HOTKEYS)
    try:
        seen, trouble = status(context, services).data.services, ""
    except EmbctlError as error:
        seen, trouble = (), error.message
    return Result(command="help-hotkeys", data=Help(hotkeys=rows, services=seen, trouble=trouble))
