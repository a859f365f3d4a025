"""Where a container engine may be listening, in the order to try: what the user named, else the usual sockets.
Reads the Docker CLI's own files, dials nothing."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from embctl.errors import ConfigInvalid

__all__ = ["Candidate", "Tls", "candidates", "usual"]

DEFAULT_SOCKET = "unix:///var/run/docker.sock"
DEFAULT_PIPE = "npipe:////./pipe/docker_engine"
SETTING = "setting engine.host"  # which a flag, a variable or a file may have given
LOOPBACK = frozenset({"localhost", "::1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """Certificates for one address; the files may be missing. `verify` is whether the engine has to prove its name."""

    ca: Path
    cert: Path
    key: Path
    verify: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An address worth dialling; `origin` says who named it."""

    address: str
    origin: str
    tls: Tls | None = None

    @property
    def local(self) -> bool:
        """Whether ports published there are this machine's."""
        parts = urlsplit(self.address)
        if parts.scheme in {"unix", "npipe"}:
            return True
        host = parts.hostname or ""
        return parts.scheme in {"tcp", "http", "https"} and (host in LOOPBACK or host.startswith("127."))


def candidates(*, host: str, context: str, env: Mapping[str, str], home: Path, platform: str) -> tuple[Candidate, ...]:
    """One candidate when the user named it, because another engine than the one that holds their volumes would be a bad
    surprise; else every usual socket of `platform` (as in `sys.platform`). embctl's own settings, of which at most one
    is given, go before DOCKER_HOST, DOCKER_CONTEXT and the current context, in this order.

    Raises ConfigInvalid for a context that does not exist or cannot be read.
    """
    if host:
        return (Candidate(address=host, origin=SETTING, tls=_tls_of_environment(env, home)),)
    if not context and env.get("DOCKER_HOST"):
        return (Candidate(address=env["DOCKER_HOST"], origin="DOCKER_HOST", tls=_tls_of_environment(env, home)),)
    folder = Path(env["DOCKER_CONFIG"]) if env.get("DOCKER_CONFIG") else home / ".docker"
    name = context or env.get("DOCKER_CONTEXT") or _current_context(folder)
    if name == "default" and context:
        address = DEFAULT_PIPE if platform == "win32" else DEFAULT_SOCKET
        return (Candidate(address=address, origin="context default"),)
    if name and name != "default":
        return (_of_context(folder, name),)
    return tuple(usual(env, home, platform))


def _tls_of_environment(env: Mapping[str, str], home: Path) -> Tls | None:
    """As the Docker CLI reads it: certificates are used only when verification is asked for."""
    if not env.get("DOCKER_TLS_VERIFY"):
        return None
    folder = Path(env.get("DOCKER_CERT_PATH") or home / ".docker")
    return Tls(ca=folder / "ca.pem", cert=folder / "cert.pem", key=folder / "key.pem", verify=True)


def _current_context(folder: Path) -> str:
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    return str(config.get("currentContext") or "") if isinstance(config, dict) else ""


def _of_context(folder: Path, name: str) -> Candidate:
    key = hashlib.sha256(name.encode()).hexdigest()
    file = folder / "contexts" / "meta" / key / "meta.json"
    try:
        endpoint = _read_endpoint(file)
    except FileNotFoundError:
        raise _unknown_context(folder, name) from None
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise ConfigInvalid(
            f"The engine context {name} cannot be read: {file}: {error}",
            code="context_invalid",
            details={"context": name, "file": str(file)},
            actions=(f"Create it again: docker context rm {name}; docker context create {name}",),
        ) from error
    certificates = folder / "contexts" / "tls" / key / "docker"
    tls = None
    if certificates.is_dir():
        tls = Tls(
            ca=certificates / "ca.pem",
            cert=certificates / "cert.pem",
            key=certificates / "key.pem",
            verify=not endpoint.get("SkipTLSVerify"),
        )
    return Candidate(address=endpoint["Host"], origin=f"context {name}", tls=tls)


def _read_endpoint(file: Path) -> Mapping[str, Any]:
    endpoint: Mapping[str, Any] = json.loads(file.read_text(encoding="utf-8"))["Endpoints"]["docker"]
    if not endpoint["Host"]:
        raise ValueError("it has no Host")
    return endpoint


def _unknown_context(folder: Path, name: str) -> ConfigInvalid:
    known = ["default"]
    for file in sorted((folder / "contexts" / "meta").glob("*/meta.json")):
        try:
            known.append(str(json.loads(file.read_text(encoding="utf-8"))["Name"]))
        except (OSError, ValueError, LookupError, TypeError):
            continue
    close = get_close_matches(name, known, n=1)
    return ConfigInvalid(
        f"There is no engine context {name}; there are: {', '.join(known)}.",
        code="context_unknown",
        details={"context": name, "known": known},
        actions=((f"Did you mean {close[0]}?",) if close else ()) + ("See them all: docker context ls",),
    )


def usual(env: Mapping[str, str], home: Path, platform: str) -> Iterator[Candidate]:
    """The sockets, or pipes, at which the known products listen when nobody said otherwise."""
    if platform == "win32":
        for name, pipe in (("Docker", "docker_engine"), ("Podman machine", "podman-machine-default")):
            yield Candidate(address=f"npipe:////./pipe/{pipe}", origin=name)
        return
    runtime = env.get("XDG_RUNTIME_DIR")
    yield Candidate(address=DEFAULT_SOCKET, origin="default socket")
    sockets = [
        ("Docker Desktop", home / ".docker/desktop/docker.sock"),
        ("Docker Desktop", home / ".docker/run/docker.sock"),
        ("Rancher Desktop", home / ".rd/docker.sock"),
        ("Colima", Path(env.get("COLIMA_HOME") or home / ".colima") / "default/docker.sock"),
        ("OrbStack", home / ".orbstack/run/docker.sock"),
        ("Podman machine", home / ".local/share/containers/podman/machine/podman.sock"),
    ]
    if platform == "darwin" and env.get("TMPDIR"):
        sockets.append(("Podman machine", Path(env["TMPDIR"]) / "podman/podman-machine-default-api.sock"))
    sockets.append(("Lima", Path(env.get("LIMA_HOME") or home / ".lima") / "docker/sock/docker.sock"))
    if runtime:
        sockets.append(("rootless Docker", Path(runtime) / "docker.sock"))
        sockets.append(("rootless Podman", Path(runtime) / "podman/podman.sock"))
    for origin, path in sockets:
        yield Candidate(address=f"unix://{path}", origin=origin)
