"""What every view is made with: the dispatch by kind of data, tables, colours, text that must not be wrapped."""

from functools import singledispatch

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.segment import Segment
from rich.table import Table

__all__ = ["BAD", "BUSY", "DIM", "GOOD", "Verbatim", "table_of", "view"]

GOOD, BAD, BUSY, DIM = "green", "red", "yellow", "dim"


def table_of(*columns: str) -> Table:
    """An empty table without lines."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for column in columns:
        # A URL that is broken over two lines cannot be clicked.
        table.add_column(column, overflow="fold", no_wrap=column == "URL")
    return table


class Verbatim:
    """Text for other programs and for pasting: no line is wrapped, no tab becomes blanks."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The text as it is."""
        yield Segment(self._text)


@singledispatch
def view(data: object) -> RenderableType | None:
    """The renderable for a command's data; None when there is nothing to say."""
    raise TypeError(f"no view for {type(data).__name__}")
