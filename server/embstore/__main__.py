"""`python -m embstore`: serve one storage folder until SIGTERM or SIGINT, then flush and close it.

Exit codes: 0 stopped on request, 1 cannot start, 2 a variable has an unusable value,
3 the address cannot be listened on, 4 another process has the storage folder open.
"""

import logging
import os
import signal
import sys

import uvicorn

from embstore.app import create_app
from embstore.errors import StorageLocked
from embstore.settings import Settings, SettingsInvalid

_log = logging.getLogger("embstore")

# Longer than any client keeps an idle connection, so that the client is the one to close it.
_KEEP_ALIVE_SECONDS = 75


def main() -> int:
    """Run the server; the return value is the exit code."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        settings = Settings.from_env(os.environ)
    except SettingsInvalid as error:
        _log.error("%s", error)
        return 2
    try:
        app = create_app(settings)
    except StorageLocked as error:
        _log.error("%s", error)
        return 4
    except OSError as error:
        _log.error("The storage folder %s cannot be used: %s", settings.storage_path, error)
        return 1
    # The server raises the signal that stopped it once more when all is closed; that is a success.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    store = app.state.store
    _log.info("%s: %d collections, %d unreadable", settings.storage_path, len(store.names()), len(store.broken()))
    uvicorn.run(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
