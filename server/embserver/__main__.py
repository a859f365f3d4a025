"""`python -m embserver` serves the model that the environment names; `python -m embserver fetch` only fetches it and
checks that it could be served; `python -m embserver check` looks whether its files are here and whole, without a
network and without torch.

The only place that reads the process's environment, takes signals and exits. Exit codes: 0 done, 1 the model could not
be had or loaded (for `check`: is not here), 2 a setting is wrong, 3 what is here is no model that could be served.
"""

import argparse
import os
import signal
import sys
import time
from collections.abc import MutableMapping
from types import FrameType
from typing import NoReturn

from embserver import heap, log
from embserver.catalogue import WantedModel, resolve
from embserver.cores import STREAMS
from embserver.failures import FetchFailed, ModelRefused, StartFailed
from embserver.settings import Settings, SettingsInvalid, from_env

_log = log.named("main")
_PROGRESS_SECONDS = 1.0
_PREPARED_PRODUCTS = 12
_SPINS = "100000"


def main(arguments: list[str], environment: MutableMapping[str, str]) -> int:
    """Run one of the commands and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m embserver",
        description="OpenAI-compatible embedding server for one local model. Its settings are environment variables.",
        epilog="example: EMBSERVER_MODEL=minilm EMBSERVER_MODELS_DIR=./models python -m embserver",
    )
    parser.add_argument(
        "command", nargs="?", choices=("serve", "fetch", "check"), default="serve", help="default: serve"
    )
    command = parser.parse_args(arguments).command
    log.configure()
    try:
        settings = from_env(environment)
        wanted = resolve(settings.model, settings.revision)
    except SettingsInvalid as error:
        for problem in error.problems:
            log.event(_log, "settings_invalid", level="critical", detail=problem)
        return 2
    _prepare(environment, settings)
    heap.bound_arenas(environment)
    heap.map_large(environment)
    heap.keep_free(environment)
    _leave_on_signals(command == "serve")
    if command == "check":
        return _check(settings, wanted)
    return _fetch(settings, wanted, environment) if command == "fetch" else _serve(settings, wanted, environment)


def _prepare(environment: MutableMapping[str, str], settings: Settings) -> None:
    """What the libraries are to find in the environment when they are imported, unless somebody chose otherwise."""
    environment.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    environment.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    # The hub's chunk protocol goes past a mirror to hosts of its own, and keeps a second copy of everything.
    environment.setdefault("HF_HUB_DISABLE_XET", "1")
    # oneDNN, and in each thread torch's own layer over it, keep what they prepared for a product, each for one number
    # of rows. A batch has use for a dozen in all its layers; the usual thousand of each take hundreds of MB.
    environment.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", str(STREAMS * _PREPARED_PRODUCTS))
    environment.setdefault("LRU_CACHE_CAPACITY", str(_PREPARED_PRODUCTS))
    # A thread that waits for work spins for about a millisecond, as the next product mostly comes sooner, and waking it
    # takes long on a virtual machine. Then it sleeps: something else here may have use for the processor.
    if "OMP_WAIT_POLICY" not in environment:
        environment["OMP_WAIT_POLICY"] = "passive"
        environment.setdefault("GOMP_SPINCOUNT", _SPINS)
    # The home folder of a container's user is often read-only.
    environment.setdefault("HF_HOME", str(settings.models_dir / ".hub"))


def _fetch(settings: Settings, wanted: WantedModel, environment: MutableMapping[str, str]) -> int:
    from embserver import fetch, hub, loading  # noqa: PLC0415 - keeps the wrong setting's answer quick

    last = 0.0

    def progress(done: int, total: int | None) -> None:
        nonlocal last
        if time.monotonic() - last >= _PROGRESS_SECONDS or done == total:
            last = time.monotonic()
            log.event(_log, "progress", done=done, total=total)

    try:
        fetched = fetch.ensure(wanted, settings, progress)
        hub.go_offline(environment)
        loading.check(fetched.folder, wanted, settings)
    except ModelRefused as error:
        log.event(_log, "model_refused", level="critical", detail=str(error))
        return 3
    except StartFailed as error:
        log.event(_log, "fetch_failed", level="critical", detail=str(error))
        return 1
    log.event(_log, "fetched", model=wanted.name, revision=fetched.revision, folder=str(fetched.folder))
    return 0


def _check(settings: Settings, wanted: WantedModel) -> int:
    from embserver import fetch, modelfiles  # noqa: PLC0415 - keeps the wrong setting's answer quick
    from embserver.tokenizer import FileTokenizer  # noqa: PLC0415 - the same

    try:
        found = fetch.find(wanted, settings.models_dir)
        if found is None:
            raise FetchFailed(f"The model {wanted.name} is not below {settings.models_dir}, or not whole.")
        files = modelfiles.read(found.folder)
        FileTokenizer(found.folder, max_tokens=wanted.max_tokens or 512, vocabulary=files.number("vocab_size"))
    except ModelRefused as error:
        log.event(_log, "model_refused", level="critical", detail=str(error))
        return 3
    except StartFailed as error:
        log.event(_log, "model_absent", level="critical", detail=str(error))
        return 1
    log.event(_log, "model_whole", model=wanted.name, revision=found.revision, folder=str(found.folder))
    return 0


def _serve(settings: Settings, wanted: WantedModel, environment: MutableMapping[str, str]) -> int:
    from embserver.app import create_app  # noqa: PLC0415 - keeps the wrong setting's answer quick
    from embserver.server import Server, listen  # noqa: PLC0415 - the same
    from embserver.starting import fetch_and_load  # noqa: PLC0415 - the same

    failures: list[StartFailed] = []

    def failed(error: StartFailed) -> None:
        log.event(_log, "start_failed", level="critical", model=wanted.name, detail=str(error))
        failures.append(error)
        server.should_exit = True

    app = create_app(settings, wanted, fetch_and_load(settings, wanted, environment), failed=failed)
    server = Server(app, stopping=app.state.service.close)
    try:
        listener = listen(settings.host, settings.port)
    except StartFailed as error:
        failed(error)
        return 1
    server.run(sockets=[listener])
    return 1 if failures else 0


def _exit(code: int) -> NoReturn:
    """Leave at once: a download or a batch in a worker thread cannot be interrupted, and nothing is left to save."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _leave_on_signals(serving: bool) -> None:  # noqa: FBT001 - one private caller
    """How a signal ends the process while the server has not taken the signals over, and after it gave them back.

    Being told to stop is no failure of a server; a fetch that was stopped has not fetched.
    """

    def leave(number: int, _: FrameType | None) -> NoReturn:
        _exit(0 if serving else 128 + number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, leave)


if __name__ == "__main__":
    _exit(main(sys.argv[1:], os.environ))
