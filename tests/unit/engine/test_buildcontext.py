"""A build context is the same bytes wherever and whenever it is packed."""

import io
import os
import tarfile
from pathlib import Path

import pytest

from embctl.compose.context import build_spec
from embctl.engine.buildcontext import pack


def packed(root: Path, *names: str) -> bytes:
    target = io.BytesIO()
    pack(root, names, target)
    return target.read()


def write(root: Path) -> None:
    (root / "app").mkdir(parents=True)
    (root / "Dockerfile").write_text("FROM scratch\n")
    (root / "app/run").write_text("#!/bin/sh\n")


def test_times_owners_and_order_do_not_matter(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    write(one)
    write(other)
    os.utime(other / "Dockerfile", (1, 1))
    (other / "Dockerfile").chmod(0o600)
    assert packed(one, "Dockerfile", "app/run") == packed(other, "app/run", "Dockerfile")


def test_contents_names_and_executable_bits_do_matter(tmp_path: Path) -> None:
    write(tmp_path)
    before = packed(tmp_path, "app/run")
    (tmp_path / "app/run").chmod(0o755)
    executable = packed(tmp_path, "app/run")
    (tmp_path / "app/run").write_text("#!/bin/sh\ntrue\n")
    assert len({before, executable, packed(tmp_path, "app/run"), packed(tmp_path, "Dockerfile")}) == 4


def test_links_stay_links_and_second_names_become_files(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "soft").symlink_to("Dockerfile")
    (tmp_path / "hard").hardlink_to(tmp_path / "Dockerfile")
    with tarfile.open(fileobj=io.BytesIO(packed(tmp_path, "Dockerfile", "hard", "soft"))) as archive:
        assert archive.getmember("soft").linkname == "Dockerfile"
        second = archive.extractfile("hard")
        assert archive.getmember("hard").isreg()
        assert second is not None
        assert second.read() == b"FROM scratch\n"


@pytest.mark.parametrize("ignore", [None, "app\n", "*\n!app/deep/run\n", "**/r*\n.dockerignore\n"])
def test_what_is_packed_is_what_the_digest_covers_and_the_folders_around_it(tmp_path: Path, ignore: str | None) -> None:
    write(tmp_path)
    (tmp_path / "app/deep/__pycache__").mkdir(parents=True)
    for name in ("app/deep/run", "app/deep/__pycache__/run.pyc", "stray.pyc"):
        (tmp_path / name).touch()
    (tmp_path / "empty").mkdir()
    if ignore is not None:
        (tmp_path / ".dockerignore").write_text(ignore)
    files = build_spec(tmp_path, "Dockerfile", None, {}).files
    with tarfile.open(fileobj=io.BytesIO(packed(tmp_path, *files))) as archive:
        members = archive.getmembers()
    assert [member.name for member in members if not member.isdir()] == list(files)
    folders = {member.name: member.mode for member in members if member.isdir()}
    assert folders == {str(folder): 0o755 for file in files for folder in Path(file).parents if folder.name}
