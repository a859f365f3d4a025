"""Build contexts: which files belong to one, and what an image is made from as one hash. The only part of the reading
that looks at files other than the compose files."""

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from embctl.errors import ConfigInvalid
from embctl.model import BuildSpec

__all__ = ["Build", "build_spec"]

Build = Callable[[Path, str, str | None, Mapping[str, str]], BuildSpec]

_IGNORE_FILE = ".dockerignore"
_BYTECODE = ("**/__pycache__", "**/*.pyc")


def build_spec(context: Path, dockerfile: str, target: str | None, args: Mapping[str, str]) -> BuildSpec:
    """The build from the folder `context`: its files are the Dockerfile and all that the ignore file leaves in, never
    Python's bytecode; its digest is SHA-256 over the options and, of every file, its path and its bytes, or where a
    link points. ConfigInvalid(code="build_context_missing") without a Dockerfile."""
    if not (context / dockerfile).is_file():
        raise ConfigInvalid(
            f"The image cannot be built: {context / dockerfile} does not exist.",
            code="build_context_missing",
            actions=("Install embctl again, or restore the file.",),
            details={"context": str(context), "dockerfile": dockerfile},
        )
    files = tuple(sorted({dockerfile, *_visible(context)}))
    options = json.dumps({"dockerfile": dockerfile, "target": target, "args": dict(args)}, sort_keys=True)
    return BuildSpec(
        context=context,
        dockerfile=dockerfile,
        target=target,
        args=args,
        files=files,
        digest=_digest(options, context, files),
    )


def _digest(options: str, context: Path, files: tuple[str, ...]) -> str:
    digest = hashlib.sha256()
    digest.update(hashlib.sha256(options.encode()).digest())
    for relative in files:
        path = context / relative
        content = str(path.readlink()).encode() if path.is_symlink() else path.read_bytes()
        digest.update(hashlib.sha256(relative.encode()).digest())
        digest.update(hashlib.sha256(content).digest())
    return digest.hexdigest()


def _visible(context: Path) -> Iterator[str]:
    rules = _rules(context)
    for folder, folders, files in os.walk(context):
        names = [name for name in folders if (Path(folder) / name).is_symlink()]
        for name in (*names, *files):
            relative = (Path(folder) / name).relative_to(context).as_posix()
            if not _ignored(relative, rules):
                yield relative


def _rules(context: Path) -> tuple[tuple[bool, re.Pattern[str]], ...]:
    """(ignored or kept again, pattern) in the order in which they apply, the last match deciding."""
    ignore_file = context / _IGNORE_FILE
    lines = ignore_file.read_text(encoding="utf-8-sig").splitlines() if ignore_file.is_file() else []
    patterns = [line.strip() for line in lines if not line.startswith("#") and line.strip()]
    return tuple((not text.startswith("!"), _pattern(text.removeprefix("!"))) for text in (*patterns, *_BYTECODE))


def _ignored(relative: str, rules: tuple[tuple[bool, re.Pattern[str]], ...]) -> bool:
    verdict = False
    for ignored, pattern in rules:
        if pattern.fullmatch(relative):
            verdict = ignored
    return verdict


def _pattern(text: str) -> re.Pattern[str]:
    """The engine's rules: paths from the context's root, `*` and `?` within one part, `**` over any number of parts,
    and whatever lies below a match matches too."""
    parts = [part for part in text.strip().strip("/").split("/") if part not in {"", "."}]
    expression = "/".join("**" if part == "**" else _part(part) for part in parts)
    expression = expression.replace("**/", "(?:.*/)?").replace("/**", "/.*").replace("**", ".*")
    return re.compile(f"{expression}(?:/.*)?", re.DOTALL)


def _part(text: str) -> str:
    pieces = re.split(r"(\*+|\?|\[[^\]]+\])", text)
    return "".join(_piece(piece) for piece in pieces)


def _piece(piece: str) -> str:
    if piece.startswith("*"):
        return "[^/]*"
    if piece == "?":
        return "[^/]"
    return piece if piece.startswith("[") else re.escape(piece)
