"""docker-py's errors as ours, whatever was asked of the engine."""

from collections.abc import Iterator
from contextlib import contextmanager

import docker.errors
import requests
import urllib3.exceptions

from embctl.engine import faults

__all__ = ["Ask", "explanation"]

BROKEN_CONNECTION = (requests.RequestException, urllib3.exceptions.HTTPError, OSError)


class Ask:
    """Questions to the engine at `address`: `with ask("create container", name): ...`."""

    def __init__(self, address: str) -> None:
        self._address = address

    @contextmanager
    def __call__(self, doing: str, subject: str) -> Iterator[None]:
        """Raise what goes wrong while `doing` something to `subject` as an EmbctlError."""
        try:
            yield
        except docker.errors.APIError as error:
            raise faults.refused(doing, subject, error.status_code, explanation(error)) from error
        except docker.errors.DockerException as error:
            raise faults.refused(doing, subject, None, str(error)) from error
        except requests.Timeout as error:
            raise faults.engine_gone(self._address, "it is silent") from error
        except BROKEN_CONNECTION as error:
            raise faults.engine_gone(self._address, "the connection broke") from error


def explanation(error: docker.errors.APIError) -> str:
    """The engine's own words."""
    return error.explanation or str(error)
