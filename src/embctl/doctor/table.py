"""Every examination, in the order in which people read them. A new check is one more row of its noun's module."""

from typing import Any

from embctl.doctor.collections import COLLECTIONS
from embctl.doctor.containers import CONTAINERS
from embctl.doctor.editor import EDITOR
from embctl.doctor.embeddings import EMBEDDINGS
from embctl.doctor.engine import ENGINE
from embctl.doctor.examination import Examination
from embctl.doctor.images import IMAGES
from embctl.doctor.machine import MACHINE
from embctl.doctor.modelcache import MODELCACHE
from embctl.doctor.network import NETWORK
from embctl.doctor.ports import PORTS
from embctl.doctor.qdrant import QDRANT
from embctl.doctor.volumes import VOLUMES

__all__ = ["EXAMINATIONS"]

EXAMINATIONS: tuple[Examination[Any], ...] = (
    ENGINE,
    PORTS,
    MACHINE,
    IMAGES,
    CONTAINERS,
    VOLUMES,
    QDRANT,
    COLLECTIONS,
    EMBEDDINGS,
    MODELCACHE,
    NETWORK,
    EDITOR,
)
