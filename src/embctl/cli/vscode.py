"""The commands about editors: install-vscode, vscode install, status, uninstall and print, and help-hotkeys."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from embctl.cli.options import ALL, Options, with_options
from embctl.cli.wiring import run, this_machine

if TYPE_CHECKING:
    from embctl.flows.editor_choice import Choice

__all__ = ["register"]

app = typer.Typer(
    help="Tasks and hotkeys in VS Code and its relatives.\n\nExample: embctl vscode status", rich_markup_mode=None
)

Editors = Annotated[
    list[str] | None, typer.Option("--editor", metavar="NAME", help="Only this editor, such as code; repeatable.")
]
UserDir = Annotated[Path | None, typer.Option("--user-dir", help="The editor's folder User, wherever it is.")]
Profile = Annotated[str, typer.Option("--profile", help="A profile of the editor instead of the default one.")]
AllProfiles = Annotated[bool, typer.Option("--all-profiles", help="The default profile and all others.")]
Workspace = Annotated[
    Path | None, typer.Option("--workspace", metavar="FOLDER", help="Only tasks, in FOLDER/.vscode/tasks.json.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print what would change as a diff; write nothing.")]


def _choice(
    editors: list[str] | None = None,
    user_dir: Path | None = None,
    profile: str = "",
    workspace: Path | None = None,
    *,
    all_profiles: bool = False,
) -> "Choice":
    from embctl.flows.editor_choice import Choice

    ways = {"--editor": editors, "--user-dir": user_dir, "--workspace": workspace}
    if len(given := [name for name, value in ways.items() if value]) > 1:
        raise typer.BadParameter(f"{' and '.join(given)} name different files: choose one.")
    if workspace and (profile or all_profiles):
        raise typer.BadParameter("A workspace has no profiles: leave out --profile and --all-profiles.")
    if profile and all_profiles:
        raise typer.BadParameter("--profile and --all-profiles contradict each other: choose one.")
    return Choice(
        editors=tuple(editors or ()),
        user_dir=user_dir,
        profile=profile,
        all_profiles=all_profiles,
        workspace=workspace,
    )


@with_options
def install(
    options: Options,
    *,
    editor: Editors = None,
    user_dir: UserDir = None,
    profile: Profile = "",
    all_profiles: AllProfiles = False,
    workspace: Workspace = None,
    force: Annotated[bool, typer.Option("--force", help="Take chords that your own rules use, too.")] = False,
    dry_run: DryRun = False,
) -> int:
    """Put embctl's tasks and hotkeys into your editors; a backup stays beside each file.

    Example: embctl install-vscode --editor code --dry-run
    """
    from embctl.flows.editors import install as flow

    choice = _choice(editor, user_dir, profile, workspace, all_profiles=all_profiles)
    if workspace and force:
        raise typer.BadParameter("A workspace has no keybindings, so there is nothing to --force.")
    return run(
        "vscode install", options, lambda context: flow(context, this_machine(), choice, force=force, dry_run=dry_run)
    )


@with_options
def uninstall(
    options: Options,
    *,
    editor: Editors = None,
    user_dir: UserDir = None,
    profile: Profile = "",
    all_profiles: AllProfiles = False,
    workspace: Workspace = None,
    dry_run: DryRun = False,
) -> int:
    """Take embctl's tasks and hotkeys out of your editors, and nothing else.

    Example: embctl vscode uninstall --dry-run
    """
    from embctl.flows.editors import uninstall as flow

    choice = _choice(editor, user_dir, profile, workspace, all_profiles=all_profiles)
    return run("vscode uninstall", options, lambda context: flow(context, this_machine(), choice, dry_run=dry_run))


@with_options
def status(
    options: Options,
    *,
    editor: Editors = None,
    user_dir: UserDir = None,
    profile: Profile = "",
    all_profiles: AllProfiles = False,
) -> int:
    """Show, by editor and profile, whether tasks and hotkeys are there and up to date.

    Example: embctl vscode status
    """
    from embctl.flows.editors import status as flow

    choice = _choice(editor, user_dir, profile, all_profiles=all_profiles)
    return run("vscode status", options, lambda _: flow(this_machine(), choice))


@with_options
def print_(options: Options) -> int:
    """Print tasks and keybindings for pasting.

    Example: embctl vscode print
    """
    from embctl.flows.editors import print_snippets

    return run("vscode print", options, lambda _: print_snippets(this_machine()))


@with_options
def help_hotkeys(options: Options) -> int:
    """Show the hotkeys, and both services as they are now.

    Example: embctl help-hotkeys
    """
    from embctl.flows.hotkeys import help_hotkeys as flow
    from embctl.vscode.hotkeys import this_system

    return run("help-hotkeys", options, lambda context: flow(context, ALL, this_system()))


def register(root: typer.Typer) -> None:
    """Add the group and the two commands beside it."""
    app.command("install")(install)
    for command in (status, uninstall):
        app.command()(command)
    app.command("print")(print_)
    root.add_typer(app, name="vscode")
    root.command("install-vscode")(install)
    root.command("help-hotkeys")(help_hotkeys)
