"""Success bodies, serialised by orjson, and base64 without a step per number. Pure functions of their arguments."""

import base64
from collections.abc import Sequence

import orjson

from embserver.preparation import Prepared
from embserver.service import Embedded

__all__ = ["embeddings", "models", "ollama_embeddings", "ollama_models", "tokens"]


def embeddings(embedded: Embedded, *, model: str, as_base64: bool) -> bytes:
    """An answer to an embeddings request; base64 is of each vector's little-endian float32 values."""
    vectors = embedded.vectors.astype("<f4", copy=False)
    body = {
        "object": "list",
        "data": [
            {
                "object": "embedding",
                "index": index,
                "embedding": base64.b64encode(vector).decode("ascii") if as_base64 else vector,
            }
            for index, vector in enumerate(vectors)
        ],
        "model": model,
        "usage": {"prompt_tokens": embedded.tokens, "total_tokens": embedded.tokens},
    }
    return orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY)


def models(ids: Sequence[str], *, created: int) -> bytes:
    """The list of model ids; `created` is in seconds since 1970."""
    data = [{"id": name, "object": "model", "created": created, "owned_by": "embserver"} for name in ids]
    return orjson.dumps({"object": "list", "data": data})


def ollama_embeddings(embedded: Embedded, *, model: str) -> bytes:
    """An answer to Ollama's embed request, whose durations are in nanoseconds."""
    seconds = embedded.queued_seconds + embedded.tokenization_seconds + embedded.inference_seconds
    body = {
        "model": model,
        "embeddings": embedded.vectors,
        "total_duration": round(seconds * 1e9),
        "load_duration": 0,
        "prompt_eval_count": embedded.tokens,
    }
    return orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY)


def ollama_models(ids: Sequence[str]) -> bytes:
    """The list of models as Ollama tells it."""
    return orjson.dumps({"models": [{"name": name, "model": name} for name in ids]})


def tokens(prepared: Prepared, *, model: str, max_tokens: int) -> bytes:
    """The token ids of each input; where `truncated` is set, the input went on beyond them."""
    body = {
        "object": "list",
        "data": [
            {
                "object": "tokens",
                "index": index,
                "tokens": list(text.ids),
                "count": len(text.ids),
                "truncated": text.truncated,
            }
            for index, text in enumerate(prepared.tokens)
        ],
        "model": model,
        "max_tokens": max_tokens,
        "usage": {"prompt_tokens": prepared.count, "total_tokens": prepared.count},
    }
    return orjson.dumps(body)
