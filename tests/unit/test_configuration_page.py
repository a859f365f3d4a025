"""docs/configuration.md says what the code does."""

import re
from pathlib import Path

import pytest

from embctl.compose.service import SERVICE_KEYS
from settings_layers import from_layers
from settings_table import BEGIN, END, PAGE, table

TEXT = PAGE.read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)


def test_the_table_is_that_of_the_settings() -> None:
    written = TEXT[TEXT.index(BEGIN) : TEXT.index(END) + len(END)]
    assert written == table(), "run: python tests/settings_table.py"


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_is_valid(example: str, tmp_path: Path) -> None:
    settings = from_layers(tmp_path, project=example)
    assert any(origin.place for origin in settings.origins.values())


def test_every_supported_key_of_a_service_is_listed() -> None:
    listed = re.findall(r"`([a-z_]+)`", TEXT[TEXT.index("- a service:") : TEXT.index("- variables:")])
    assert set(SERVICE_KEYS) <= set(listed)
