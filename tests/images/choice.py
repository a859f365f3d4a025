"""Which images the end-to-end tests run on: stand-ins made here, or the ones that the project pins.

Stand-ins have names of their own, which the settings hand to the program; a pinned name always means the real image.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from images.base import BASE, CannotMake, pinned_base
from images.docker_cli import image_size
from images.stand_in import ensure_stand_in, pinned_qdrant

__all__ = ["Images", "choose"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Images:
    """A Python base image to run or build on, and the settings, as environment variables, with which embctl uses it."""

    base: str
    settings: Mapping[str, str] = field(default_factory=dict)


def choose(env: Mapping[str, str]) -> Images:
    """The pinned images with E2E_REAL_IMAGES=1; else stand-ins, else the pinned ones if here. Raises CannotMake."""
    pinned = Images(base=pinned_base())
    if env.get("E2E_REAL_IMAGES") == "1":
        return pinned
    try:
        qdrant = ensure_stand_in(env)
    except CannotMake as reason:
        if all(image_size(reference) is not None for reference in (pinned_base(), pinned_qdrant())):
            return pinned
        raise CannotMake(f"{reason}; with a registry, E2E_REAL_IMAGES=1 has the real images pulled") from reason
    return Images(base=BASE, settings={"EMBCTL_JINA_BASE_IMAGE": BASE, "EMBCTL_QDRANT_IMAGE": qdrant})
