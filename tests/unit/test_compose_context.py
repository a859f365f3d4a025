"""The digest of a build context changes exactly when the image could."""

from collections.abc import Callable
from pathlib import Path

import pytest

from embctl.compose.context import build_spec
from embctl.errors import ConfigInvalid


def digest(context: Path, dockerfile: str = "Dockerfile", target: str | None = None, **args: str) -> str:
    return build_spec(context, dockerfile, target, args).digest


@pytest.fixture
def context(tmp_path: Path) -> Path:
    folder = tmp_path / "context"
    (folder / "package").mkdir(parents=True)
    (folder / "Dockerfile").write_text("FROM scratch\n")
    (folder / "package" / "module.py").write_text("one = 1\n")
    (folder / "notes.txt").write_text("notes\n")
    (folder / "link").symlink_to("notes.txt")
    (folder / "spare").symlink_to("Dockerfile")
    return folder


CHANGES: dict[str, Callable[[Path], object]] = {
    "another content": lambda context: (context / "package" / "module.py").write_text("two = 2\n"),
    "another Dockerfile": lambda context: (context / "Dockerfile").write_text("FROM other\n"),
    "one more file": lambda context: (context / "package" / "empty.py").touch(),
    "one file less": lambda context: (context / "notes.txt").unlink(),
    "another name": lambda context: (context / "notes.txt").rename(context / "note.txt"),
    "another link": lambda context: (context / "spare").replace(context / "link"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_any_change_of_the_files_changes_the_digest(context: Path, change: Callable[[Path], object]) -> None:
    before = digest(context)
    change(context)
    assert digest(context) != before


def test_the_options_of_the_build_count(context: Path) -> None:
    (context / "Other").write_text("FROM scratch\n")
    digests = {
        digest(context),
        digest(context, "Other"),
        digest(context, target="stage"),
        digest(context, A="1"),
        digest(context, A="2"),
    }
    assert len(digests) == 5


def test_the_order_of_arguments_and_the_place_of_the_folder_do_not_count(context: Path, tmp_path: Path) -> None:
    before = digest(context, A="1", B="2")
    moved = context.rename(tmp_path / "moved")
    assert digest(moved, B="2", A="1") == before


def test_bytecode_never_counts(context: Path) -> None:
    before = digest(context)
    (context / "package" / "__pycache__").mkdir()
    (context / "package" / "__pycache__" / "module.cpython-311.pyc").write_bytes(b"x")
    (context / "stray.pyc").write_bytes(b"x")
    assert digest(context) == before


def test_content_moved_from_one_file_to_the_next_changes_the_digest(context: Path) -> None:
    (context / "a").write_text("xy")
    (context / "b").write_text("z")
    before = digest(context)
    (context / "a").write_text("x")
    (context / "b").write_text("yz")
    assert digest(context) != before


@pytest.mark.parametrize(
    ("ignore", "path", "ignored"),
    [
        ("notes", "notes", True),
        ("/notes/", "notes", True),
        ("notes", "deep/notes", False),
        ("notes", "notes/below", True),
        ("*.md", "a.md", True),
        ("*.md", "deep/a.md", False),
        ("**/*.md", "deep/er/a.md", True),
        ("**/*.md", "a.md", True),
        ("deep/**", "deep/er/a", True),
        ("deep/**/a", "deep/a", True),
        ("a?c", "abc", True),
        ("a?c", "a/c", False),
        ("[ab].txt", "b.txt", True),
        ("a.c", "abc", False),
        ("# notes", "# notes", False),
        ("*\n!notes", "notes", False),
        ("!notes\n*", "notes", True),
        ("  notes  \n\n", "notes", True),
        ("./notes", "notes", True),
        ("Dockerfile", "Dockerfile", False),
    ],
)
def test_what_the_ignore_file_names_does_not_count(context: Path, ignore: str, path: str, ignored: bool) -> None:
    (context / ".dockerignore").write_text(ignore)
    (context / path).parent.mkdir(parents=True, exist_ok=True)
    (context / path).write_text("FROM one\n")
    before = digest(context)
    (context / path).write_text("FROM two\n")
    assert (digest(context) == before) is ignored


def test_the_files_that_belong_are_listed_for_whoever_packs_them(context: Path) -> None:
    (context / ".dockerignore").write_text("*\n!package/*.py\n")
    (context / "package" / "module.pyc").touch()
    assert build_spec(context, "Dockerfile", None, {}).files == ("Dockerfile", "package/module.py")


def test_a_context_without_its_dockerfile_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalid, match="does not exist") as caught:
        digest(tmp_path)
    assert caught.value.code == "build_context_missing"
