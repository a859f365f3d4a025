"""Settings, and where they come from."""

from rich.console import RenderableType
from rich.text import Text

from embctl.outcomes import ConfigPaths, ConfigShown, ConfigValid
from embctl.report.views.view import table_of, view


@view.register
def _(data: ConfigShown) -> RenderableType:
    origins = any(row.origin for row in data.settings)
    table = table_of("SETTING", "VALUE", "ORIGIN") if origins else table_of("SETTING", "VALUE")
    for row in data.settings:
        table.add_row(row.key, _written(row.value), *([row.origin or ""] if origins else []))
    return table


def _written(value: object) -> str:
    """As a settings file has it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


@view.register
def _(data: ConfigPaths) -> RenderableType:
    table = table_of("WHAT", "WHERE")
    table.add_row("user settings", data.user_file)
    table.add_row("project settings", data.project_file or "none (.embctl.toml in this folder or above)")
    table.add_row("state", data.state_dir)
    table.add_row("definition of the services", data.bundle)
    return table


@view.register
def _(data: ConfigValid) -> RenderableType:
    return Text("\n".join(f"valid: {file}" for file in data.files))
