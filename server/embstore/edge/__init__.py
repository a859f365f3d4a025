"""The one door to the Qdrant Edge engine (0.9.0): every call of its library is in this package.

It gives the engine's errors Qdrant's status codes, and works around what the binding does wrong or leaves open:

- `True` and `False` are taken for integers in a match; NumPy's booleans are not.
- A Rust panic arrives as a `BaseException`, which no `except Exception` stops.
- What is nested too deeply is acknowledged and logged, and then the log can never be read again; see MAX_NESTING.
- `flush()`, and whatever flushes on its way (`close()`, making a shard or an index), waits for the disk dozens of times
  under the interpreter lock, as long as the disk likes; see `Shard.flush`, `Shard.discard` and `Builder`.
- `optimize()` holds it for its whole run (2.2 s for 50,000 points of 768 dimensions); it is not called, so there is no
  HNSW graph, every search is exact, and the rows of deleted points stay until `embstore.vacuum` copies the others.
- A shortened list of ids opens without a word, with fewer points; see Seal.
- An update is in a memory map when it returns, not on the disk; see `Shard.sync_log`.
"""

from typing import Final

from embstore.edge.builder import Builder, Indexes
from embstore.edge.conditions import (
    Condition,
    Filter,
    PayloadChoice,
    PointId,
    all_but_fields,
    counts_values,
    field_is,
    filter_of,
    has_id,
    has_vector,
    in_box,
    in_circle,
    in_polygon,
    in_range,
    is_empty,
    is_null,
    matches,
    nested,
    only_fields,
)
from embstore.edge.faults import building, look_up_symbols
from embstore.edge.indexes import INDEX_OPTIONS, IndexSchema, index_schema
from embstore.edge.shard import DATATYPES, DISTANCES, Matrix, Selector, Shard, ShardState, VectorParams

__all__ = [
    "DATATYPES",
    "DISTANCES",
    "INDEX_OPTIONS",
    "MAX_NESTING",
    "Builder",
    "Condition",
    "Filter",
    "IndexSchema",
    "Indexes",
    "Matrix",
    "PayloadChoice",
    "PointId",
    "Selector",
    "Shard",
    "ShardState",
    "VectorParams",
    "all_but_fields",
    "building",
    "counts_values",
    "field_is",
    "filter_of",
    "has_id",
    "has_vector",
    "in_box",
    "in_circle",
    "in_polygon",
    "in_range",
    "index_schema",
    "is_empty",
    "is_null",
    "look_up_symbols",
    "matches",
    "nested",
    "only_fields",
]

# The log's reader stops at 127 levels of CBOR, framing included. Measured: a payload of 122 levels still loads, and
# a filter of 61 levels or of 30 nested conditions.
MAX_NESTING: Final = 100
