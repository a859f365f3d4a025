"""The way from an editor to the two services: proxies, names, and windows on other machines."""

import socket
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from embctl.doctor.check import Check, Judgement, fail, ok, skipped, warn
from embctl.doctor.examination import Examination
from embctl.doctor.scene import Scene
from embctl.model import Runtime
from embctl.vscode.surroundings import elsewhere

__all__ = ["NETWORK", "NetworkFacts", "look", "look_with"]

PROXIES = ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")
EXCEPTIONS = ("NO_PROXY", "no_proxy")
LOOPBACK = ("localhost", "127.0.0.1")
# What an engine calls its own machine inside a container.
HOST = "host.docker.internal"
KNOCK_SECONDS = 2.0
CONTAINERS = frozenset({"a dev container", "a codespace"})

Resolve = Callable[..., Iterable[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkFacts:
    """`proxies` are the variables that name one, `exceptions` what goes past it. `localhost` are its addresses in the
    order in which they are tried, `strangers` the ports at which somebody answers on its IPv6 side, where no service of
    ours listens. `place` is what this terminal runs in, when the editor may be elsewhere; `by_host_name` whether the
    services answer there under the engine's name for its machine."""

    proxies: Mapping[str, str]
    exceptions: str
    localhost: tuple[str, ...]
    strangers: tuple[int, ...]
    place: str | None
    inside: bool
    by_host_name: bool
    ports: Mapping[str, int]


def look(scene: Scene) -> NetworkFacts:
    """Reads the environment, asks the resolver, and knocks."""
    return look_with(scene, socket.getaddrinfo)


def look_with(scene: Scene, resolve: Resolve) -> NetworkFacts:
    """The same with any resolver of `socket.getaddrinfo`'s form."""
    env = scene.env
    ports = {name: int(each.url.rpartition(":")[2]) for name, each in scene.endpoints.items()}
    addresses: tuple[str, ...] = ()
    with suppress(OSError):
        addresses = tuple(dict.fromkeys(found[4][0] for found in resolve("localhost", 0, type=socket.SOCK_STREAM)))
    place = elsewhere(env, served=False)
    return NetworkFacts(
        proxies={name: env[name] for name in PROXIES if env.get(name)},
        exceptions=next((env[name] for name in EXCEPTIONS if env.get(name)), ""),
        localhost=addresses,
        strangers=tuple(port for port in ports.values() if "::1" in addresses and _answers("::1", port)),
        place=place,
        inside=scene.runtime is Runtime.NATIVE,
        by_host_name=place in CONTAINERS and all(_answers(HOST, port) for port in ports.values()),
        ports=ports,
    )


def _answers(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=KNOCK_SECONDS).close()
    except OSError:
        return False
    return True


def _proxy(facts: NetworkFacts) -> Judgement:
    if not facts.proxies:
        return ok("no proxy is named in the environment")
    names = ", ".join(facts.proxies)
    swallowed = [host for host in LOOPBACK if not _excepted(host, facts.exceptions)]
    if swallowed:
        wanted = ",".join(filter(None, (facts.exceptions, *LOOPBACK)))
        return warn(
            f"{names} would get the requests to {', '.join(swallowed)} too",
            f"Except loopback: NO_PROXY={wanted}, and start the editor anew",
        )
    return ok(f"{names}, and NO_PROXY excepts loopback")


def _excepted(host: str, exceptions: str) -> bool:
    """As every client reads it: names, and a star for all. Ranges such as 127.0.0.0/8 mean nothing to some."""
    return bool({host, "*"} & set(exceptions.replace(",", " ").split()))


def _localhost(facts: NetworkFacts) -> Judgement:
    listed = ", ".join(facts.localhost)
    if not any(address.startswith("127.") for address in facts.localhost):
        said = f"localhost means {listed}" if listed else "localhost has no address"
        return fail(f"{said}; the services listen on 127.0.0.1", "Use 127.0.0.1 in URLs, or mend the file hosts")
    if facts.strangers:
        ports = ", ".join(map(str, facts.strangers))
        return fail(
            f"localhost means {listed}, and on ::1 another program answers at {ports}",
            "Stop that program, or use 127.0.0.1 in URLs",
        )
    return ok(f"localhost means {listed}")


def _window(facts: NetworkFacts) -> Judgement:
    if set(facts.ports) != {"qdrant", "jina"}:
        return skipped("there are no two services to reach")
    here = _urls("localhost", facts)
    if facts.place is None:
        return ok(f"for an editor on this machine: {here}")
    if facts.place in CONTAINERS and not facts.inside:
        there = _urls(HOST, facts)
        if facts.by_host_name:
            return ok(f"this is {facts.place}: the services answer at {there}")
        return warn(
            f"this is {facts.place}: localhost is the container itself, and nobody answers at {there}",
            f"On Docker Desktop use {there}; elsewhere give the container the host's network, or run the services in "
            "it: --runtime native",
        )
    if facts.place == "an SSH session":
        tunnels = " ".join(f"-L {port}:127.0.0.1:{port}" for port in facts.ports.values())
        return ok(
            f"this is {facts.place}: a remote window uses {here}; one on your own machine first ssh -N {tunnels} HOST"
        )
    return ok(f"this is {facts.place}: windows that are opened in it use {here}")


def _urls(host: str, facts: NetworkFacts) -> str:
    return f"http://{host}:{facts.ports['jina']}/v1 and http://{host}:{facts.ports['qdrant']}"


NETWORK = Examination(
    noun="network",
    look=look,
    checks=(
        Check(id="network.proxy", looks_at="proxy variables that take loopback along", judge=_proxy),
        Check(id="network.localhost", looks_at="what localhost means, in IPv4 and IPv6", judge=_localhost),
        Check(
            id="network.window",
            looks_at="the URLs for an editor here, in WSL, over SSH or in a container",
            judge=_window,
        ),
    ),
)
