"""All collections of one storage folder: opened, created, removed, flushed and closed.

<storage>/.lock                        the owner's pid
<storage>/collections/<folder>/        collection.json and shard/
<storage>/staging/, <storage>/trash/   collections that do not exist yet, or any more; emptied at start
"""

import logging
import shutil
import threading
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from embstore import edge
from embstore.activity import Activity
from embstore.collection import Collection, missing
from embstore.config import parse_config, vector_params
from embstore.disk import LOAD_RESERVE, DiskGuard
from embstore.errors import AlreadyExists, Internal, NotFound, StoreError
from embstore.lock import StorageLock
from embstore.metadata import FIRST_SHARD, Metadata, MetadataInvalid, sync_folder
from embstore.names import check_name, folder_of

__all__ = ["Store"]

_log = logging.getLogger(__name__)

# How much of what was not waited for a loss of power may take.
_SYNC_SECONDS: Final = 5.0
# Bytes of requests that the log may hold before a flush no longer waits for an idle moment: about a third of that on
# the disk, and two seconds of replay when the process is killed.
_LOG_BYTES: Final = 256 * 1024 * 1024
# How often an idle store looks for something to do, and how soon a vacuum goes on after it made way for a request.
_LOOK_SECONDS: Final = 1.0
_RESUME_SECONDS: Final = 0.1


