"""What is embedded: functions out of Python's own library, cut as the editors' indexers cut code.

Deterministic, and no text twice: a server that computes equal texts once has no gain from it.
"""

import ast
import random
import sysconfig
from functools import cache
from pathlib import Path

__all__ = ["LONGEST", "SHORTEST", "blocks", "long_text", "searches", "sources"]

SHORTEST, LONGEST = 50, 1150  # characters, the indexers' own bounds
_SEED = 20240612
_WORD = 5  # letters of a word worth asking for
_LEFT_OUT = {"test", "tests", "site-packages", "dist-packages", "idlelib", "lib2to3", "__pycache__"}


@cache
def sources() -> tuple[str, ...]:
    """The library's files, in the order of their names."""
    root = Path(sysconfig.get_path("stdlib"))
    files = sorted(path for path in root.rglob("*.py") if not _LEFT_OUT & set(path.relative_to(root).parts))
    return tuple(path.read_text(encoding="utf-8", errors="replace") for path in files)


@cache
def blocks() -> tuple[str, ...]:
    """Every block of 50 to 1150 characters, shuffled."""
    found: dict[str, None] = {}
    for source in sources():
        try:
            tree = ast.parse(source)
        except SyntaxError:
            continue
        lines = source.splitlines(keepends=True)
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None:
                found.update(dict.fromkeys(_pieces(lines[node.lineno - 1 : node.end_lineno])))
    shuffled = list(found)
    random.Random(_SEED).shuffle(shuffled)  # noqa: S311 - repeatable, no secret
    return tuple(shuffled)


def searches(count: int) -> list[str]:
    """Short questions, no two alike."""
    words = sorted(
        {word for source in sources()[:40] for word in source.split() if word.isalpha() and len(word) >= _WORD}
    )
    chosen = random.Random(_SEED)  # noqa: S311 - a sample, no secret
    return [f"where is the {' '.join(chosen.sample(words, 4))} handled" for _ in range(count)]


def long_text() -> str:
    """More than 8192 tokens of code."""
    return max(sources(), key=len)[:80_000].strip()


def _pieces(lines: list[str]) -> list[str]:
    """A function, in parts where it is too long; parts that are too short are left out, as the indexers do.

    No white space around them: an older sentence-transformers, Infinity's, takes it off before it counts tokens.
    """
    pieces, piece = [], ""
    for line in lines:
        if len(piece) + len(line) > LONGEST:
            pieces.append(piece)
            piece = ""
        piece += line
    return [piece for piece in (part.strip() for part in [*pieces, piece]) if SHORTEST <= len(piece) <= LONGEST]
