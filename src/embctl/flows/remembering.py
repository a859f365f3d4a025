"""What a project's last start decided holds for its later commands, until it is started otherwise or its data is
deleted: a restart by hotkey must not change the runtime, or the model or device that an option named, under an
index."""

import json
import tomllib
from pathlib import Path

from embctl.flows.context import Context
from embctl.model import Runtime
from embctl.settings import Source

__all__ = ["forget", "remember"]


def remember(context: Context) -> None:
    """Keep the runtime that is used now, and the model and the device that only this command line, or one before it,
    names: what is written in a file or in the environment is found there again."""
    settings = context.settings
    named = {"model": settings.model, "jina.device": settings.jina_device}
    kept = {"runtime": str(context.connect().info().runtime)} | {
        key: value for key, value in named.items() if settings.origins[key].source in {Source.FLAG, Source.REMEMBERED}
    }
    file = context.remembered_file
    # What JSON quotes is a string of TOML too, but for its pairs of escapes; settings hold no control characters.
    text = "".join(f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in kept.items())
    if file.is_file() and file.read_text(encoding="utf-8") == text:
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_suffix(".new")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(file)


def forget(file: Path, runtime: Runtime) -> None:
    """Nothing is remembered any more of a project whose data on `runtime` is gone; what belongs to the other stays."""
    if file.is_file() and tomllib.loads(file.read_text(encoding="utf-8")).get("runtime") == runtime:
        file.unlink()
