"""The container engine: whether one answers, which, who named it, and sockets that nobody serves."""

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from embctl.doctor.check import Check, Judgement, fail, ok, skipped, warn
from embctl.doctor.examination import Examination
from embctl.doctor.scene import EngineSeen, Scene
from embctl.engine.candidates import Candidate, candidates, usual
from embctl.errors import ConfigInvalid
from embctl.model import Runtime

__all__ = ["ENGINE", "EngineFacts", "look"]

# Docker 20.10, the oldest that is tested.
OLDEST_API = (1, 41)
KNOCK_SECONDS = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineFacts:
    """`wanted` is the setting `runtime`; `by_setting` whether embctl's own settings name an engine; `host` is
    DOCKER_HOST, `context` the candidate that a context names; `stale` are sockets that exist and that nobody serves,
    `platform_sockets` whether this system has such."""

    seen: EngineSeen
    wanted: Runtime
    by_setting: bool
    host: str
    context: Candidate | None
    stale: tuple[Path, ...]
    platform_sockets: bool


def look(scene: Scene) -> EngineFacts:
    """Reads the environment and Docker's own files, and knocks at the usual sockets."""
    settings = scene.settings
    return EngineFacts(
        seen=scene.seen,
        wanted=Runtime(settings.runtime),
        by_setting=bool(settings.engine_host or settings.engine_context),
        host=scene.env.get("DOCKER_HOST", ""),
        context=_context(scene),
        stale=tuple(_stale(scene)),
        platform_sockets=scene.platform != "win32",
    )


def _context(scene: Scene) -> Candidate | None:
    """What would be dialled were DOCKER_HOST not set, if a context says so."""
    env = {name: value for name, value in scene.env.items() if name != "DOCKER_HOST"}
    try:
        first = candidates(host="", context="", env=env, home=scene.home, platform=scene.platform)[0]
    except ConfigInvalid:  # connecting tells of it
        return None
    return first if first.origin.startswith("context ") else None


def _stale(scene: Scene) -> Iterator[Path]:
    if scene.platform == "win32":
        return
    for candidate in usual(scene.env, scene.home, scene.platform):
        path = Path(candidate.address.removeprefix("unix://"))
        if path.is_socket() and not _served(path):
            yield path


def _served(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as knock:
        knock.settimeout(KNOCK_SECONDS)
        try:
            knock.connect(str(path))
        except ConnectionRefusedError:
            return False
        except OSError:  # such as not permitted: then somebody does serve it
            return True
    return True


def _reachable(facts: EngineFacts) -> Judgement:
    seen = facts.seen
    if seen.info is None or seen.observed is None:
        trouble = seen.trouble
        if trouble is None:
            return fail("The engine was silent.", "Start it again, then: embctl doctor")
        return fail(trouble.message, "; ".join(trouble.actions))
    info = seen.info
    where = f"{info.flavour} {info.version} at {info.address} ({info.origin})"
    if info.runtime is Runtime.NATIVE:
        why = "no container engine answers" if facts.wanted is Runtime.AUTO else "asked for"
        return ok(f"native runtime ({why}): services are processes of this machine, state in {info.address}")
    if not info.local:
        return warn(
            f"{where} is another machine: the services listen on its loopback, and are not looked at from here",
            "Forward the ports (ssh -L), or run embctl there",
        )
    return ok(where)


def _version(facts: EngineFacts) -> Judgement:
    info = facts.seen.info
    if info is None:
        return skipped("no engine answers (engine.reachable)")
    if info.runtime is Runtime.NATIVE:
        return skipped("the native runtime has no container engine")
    what = f"{info.flavour} {info.version}, API {info.api_version}, {info.os}/{info.architecture}"
    major, _, minor = info.api_version.partition(".")
    if not (major.isdigit() and minor.isdigit()):
        return skipped(f"{what}: its API version is no number")
    if (int(major), int(minor)) < OLDEST_API:
        return warn(f"{what} is older than what embctl is tested with (Docker 20.10, API 1.41)", "Update the engine")
    return ok(what)


def _clash(facts: EngineFacts) -> Judgement:
    if facts.by_setting:
        return ok("embctl's own settings name the engine, and win")
    if not facts.host or facts.context is None:
        return ok("DOCKER_HOST" if facts.host else facts.context.origin if facts.context else "nobody names an engine")
    if facts.context.address == facts.host:
        return ok(f"DOCKER_HOST and the {facts.context.origin} name the same engine")
    return warn(
        f"DOCKER_HOST ({facts.host}) wins over the {facts.context.origin} ({facts.context.address}): what you start in "
        "one shell may be missing in another",
        "Unset DOCKER_HOST, or name one engine for good: embctl's setting engine.host or engine.context",
    )


def _sockets(facts: EngineFacts) -> Judgement:
    if not facts.platform_sockets:
        return skipped("this system has no such sockets")
    if not facts.stale:
        return ok("every engine's socket that exists is served")
    listed = ", ".join(map(str, facts.stale))
    return warn(f"nobody serves {listed}", "Start the engine that it belongs to, or remove the file")


ENGINE = Examination(
    noun="engine",
    look=look,
    checks=(
        Check(id="engine.reachable", looks_at="whether an engine answers, and on which machine", judge=_reachable),
        Check(id="engine.version", looks_at="the engine's product and API version", judge=_version),
        Check(id="engine.context", looks_at="`DOCKER_HOST` against the Docker context", judge=_clash),
        Check(id="engine.sockets", looks_at="engines' sockets that nobody serves any more", judge=_sockets),
    ),
)
