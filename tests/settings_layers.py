"""Settings loaded from layers that a test spells out."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from embctl.catalogue import CatalogueEntry
from embctl.errors import ConfigInvalid
from embctl.settings import Settings, load

__all__ = ["KNOWN_MODELS", "from_layers", "refusal"]

KNOWN_MODELS = (
    CatalogueEntry(name="jina-code-v2", ids=("jinaai/jina-embeddings-v2-base-code",), on_hub=True, dimension=768),
    CatalogueEntry(name="minilm", ids=("sentence-transformers/all-MiniLM-L6-v2",), on_hub=False, dimension=384),
)


def from_layers(
    tmp_path: Path,
    *,
    flags: Mapping[str, object] | None = None,
    env: Mapping[str, str] | None = None,
    project: str | bytes | None = None,
    user: str | None = None,
) -> Settings:
    user_file, project_file = tmp_path / "config.toml", tmp_path / ".embctl.toml"
    if user is not None:
        user_file.write_text(user)
    if project is not None:
        project_file.write_bytes(project if isinstance(project, bytes) else project.encode())
    return load(
        flags=flags or {}, env=env or {}, user_file=user_file, project_file=project_file, catalogue=KNOWN_MODELS
    )


def refusal(tmp_path: Path, **layers: Any) -> ConfigInvalid:
    with pytest.raises(ConfigInvalid) as caught:
        from_layers(tmp_path, **layers)
    assert caught.value.code == "config_invalid"
    assert caught.value.actions
    return caught.value
