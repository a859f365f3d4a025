"""What stands for an image where there are none: the packages beside embctl that a service's module needs."""

import hashlib
import re
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from embctl import __version__
from embctl.model import ObservedImage, ServiceSpec

__all__ = ["Images"]

REQUIREMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
LEFT_OUT = frozenset({"__pycache__"})


class Images:
    """Of the modules in the folder `server`, each beside its requirements-MODULE.txt, for the interpreter `python`."""

    def __init__(self, server: Path, python: str) -> None:
        self._server = server
        self._python = python

    def find(self, service: ServiceSpec) -> ObservedImage | None:
        """The service's image; None when the module or one of its packages is not installed. Its id changes with
        everything that a process once started keeps on running with."""
        if service.native is None or self.missing(service):
            return None
        module = service.native.module
        digest = hashlib.sha256("\0".join((__version__, self._python, sys.version, *self._versions(module))).encode())
        for file in self._files(module):
            digest.update(b"\0" + file.relative_to(self._server).as_posix().encode() + b"\0" + file.read_bytes())
        return ObservedImage(reference=service.image, id=f"native:{__version__}:{digest.hexdigest()}", labels={})

    def missing(self, service: ServiceSpec) -> tuple[str, ...]:
        """What of it is not installed."""
        if service.native is None:
            return ("a definition for the native runtime",)
        module = service.native.module
        absent = tuple(name for name in self._requirements(module) if _version(name) is None)
        return absent if (self._server / module / "__main__.py").is_file() else (module, *absent)

    def _requirements(self, module: str) -> Iterator[str]:
        try:
            lines = (self._server / f"requirements-{module}.txt").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return
        for line in lines:
            if match := REQUIREMENT.match(line.strip()):
                yield match[0]

    def _versions(self, module: str) -> Iterator[str]:
        for name in self._requirements(module):
            yield f"{name}=={_version(name)}"

    def _files(self, module: str) -> list[Path]:
        return sorted(
            file
            for file in (self._server / module).rglob("*")
            if file.is_file() and not LEFT_OUT.intersection(file.parts)
        )


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None
