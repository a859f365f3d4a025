"""What a running service was made from, as one hash for each runtime. A setting that only containers know, such as a
memory limit, must not stop a process, nor the native block a container. Pure."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from embctl.model import ServiceSpec

__all__ = ["container_hash", "native_hash"]

_NOT_THE_CONTAINERS = ("config_hash", "native_hash", "native", "compose_file")
_LOG_LIMITS = ("max-size", "max-file")


def container_hash(spec: ServiceSpec) -> str:
    """Of all but the native block. Where the files lie says nothing about the container, so paths stay out; the
    build's digest stands for its files and what is in them."""
    facts = asdict(spec)
    for name in _NOT_THE_CONTAINERS:
        del facts[name]
    if facts["build"]:
        del facts["build"]["context"], facts["build"]["files"]
    return _digest(facts)


def native_hash(spec: ServiceSpec) -> str:
    """Of what the native runtime starts a process from; empty for a service that has no native block. The program
    itself is what an image is to a container: observed, not defined."""
    if spec.native is None:
        return ""
    environment = {**spec.environment, **spec.native.environment, **spec.native.folders}
    return _digest(
        {
            "name": spec.container_name,
            "module": spec.native.module,
            "environment": environment,
            "folders": sorted(spec.native.folders),
            "volumes": spec.volumes,
            "networks": spec.networks,
            "ports": [asdict(port) for port in spec.ports],
            "restart": spec.restart,
            "stop_grace_period": spec.stop_grace_period,
            "log": {name: spec.log_options.get(name, "") for name in _LOG_LIMITS},
            "open_files": [limit.soft for limit in spec.ulimits if limit.name == "nofile"],
            "labels": spec.labels,
        }
    )


def _digest(facts: Mapping[str, Any]) -> str:
    """SHA-256 of canonical JSON."""
    canonical = json.dumps(facts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
