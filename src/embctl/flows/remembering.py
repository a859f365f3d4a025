"""What a project's last start decided holds for its later commands, until it is started otherwise or taken down: a
restart by hotkey must not change the runtime, or the model that `--embedded` chose, under an index."""

import json
import tomllib
from pathlib import Path

from embctl.flows.context import Context
from embctl.model import Runtime
from embctl.settings import Source

__all__ = ["forget", "remember"]


def remember(context: Context, *, model: bool) -> None:
    """Keep the runtime that is used now, and with `model` the model too; a model that was kept and is still the one in
    force stays kept."""
    kept = {"runtime": str(context.connect().info().runtime)}
    if model or context.settings.origins["model"].source is Source.REMEMBERED:
        kept["model"] = context.settings.model
    file = context.remembered_file
    # What JSON quotes is a string of TOML too.
    text = "".join(f"{key} = {json.dumps(value)}\n" for key, value in kept.items())
    if file.is_file() and file.read_text(encoding="utf-8") == text:
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_suffix(".new")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(file)


def forget(file: Path, runtime: Runtime) -> None:
    """Nothing is remembered any more of a project that was taken down on `runtime`; what belongs to the other stays."""
    if file.is_file() and tomllib.loads(file.read_text(encoding="utf-8")).get("runtime") == runtime:
        file.unlink()
