"""Starting a container: what must hold before, and the supervisor that does it."""

import secrets
import subprocess
from dataclasses import replace

from embctl.conflicts import port_taken
from embctl.engine.native import faults
from embctl.engine.native.container import Container
from embctl.engine.native.home import Home
from embctl.engine.native.locking import hold
from embctl.engine.native.observing import Sight, look, port_owner
from embctl.engine.native.records import Phase
from embctl.model import Label

__all__ = ["start"]

# Its supervisor may be about to leave.
PATIENCE = 5.0
# An interpreter and a dozen small modules, on the slowest machine.
BEGINNING = 60.0


def start(home: Home, container_id: str, python: str) -> None:
    """Start the container; return once its process has begun. One that runs without a supervisor gets one again."""
    with home.locked():
        container = home.container(container_id)
        sight = _look(container)
        if sight.alive and not sight.orphan:
            return
        token = secrets.token_hex(8)
        with hold(container.lock, patience=PATIENCE) as held:
            sight = _look(container)
            if sight.alive and not sight.orphan:
                return  # by the supervisor of a starter that was killed
            if not held:
                raise faults.busy(sight.definition.name)
            if not sight.orphan:
                _check(home, sight)
            container.forget_stop()
            process = sight.status.process if sight.orphan else None
            container.tell(
                replace(sight.status, phase=Phase.STARTING, token=token, supervisor=None, process=process, error="")
            )
        said = _launch(python, container, token)
        _confirm(container, sight.definition.name, token, said)


def _look(container: Container) -> Sight:
    sight = look(container)
    if sight is None:
        raise faults.container_gone(container.id)
    return sight


def _check(home: Home, sight: Sight) -> None:
    name = sight.definition.name
    there = home.networks()
    for network in sight.definition.networks:
        if network not in there:
            raise faults.network_missing(name, network)
    for port in sight.ports:
        owner = port_owner(home, port, besides=sight)
        if owner:
            raise port_taken(sight.definition.labels.get(Label.SERVICE, name), port.published, owner)


def _launch(python: str, container: Container, token: str) -> str:
    """Start a supervisor and listen until it has told how it went; what it said besides."""
    with subprocess.Popen(  # noqa: S603 - this package's own module
        # Not from the folder that the user happens to be in, where -m would look first.
        (python, "-P", "-m", "embctl.engine.native.supervisor", str(container.folder), token),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=container.state,
        start_new_session=True,
    ) as process:
        try:
            said, _ = process.communicate(timeout=BEGINNING)
        except subprocess.TimeoutExpired:
            # The one that was started has long left another behind: should that wake up, it must not begin.
            container.ask_to_stop(0.0)
            process.kill()
            return f"nothing was heard of its supervisor for {BEGINNING:.0f} seconds"
    return said.decode(errors="replace").strip()


def _confirm(container: Container, name: str, token: str, said: str) -> None:
    status = container.status()
    if status is None:
        raise faults.container_gone(container.id)
    if status.token != token:
        return  # somebody stopped or started it again meanwhile, and knows better
    if status.phase is Phase.STARTING:
        raise faults.not_started(name, said or "its supervisor ended without a word")
    if status.phase is Phase.EXITED and status.error:
        raise faults.not_started(name, status.error)
