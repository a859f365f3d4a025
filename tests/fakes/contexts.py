"""What a flow is given, around an engine and a stack of the test's own."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event

from embctl.clock import SystemClock
from embctl.engine.base import Engine
from embctl.flows.context import Context
from embctl.http import Http
from embctl.model import StackSpec
from settings_layers import from_layers

__all__ = ["context_on"]


@contextmanager
def context_on(engine: Engine, spec: StackSpec, folder: Path) -> Iterator[Context]:
    """Default settings, real time, nobody to ask; state goes to `folder`."""
    with Http() as http:
        yield Context(
            settings=from_layers(folder),
            spec=spec,
            connect=lambda: engine,
            http=http,
            clock=SystemClock(),
            emit=lambda _: None,
            cancel=Event(),
            state_dir=folder / "state",
            remembered_file=folder / "remembered.toml",
            wait_for_lock=True,
            confirm=lambda _: False,
            dimension=None,
        )
