"""The project that these tests belong to, indexed as an editor does it, and what questions find in it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from e2e.indexing import Database, Embedder, collection_name, index, read_project
from e2e.questions import QUESTIONS
from e2e.stack import Reply, Stack

__all__ = ["ENOUGH", "ROOT", "Indexed", "answered", "indexed_project"]

ROOT = Path(__file__).parents[2]
FIRST = 5
ENOUGH = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Indexed:
    """The project's own blocks in the database, `points` with the clients' own metadata point."""

    embedder: Embedder
    database: Database
    points: int

    def ask(self) -> dict[str, list[str]]:
        """The first distinct files that each question finds, best first."""
        vectors = self.embedder.embed(list(QUESTIONS))
        return {
            question: list(dict.fromkeys(str(found["filePath"]) for found in self.database.search(vector)))[:FIRST]
            for question, vector in zip(QUESTIONS, vectors, strict=True)
        }


def answered(answers: Mapping[str, Sequence[str]]) -> list[str]:
    """The questions that found one of their files."""
    return [question for question, files in answers.items() if QUESTIONS[question] & set(files)]


@contextmanager
def indexed_project(stack: Stack, started: Reply) -> Iterator[Indexed]:
    """The first scan; the collection stays."""
    facts = started.service("jina")["facts"]
    blocks = read_project(ROOT)
    with (
        Embedder(stack.jina_url, str(facts["model"])) as embedder,
        Database(stack.qdrant_url, collection_name(ROOT)) as database,
    ):
        assert database.version().count(".") == 2
        database.create(int(facts["dimension"]))
        assert index(blocks, embedder, database) == len(blocks) > 200
        database.mark_complete(int(facts["dimension"]))
        assert database.count() == len(blocks) + 1
        yield Indexed(embedder=embedder, database=database, points=len(blocks) + 1)
