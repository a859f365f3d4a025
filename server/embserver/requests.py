"""The bodies of requests, from bytes to checked values. Unknown fields are ignored, never refused."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from embserver.errors import ApiError

__all__ = ["MAX_BODY_BYTES", "MAX_INPUTS", "EmbeddingRequest", "Wanted", "parse"]

MAX_INPUTS = 2048
MAX_BODY_BYTES = 32 * 1024 * 1024
_FORMATS = ("float", "base64")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """How the answer is to look: under which of its names the model was asked, None for none, and in which encoding."""

    model: str | None
    base64: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingRequest:
    """What a client asks for: texts, or lists of token ids; `dimensions` as sent, None where not sent.

    `truncate` says whether inputs that are too long are to be cut; else they are refused.
    """

    inputs: Sequence[str] | Sequence[Sequence[int]]
    wanted: Wanted
    dimensions: object
    truncate: bool


def parse(body: bytes | bytearray) -> EmbeddingRequest:
    """Raises ApiError (400) naming the field and what is expected there."""
    content = _json(body)
    if not isinstance(content, dict):
        raise ApiError(400, f"The body must be a JSON object, not {_kind(content)}.", code="invalid_json")
    model = content.get("model")
    if model is not None and not isinstance(model, str):
        raise ApiError(400, f"'model' must be a string, not {_kind(model)}.", param="model", code="invalid_type")
    encoding = content.get("encoding_format")
    if encoding is not None and encoding not in _FORMATS:
        raise ApiError(
            400,
            f"'encoding_format' must be one of {', '.join(_FORMATS)}, not {json.dumps(encoding)}.",
            param="encoding_format",
            code="invalid_value",
        )
    truncate = content.get("truncate")
    if truncate is not None and not isinstance(truncate, bool):
        raise ApiError(
            400, f"'truncate' must be true or false, not {_kind(truncate)}.", param="truncate", code="invalid_type"
        )
    return EmbeddingRequest(
        inputs=_inputs(content),
        wanted=Wanted(model=model or None, base64=encoding == "base64"),
        dimensions=content.get("dimensions"),
        truncate=truncate is not False,
    )


def _json(body: bytes | bytearray) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        pass
    try:
        # Editors cut files by UTF-16 units, sometimes through the middle of an emoji, and JavaScript sends the halves
        # as escapes. Only the standard library reads those; _text makes them harmless.
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ApiError(400, f"The body is not valid JSON: {error}.", code="invalid_json") from error


def _inputs(content: dict[str, Any]) -> Sequence[str] | Sequence[Sequence[int]]:
    if "input" not in content:
        raise _wrong("'input' is missing: send a string, a list of strings, or a list (of lists) of token ids")
    given = content["input"]
    if isinstance(given, str):
        return [_text(given)]
    if not isinstance(given, list):
        raise _wrong(f"'input' must be a string or a list, not {_kind(given)}")
    if not given:
        raise _wrong("'input' is an empty list")
    if _is_ids(given):
        return [given]
    if len(given) > MAX_INPUTS:
        raise _wrong(f"'input' has {len(given)} entries; at most {MAX_INPUTS} are taken in one request")
    if isinstance(given[0], str):
        for index, text in enumerate(given):
            if not isinstance(text, str):
                raise _wrong(f"'input[{index}]' is {_kind(text)} where the entries before are strings")
        return [_text(text) for text in given]
    for index, ids in enumerate(given):
        if not isinstance(ids, list) or not ids or not _is_ids(ids):
            raise _wrong(f"'input[{index}]' is neither a string nor a list of token ids, but {_kind(ids)}")
    return given


def _is_ids(values: list[Any]) -> bool:
    return all(type(value) is int for value in values)


def _text(text: str) -> str:
    """The text with halves of surrogate pairs replaced by U+FFFD, since they are not text in any encoding."""
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _wrong(message: str) -> ApiError:
    return ApiError(400, f"{message}.", param="input", code="invalid_input")


def _kind(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "a string", bool: "a boolean", int: "a number", float: "a number"}
    if isinstance(value, list) and not value:
        return "an empty list"
    return names.get(type(value), "null")
