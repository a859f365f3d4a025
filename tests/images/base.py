"""A stand-in for the base image of the project's Dockerfiles, made without any registry from Debian's own packages.

What a machine without a registry does instead of pulling; users never run this. The stand-in also carries this host's
certificates, pip configuration and local wheels, so that a build inside it installs packages as the host would. It must
never go under the name of the image that it stands in for: that one is the machine owner's.
"""

import ast
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from filelock import FileLock

from images.docker_cli import docker, image_labels, image_size

__all__ = ["BASE", "SERVER", "CannotMake", "cache_folder", "ensure_base", "pinned_base"]

BASE = "embctl-tests/python:3.11"

SERVER = Path(__file__).parents[2] / "server"
HERE = Path(__file__).parent / "base"
SUITE = "bookworm"
ROOTFS_REFERENCE = f"embctl-tests/debian:{SUITE}"
INPUTS_LABEL = "io.embctl.test-inputs"
CA_BUNDLE = "etc/ssl/certs/ca-certificates.crt"


class CannotMake(Exception):
    """The stand-ins cannot be made on this machine; the message is the reason."""


def pinned_base() -> str:
    """The base image that the server's Dockerfile names."""
    for line in (SERVER / "Dockerfile").read_text(encoding="utf-8").splitlines():
        if line.startswith("ARG BASE_IMAGE="):
            return line.partition("=")[2].strip()
    message = "server/Dockerfile names no BASE_IMAGE"
    raise LookupError(message)


def cache_folder(env: Mapping[str, str]) -> Path:
    """Where the Debian system is kept between runs: E2E_CACHE, else the user's cache folder."""
    if env.get("E2E_CACHE"):
        return Path(env["E2E_CACHE"])
    return Path(env.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "embctl-tests"


def ensure_base(env: Mapping[str, str]) -> str:
    """Make the base image unless the engine has one of exactly these inputs; return its reference.

    Raises CannotMake, unless there is at least one of other inputs.
    """
    with tempfile.TemporaryDirectory(prefix="embctl-base-") as folder:
        overlay = Path(folder)
        _write_overlay(overlay / "root", env)
        shutil.copy(HERE / "Dockerfile", overlay / "Dockerfile")
        digest = _digest(overlay)
        labels = image_labels(BASE)
        if labels is not None and labels.get(INPUTS_LABEL) == digest:
            return BASE
        try:
            _ensure_rootfs(env)
        except CannotMake:
            if labels is None:
                raise
            return BASE
        docker("build", "--tag", BASE, "--label", f"{INPUTS_LABEL}={digest}", str(overlay))
    return BASE


def _ensure_rootfs(env: Mapping[str, str]) -> None:
    """Import the Debian system into the engine: cached, else made by debootstrap as root (a minute)."""
    if image_size(ROOTFS_REFERENCE) is not None:
        return
    cache = cache_folder(env)
    archive = cache / f"debian-{SUITE}.tar.gz"
    cache.mkdir(parents=True, exist_ok=True)
    with FileLock(cache / "lock"):
        if not archive.exists():
            _debootstrap(archive)
    docker("import", str(archive), ROOTFS_REFERENCE)


def _debootstrap(archive: Path) -> None:
    if shutil.which("debootstrap") is None:
        raise CannotMake("debootstrap, which makes the stand-in images' Debian, is not installed")
    if os.geteuid() != 0:
        raise CannotMake("debootstrap, which makes the stand-in images' Debian, needs root")
    with tempfile.TemporaryDirectory(prefix="debootstrap-", dir=archive.parent) as folder:
        root = Path(folder) / "rootfs"
        include = "--include=python3,python3-venv,ca-certificates"
        command = ["debootstrap", "--variant=minbase", include, SUITE, str(root)]
        code = subprocess.run(command, check=False, stdout=sys.stderr).returncode
        if code:
            raise CannotMake(f"debootstrap, which makes the stand-in images' Debian, failed (exit code {code})")
        for name in ("python", "python3"):
            (root / "usr/local/bin" / name).symlink_to("/usr/bin/python3")
        part = Path(folder) / "rootfs.tar.gz"
        leave_out = ["./dev/*", "./proc/*", "./sys/*", "./var/cache/apt/*", "./var/lib/apt/lists/*"]
        subprocess.run(
            ["tar", "--numeric-owner", *(f"--exclude={path}" for path in leave_out), "-C", root, "-czf", part, "."],
            check=True,
            env={**os.environ, "GZIP": "-1"},
        )
        part.replace(archive)


def _write_overlay(root: Path, env: Mapping[str, str]) -> None:
    """What this host adds to plain Debian: its certificates, pip's configuration, and the folders that one names."""
    bundle = Path(env.get("SSL_CERT_FILE") or f"/{CA_BUNDLE}")
    certificates = root / CA_BUNDLE
    certificates.parent.mkdir(parents=True)
    if bundle.exists():  # else Debian's own stay
        shutil.copyfile(bundle, certificates)
    options = {**_pip_options(), "cert": f"/{CA_BUNDLE}"}
    # A local index may refer to files anywhere; a folder of wheels is complete in itself, so only those are carried.
    options["find-links"] = "\n  ".join(_carry(place, root) for place in options.get("find-links", "").split())
    options["extra-index-url"] = " ".join(
        place for place in options.get("extra-index-url", "").split() if _local_folder(place) is None
    )
    lines = [f"{key} = {value}" for key, value in sorted(options.items()) if value]
    (root / "etc/pip.conf").write_text("\n".join(["[global]", *lines, ""]), encoding="utf-8")


def _pip_options() -> dict[str, str]:
    """The host's pip configuration, files and environment together, as pip itself reports it."""
    listing = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], check=True, capture_output=True, text=True
    ).stdout
    options: dict[str, str] = {}
    for scope in ("global.", ":env:."):
        for line in listing.splitlines():
            name, _, value = line.partition("=")
            if name.startswith(scope):
                options[name.removeprefix(scope)] = str(ast.literal_eval(value))
    return {key: value for key, value in options.items() if key in _USED_PIP_OPTIONS}


_USED_PIP_OPTIONS = frozenset(
    {"default-timeout", "extra-index-url", "find-links", "index-url", "no-index", "timeout", "trusted-host"}
)


def _local_folder(place: str) -> Path | None:
    url = urlsplit(place)
    if url.scheme == "file":
        return Path(unquote(url.path))
    return None if url.scheme else Path(place)


def _carry(place: str, root: Path) -> str:
    """Copy the local folder that `place` names to the same path under `root`."""
    folder = _local_folder(place)
    if folder is not None and folder.is_dir():
        shutil.copytree(folder, root / folder.relative_to("/"), dirs_exist_ok=True)
    return place


def _digest(folder: Path) -> str:
    """sha256 over paths and contents, so that a changed certificate or wheel makes a new image."""
    total = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        with file.open("rb") as content:
            total.update(f"{file.relative_to(folder)}\0{hashlib.file_digest(content, 'sha256').hexdigest()}\n".encode())
    return total.hexdigest()
