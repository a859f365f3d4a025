"""A new shard, filled in a process of its own, for this one to load.

Making, indexing and flushing a shard waits for the disk hundreds of times under the interpreter lock: here that lock is
another process's. What is left to wait for in this one is the loading.
"""

import contextlib
import os
import pickle
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias

from embstore.edge.conditions import PointId
from embstore.edge.indexes import index_schema
from embstore.edge.shard import Matrix, Selector, Shard, VectorParams
from embstore.errors import Internal

__all__ = ["Builder", "Indexes", "main"]

# field -> (kind, options) of each payload index.
Indexes: TypeAlias = Mapping[str, tuple[str, Mapping[str, Any]]]

_DONE: Final = "done"
_POLL_SECONDS: Final = 0.02


class Builder:
    """One process that makes one shard in a missing folder; what does not end in `finish` leaves a folder to remove."""

    def __init__(self, folder: Path, params: VectorParams, indexes: Indexes) -> None:
        self._folder = folder
        # A file, and no pipe: who fills a pipe that nobody reads stands still.
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()
        self._process = subprocess.Popen(
            [sys.executable, "-c", "from embstore.edge.builder import main; main()"],
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=self._said,
        )
        self._send((folder, params, dict(indexes)))

    def _send(self, message: object) -> None:
        assert self._process.stdin is not None  # noqa: S101 - it is a pipe
        try:
            pickle.dump(message, self._process.stdin, protocol=pickle.HIGHEST_PROTOCOL)
            self._process.stdin.flush()
        except OSError as error:
            raise self._failure() from error

    def _failure(self) -> Internal:
        code = self._process.wait()
        self._said.seek(0)
        said = self._said.read().decode(errors="replace").strip()
        reason = said.splitlines()[-1] if said else f"its process ended with {code}"
        return Internal(f"no shard could be made in {self._folder}: {reason}")

    def upsert(self, ids: Sequence[PointId], vectors: Matrix, payloads: Sequence[dict[str, Any] | None]) -> None:
        """As of a shard."""
        self._send(("upsert", (list(ids), vectors, list(payloads))))

    def delete(self, which: Selector) -> None:
        """As of a shard, by ids."""
        self._send(("delete", (which,)))

    def finish(self, told_to_stop: Callable[[], bool]) -> bool:
        """Return once all of it is on the disk, ready to be loaded; False when told to stop."""
        self._send((_DONE, ()))
        while self._process.poll() is None:
            if told_to_stop():
                return False
            time.sleep(_POLL_SECONDS)
        if self._process.returncode != 0:
            raise self._failure()
        return True

    def close(self) -> None:
        """End the process, if it still runs."""
        self._process.kill()
        assert self._process.stdin is not None  # noqa: S101 - it is a pipe
        with contextlib.suppress(OSError):  # what it had not read
            self._process.stdin.close()
        self._process.wait()
        self._said.close()


def main() -> None:
    """What the process does: make the shard and carry out what comes on stdin, until all of it has come."""

    def received() -> Any:
        return pickle.load(sys.stdin.buffer)  # noqa: S301 - from the process that started this one

    folder, params, indexes = received()
    shard = Shard.create(folder, params)
    for name, (kind, options) in indexes.items():
        shard.create_index(name, index_schema(kind, options))
    # An end without a word, as of a parent that was killed, is an EOFError here: nobody needs the shard any more.
    while (message := received())[0] != _DONE:
        work, arguments = message
        getattr(shard, work)(*arguments)
    shard.flush()
    shard.close()
    shard.sync_files()
