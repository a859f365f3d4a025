"""What a client can be told went wrong: one class a status code, worded as Qdrant words it.

Clients match on these texts, so the prefixes are part of the contract.
"""

from typing import ClassVar

__all__ = [
    "AlreadyExists",
    "BodyTooLarge",
    "FormatError",
    "Internal",
    "InvalidValue",
    "NotFound",
    "StorageLocked",
    "StoreError",
    "Unauthorized",
    "Unsupported",
    "WrongInput",
]


class StoreError(Exception):
    """An answer other than 200; `str()` is the text of `status.error`."""

    status: ClassVar[int] = 500
    prefix: ClassVar[str] = ""

    def __init__(self, description: str) -> None:
        super().__init__(self.prefix + description)


class WrongInput(StoreError):
    """The request is well formed and cannot be carried out on this collection."""

    status = 400
    prefix = "Wrong input: "


class FormatError(StoreError):
    """The JSON body is no JSON, or not of the shape that this route takes."""

    status = 400
    prefix = "Format error in JSON body: "


class InvalidValue(StoreError):
    """A value of the right type lies outside what is allowed; `where` is "JSON body" or "path parameters"."""

    status = 422

    def __init__(self, field: str, reason: str, *, where: str = "JSON body") -> None:
        super().__init__(f"Validation error in {where}: [{field}: {reason}]")


class Unauthorized(StoreError):
    """An API key is set, and the request carries none or another one."""

    status = 401


class NotFound(StoreError):
    """The collection, the point or the route does not exist."""

    status = 404
    prefix = "Not found: "


class AlreadyExists(StoreError):
    """A collection of that name exists; Qdrant words this one as wrong input."""

    status = 409
    prefix = "Wrong input: "


class BodyTooLarge(StoreError):
    """The request body exceeds the limit."""

    status = 413

    def __init__(self, *, limit: int) -> None:
        super().__init__(f"JSON payload is larger than allowed (limit: {limit} bytes).")


class Internal(StoreError):
    """The engine or the disk failed; the request may be right."""

    status = 500
    prefix = "Service internal error: "


class Unsupported(StoreError):
    """Qdrant can do this, this store cannot."""

    status = 501
    prefix = "Not implemented: "

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} is not part of the REST subset that this embedded store speaks")


class StorageLocked(Exception):
    """Another process has the storage folder open."""
