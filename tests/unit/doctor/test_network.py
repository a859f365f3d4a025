"""Variables, names and sockets that stand between an editor and the services."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from embctl.doctor.network import NETWORK, look_with
from embctl.engine.ports import free_port
from embctl.model import Port, Runtime, StackSpec
from embctl.outcomes import Finding, Verdict
from fakes.fake_engine import FakeEngine
from fakes.scenes import examined, make_scene, running_engine
from fakes.stacks import make_stack, with_service

CHECKS = {check.id: check for check in NETWORK.checks}


def stack(port: int = 0) -> StackSpec:
    spec = make_stack()
    wanted = Port(host_ip="127.0.0.1", published=port or free_port(), target=4000)
    return with_service(spec, replace(spec.service("jina"), ports=(wanted,)))


def found(
    folder: Path,
    env: Mapping[str, str] | None = None,
    *,
    spec: StackSpec | None = None,
    engine: FakeEngine | None = None,
) -> dict[str, Finding]:
    with make_scene(folder, engine, spec=spec or stack(), env=env) as scene:
        return examined(NETWORK, scene)


@pytest.mark.parametrize(
    ("env", "verdict"),
    [
        ({}, Verdict.OK),
        ({"HTTP_PROXY": "http://proxy:3128"}, Verdict.WARN),
        ({"http_proxy": "http://proxy:3128", "no_proxy": "localhost"}, Verdict.WARN),
        ({"HTTP_PROXY": "http://proxy:3128", "NO_PROXY": "example.com, localhost,127.0.0.1"}, Verdict.OK),
        ({"ALL_PROXY": "socks5://proxy:1080", "NO_PROXY": "*"}, Verdict.OK),
        ({"HTTP_PROXY": "http://proxy:3128", "NO_PROXY": "127.0.0.0/8"}, Verdict.WARN),
    ],
)
def test_a_proxy_must_leave_out_loopback(tmp_path: Path, env: Mapping[str, str], verdict: Verdict) -> None:
    assert found(tmp_path, env)["network.proxy"].verdict is verdict


def test_localhost_of_this_machine_is_well(tmp_path: Path) -> None:
    assert found(tmp_path)["network.localhost"].verdict is Verdict.OK


def resolving(*addresses: str) -> Any:
    def resolve(*_: object, **__: object) -> Iterable[Any]:
        if not addresses:
            raise socket.gaierror
        return [(None, None, None, "", (address, 0)) for address in addresses]

    return resolve


@pytest.mark.parametrize("addresses", [(), ("::1",)])
def test_a_localhost_without_an_ipv4_address_fails(tmp_path: Path, addresses: tuple[str, ...]) -> None:
    with make_scene(tmp_path, spec=stack()) as scene:
        seen = CHECKS["network.localhost"].finding(look_with(scene, resolving(*addresses)))
    assert seen.verdict is Verdict.FAIL


def test_another_program_on_localhosts_ipv6_side_fails_with_the_port(tmp_path: Path) -> None:
    try:
        server = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError as reason:
        pytest.skip(f"this machine has no IPv6 loopback: {reason}")
    with server, make_scene(tmp_path, spec=stack(server.getsockname()[1])) as scene:
        seen = CHECKS["network.localhost"].finding(look_with(scene, resolving("::1", "127.0.0.1")))
    assert seen.verdict is Verdict.FAIL
    assert str(server_port(scene.spec)) in seen.evidence


def server_port(spec: StackSpec) -> int:
    return spec.service("jina").ports[0].published


def test_an_editor_on_this_machine_uses_localhost(tmp_path: Path) -> None:
    seen = found(tmp_path)["network.window"]
    assert (seen.verdict, "http://localhost:" in seen.evidence) == (Verdict.OK, True)


def test_in_a_dev_container_the_url_is_the_engines_machine(tmp_path: Path) -> None:
    seen = found(tmp_path, {"REMOTE_CONTAINERS": "1"}, engine=running_engine(stack()))["network.window"]
    assert seen.verdict is Verdict.WARN
    assert "http://host.docker.internal:" in seen.evidence


def test_in_a_dev_container_that_runs_the_services_itself_it_is_localhost(tmp_path: Path) -> None:
    engine = running_engine(stack(), Runtime.NATIVE)
    seen = found(tmp_path, {"REMOTE_CONTAINERS": "1"}, engine=engine)["network.window"]
    assert (seen.verdict, "http://localhost:" in seen.evidence) == (Verdict.OK, True)


def test_over_ssh_a_window_of_another_machine_needs_a_tunnel(tmp_path: Path) -> None:
    spec = stack()
    seen = found(tmp_path, {"SSH_CONNECTION": "a b c d"}, spec=spec)["network.window"]
    assert f"ssh -N -L 6333:127.0.0.1:6333 -L {server_port(spec)}" in seen.evidence


def test_a_window_in_wsl_uses_localhost(tmp_path: Path) -> None:
    seen = found(tmp_path, {"WSL_DISTRO_NAME": "Ubuntu"})["network.window"]
    assert "Subsystem for Linux" in seen.evidence


def test_the_variables_are_those_of_the_process(tmp_path: Path) -> None:
    env = {**os.environ, "HTTP_PROXY": "http://ada:pass-9@proxy:3128", "NO_PROXY": "", "no_proxy": ""}
    env |= {f"XDG_{kind}_HOME": str(tmp_path) for kind in ("CONFIG", "STATE", "DATA")} | {"HOME": str(tmp_path)}
    command = [sys.executable, "-m", "embctl", "doctor", "--runtime", "native", "--port-offset", "20000"]
    said = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    (line,) = (line for line in said.stdout.splitlines() if line.startswith("network.proxy"))
    assert "warn" in line
    assert "HTTP_PROXY" in line
    assert "pass-9" not in said.stdout
