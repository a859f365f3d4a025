"""A build context is the same bytes wherever and whenever it is packed."""

import io
import os
import tarfile
from pathlib import Path

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
    assert packed(one, "Dockerfile", "app", "app/run") == packed(other, "app/run", "app", "Dockerfile")


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
