"""What the running services offer, as far as a client's settings say it."""

from dataclasses import dataclass

__all__ = ["Served"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """`model` is a name that the embedding server answers to, `dimension` the length of its vectors, `threshold` the
    lowest cosine that counts as a hit, None where nobody measured it. URLs without a final slash; Qdrant's with its
    port, for which clients would otherwise take 80. `api_key` is the embedding server's, empty where any will do."""

    model: str
    dimension: int
    threshold: float | None
    openai_url: str
    qdrant_url: str
    api_key: str = ""
    qdrant_key: str = ""
