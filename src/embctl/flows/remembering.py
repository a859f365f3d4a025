"""What `start --embedded` chose holds for the project's later commands too, until it is started otherwise or taken
down: a restart by hotkey must not change the runtime and the model under an index."""

from pathlib import Path

from embctl.settings import Settings

__all__ = ["forget", "remember"]


def remember(file: Path, settings: Settings) -> None:
    """Write the runtime and the model in force to the project's file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_suffix(".new")
    fresh.write_text(f'runtime = "{settings.runtime}"\nmodel = "{settings.model}"\n', encoding="utf-8")
    fresh.replace(file)


def forget(file: Path) -> None:
    """Nothing is remembered of the project any more."""
    file.unlink(missing_ok=True)
