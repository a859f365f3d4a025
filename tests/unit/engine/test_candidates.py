"""Which addresses are worth dialling, and in which order."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from embctl.engine.candidates import Candidate, candidates
from embctl.errors import ConfigInvalid

HOST = "tcp://10.0.0.1:2375"


def write_context(home: Path, name: str, host: str = HOST, **endpoint: Any) -> Path:
    """A context as the Docker CLI writes it; returns the folder of its certificates."""
    key = hashlib.sha256(name.encode()).hexdigest()
    meta = home / ".docker/contexts/meta" / key
    meta.mkdir(parents=True)
    content = {"Name": name, "Metadata": {}, "Endpoints": {"docker": {"Host": host, **endpoint}}}
    (meta / "meta.json").write_text(json.dumps(content))
    return home / ".docker/contexts/tls" / key / "docker"


def use_context(home: Path, name: str) -> None:
    (home / ".docker").mkdir(exist_ok=True)
    (home / ".docker/config.json").write_text(json.dumps({"currentContext": name}))


def found(
    home: Path, *, host: str = "", context: str = "", platform: str = "linux", **env: str
) -> tuple[Candidate, ...]:
    return candidates(host=host, context=context, env=env, home=home, platform=platform)


def only(home: Path, *, host: str = "", context: str = "", platform: str = "linux", **env: str) -> tuple[str, str]:
    (candidate,) = found(home, host=host, context=context, platform=platform, **env)
    return candidate.address, candidate.origin


def test_what_is_named_closest_to_the_command_wins_and_stands_alone(tmp_path: Path) -> None:
    for name in ("flag", "env", "current"):
        write_context(tmp_path, name, f"tcp://{name}:1")
    use_context(tmp_path, "current")
    named = {"DOCKER_HOST": "tcp://e:1", "DOCKER_CONTEXT": "env"}
    assert only(tmp_path, host="tcp://h:1", **named) == ("tcp://h:1", "setting engine.host")
    assert only(tmp_path, context="flag", **named) == ("tcp://flag:1", "context flag")
    assert only(tmp_path, DOCKER_HOST="tcp://e:1", DOCKER_CONTEXT="env") == ("tcp://e:1", "DOCKER_HOST")
    assert only(tmp_path, DOCKER_CONTEXT="env") == ("tcp://env:1", "context env")
    assert only(tmp_path) == ("tcp://current:1", "context current")


def test_the_default_context_is_the_usual_sockets(tmp_path: Path) -> None:
    use_context(tmp_path, "default")
    assert len(found(tmp_path)) > 1
    assert only(tmp_path, context="default") == ("unix:///var/run/docker.sock", "context default")
    assert only(tmp_path, context="default", platform="win32")[0] == "npipe:////./pipe/docker_engine"


def test_the_docker_configuration_may_lie_elsewhere(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    write_context(elsewhere, "away")
    assert only(tmp_path, context="away", DOCKER_CONFIG=str(elsewhere / ".docker")) == (HOST, "context away")


def test_an_unknown_context_is_refused_with_those_that_exist(tmp_path: Path) -> None:
    write_context(tmp_path, "production")
    with pytest.raises(ConfigInvalid, match="default, production") as unknown:
        found(tmp_path, context="producton")
    assert unknown.value.code == "context_unknown"
    assert "Did you mean production?" in unknown.value.actions


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"Endpoints": {"docker": {"Host": ""}}}'])
def test_a_broken_context_is_refused_with_its_file(tmp_path: Path, content: str) -> None:
    write_context(tmp_path, "broken")
    (file,) = (tmp_path / ".docker/contexts/meta").glob("*/meta.json")
    file.write_text(content)
    with pytest.raises(ConfigInvalid, match=r"meta\.json") as invalid:
        found(tmp_path, context="broken")
    assert invalid.value.code == "context_invalid"


@pytest.mark.parametrize("content", ["", "[]", "no json"])
def test_a_broken_docker_configuration_names_no_context(tmp_path: Path, content: str) -> None:
    (tmp_path / ".docker").mkdir()
    (tmp_path / ".docker/config.json").write_text(content)
    assert len(found(tmp_path)) > 1


def test_a_context_brings_its_certificates(tmp_path: Path) -> None:
    folder = write_context(tmp_path, "secure", SkipTLSVerify=False)
    folder.mkdir(parents=True)
    (candidate,) = found(tmp_path, context="secure")
    assert candidate.tls is not None
    assert (candidate.tls.ca, candidate.tls.verify) == (folder / "ca.pem", True)


def test_certificates_of_the_environment_are_used_only_when_asked_for(tmp_path: Path) -> None:
    (plain,) = found(tmp_path, DOCKER_HOST=HOST, DOCKER_CERT_PATH="/certs")
    (secure,) = found(tmp_path, DOCKER_HOST=HOST, DOCKER_CERT_PATH="/certs", DOCKER_TLS_VERIFY="1")
    assert plain.tls is None
    assert secure.tls is not None
    assert secure.tls.cert == Path("/certs/cert.pem")


def test_the_usual_sockets_are_tried_from_the_system_wide_to_the_rootless(tmp_path: Path) -> None:
    origins = list(dict.fromkeys(candidate.origin for candidate in found(tmp_path, XDG_RUNTIME_DIR="/run/user/1")))
    assert origins == [
        "default socket",
        "Docker Desktop",
        "Rancher Desktop",
        "Colima",
        "OrbStack",
        "Podman machine",
        "Lima",
        "rootless Docker",
        "rootless Podman",
    ]


def test_windows_has_named_pipes(tmp_path: Path) -> None:
    addresses = [candidate.address for candidate in found(tmp_path, platform="win32")]
    assert addresses == ["npipe:////./pipe/docker_engine", "npipe:////./pipe/podman-machine-default"]


@pytest.mark.parametrize(
    ("address", "local"),
    [
        ("unix:///var/run/docker.sock", True),
        ("npipe:////./pipe/docker_engine", True),
        ("tcp://127.0.0.1:2375", True),
        ("tcp://localhost:2375", True),
        ("tcp://[::1]:2375", True),
        ("tcp://10.0.0.1:2375", False),
        ("ssh://me@server", False),
    ],
)
def test_an_engine_is_local_when_its_ports_are_this_machines(address: str, local: bool) -> None:
    assert Candidate(address=address, origin="").local is local
