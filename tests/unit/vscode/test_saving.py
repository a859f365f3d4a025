"""A file of the user's is the old or the new one, whole, whatever is in the way."""

import os
import stat
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from embctl.errors import Conflict, Failed
from embctl.vscode.saving import load, save
from small_disk import fill, small_disk

MOMENT = datetime(2026, 1, 31, 8, 5, 9, tzinfo=UTC)
OLD, NEW = b"// old\r\n[]", b"// new\r\n[1]"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "user" / "tasks.json"
    path.parent.mkdir()
    path.write_bytes(OLD)
    return path


def beside(file: Path) -> list[str]:
    return sorted(path.name for path in file.parent.iterdir() if path != file)


def test_the_backup_is_the_old_file_byte_for_byte_and_dated(file: Path) -> None:
    backup = save(load(file), NEW, MOMENT)
    assert backup == file.with_name("tasks.json.20260131-080509.bak")
    assert backup.read_bytes() == OLD
    assert file.read_bytes() == NEW
    assert beside(file) == [backup.name]


def test_a_second_backup_of_the_same_second_has_another_name(file: Path) -> None:
    first, second = save(load(file), NEW, MOMENT), save(load(file), OLD, MOMENT)
    assert first
    assert second
    assert (first.read_bytes(), second.read_bytes()) == (OLD, NEW)


def test_a_new_file_has_no_backup(tmp_path: Path) -> None:
    assert save(load(tmp_path / "tasks.json"), NEW, MOMENT) is None
    assert (tmp_path / "tasks.json").read_bytes() == NEW


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps no such modes")
def test_the_mode_is_kept(file: Path) -> None:
    file.chmod(0o666)  # more than the umask lets through
    save(load(file), NEW, MOMENT)
    assert stat.S_IMODE(file.stat().st_mode) == 0o666


@pytest.mark.skipif(os.name == "nt", reason="making links takes a right on Windows")
@pytest.mark.parametrize("there", [True, False], ids=["to a file", "to nothing"])
def test_a_link_stays_one_and_what_it_leads_to_is_written(file: Path, tmp_path: Path, *, there: bool) -> None:
    link = tmp_path / "tasks.json"
    link.symlink_to(file)
    if not there:
        file.unlink()
    save(load(link), NEW, MOMENT)
    assert link.readlink() == file
    assert file.read_bytes() == NEW


@pytest.mark.skipif(os.name == "nt", reason="making links takes a right on Windows")
def test_a_circle_of_links_is_named(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.symlink_to(other)
    other.symlink_to(one)
    with pytest.raises(Failed, match=r"one cannot be read") as caught:
        load(one)
    assert caught.value.code == "editor_file_unreadable"


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(Failed, match="it is a folder") as caught:
        load(tmp_path)
    assert caught.value.code == "editor_file_unreadable"


def test_a_read_only_file_is_refused(file: Path) -> None:
    file.chmod(0o444)
    with pytest.raises(Failed, match="it is read-only") as caught:
        save(load(file), NEW, MOMENT)
    assert caught.value.code == "editor_file_unwritable"
    assert file.read_bytes() == OLD
    assert not beside(file)


def test_what_somebody_else_wrote_meanwhile_is_not_touched(file: Path) -> None:
    original = load(file)
    file.write_bytes(b"theirs")
    with pytest.raises(Conflict) as caught:
        save(original, NEW, MOMENT)
    assert caught.value.code == "editor_file_changed"
    assert file.read_bytes() == b"theirs"
    assert not beside(file)


def test_a_full_disk_leaves_the_old_file_and_nothing_beside(tmp_path: Path) -> None:
    with small_disk(tmp_path, size="1m") as disk:
        file = disk / "tasks.json"
        file.write_bytes(OLD)
        fill(disk)
        with pytest.raises(Failed, match="No space left") as caught:
            save(load(file), NEW, MOMENT)
        assert caught.value.code == "editor_file_unwritable"
        assert file.read_bytes() == OLD
        assert beside(file) == ["filler"]


@pytest.mark.parametrize("replaced", [True, False], ids=["just after", "just before"])
def test_an_interrupt_around_the_replacement_keeps_the_old_bytes(
    file: Path, monkeypatch: pytest.MonkeyPatch, *, replaced: bool
) -> None:
    replace: Callable[[Path, Path], Path] = Path.replace

    def interrupted(source: Path, target: Path) -> Path:
        if replaced:
            replace(source, target)
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupted)
    original = load(file)
    with pytest.raises(KeyboardInterrupt):
        save(original, NEW, MOMENT)
    if replaced:
        assert file.read_bytes() == NEW
        assert [(file.parent / name).read_bytes() for name in beside(file)] == [OLD]
    else:
        assert file.read_bytes() == OLD
        assert not beside(file)
