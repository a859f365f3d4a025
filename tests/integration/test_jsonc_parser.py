"""The editors' own parser of such files reads what embctl reads, before and after. `tests/jsonc_fuzz.py` does it at
length."""

import pytest

import npm_workspace
from jsonc_fuzz import run


@pytest.fixture(scope="module")
def node() -> str:
    """A Node with the parser."""
    return npm_workspace.node()


def test_no_changed_file_reads_differently_in_the_editor(node: str) -> None:
    counts = run(node, edits=1_000, seed=20)
    assert counts.edits == 1_000
    assert counts.unreadable > 100
