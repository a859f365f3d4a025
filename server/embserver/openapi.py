"""What /openapi.json says of each route beyond its path: bodies, answers, errors, with examples."""

from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from embserver import requests

__all__ = [
    "EMBEDDINGS",
    "INFO",
    "LIVE",
    "MEMORY",
    "MODELS",
    "OLLAMA_EMBED",
    "OLLAMA_TAGS",
    "OLLAMA_VERSION",
    "READY",
    "TOKENIZE",
    "document",
]

Operation = dict[str, Any]

_MODEL = "jina-code-v2"
_TEXT = "def taken(port): ..."
_VECTOR = [0.1, -0.2, 0.3]
_USAGE = {"prompt_tokens": 9, "total_tokens": 9}

_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "properties": {
                "message": {"type": "string"},
                "type": {"type": "string", "enum": ["invalid_request_error", "server_error"]},
                "param": {"type": ["string", "null"]},
                "code": {"type": ["string", "null"]},
            },
        }
    },
}


def _error(description: str, message: str, code: str, param: str | None = None) -> Operation:
    kind = "server_error" if code in ("model_not_ready", "queue_full", "internal_error") else "invalid_request_error"
    example = {"error": {"message": message, "type": kind, "param": param, "code": code}}
    return {"description": description, "content": {"application/json": {"schema": _ERROR, "example": example}}}


def _object(example: Operation, **properties: Any) -> Operation:
    schema = {"type": "object", "required": list(properties), "properties": properties}
    return {"application/json": {"schema": schema, "example": example}}


def _answer(description: str, content: Operation, **more: Any) -> Operation:
    return {"200": {"description": description, "content": content, **more}}


_TEXTS = [
    {"type": "string", "description": "one text"},
    {
        "type": "array",
        "items": {"type": "string"},
        "minItems": 1,
        "maxItems": requests.MAX_INPUTS,
        "description": "texts",
    },
]
_IDS = {"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 1}
_TOKENS = [
    {**_IDS, "description": "the token ids of one text, taken as they are, special tokens included"},
    {
        "type": "array",
        "items": _IDS,
        "minItems": 1,
        "maxItems": requests.MAX_INPUTS,
        "description": "the same of texts",
    },
]
_MODEL_FIELD = {"type": "string", "description": "one of the ids at /v1/models; without it, the model there is"}
_DIMENSIONS = {"type": "integer", "description": "the model's own dimension; any other is refused"}
_TRUNCATE = {
    "type": "boolean",
    "default": True,
    "description": "whether inputs that are too long are cut; else the request is refused (400)",
}
_TIMING = {
    "Server-Timing": {
        "description": "Milliseconds in the queue, for tokenization, from the first computed text to the last, in all.",
        "schema": {"type": "string"},
        "example": "queue;dur=0.2, tokenization;dur=0.1, inference;dur=31.0, total;dur=31.8",
    }
}
_RETRY = {"Retry-After": {"description": "Seconds to wait before the next try.", "schema": {"type": "integer"}}}
_REFUSALS = {
    "400": _error("The request cannot be understood or kept.", "'input' is an empty list.", "invalid_input", "input"),
    "401": _error(
        "A key is set, and the request has another.", "This server asks for an API key, ...", "invalid_api_key"
    ),
    "404": _error(
        "Another model is asked for.", "The model 'other' is not served here. ...", "model_not_found", "model"
    ),
    "408": _error("The body did not arrive.", "The body did not arrive within 60 seconds. ...", "request_timeout"),
    "413": _error("The body is too large.", "The body is larger than 33554432 bytes.", "body_too_large"),
    "500": _error("The server failed.", "The server failed on this request: ...", "internal_error"),
    "503": {
        **_error(
            "The model is not ready yet, the queue is full, or the server is going away.",
            f"The model {_MODEL} is not ready yet (loading). Try again shortly.",
            "model_not_ready",
        ),
        "headers": _RETRY,
    },
}
_OBJECT = {"type": "string"}
_COUNT = {"type": "integer"}
_USAGE_SCHEMA = {
    "type": "object",
    "required": ["prompt_tokens", "total_tokens"],
    "properties": {"prompt_tokens": _COUNT, "total_tokens": _COUNT},
}


def _body(properties: Operation, examples: Operation) -> Operation:
    schema = {"type": "object", "required": ["input"], "properties": properties}
    shown = {name: {"value": value} for name, value in examples.items()}
    return {"required": True, "content": {"application/json": {"schema": schema, "examples": shown}}}


EMBEDDINGS: Operation = {
    "requestBody": _body(
        {
            "input": {"oneOf": [*_TEXTS, *_TOKENS]},
            "model": _MODEL_FIELD,
            "encoding_format": {
                "type": "string",
                "enum": ["float", "base64"],
                "default": "float",
                "description": "base64 is of little-endian float32 values",
            },
            "dimensions": _DIMENSIONS,
            "truncate": _TRUNCATE,
            "user": {"type": "string", "description": "taken and not used"},
        },
        {
            "one text": {"input": _TEXT, "model": _MODEL},
            "texts, base64": {"input": [_TEXT, "class Port: ..."], "model": _MODEL, "encoding_format": "base64"},
            "token ids": {"input": [[0, 11, 12, 2]], "model": _MODEL},
            "never cut": {"input": [_TEXT], "model": _MODEL, "truncate": False},
        },
    ),
    "responses": {
        **_answer(
            "One vector an input, of unit length, in their order.",
            _object(
                {
                    "object": "list",
                    "data": [{"object": "embedding", "index": 0, "embedding": _VECTOR}],
                    "model": _MODEL,
                    "usage": _USAGE,
                },
                object=_OBJECT,
                data={
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["object", "index", "embedding"],
                        "properties": {
                            "object": _OBJECT,
                            "index": _COUNT,
                            "embedding": {
                                "oneOf": [{"type": "array", "items": {"type": "number"}}, {"type": "string"}]
                            },
                        },
                    },
                },
                model=_OBJECT,
                usage=_USAGE_SCHEMA,
            ),
            headers=_TIMING,
        ),
        **_REFUSALS,
    },
}

