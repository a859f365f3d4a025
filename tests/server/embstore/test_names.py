"""No collection name leaves the storage folder, and no two share a folder."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embstore.errors import InvalidValue
from embstore.names import check_name, folder_of


@pytest.mark.parametrize("name", ["", "x" * 256, "a/b", "a\\b", "a:b", "a*", "a?", 'a"', "a\0", "<a>", "a|b"])
def test_a_name_that_qdrant_refuses_is_refused(name: str) -> None:
    with pytest.raises(InvalidValue, match="Validation error in path parameters: "):
        check_name(name)


@given(st.text(min_size=1, max_size=255))
def test_every_folder_is_one_plain_component(name: str) -> None:
    folder = folder_of(name)
    assert set(folder) <= set("abcdefghijklmnopqrstuvwxyz0123456789_-~")
    assert 1 <= len(folder) <= 100


def test_names_that_some_file_systems_confuse_have_different_folders() -> None:
    names = ["a", "A", "con", "nul", "a.", "a ", "..", "~a", "é", "e\u0301"]
    assert len({folder_of(name) for name in names}) == len(names)


def test_what_indexers_call_their_collections_is_readable_on_disk() -> None:
    assert folder_of("ws-0123456789abcdef") == "ws-0123456789abcdef"
