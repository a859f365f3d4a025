"""Why a start fails, as sentences for the person who reads the log.

StartFailed
├── FetchFailed      the model's files could not be had
└── ModelRefused     the files are there, but this server would not compute the model correctly
"""

__all__ = ["FetchFailed", "ModelRefused", "StartFailed"]


class StartFailed(Exception):
    """The model cannot be served; the message says what happened, why, and what to do."""


class FetchFailed(StartFailed):
    """The model's files could not be fetched or stored."""


class ModelRefused(StartFailed):
    """The files hold something else than an architecture that is implemented here in full."""
