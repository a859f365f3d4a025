"""docs/configuration.md says what the code does."""

import re
from pathlib import Path

import pytest

from embctl.compose.service import SERVICE_KEYS
from settings_layers import from_layers
from settings_table import PAGE, with_tables, written

TEXT = PAGE.read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)


@pytest.mark.parametrize("name", ["settings", "models"])
def test_a_table_is_what_the_program_says(name: str) -> None:
    assert written(TEXT, name).strip()
    assert written(TEXT, name) == written(with_tables(TEXT), name), "run: python tests/settings_table.py"


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_is_valid(example: str, tmp_path: Path) -> None:
    settings = from_layers(tmp_path, project=example)
    assert any(origin.place for origin in settings.origins.values())


def test_every_supported_key_of_a_service_is_listed() -> None:
    listed = re.findall(r"`([a-z_-]+)`", TEXT[TEXT.index("- a service:") : TEXT.index("- variables:")])
    assert set(SERVICE_KEYS) <= set(listed)
