"""The engine's answers as embctl's nouns."""

from datetime import UTC, datetime
from typing import Any

import pytest

from embctl.engine import inspected
from embctl.model import ContainerState, Health, Port


def inspection(**state: Any) -> dict[str, Any]:
    return {
        "Id": "abc",
        "Name": "/embctl-jina",
        "Image": "sha256:1",
        "RestartCount": 2,
        "State": {
            "Status": "running",
            "ExitCode": 0,
            "OOMKilled": False,
            "Error": "",
            "StartedAt": "2026-01-01T00:00:01.123456789Z",
            **state,
        },
        "Config": {"Image": "jina:1", "Labels": None},
        "HostConfig": {"PortBindings": {"4000/tcp": [{"HostIp": "127.0.0.1", "HostPort": "4000"}]}},
        "NetworkSettings": {"Ports": {}},
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-01T00:00:00Z", datetime(2026, 1, 1, tzinfo=UTC)),
        ("2026-01-01T00:00:00.123456789Z", datetime(2026, 1, 1, 0, 0, 0, 123456, tzinfo=UTC)),
        ("2026-01-01T02:00:00.5+02:00", datetime(2026, 1, 1, 0, 0, 0, 500000, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", None),
        ("", None),
        ("soon", None),
    ],
)
def test_engine_times_are_utc_and_its_zero_is_none(text: str, expected: datetime | None) -> None:
    assert inspected.moment(text) == expected


def test_a_container_without_our_labels_is_foreign() -> None:
    container = inspected.container(inspection())
    assert (container.project, container.service, container.config_hash) == (None, None, None)
    assert (container.name, container.restarts, container.health) == ("embctl-jina", 2, Health.NONE)
    assert container.ports == (Port(host_ip="127.0.0.1", published=4000, target=4000),)


def test_what_is_mounted_is_told_by_its_place_a_tmpfs_left_out() -> None:
    mounts = [
        {"Type": "volume", "Name": "data", "Source": "/var/lib/docker/volumes/data/_data", "Destination": "/storage"},
        {"Type": "bind", "Source": "/home/ada", "Destination": "/models"},
        {"Type": "tmpfs", "Source": "", "Destination": "/scratch"},
    ]
    assert inspected.container({**inspection(), "Mounts": mounts}).mounted == {
        "/storage": "data",
        "/models": "/home/ada",
    }


@pytest.mark.parametrize(
    ("status", "exit_code"),
    [("created", None), ("running", None), ("paused", None), ("restarting", 137), ("exited", 137)],
)
def test_an_exit_code_is_known_only_after_an_exit(status: str, exit_code: int | None) -> None:
    container = inspected.container(inspection(Status=status, ExitCode=137))
    assert container.state is ContainerState(status)
    assert container.exit_code == exit_code


def test_podmans_own_states_are_understood() -> None:
    assert inspected.container(inspection(Status="stopped", ExitCode=1)).exit_code == 1
    assert inspected.container(inspection(Status="configured")).state is ContainerState.CREATED


@pytest.mark.parametrize(("runs", "state"), [(True, ContainerState.RUNNING), (False, ContainerState.EXITED)])
def test_a_state_that_nobody_knows_is_read_by_whether_the_container_runs(runs: bool, state: ContainerState) -> None:
    seen = inspected.container(inspection(Status="hibernating", Running=runs, Health={"Status": "drowsy"}))
    assert (seen.state, seen.health) == (state, Health.NONE)


def test_health_is_the_engines_verdict() -> None:
    assert inspected.container(inspection(Health={"Status": "unhealthy"})).health is Health.UNHEALTHY


CPU = {"cpu_usage": {"total_usage": 300}, "system_cpu_usage": 2000, "online_cpus": 2}
BEFORE = {"cpu_usage": {"total_usage": 100}, "system_cpu_usage": 1000}


@pytest.mark.parametrize(
    "counters", [{"anon": 10, "file": 5}, {"total_rss": 10, "total_cache": 5, "rss": 1, "cache": 1}]
)
def test_a_sample_tells_anonymous_memory_from_page_cache(counters: dict[str, int]) -> None:
    sample = {"memory_stats": {"stats": counters, "limit": 64, "usage": 15}}
    use = inspected.resource_use(sample, machine_memory=1000)
    assert (use.memory_anonymous, use.memory_limit) == (10, 64)


def test_cpu_is_in_percent_of_one_core() -> None:
    use = inspected.resource_use({"cpu_stats": CPU, "precpu_stats": BEFORE}, machine_memory=1000)
    assert use.cpu_percent == 40.0


def test_a_single_reading_gives_no_cpu_use() -> None:
    assert inspected.resource_use({"cpu_stats": CPU, "precpu_stats": {}}, machine_memory=1).cpu_percent == 0.0


def test_the_machines_memory_is_no_limit() -> None:
    assert inspected.resource_use({"memory_stats": {"limit": 1000}}, machine_memory=1000).memory_limit == 0


def test_a_container_that_does_not_run_uses_nothing() -> None:
    use = inspected.resource_use({}, machine_memory=1000)
    assert (use.cpu_percent, use.memory_anonymous, use.memory_limit) == (0.0, 0, 0)


@pytest.mark.parametrize(
    ("version", "info", "flavour"),
    [
        ({"Components": [{"Name": "Podman Engine"}]}, {}, "Podman"),
        ({}, {"OperatingSystem": "Docker Desktop"}, "Docker Desktop"),
        ({}, {"OperatingSystem": "OrbStack"}, "OrbStack"),
        ({}, {"OperatingSystem": "Ubuntu 24.04", "Name": "colima"}, "Colima"),
        ({}, {"OperatingSystem": "Debian GNU/Linux 12", "Name": "vm"}, "Docker Engine"),
    ],
)
def test_an_engine_is_called_by_its_products_name(version: dict[str, Any], info: dict[str, Any], flavour: str) -> None:
    assert inspected.engine_flavour(version, info) == flavour
