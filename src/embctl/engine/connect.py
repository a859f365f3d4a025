"""Finds the engine to talk to, behind a Docker socket or a context: dials each candidate in turn, and when none answers
says why, address by address."""

import socket
import ssl
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import docker
import docker.errors
import requests
from docker.constants import MINIMUM_DOCKER_API_VERSION
from docker.tls import TLSConfig

from embctl.engine.candidates import Candidate, Tls, candidates
from embctl.engine.docker_sdk import DockerEngine
from embctl.errors import EngineUnreachable

__all__ = ["connect"]

DIAL_TIMEOUT = {"unix": 5, "npipe": 5}
REMOTE_DIAL_TIMEOUT = 15
CALL_TIMEOUT = 60  # of each later call that is no stream
ABSENT = "there is no such socket"
REFUSED = "nobody listens there"
FORBIDDEN = "permission denied"
NO_ENGINE = "what answers there is no container engine"
NO_SSH = "ssh addresses need the Python package paramiko"


def connect(
    *, host: str, context: str, env: Mapping[str, str], home: Path, platform: str = sys.platform
) -> DockerEngine:
    """The engine at `host`, at `context`, or where the environment or the current context says; else the first of the
    usual sockets that answers.

    Raises EngineUnreachable with every address tried and its reason; ConfigInvalid for an unknown context.
    """
    tried: list[tuple[Candidate, str]] = []
    for candidate in candidates(host=host, context=context, env=env, home=home, platform=platform):
        try:
            client = _dial(candidate)
        except (docker.errors.DockerException, OSError, ValueError) as error:
            tried.append((candidate, reason_of(error)))
            continue
        client.timeout = CALL_TIMEOUT
        return DockerEngine(client, address=candidate.address, origin=candidate.origin, local=candidate.local)
    named = bool(host or context or env.get("DOCKER_HOST") or env.get("DOCKER_CONTEXT"))
    raise _unreachable(tried, named=named)


def _dial(candidate: Candidate) -> docker.APIClient:
    """A client whose engine has answered once, speaking the engine's own API version."""
    scheme, _, path = candidate.address.partition("://")
    if scheme == "unix":
        _knock(path)

    def client(version: str) -> docker.APIClient:
        return docker.APIClient(
            base_url=candidate.address,
            version=version,
            timeout=DIAL_TIMEOUT.get(scheme, REMOTE_DIAL_TIMEOUT),
            tls=_tls(candidate.tls) if candidate.tls else False,
            use_ssh_client=scheme == "ssh",
        )

    # Not version="auto": a client that fails in its constructor leaves its connections open.
    with client(MINIMUM_DOCKER_API_VERSION) as first:
        answer = first.version(api_version=False)
    if not isinstance(answer, dict) or "ApiVersion" not in answer:
        raise docker.errors.DockerException(NO_ENGINE)
    return client(answer["ApiVersion"])


def _knock(path: str) -> None:
    """Find out what is wrong with a socket before docker-py does, which never closes one that it could not connect."""
    with socket.socket(socket.AF_UNIX) as knock:
        knock.settimeout(DIAL_TIMEOUT["unix"])
        knock.connect(path)


def _tls(tls: Tls) -> TLSConfig:
    client = (str(tls.cert), str(tls.key)) if tls.cert.is_file() and tls.key.is_file() else None
    return TLSConfig(client_cert=client, ca_cert=str(tls.ca) if tls.ca.is_file() else None, verify=tls.verify)


def reason_of(error: BaseException) -> str:
    """Why a dial failed, in a few words; docker-py wraps the system's error several times."""
    causes = list(_causes(error))
    for kinds, reason in (
        (FileNotFoundError, ABSENT),
        (PermissionError, FORBIDDEN),
        (ConnectionRefusedError, REFUSED),
        (socket.gaierror, "unknown host name"),
        (ssl.SSLError, "the TLS certificates do not fit"),
        (TimeoutError, "no answer"),
    ):
        if any(isinstance(cause, kinds) for cause in causes):
            return reason
    if "paramiko" in str(error):
        return NO_SSH
    if any("timed out" in str(cause) for cause in causes):
        return "no answer"
    if any(isinstance(cause, requests.JSONDecodeError | docker.errors.APIError) for cause in causes):
        return NO_ENGINE
    return str(error).rstrip(".")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and all it was made from, wherever requests and urllib3 keep that."""
    seen: list[BaseException] = []
    pending: list[object] = [error]
    while pending:
        cause = pending.pop()
        if not isinstance(cause, BaseException) or any(cause is known for known in seen):
            continue
        seen.append(cause)
        yield cause
        pending += [cause.__cause__, cause.__context__, getattr(cause, "reason", None), *cause.args]


def _unreachable(tried: list[tuple[Candidate, str]], *, named: bool) -> EngineUnreachable:
    lines = [f"{candidate.address} ({candidate.origin}): {reason}" for candidate, reason in tried]
    reasons = {reason for _, reason in tried}
    if len(tried) == 1:
        message = f"The container engine does not answer at {lines[0]}."
    else:
        message = "No container engine answers. Tried:\n" + "\n".join(f"  {line}" for line in lines)
    return EngineUnreachable(
        message,
        code="engine_unreachable",
        details={
            "named": named,
            "tried": [
                {"address": candidate.address, "origin": candidate.origin, "reason": reason}
                for candidate, reason in tried
            ],
        },
        actions=tuple(_ways_out(reasons, named=len(tried) == 1)),
        retryable=True,
    )


def _ways_out(reasons: set[str], *, named: bool) -> Iterator[str]:
    if FORBIDDEN in reasons:
        yield "Let your user use the engine: sudo usermod -aG docker $USER, then log in again"
    if NO_SSH in reasons:
        yield "Add it to embctl's environment: pipx inject embctl paramiko (or pip install paramiko)"
    if reasons - {FORBIDDEN, NO_SSH}:
        yield "Start the engine: Docker Desktop, or on Linux: sudo systemctl start docker"
    if reasons == {ABSENT} and not named:
        yield "Install one: Docker Desktop, Docker Engine, Podman, Colima, OrbStack and Rancher Desktop all do"
    yield "Or run the services without containers: embctl --runtime native start all"
    if named:
        yield "Use another engine: embctl --context NAME or --host ADDRESS, or unset DOCKER_HOST and DOCKER_CONTEXT"
        yield "See which settings name one: embctl config show --origin"
    else:
        yield "Name its address: embctl --host ADDRESS, or DOCKER_HOST"