OLLAMA_EMBED: Operation = {
    "requestBody": _body(
        {"input": {"oneOf": _TEXTS}, "model": _MODEL_FIELD, "dimensions": _DIMENSIONS, "truncate": _TRUNCATE},
        {"texts": {"input": [_TEXT], "model": _MODEL}},
    ),
    "responses": {
        **_answer(
            "One vector an input, of unit length, in their order. Durations are in nanoseconds.",
            _object(
                {
                    "model": _MODEL,
                    "embeddings": [_VECTOR],
                    "total_duration": 31000000,
                    "load_duration": 0,
                    "prompt_eval_count": 9,
                },
                model=_OBJECT,
                embeddings={"type": "array", "items": {"type": "array", "items": {"type": "number"}}},
                total_duration=_COUNT,
                load_duration=_COUNT,
                prompt_eval_count=_COUNT,
            ),
            headers=_TIMING,
        ),
        **_REFUSALS,
    },
}

TOKENIZE: Operation = {
    "requestBody": _body(
        {"input": {"oneOf": _TEXTS}, "model": _MODEL_FIELD, "truncate": _TRUNCATE},
        {"texts": {"input": [_TEXT], "model": _MODEL}},
    ),
    "responses": {
        **_answer(
            "The token ids of each input.",
            _object(
                {
                    "object": "list",
                    "data": [{"object": "tokens", "index": 0, "tokens": [0, 11, 2], "count": 3, "truncated": False}],
                    "model": _MODEL,
                    "max_tokens": 8192,
                    "usage": {"prompt_tokens": 3, "total_tokens": 3},
                },
                object=_OBJECT,
                data={
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["object", "index", "tokens", "count", "truncated"],
                        "properties": {
                            "object": _OBJECT,
                            "index": _COUNT,
                            "tokens": {"type": "array", "items": _COUNT},
                            "count": _COUNT,
                            "truncated": {"type": "boolean"},
                        },
                    },
                },
                model=_OBJECT,
                max_tokens=_COUNT,
                usage=_USAGE_SCHEMA,
            ),
        ),
        **_REFUSALS,
    },
}

MODELS: Operation = {
    "responses": _answer(
        "The ids of the model.",
        _object(
            {
                "object": "list",
                "data": [{"id": _MODEL, "object": "model", "created": 1767225600, "owned_by": "embserver"}],
            },
            object=_OBJECT,
            data={"type": "array", "items": {"type": "object"}},
        ),
    )
}
OLLAMA_TAGS: Operation = {
    "responses": _answer(
        "The ids of the model.",
        _object(
            {"models": [{"name": _MODEL, "model": _MODEL}]},
            models={"type": "array", "items": {"type": "object"}},
        ),
    )
}
OLLAMA_VERSION: Operation = {"responses": _answer("The version.", _object({"version": "0.1.0"}, version=_OBJECT))}
LIVE: Operation = {"responses": _answer("The process listens.", _object({"status": "alive"}, status=_OBJECT))}
READY: Operation = {
    "responses": {
        **_answer("Embeddings are answered.", _object({"status": "ready"}, status=_OBJECT)),
        "503": {
            "description": "The start is still on its way; bytes while downloading, else null.",
            "headers": _RETRY,
            "content": _object(
                {"status": "downloading", "detail": "downloading a model", "done": 7, "total": 20},
                status=_OBJECT,
                detail=_OBJECT,
                done={"type": ["integer", "null"]},
                total={"type": ["integer", "null"]},
            ),
        },
    }
}
INFO: Operation = {
    "responses": _answer(
        "Model, versions, limits, measures, counters, queue; memory in bytes, times in seconds.",
        {"application/json": {"schema": {"type": "object"}}},
    )
}
MEMORY: Operation = {
    "responses": _answer(
        "Sizes in bytes; what grew is since the request before.", {"application/json": {"schema": {"type": "object"}}}
    )
}


def document(app: FastAPI, routes: APIRouter) -> Operation:
    """The document of an application with these routes."""
    whole = get_openapi(title=app.title, summary=app.summary, version=app.version, routes=app.routes)
    for route in routes.routes:
        if isinstance(route, APIRoute) and route.openapi_extra:
            for method in route.methods or ():
                # FastAPI drops every null, those in examples too.
                whole["paths"][route.path][method.lower()] |= route.openapi_extra
    return whole
