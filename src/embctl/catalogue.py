"""The models that are known by name, as far as embctl needs them: it holds the setting `model` against their names.

Reads the catalogue that the embedding server carries; what else is said there of a model is the server's business.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from embctl.errors import Failed

__all__ = ["CatalogueEntry", "dimension_of", "read", "threshold_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueEntry:
    """A model. `ids` are its names elsewhere; `on_hub` says that its files come from the model hub, which knows it by
    them and at many revisions, and not from a package of one version. `dimension` is the length of its vectors,
    `threshold` the lowest cosine that a search should call a hit, None where nobody measured it."""

    name: str
    ids: tuple[str, ...]
    on_hub: bool
    dimension: int
    threshold: float | None = None


def read(path: Path) -> tuple[CatalogueEntry, ...]:
    """The models of a catalogue file, in its order. Failed(code="bundle_damaged") when it cannot be understood: it is
    part of the installation, so no setting can be to blame."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        return tuple(_entry(name, given) for name, given in content.items())
    except (OSError, ValueError) as error:
        raise Failed(
            f"This installation of embctl is damaged: its catalogue of models, {path}, cannot be read: {error}.",
            code="bundle_damaged",
            actions=("Install embctl again.",),
            details={"file": str(path), "reason": str(error)},
        ) from error


def dimension_of(model: str, catalogue: tuple[CatalogueEntry, ...]) -> int | None:
    """The length of the vectors of the model that goes by that name or id; None where the catalogue has none."""
    return next((entry.dimension for entry in catalogue if model in (entry.name, *entry.ids)), None)


def threshold_of(model: str, catalogue: tuple[CatalogueEntry, ...]) -> float | None:
    """The measured search threshold of the model that goes by that name or id; None where there is none."""
    return next((entry.threshold for entry in catalogue if model in (entry.name, *entry.ids)), None)


def _entry(name: str, given: object) -> CatalogueEntry:
    match given:
        case {"ids": list(ids), "dimension": int(dimension), **rest} if "hub" in rest or "package" in rest:
            measured = rest.get("search_threshold")
            threshold = measured if isinstance(measured, float) else None
            return CatalogueEntry(
                name=name, ids=tuple(ids), on_hub="hub" in rest, dimension=dimension, threshold=threshold
            )
    raise ValueError(f"{name} is no model with ids and a source")
