"""Models from the hub or a mirror of it: the only importer of huggingface_hub. It never runs code from a repository."""

import errno
import hashlib
import sys
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from embserver.addresses import without_userinfo
from embserver.catalogue import HubSource
from embserver.failures import FetchFailed
from embserver.progress import Progress, measured

if TYPE_CHECKING:
    from huggingface_hub.hf_api import ModelInfo

__all__ = ["WANTED_FILES", "download", "go_offline", "sha256_of"]

WANTED_FILES = (
    "config.json",
    "modules.json",
    "sentence_bert_config.json",
    "1_Pooling/config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "model.safetensors",
)
_TIMEOUT_SECONDS = 30
_STORAGE = (errno.ENOSPC, errno.EACCES, errno.EPERM, errno.EROFS)
_WAYS_OUT = (
    "Set a hub mirror (EMBSERVER_HUB_MIRROR, in embctl the setting `hub.mirror`), point EMBSERVER_MODEL at a folder "
    "that holds the model, or use the model `minilm`, which comes from the package index."
)


def download(source: HubSource, into: Path, *, mirror: str, token: str, progress: Progress) -> str:
    """Download the files of the model into the folder `into` and return the commit they belong to.

    Files that an interrupted download left there are continued. Every file is held against the size, and weights
    against the SHA-256, that the hub itself states. Raises FetchFailed, naming the hub, the reason and the ways out.
    """
    from huggingface_hub import HfApi, constants, hf_hub_download  # noqa: PLC0415 - a second that a start can spare

    endpoint = mirror.rstrip("/") or constants.ENDPOINT
    shown = without_userinfo(endpoint)
    # False, not None: a token lying in somebody's home directory is not ours to send.
    credential = token or False
    try:
        info = HfApi(endpoint=endpoint, token=credential).model_info(
            source.repo_id, revision=source.revision, files_metadata=True, timeout=_TIMEOUT_SECONDS
        )
        sizes = _sizes(info)
        commit = info.sha or source.revision
        known = all(size is not None for size in sizes.values())
        total = sum(size or 0 for size in sizes.values()) if known else None
        with measured(into, total, progress):
            for name in sizes:
                hf_hub_download(
                    source.repo_id,
                    name,
                    revision=commit,
                    local_dir=into,
                    endpoint=endpoint,
                    token=credential,
                    etag_timeout=_TIMEOUT_SECONDS,
                )
    except Exception as error:
        raise FetchFailed(_explained(error, source, shown)) from error
    _check(into, sizes=sizes, digests=_digests(info), shown=shown)
    return commit


def go_offline(environment: MutableMapping[str, str]) -> None:
    """Let every later request of the hub's library fail, whoever makes it: our code or another library.

    The library reads `environment`, the process's own, only while it is imported, and its own module ever after.
    """
    environment["HF_HUB_OFFLINE"] = "1"
    constants: Any = sys.modules.get("huggingface_hub.constants")
    if constants is not None:
        constants.HF_HUB_OFFLINE = True


def sha256_of(path: Path) -> str:
    """The file's SHA-256 as hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _explained(error: Exception, source: HubSource, shown: str) -> str:
    from huggingface_hub import errors  # noqa: PLC0415 - imported already where this is called

    reason = without_userinfo((str(error).strip().splitlines() or ["no further reason"])[0])
    if isinstance(error, (errors.RepositoryNotFoundError, errors.GatedRepoError)):
        return (
            f"The hub at {shown} does not give us the model {source.repo_id}: it does not exist there, or it needs "
            f"a token (EMBSERVER_HUB_TOKEN, in embctl the setting `hub.token`). The hub said: {reason}"
        )
    if isinstance(error, errors.RevisionNotFoundError):
        return (
            f"The hub at {shown} has no revision {source.revision!r} of {source.repo_id}. "
            "Leave EMBSERVER_REVISION unset, or name a commit, tag or branch of that repository."
        )
    if isinstance(error, OSError) and error.errno in _STORAGE:
        return (
            f"The model {source.repo_id} cannot be stored: {reason}. The models folder must be writable and have room."
        )
    return (
        f"The model {source.repo_id} could not be fetched from the hub at {shown}: "
        f"{type(error).__name__}: {reason}. {_WAYS_OUT}"
    )


def _sizes(info: "ModelInfo") -> dict[str, int | None]:
    return {file.rfilename: file.size for file in info.siblings or () if file.rfilename in WANTED_FILES}


def _digests(info: "ModelInfo") -> dict[str, str]:
    wanted = (file for file in info.siblings or () if file.rfilename in WANTED_FILES)
    return {file.rfilename: file.lfs.sha256 for file in wanted if file.lfs is not None}


def _check(folder: Path, *, sizes: Mapping[str, int | None], digests: Mapping[str, str], shown: str) -> None:
    for name, size in sizes.items():
        path = folder / name
        if not path.is_file():
            raise FetchFailed(f"The hub at {shown} broke off before {name} was complete. Try again. {_WAYS_OUT}")
        wrong_size = size is not None and path.stat().st_size != size
        if wrong_size or (name in digests and sha256_of(path) != digests[name]):
            path.unlink()
            raise FetchFailed(f"{name} arrived damaged from the hub at {shown} and was deleted. Try again.")