class Store:
    """Opens the folder on construction (StorageLocked when another process has it) until `close()`.

    A collection that cannot be opened stays listed, fails every call with the reason, and can be deleted. When nothing
    was asked for `idle_seconds` (0: also under load), what was written is flushed, and a collection whose deleted
    points take up `waste_bytes` or more is vacuumed. A flush stops every request for as long as the disk takes, so
    nothing but a long log has it done sooner: the log is brought to the disk every five seconds, which stops nothing.
    """

    def __init__(self, folder: Path, *, idle_seconds: float = 30, waste_bytes: int = 32 * 1024 * 1024) -> None:
        self.activity = Activity()
        self._idle_seconds = idle_seconds
        self._waste_bytes = waste_bytes
        self._lock = StorageLock(folder)
        self._root = folder / "collections"
        self._staging = folder / "staging"
        self._trash = folder / "trash"
        for leftovers in (self._staging, self._trash):
            shutil.rmtree(leftovers, ignore_errors=True)
        for needed in (self._root, self._staging, self._trash):
            needed.mkdir(exist_ok=True)
        self._disk = DiskGuard(folder)
        edge.look_up_symbols()
        self._changing = threading.Lock()
        self._collections: dict[str, Collection] = {}
        self._broken: dict[str, tuple[Path, StoreError]] = {}
        for path in sorted(path for path in self._root.iterdir() if path.is_dir()):
            self._open(path)
        self._stopping = threading.Event()
        self._keeper = threading.Thread(target=self._keep_logs, name="log keeper", daemon=True)
        self._keeper.start()
        self._cleaner = threading.Thread(target=self._clean_up, name="vacuum", daemon=True)
        self._cleaner.start()

    def _open(self, path: Path) -> None:
        name = path.name
        try:
            metadata = _read(path)
            name = metadata.name
            with self._disk.room_for(0, reserve=LOAD_RESERVE):
                self._collections[name] = Collection(path, metadata, self._disk)
        except (StoreError, MetadataInvalid) as error:
            reason = str(error).removeprefix(Internal.prefix)
            _log.error("collection %r cannot be opened: %s", name, reason)
            self._broken[name] = (path, Internal(f"Collection `{name}` could not be loaded: {reason}"))

    def names(self) -> list[str]:
        """Every collection, those that cannot be opened included."""
        return sorted([*self._collections, *self._broken])

    def broken(self) -> dict[str, str]:
        """The collections that cannot be opened, each with the reason."""
        return {name: str(error) for name, (_, error) in self._broken.items()}

    def get(self, name: str) -> Collection:
        """An open collection; NotFound, or Internal for one that cannot be opened."""
        collection = self._collections.get(name)
        if collection is not None:
            return collection
        if name in self._broken:
            raise self._broken[name][1]
        raise missing(check_name(name))

    def create(self, name: str, body: dict[str, Any]) -> None:
        """Make an empty collection that exists whole or not at all; AlreadyExists when the name is taken."""
        config = parse_config(body)
        with self._changing:
            if check_name(name) in self._collections or name in self._broken:
                raise AlreadyExists(f"Collection `{name}` already exists!")
            with self._disk.room_for(0):
                self._collections[name] = self._build(Metadata(name=name, config=config))

    def _build(self, metadata: Metadata) -> Collection:
        try:
            draft = self._staging / uuid.uuid4().hex
            draft.mkdir()
            shard = edge.Shard.create(draft / FIRST_SHARD, vector_params(metadata.config))
            shard.flush()
            shard.close()
            metadata.save(draft)
            final = draft.rename(self._root / folder_of(metadata.name))
            sync_folder(self._root)
        except OSError as error:
            raise Internal(f"collection `{metadata.name}` cannot be created: {error}") from error
        return Collection(final, metadata, self._disk)

    def delete(self, name: str) -> bool:
        """Remove a collection and its data; False when there is none."""
        with self._changing:
            if name in self._broken:
                path, _ = self._broken.pop(name)
            elif name in self._collections:
                path = self._root / folder_of(name)
                self._collections.pop(name).close()
            else:
                return False
            try:
                gone = path.rename(self._trash / uuid.uuid4().hex)
                sync_folder(self._root)
            except OSError as error:
                raise Internal(f"the data of collection `{name}` cannot be removed: {error}") from error
        shutil.rmtree(gone, ignore_errors=True)
        return True

    def _keep_logs(self) -> None:
        while not self._stopping.wait(_SYNC_SECONDS):
            self.keep_logs()

    def keep_logs(self) -> None:
        """Bring the logs to the disk, and flush what has a long one."""
        for collection in self._written():
            self._try("brought to the disk", collection, collection.sync)
            if collection.unflushed >= _LOG_BYTES:
                self._try("flushed", collection, collection.flush)

    def flush(self) -> None:
        """Flush the collections that were written to; a failure is logged, and the log still has the data."""
        for collection in self._written():
            self._try("flushed", collection, collection.flush)

    def _written(self) -> list[Collection]:
        return [collection for collection in list(self._collections.values()) if collection.unflushed]

    @staticmethod
    def _try(purpose: str, collection: Collection, work: Callable[[], None]) -> None:
        try:
            work()
        except NotFound:
            return  # deleted meanwhile
        except (StoreError, OSError) as error:
            _log.warning("collection %r was not %s: %s", collection.name, purpose, error)

    def _clean_up(self) -> None:
        while not self._stopping.wait(min(_LOOK_SECONDS, self._idle_seconds or _RESUME_SECONDS)):
            for collection in self._written():
                if self._idle():
                    self._try("flushed", collection, collection.flush)
            if self._idle():
                self.vacuum()

    def _idle(self) -> bool:
        return not self._idle_seconds or self.activity.quiet_for(self._idle_seconds)

    def vacuum(self) -> None:
        """Vacuum the collections that need it and have changed since the last look; a failure is logged."""
        for collection in list(self._collections.values()):
            operations, flushed = collection.operations, not collection.unflushed
            if collection.compact_at == operations:
                continue
            try:
                wasted = collection.wasted()
                if wasted and wasted >= self._waste_bytes and not collection.vacuum(self._make_way):
                    continue
            except NotFound:
                continue  # deleted meanwhile
            except (StoreError, MetadataInvalid, OSError) as error:
                _log.warning("collection %r was not vacuumed: %s", collection.name, error)
            if flushed:
                collection.compact_at = operations

    def _make_way(self, closed: Callable[[], bool]) -> bool:
        """Return True once no request is in work; False when the collection or the store is about to close."""
        while not (closed() or self._stopping.is_set()):
            if not self._idle_seconds or self.activity.quiet_for(_RESUME_SECONDS):
                return True
            self._stopping.wait(_RESUME_SECONDS / 4)
        return False

    def close(self) -> None:
        """Flush and close every collection, and let another process have the folder."""
        self._stopping.set()
        for collection in self._collections.values():
            collection.give_up_vacuum()
        self._cleaner.join()
        self._keeper.join()
        self.flush()
        for collection in self._collections.values():
            collection.close()
        self._lock.release()


def _read(path: Path) -> Metadata:
    metadata = Metadata.read(path)
    if path.name != folder_of(metadata.name):
        raise MetadataInvalid(f"{path} holds collection `{metadata.name}`: it was renamed or copied by hand")
    return metadata
