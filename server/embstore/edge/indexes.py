"""Payload indexes: the kinds there are, the options each takes, and the engine's form of them."""

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import qdrant_edge as q

from embstore.edge.faults import building
from embstore.errors import FormatError

__all__ = ["INDEX_OPTIONS", "IndexSchema", "index_kind", "index_schema"]

IndexSchema: TypeAlias = Any

_TOKENIZERS: Final = {
    "prefix": q.TokenizerType.Prefix,
    "whitespace": q.TokenizerType.Whitespace,
    "word": q.TokenizerType.Word,
    "multilingual": q.TokenizerType.Multilingual,
}
_INDEXES: Final[Mapping[str, tuple[Any, Any, tuple[str, ...]]]] = {
    "keyword": (q.PayloadSchemaType.Keyword, q.KeywordIndexParams, ("is_tenant", "on_disk", "enable_hnsw", "prefix")),
    "integer": (
        q.PayloadSchemaType.Integer,
        q.IntegerIndexParams,
        ("lookup", "range", "is_principal", "on_disk", "enable_hnsw"),
    ),
    "float": (q.PayloadSchemaType.Float, q.FloatIndexParams, ("is_principal", "on_disk", "enable_hnsw")),
    "geo": (q.PayloadSchemaType.Geo, q.GeoIndexParams, ("on_disk", "enable_hnsw")),
    "bool": (q.PayloadSchemaType.Bool, q.BoolIndexParams, ("on_disk", "enable_hnsw")),
    "datetime": (q.PayloadSchemaType.Datetime, q.DatetimeIndexParams, ("is_principal", "on_disk", "enable_hnsw")),
    "uuid": (q.PayloadSchemaType.Uuid, q.UuidIndexParams, ("is_tenant", "on_disk", "enable_hnsw")),
    "text": (
        q.PayloadSchemaType.Text,
        q.TextIndexParams,
        (
            "tokenizer",
            "min_token_len",
            "max_token_len",
            "lowercase",
            "ascii_folding",
            "phrase_matching",
            "on_disk",
            "enable_hnsw",
        ),
    ),
}
INDEX_OPTIONS: Final[Mapping[str, tuple[str, ...]]] = {kind: options for kind, (_, _, options) in _INDEXES.items()}


def index_schema(kind: str, options: Mapping[str, Any]) -> IndexSchema:
    """A payload index of one of INDEX_OPTIONS' kinds; FormatError when an option has a value it cannot have."""
    bare, params, _ = _INDEXES[kind]
    if not options:
        return bare
    named = dict(options)
    if "tokenizer" in named:
        if named["tokenizer"] not in _TOKENIZERS:
            raise FormatError(f"unknown variant `{named['tokenizer']}`, expected one of {', '.join(_TOKENIZERS)}")
        named["tokenizer"] = _TOKENIZERS[named["tokenizer"]]
    with building():
        return params(**named)


def index_kind(bare: q.PayloadSchemaType) -> str:
    """Qdrant's word for the engine's kind of an index."""
    return next(kind for kind, (known, _, _) in _INDEXES.items() if known == bare)
