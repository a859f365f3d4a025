"""A collection's configuration: what of a client's request the engine takes, and how Qdrant reports it back.

HNSW, quantization, optimizer and replica settings are kept and reported as given and change nothing, since every search
here is exact and there is one node; `WARNING` says so in each report. What would change answers is refused instead.
"""

from typing import Any, Final

from embstore.edge import DATATYPES, DISTANCES, VectorParams
from embstore.errors import FormatError, InvalidValue, Unsupported
from embstore.fields import boolean, count, object_, required

__all__ = ["WARNING", "merge_config", "parse_config", "report_config", "vector_params"]

WARNING: Final = (
    "The embedded engine searches exactly: HNSW, quantization, optimizer and replica settings are kept and not used."
)
_MOST_DIMENSIONS = 65536
_SECTIONS = (
    "vectors",
    "shard_number",
    "replication_factor",
    "write_consistency_factor",
    "on_disk_payload",
    "hnsw_config",
    "optimizers_config",
    "wal_config",
    "quantization_config",
    "strict_mode_config",
    "metadata",
)
_HNSW = {"m": 16, "ef_construct": 100, "full_scan_threshold": 10000, "max_indexing_threads": 0, "on_disk": False}
_OPTIMIZERS = {
    "deleted_threshold": 0.2,
    "vacuum_min_vector_number": 1000,
    "default_segment_number": 0,
    "max_segment_size": None,
    "memmap_threshold": None,
    "indexing_threshold": 10000,
    "flush_interval_sec": 5,
    "max_optimization_threads": None,
}
_WAL = {"wal_capacity_mb": 32, "wal_segments_ahead": 0, "wal_retain_closed": 1}


def parse_config(body: dict[str, Any]) -> dict[str, Any]:
    """The sections of a create request that are kept. Raises what Qdrant would, and Unsupported for named vectors."""
    vector_params(body)
    if body.get("sparse_vectors"):
        raise Unsupported("A sparse vector")
    config = {key: body[key] for key in _SECTIONS if body.get(key) is not None}
    _check(config)
    return config


def merge_config(config: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """The kept configuration after a PATCH: sections merge field by field, and `params` spreads over the top level."""
    merged = dict(config)
    for section, given in (change | object_(change.get("params") or {}, "params")).items():
        if section in {"params", "vectors", "sparse_vectors"}:
            continue
        if section in _SECTIONS and given is not None:
            old = merged.get(section)
            merged[section] = old | given if isinstance(old, dict) and isinstance(given, dict) else given
    if change.get("vectors") or change.get("sparse_vectors"):
        raise Unsupported("A change of the vectors of a collection")
    _check(merged)
    return merged


def _check(config: dict[str, Any]) -> None:
    for section in ("hnsw_config", "optimizers_config", "wal_config", "quantization_config", "strict_mode_config"):
        if section in config:
            object_(config[section], f"struct {section}")
    if boolean(config.get("strict_mode_config", {}), "enabled", default=False):
        raise Unsupported("Strict mode")


def vector_params(config: dict[str, Any]) -> VectorParams:
    """What the engine needs to know of the vectors."""
    vectors = object_(required(config, "vectors"), "vector parameters")
    if "size" not in vectors:
        if vectors and all(isinstance(value, dict) for value in vectors.values()):
            raise Unsupported("A named vector")
        raise FormatError("missing field `size`")
    if vectors.get("multivector_config") is not None:
        raise Unsupported("A multivector")
    size = count(vectors, "size", default=0, least=0)
    if not 1 <= size <= _MOST_DIMENSIONS:
        raise InvalidValue("vectors.size", f"value {size} invalid, must be from 1 to {_MOST_DIMENSIONS}")
    return VectorParams(
        size=size,
        distance=_one_of(required(vectors, "distance"), tuple(DISTANCES)),
        on_disk=boolean(vectors, "on_disk", default=False),
        datatype=_one_of(vectors.get("datatype") or "float32", tuple(DATATYPES)),
    )


def _one_of(value: object, known: tuple[str, ...]) -> str:
    if not isinstance(value, str) or value not in known:
        names = ", ".join(f"`{name}`" for name in known)
        raise FormatError(f"unknown variant `{value}`, expected one of {names}")
    return value


def report_config(config: dict[str, Any]) -> dict[str, Any]:
    """The `config` of `GET /collections/{name}`: what was given over Qdrant's defaults."""
    params = {"shard_number": 1, "replication_factor": 1, "write_consistency_factor": 1, "on_disk_payload": True}
    report = {
        "params": {"vectors": config["vectors"]} | params | {key: config[key] for key in params if key in config},
        "hnsw_config": _HNSW | config.get("hnsw_config", {}),
        "optimizer_config": _OPTIMIZERS | config.get("optimizers_config", {}),
        "wal_config": _WAL | config.get("wal_config", {}),
        "quantization_config": config.get("quantization_config"),
    }
    return report | {key: config[key] for key in ("strict_mode_config", "metadata") if key in config}
