"""Success bodies of the OpenAI-compatible routes, serialised by orjson. Pure functions of their arguments."""

import base64
from collections.abc import Sequence

import orjson

from embserver.service import Embedded

__all__ = ["embeddings", "models"]


def embeddings(embedded: Embedded, *, model: str, as_base64: bool) -> bytes:
    """An answer to an embeddings request; base64 is of each vector's little-endian float32 values."""
    vectors = embedded.vectors.astype("<f4", copy=False)
    body = {
        "object": "list",
        "data": [
            {
                "object": "embedding",
                "index": index,
                "embedding": base64.b64encode(vector.tobytes()).decode("ascii") if as_base64 else vector,
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
