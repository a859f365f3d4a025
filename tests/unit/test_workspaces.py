"""Collections and the folders that they index, found by hashing."""

import hashlib

import pytest

from embctl.workspaces import collection_of, is_index, owners, path_of


def test_a_collection_is_named_by_the_hash_of_the_folders_path() -> None:
    path = "/home/me/projects/größe"
    assert collection_of(path) == "ws-" + hashlib.sha256(path.encode()).hexdigest()[:16]


@pytest.mark.parametrize(
    ("name", "could_be"),
    [("ws-0123456789abcdef", True), ("ws-0123456789ABCDEF", False), ("ws-0123456789abcde", False), ("mine", False)],
)
def test_only_such_names_are_taken_for_indexes_of_folders(name: str, could_be: bool) -> None:
    assert is_index(name) is could_be


def test_each_collection_gets_the_folder_of_its_hash_and_others_none() -> None:
    names = [collection_of("/a"), collection_of("/b"), "other"]
    assert owners(names, ["/c", "/b", "/a"]) == {collection_of("/a"): "/a", collection_of("/b"): "/b"}


@pytest.mark.parametrize(
    ("hashed", "known"),
    [("/home/me/x", "/home/me/x/"), ("c:\\x", "C:\\x"), ("C:\\x", "c:\\x\\"), ("/", "/")],
)
def test_a_final_slash_and_the_drives_letter_do_not_matter(hashed: str, known: str) -> None:
    assert owners([collection_of(hashed)], [known]) == {collection_of(hashed): known}


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("file:///home/ada/my%20code", "/home/ada/my code"),
        ("file:///c%3A/Users/ada/x", "c:\\Users\\ada\\x"),
        ("file:///C%3A/x", "c:\\x"),
        ("file://server/share", None),
        ("vscode-remote://wsl%2Bubuntu/home/ada", None),
        ("file://", None),
    ],
)
def test_an_editors_uri_becomes_the_path_that_it_hashes(uri: str, path: str | None) -> None:
    assert path_of(uri) == path
