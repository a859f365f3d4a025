"""What an installed compose implementation reads in our files, brought into the same terms as a `ServiceSpec`.

Two are known: Docker's current plugin (`docker compose`), and docker-compose 1.29, which predates two things in our
files and is handed a copy without them: the top-level `name`, and `host_ip` in a port's long form (it gets the equal
short form).
"""

import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from embctl import units
from embctl.model import ServiceSpec, StackSpec

__all__ = ["COMMANDS", "Reference", "facts_of", "find"]

COMMANDS = (("docker", "compose"), ("docker-compose",))
_LONG_PORT = re.compile(r"- target: (\S+)\n +published: (\S+)\n +host_ip: (\S+)\n +protocol: (\S+)")
_OLD_SHORT_PORT = re.compile(r"(?P<ip>[\d.]+):(?P<published>\d+):(?P<target>\d+)/(?P<protocol>\w+)")
_RENAMED = {"container_name", "command", "entrypoint", "environment", "user", "image", "init", "read_only", "restart"}
_COMPARED = _RENAMED | {
    *("build", "ports", "volumes", "networks", "healthcheck", "stop_grace_period", "mem_limit", "memswap_limit"),
    *("pids_limit", "ulimits", "cap_drop", "security_opt", "logging", "labels", "runtime"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A compose implementation; `current` unless it is 1.29."""

    command: tuple[str, ...]
    current: bool

    def facts(self, file: Path, variables: Mapping[str, str], scratch: Path) -> dict[str, Any]:
        """How it understands `file` when run from another folder, in the terms of `facts_of`."""
        read = file
        if not self.current:
            read = scratch / file.name
            text = re.sub(r"(?m)^name: .*\n", "", file.read_text())
            read.write_text(_LONG_PORT.sub(r"- \3:\2:\1/\4", text))
        argv = [*self.command, "--project-directory", str(file.parent), "-f", str(read), "config"]
        if self.current:
            argv += ["--format", "json"]
        environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(scratch), **variables}
        done = subprocess.run(argv, env=environment, cwd=scratch, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        document = json.loads(done.stdout) if self.current else yaml.safe_load(done.stdout)
        return self._facts(_unescaped(document))

    def _facts(self, document: Mapping[str, Any]) -> dict[str, Any]:
        ((name, service),) = document["services"].items()
        given = {key for key, value in service.items() if value not in (None, {}, []) and not key.startswith("x-")}
        assert given <= _COMPARED, f"not compared: {given - _COMPARED}"
        volumes = {key: value["name"] for key, value in document.get("volumes", {}).items()}
        networks = {key: value["name"] for key, value in document.get("networks", {}).items()}
        logging = service.get("logging", {})
        build = service.get("build") or {}
        facts: dict[str, Any] = {key: service.get(key) for key in _RENAMED}
        return facts | {
            "project": document["name"] if self.current else None,
            "name": name,
            "environment": {key: str(value) for key, value in service.get("environment", {}).items()},
            "init": bool(service.get("init")),
            "read_only": bool(service.get("read_only")),
            "restart": service.get("restart", "no"),
            "build": {
                "context": build.get("context"),
                "dockerfile": build.get("dockerfile"),
                "target": build.get("target"),
                "args": {key: str(value) for key, value in build.get("args", {}).items()},
            },
            "ports": [_port(each) for each in service.get("ports", [])],
            "mounts": [
                (each["type"], volumes.get(each.get("source"), ""), each["target"], each.get("read_only", False))
                for each in service.get("volumes", [])
            ],
            "networks": [networks[key] for key in service.get("networks", {})],
            "healthcheck": _healthcheck(service.get("healthcheck")),
            "stop_grace_period": units.duration(service.get("stop_grace_period", "10s")),
            "mem_limit": _bytes(service.get("mem_limit", 0)),
            "memswap_limit": _bytes(service.get("memswap_limit", 0)),
            "pids_limit": service.get("pids_limit", 0),
            "runtime": service.get("runtime", ""),
            "ulimits": {key: (value["soft"], value["hard"]) for key, value in service.get("ulimits", {}).items()},
            "cap_drop": service.get("cap_drop", []),
            "security_opt": service.get("security_opt", []),
            "logging": (logging.get("driver", ""), logging.get("options", {})),
            "labels": service.get("labels", {}),
            "volume_names": volumes,
            "network_names": networks,
        }


def find(command: tuple[str, ...]) -> Reference | None:
    """The implementation that answers to `command`, if any."""
    if shutil.which(command[0]) is None:
        return None
    done = subprocess.run([*command, "version", "--short"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return None
    return Reference(command=command, current=not done.stdout.strip().startswith("1."))


def facts_of(stack: StackSpec, *, current: bool) -> dict[str, Any]:
    """How embctl understands the file, in terms that a compose implementation's output can be brought into."""
    (service,) = stack.services
    check = service.healthcheck
    return {key: _listed(getattr(service, key)) for key in _RENAMED} | {
        "project": stack.project if current else None,
        "name": service.name,
        "build": _build(service),
        "ports": [(port.host_ip, port.published, port.target, "tcp") for port in service.ports],
        "mounts": [(str(each.kind), each.source, each.target, each.read_only) for each in service.mounts],
        "networks": list(service.networks),
        "healthcheck": check and (list(check.test), check.interval, check.timeout, check.retries, check.start_period),
        "stop_grace_period": service.stop_grace_period,
        "mem_limit": service.mem_limit,
        "memswap_limit": service.memswap_limit,
        "pids_limit": service.pids_limit,
        "runtime": service.container_runtime,
        "ulimits": {each.name: (each.soft, each.hard) for each in service.ulimits},
        "cap_drop": list(service.cap_drop),
        "security_opt": list(service.security_opt),
        "logging": (service.log_driver, service.log_options),
        "labels": service.labels,
        "volume_names": {each.key: each.name for each in stack.volumes},
        "network_names": {each.key: each.name for each in stack.networks},
    }


def _build(service: ServiceSpec) -> dict[str, Any]:
    build = service.build
    return {
        "context": build and str(build.context),
        "dockerfile": build and build.dockerfile,
        "target": build and build.target,
        "args": build.args if build else {},
    }


def _listed(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _unescaped(value: Any) -> Any:
    """`config` prints text that could be read again: each `$` doubled."""
    if isinstance(value, dict):
        return {key: _unescaped(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_unescaped(each) for each in value]
    return value.replace("$$", "$") if isinstance(value, str) else value


def _port(value: Any) -> tuple[str, int, int, str]:
    if isinstance(value, str):
        match = _OLD_SHORT_PORT.fullmatch(value)
        assert match, value
        return match["ip"], int(match["published"]), int(match["target"]), match["protocol"]
    return value["host_ip"], int(value["published"]), int(value["target"]), value["protocol"]


def _healthcheck(value: Any) -> tuple[list[str], float, float, int, float] | None:
    if value is None:
        return None
    times = [units.duration(value[key]) for key in ("interval", "timeout", "start_period")]
    return value["test"], times[0], times[1], value["retries"], times[2]


def _bytes(value: Any) -> int:
    return int(value) if isinstance(value, int) or value.isdigit() else units.size(value)
